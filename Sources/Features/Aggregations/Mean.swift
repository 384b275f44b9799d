// The arithmetic mean. State: 48 bytes (`RunningSum`), of which the count is one. As exact as the sum. Null of
// nothing.

import Core

struct Mean: Aggregation {
  private var sum = RunningSum()

  init(_: NoParameters) {}

  static var quickFold: QuickFold { .mean }

  mutating func add(_ cell: Cell, at _: Timestamp) { sum.add(cell) }
  mutating func merge(_ later: Mean) { sum.merge(later.sum) }

  func result(_: Question) -> Cell { Mean.result(of: sum) }

  static func result(of sum: RunningSum) -> Cell {
    sum.count == 0 ? .null : Cell(finite: sum.double / Double(sum.count))
  }
}

extension Mean {
  func write(to bytes: inout StateWriter) { sum.write(to: &bytes) }

  init(_ parameters: NoParameters, from bytes: inout StateReader) {
    self.init(parameters)
    sum = RunningSum(from: &bytes)
  }
}
