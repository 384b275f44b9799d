// The events of one stream of a join that may still be matched: by key and time, to find them, and by when they need not
// be kept any longer, to forget them.
//
//     keys ─▶ [ time order │ number ] …      in the order (time, order)
//     events by number:  time, order, matched?, end │ the members that records need, as bytes
//     queue:  end, order ─▶ number           the earliest end on top
//
// Memory: for each event 240 bytes and its members, a text with its length; for each key as much again (both measured).

import Core
import Events

final class JoinBuffer {
  struct Waiting {
    let time: Timestamp
    let order: Int64
    /// A match can come up to here.
    let end: Timestamp
    /// Nil where a part of the key is null: then nothing matches.
    let key: Bytes?
    /// What a record takes from it.
    let members: Bytes
    /// Whether a record has it, so that it is not unmatched.
    var isMatched: Bool
    /// Whether a store has yet to be told.
    var isChanged = false
    /// One allocation holds the key and the members.
    fileprivate let memory: UnsafeMutablePointer<UInt8>
  }

  private let keys = EntityTable(columns: 1)
  private var events: [Waiting?] = []
  private var freeNumbers: [Int] = []
  private var queue = ExpiryQueue()

  deinit { for case let event? in events { event.memory.deallocate() } }

  /// Events that wait.
  var count: Int { events.count - freeNumbers.count }
  /// Numbers that have been given, free ones included.
  var numberCount: Int { events.count }

  /// Nil for a number that is free.
  subscript(number: Int) -> Waiting? { events[number] }

  /// - Returns: its number.
  func insert(
    _ key: Bytes?, _ members: Bytes, at time: Timestamp, order: Int64, end: Timestamp,
    isMatched: Bool
  ) -> Int {
    let keyCount = key?.count ?? 0
    let memory = UnsafeMutablePointer<UInt8>.allocate(capacity: max(keyCount + members.count, 1))
    if let key { memory.update(from: key.base, count: keyCount) }
    (memory + keyCount).update(from: members.base, count: members.count)
    let kept = Bytes(base: UnsafePointer(memory), count: keyCount)
    let event = Waiting(
      time: time, order: order, end: end, key: key == nil ? nil : kept,
      members: Bytes(base: UnsafePointer(memory + keyCount), count: members.count),
      isMatched: isMatched, memory: memory)
    let number = freeNumbers.popLast() ?? events.count
    if number == events.count { events.append(event) } else { events[number] = event }
    if let key {
      withUnsafePointer(to: Cell.int(Int64(number))) {
        _ = keys.insert(key).insert(time, order: order, cells: $0)
      }
    }
    queue.insert(ExpiryQueue.Entry(end: end, order: order, event: number))
    return number
  }

  /// Lends the numbers of the events with a key whose times lie in an interval, in the order of time, and of
  /// arrival among those of one time.
  ///
  /// - Complexity: O(log events of the key + how many there are).
  func visit(_ key: Bytes, in interval: ClosedRange<Timestamp>, _ body: (Int) -> Void) {
    guard let history = keys.find(key) else { return }
    var row = history.firstRow(notBefore: interval.lowerBound)
    while row < history.endRow, history.time(row) <= interval.upperBound {
      if case .int(let number) = history.cell(row, 0) { body(Int(number)) }
      row += 1
    }
  }

  func noteMatch(_ number: Int) { events[number]?.isMatched = true }

  /// - Returns: whether that is new.
  func noteChange(_ number: Int) -> Bool {
    guard events[number]?.isChanged == false else { return false }
    events[number]?.isChanged = true
    return true
  }

  func noteWritten(_ number: Int) { events[number]?.isChanged = false }

  /// Forgets the events whose ends lie before `moment`, the earliest first.
  ///
  /// - Parameter body: is lent each of them.
  /// - Complexity: O(log n) an event.
  func removeAll(before moment: Timestamp, _ body: (Waiting) -> Void) {
    while let entry = queue.next(before: moment) {
      guard let event = events[entry.event] else {
        preconditionFailure("an event waits until its end has come")
      }
      body(event)
      if let key = event.key, let history = keys.find(key) {
        // Ends come in the order of times, so it is the first of its key.
        history.drop(before: history.firstRow + 1)
        if history.rowCount == 0 { keys.remove(history.number) }
      }
      event.memory.deallocate()
      events[entry.event] = nil
      freeNumbers.append(entry.event)
    }
  }
}
