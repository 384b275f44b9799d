// The greatest value. State: that value, 16 bytes. Exact; of equal values the first stays, so the result depends
// on the events' order only. Null of nothing.

import Core

struct Maximum: Aggregation {
  private var greatest = Cell.null

  init(_: NoParameters) {}

  static var isIndifferentToGrouping: Bool { true }

  static var quickFold: QuickFold { .greatest }

  mutating func add(_ cell: Cell, at _: Timestamp) { take(cell) }

  mutating func merge(_ later: Maximum) { take(later.greatest) }

  private mutating func take(_ cell: Cell) {
    if greatest == .null || greatest.precedes(cell) == true { greatest = cell }
  }

  func result(_: Question) -> Cell { greatest }
}

extension Maximum {
  func write(to bytes: inout StateWriter) { bytes.write(greatest) }

  init(_ parameters: NoParameters, from bytes: inout StateReader) {
    self.init(parameters)
    greatest = bytes.read()
  }
}
