// The earliest value that is not null. State: that value, 16 bytes; states merge in event order, so no times
// need be kept. Exact. Null of nothing.

import Core

struct First: Aggregation {
  private var value = Cell.null

  init(_: NoParameters) {}

  static var isIndifferentToGrouping: Bool { true }

  mutating func add(_ cell: Cell, at _: Timestamp) {
    if value == .null { value = cell }
  }

  mutating func merge(_ later: First) {
    if value == .null { value = later.value }
  }

  func result(_: Question) -> Cell { value }
}

extension First {
  func write(to bytes: inout StateWriter) { bytes.write(value) }

  init(_ parameters: NoParameters, from bytes: inout StateReader) {
    self.init(parameters)
    value = bytes.read()
  }
}
