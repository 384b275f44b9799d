// The k greatest values, greatest first, as a list; equal values each for themselves (as Chronon's TOP_K). State: at
// most k values of 16 bytes. Exact. An empty list of nothing.

import Core

struct TopK: Aggregation {
  private let length: ListLength
  private var values: [Cell] = []

  init(_ length: ListLength) { self.length = length }

  mutating func add(_ cell: Cell, at _: Timestamp) { take(cell) }

  mutating func merge(_ later: TopK) {
    for value in later.values { take(value) }
  }

  private mutating func take(_ cell: Cell) {
    guard cell != .null else { return }
    if values.count == length.count {
      guard values[values.count - 1].precedes(cell) == true else { return }
      values.removeLast()
    }
    // Behind its equals, so that of equal values the first in event order stays.
    var place = values.count
    while place > 0, values[place - 1].precedes(cell) == true { place -= 1 }
    values.insert(cell, at: place)
  }

  func result(_ question: Question) -> Cell { question.texts.list(values) }
}

extension TopK {
  func write(to bytes: inout StateWriter) { bytes.write(values) }

  init(_ length: ListLength, from bytes: inout StateReader) {
    self.init(length)
    values = bytes.readCells()
  }
}
