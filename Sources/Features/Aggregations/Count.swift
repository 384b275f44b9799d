// How many. State: one integer, 8 bytes. Exact, so grouping cannot change it. 0 of nothing.

import Core

struct Count: Aggregation {
  private var count: Int64 = 0

  init(_: NoParameters) {}

  static var isIndifferentToGrouping: Bool { true }
  static var countsEvents: Bool { true }

  mutating func add(_ cell: Cell, at _: Timestamp) {
    if cell != .null { count += 1 }
  }

  mutating func merge(_ later: Count) { count += later.count }

  func result(_: Question) -> Cell { .int(count) }
}

extension Count {
  func write(to bytes: inout StateWriter) { bytes.write(count) }

  init(_ parameters: NoParameters, from bytes: inout StateReader) {
    self.init(parameters)
    count = bytes.read()
  }
}
