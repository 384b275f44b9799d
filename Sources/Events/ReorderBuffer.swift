// Events wait here until the watermark has passed them, and leave in the order (time, id, offset), which
// depends on the events alone and not on how they arrived. Holds the lines of one lateness of stream.

public import Core

public struct WaitingEvent {
  public let time: Timestamp
  public let id: [UInt8]
  public let offset: Int64
  public let line: [UInt8]

  public init(time: Timestamp, id: [UInt8], offset: Int64, line: [UInt8]) {
    self.time = time
    self.id = id
    self.offset = offset
    self.line = line
  }

  static func precedes(_ left: WaitingEvent, _ right: WaitingEvent) -> Bool {
    if left.time != right.time { return left.time < right.time }
    if left.id != right.id { return left.id.lexicographicallyPrecedes(right.id) }
    return left.offset < right.offset
  }
}

/// A binary heap with the earliest event on top.
///
/// - Complexity: O(log n) an event, n being the events of one lateness.
public struct ReorderBuffer {
  private var heap: [WaitingEvent] = []

  public init() {}

  public var count: Int { heap.count }

  public mutating func insert(_ event: WaitingEvent) {
    heap.append(event)
    var index = heap.count - 1
    while index > 0 {
      let parent = (index - 1) / 2
      guard WaitingEvent.precedes(heap[index], heap[parent]) else { return }
      heap.swapAt(index, parent)
      index = parent
    }
  }

  /// The earliest event if it lies before the watermark. One exactly at the watermark waits: others of
  /// its time may still come, and their order must not depend on which came first.
  public mutating func next(before watermark: Timestamp) -> WaitingEvent? {
    guard let first = heap.first, first.time < watermark else { return nil }
    return removeFirst()
  }

  /// The earliest event, when no more will come.
  public mutating func next() -> WaitingEvent? { heap.isEmpty ? nil : removeFirst() }

  private mutating func removeFirst() -> WaitingEvent {
    heap.swapAt(0, heap.count - 1)
    let first = heap.removeLast()
    var index = 0
    while true {
      var smallest = index
      for child in [2 * index + 1, 2 * index + 2]
      where child < heap.count && WaitingEvent.precedes(heap[child], heap[smallest]) {
        smallest = child
      }
      guard smallest != index else { return first }
      heap.swapAt(index, smallest)
      index = smallest
    }
  }
}
