// The n latest values that are not null, earliest first, as a list. State: at most 2 n values of 16 bytes. Exact. An
// empty list of nothing.

import Core

struct LastN: Aggregation {
  private let length: ListLength
  /// The last `length` of them count; those before go now and then, all at once.
  private var values: [Cell] = []

  init(_ length: ListLength) { self.length = length }

  mutating func add(_ cell: Cell, at _: Timestamp) {
    guard cell != .null else { return }
    values.append(cell)
    shorten()
  }

  mutating func merge(_ later: LastN) {
    values.append(contentsOf: later.values)
    shorten()
  }

  private mutating func shorten() {
    if values.count >= 2 * length.count { values.removeFirst(values.count - length.count) }
  }

  func result(_ question: Question) -> Cell { question.texts.list(values.suffix(length.count)) }
}

extension LastN {
  func write(to bytes: inout StateWriter) { bytes.write(values) }

  init(_ length: ListLength, from bytes: inout StateReader) {
    self.init(length)
    values = bytes.readCells()
  }
}
