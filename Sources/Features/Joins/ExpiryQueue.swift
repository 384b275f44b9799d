// What waits for a match, by when it need not wait any longer: a binary heap with the earliest on top.

import Core

struct ExpiryQueue {
  struct Entry {
    /// A match can come up to here.
    let end: Timestamp
    /// Of the event; decides between those of one end.
    let order: Int64
    /// The event's number in its buffer.
    let event: Int

    fileprivate func precedes(_ other: Entry) -> Bool { (end, order) < (other.end, other.order) }
  }

  private var heap: [Entry] = []

  /// - Complexity: O(1) for ends that grow, O(log n) else.
  mutating func insert(_ entry: Entry) {
    heap.append(entry)
    var index = heap.count - 1
    while index > 0 {
      let parent = (index - 1) / 2
      guard heap[index].precedes(heap[parent]) else { return }
      heap.swapAt(index, parent)
      index = parent
    }
  }

  /// The earliest, if its end lies before a moment.
  ///
  /// - Complexity: O(log n).
  mutating func next(before moment: Timestamp) -> Entry? {
    guard let first = heap.first, first.end < moment else { return nil }
    heap.swapAt(0, heap.count - 1)
    heap.removeLast()
    var index = 0
    while true {
      var least = index
      for child in [2 * index + 1, 2 * index + 2]
      where child < heap.count && heap[child].precedes(heap[least]) {
        least = child
      }
      guard least != index else { return first }
      heap.swapAt(index, least)
      index = least
    }
  }
}
