// The least value. State: that value, 16 bytes. Exact; of equal values the first stays, so the result depends
// on the events' order only. Null of nothing.

import Core

struct Minimum: Aggregation {
  private var least = Cell.null

  init(_: NoParameters) {}

  static var isIndifferentToGrouping: Bool { true }

  static var quickFold: QuickFold { .least }

  mutating func add(_ cell: Cell, at _: Timestamp) { take(cell) }

  mutating func merge(_ later: Minimum) { take(later.least) }

  private mutating func take(_ cell: Cell) {
    if least == .null || cell.precedes(least) == true { least = cell }
  }

  func result(_: Question) -> Cell { least }
}

extension Minimum {
  func write(to bytes: inout StateWriter) { bytes.write(least) }

  init(_ parameters: NoParameters, from bytes: inout StateReader) {
    self.init(parameters)
    least = bytes.read()
  }
}
