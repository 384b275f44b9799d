// The sum. State: 48 bytes (`RunningSum`). Exact for integers; for floats within 1e-12 of the sum of magnitudes.
// An integer as long as only integers were added and 64 bits hold it. Null of nothing.

import Core

struct Sum: Aggregation {
  private var sum = RunningSum()

  init(_: NoParameters) {}

  static var quickFold: QuickFold { .sum }

  mutating func add(_ cell: Cell, at _: Timestamp) { sum.add(cell) }
  mutating func merge(_ later: Sum) { sum.merge(later.sum) }

  func result(_: Question) -> Cell { Sum.result(of: sum) }

  static func result(of sum: RunningSum) -> Cell {
    if sum.count == 0 { return .null }
    return sum.integer ?? Cell(finite: sum.double)
  }
}

extension Sum {
  func write(to bytes: inout StateWriter) { sum.write(to: &bytes) }

  init(_ parameters: NoParameters, from bytes: inout StateReader) {
    self.init(parameters)
    sum = RunningSum(from: &bytes)
  }
}
