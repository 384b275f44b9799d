// The n earliest values that are not null, earliest first, as a list. State: at most n values of 16 bytes. Exact. An
// empty list of nothing.

import Core

/// How many values a list holds at most.
struct ListLength: Sendable {
  let count: Int

  /// Reads the parameter `key`.
  init(_ node: ConfigNode, _ key: String) throws(Failure) {
    count = try node.required(key).integer(in: 1...Limits.featureListMax)
  }
}

struct FirstN: Aggregation {
  private let length: ListLength
  private var values: [Cell] = []

  init(_ length: ListLength) { self.length = length }

  mutating func add(_ cell: Cell, at _: Timestamp) {
    if values.count < length.count, cell != .null { values.append(cell) }
  }

  mutating func merge(_ later: FirstN) {
    values.append(contentsOf: later.values.prefix(length.count - values.count))
  }

  func result(_ question: Question) -> Cell { question.texts.list(values) }
}

extension FirstN {
  func write(to bytes: inout StateWriter) { bytes.write(values) }

  init(_ length: ListLength, from bytes: inout StateReader) {
    self.init(length)
    values = bytes.readCells()
  }
}
