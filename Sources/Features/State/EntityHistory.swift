// What happened to one entity, in the order (time, order of arrival), as far back as it may still be looked at row
// by row. One row an event. Rows are numbered from the entity's first on; the numbers of those that have been
// folded away are not used again.
//
//     row:      3      4      5      6
//     times:  10:00  10:02  10:02  10:07
//     orders:    3      5      9     11
//     cells:  [5 UA] [0 DL] [9 UA] [7 B6]    row-major, one cell for each column of the view
//
// The three lie one behind another in one block, which nobody else can hold. A history itself is only the address of
// its record in the table of entities: a question about an entity that is not in the cache waits for memory once for the
// slot, once for the record and once for the rows, and no reference is counted.

import Core

/// An entity as it lies in `EntityTable`: two cache lines, of which the key's first bytes are the end. What a question
/// needs stands first.
struct EntityRecord {
  var key: Bytes
  fileprivate var times: UnsafeMutablePointer<Timestamp>
  fileprivate var cells: UnsafeMutablePointer<Cell>
  /// Rows in the block, dropped ones included.
  @Narrow fileprivate var count = 0
  /// Rows at the front that are dropped already but still take room.
  @Narrow fileprivate var dropped = 0
  /// The number of the row that stands first in the block, dropped or not.
  fileprivate var base = 0
  @Narrow fileprivate var track = -1
  /// Rows that the block has room for; 0 before there is one.
  @Narrow fileprivate var capacity = 0
  fileprivate var orders: UnsafeMutablePointer<Int64>
  @Narrow fileprivate var columns: Int
  @Narrow fileprivate var number: Int
  fileprivate var latest = Timestamp.distantPast
  fileprivate var lastOrder: Int64 = -1
  fileprivate var settled = Timestamp.distantPast

  init(key: Bytes, number: Int, columns: Int) {
    self.key = key
    _number = Narrow(wrappedValue: number)
    _columns = Narrow(wrappedValue: columns)
    times = EntityRecord.nowhere.assumingMemoryBound(to: Timestamp.self)
    orders = EntityRecord.nowhere.assumingMemoryBound(to: Int64.self)
    cells = EntityRecord.nowhere.assumingMemoryBound(to: Cell.self)
  }

  /// Of an entity that was removed.
  static var free: EntityRecord { EntityRecord(key: .empty, number: -1, columns: 0) }

  var isFree: Bool { number < 0 }

  /// Frees the rows.
  func deallocate() {
    if capacity > 0 { UnsafeMutableRawPointer(times).deallocate() }
  }

  /// A valid address with nothing behind it, for entities without rows.
  nonisolated(unsafe) private static let nowhere = UnsafeMutableRawPointer.allocate(
    byteCount: 16, alignment: 16)
}

/// An integer of 32 bits where it lies, so that a record fills its two lines and no more.
@propertyWrapper
private struct Narrow {
  private var stored: Int32

  @inline(__always)
  init(wrappedValue: Int) { stored = Int32(wrappedValue) }

  @inline(__always)
  var wrappedValue: Int {
    get { Int(stored) }
    set { stored = Int32(newValue) }
  }
}

/// A record that may be another entity's. Each step reads what the one before has brought.
struct LikelyEntity {
  private let record: UnsafeMutablePointer<EntityRecord>

  init(_ record: UnsafeMutablePointer<EntityRecord>) { self.record = record }

  var key: Bytes { record.pointee.key }
  var history: EntityHistory { EntityHistory(record) }
  /// Where its latest row stands; nil where there is none.
  var lastRow: UnsafePointer<Timestamp>? {
    let count = record.pointee.count
    return count > 0 ? UnsafePointer(record.pointee.times + (count - 1)) : nil
  }

  /// Reads something of both its cache lines; what, means nothing.
  func touchRecord() -> Int64 { record.pointee.lastOrder ^ Int64(record.pointee.count) }

  /// Reads something of each place where its rows begin and end; what, means nothing.
  func touchRows() -> Int64 {
    let (first, last) = (record.pointee.dropped, record.pointee.count - 1)
    guard last >= first else { return 0 }
    let times = record.pointee.times
    let cells = UnsafeRawPointer(record.pointee.cells)
    let width = record.pointee.columns * MemoryLayout<Cell>.stride
    return times[first].microseconds ^ times[last].microseconds
      ^ (width > 0
        ? cells.load(fromByteOffset: first * width, as: Int64.self)
          ^ cells.load(fromByteOffset: last * width, as: Int64.self) : 0)
  }
}

/// Valid as long as its table.
struct EntityHistory: Equatable {
  private let record: UnsafeMutablePointer<EntityRecord>

  init(_ record: UnsafeMutablePointer<EntityRecord>) { self.record = record }

  private static let capacityMin = 4

  /// The first row that is kept.
  var firstRow: Int { record.pointee.base + record.pointee.dropped }
  /// Behind the last row.
  var endRow: Int { record.pointee.base + record.pointee.count }
  var rowCount: Int { record.pointee.count - record.pointee.dropped }
  /// The entity's, in order of arrival.
  var number: Int { record.pointee.number }
  var key: Bytes { record.pointee.key }
  /// When something happened last.
  var latest: Timestamp { record.pointee.latest }
  /// The greatest number in the order of arrival.
  var lastOrder: Int64 { record.pointee.lastOrder }
  /// The time of the latest row that has been dropped.
  var settled: Timestamp { record.pointee.settled }

  /// The number of the entity's partial states in every family of the view; nil as long as its rows are so few
  /// that they are folded for each question.
  var track: Int? {
    get { record.pointee.track < 0 ? nil : record.pointee.track }
    nonmutating set { record.pointee.track = newValue ?? -1 }
  }

  func time(_ row: Int) -> Timestamp {
    precondition(row >= firstRow && row < endRow, "a row that is kept")
    return record.pointee.times[row - record.pointee.base]
  }

  /// Puts an event at its place. Nearly always that is the end.
  ///
  /// - Parameter cells: one for each column of the view.
  /// - Returns: its row; those behind it have moved by one.
  /// - Complexity: O(columns) at the end, O(rows behind it) else.
  func insert(_ time: Timestamp, order: Int64, cells row: UnsafePointer<Cell>) -> Int {
    if record.pointee.count == record.pointee.capacity { grow() }
    let (times, orders, cells) = (record.pointee.times, record.pointee.orders, record.pointee.cells)
    let (count, columns) = (record.pointee.count, record.pointee.columns)
    var place = count
    while place > record.pointee.dropped, (time, order) < (times[place - 1], orders[place - 1]) {
      place -= 1
    }
    if place < count {
      (times + place + 1).update(from: times + place, count: count - place)
      (orders + place + 1).update(from: orders + place, count: count - place)
      (cells + (place + 1) * columns).update(
        from: cells + place * columns, count: (count - place) * columns)
    }
    times[place] = time
    orders[place] = order
    for column in 0..<columns { cells[place * columns + column] = row[column] }
    record.pointee.count = count + 1
    record.pointee.latest = max(record.pointee.latest, time)
    record.pointee.lastOrder = max(record.pointee.lastOrder, order)
    return record.pointee.base + place
  }

  /// Makes room by twice the rows, or by leaving out the dropped ones.
  private func grow() {
    let kept = rowCount
    let larger = max(EntityHistory.capacityMin, kept * 2)
    let (dropped, columns) = (record.pointee.dropped, record.pointee.columns)
    let rowBytes = 16 + columns * MemoryLayout<Cell>.stride
    let block = UnsafeMutableRawPointer.allocate(byteCount: larger * rowBytes, alignment: 16)
    let times = block.bindMemory(to: Timestamp.self, capacity: larger)
    let orders = (block + larger * 8).bindMemory(to: Int64.self, capacity: larger)
    let cells = (block + larger * 16).bindMemory(to: Cell.self, capacity: larger * columns)
    times.update(from: record.pointee.times + dropped, count: kept)
    orders.update(from: record.pointee.orders + dropped, count: kept)
    cells.update(from: record.pointee.cells + dropped * columns, count: kept * columns)
    record.pointee.deallocate()
    record.pointee.times = times
    record.pointee.orders = orders
    record.pointee.cells = cells
    record.pointee.capacity = larger
    record.pointee.base += dropped
    record.pointee.count = kept
    record.pointee.dropped = 0
  }

  func order(_ row: Int) -> Int64 {
    precondition(row >= firstRow && row < endRow, "a row that is kept")
    return record.pointee.orders[row - record.pointee.base]
  }

  func cell(_ row: Int, _ column: Int) -> Cell {
    precondition(row >= firstRow && row < endRow, "a row that is kept")
    let columns = record.pointee.columns
    return record.pointee.cells[(row - record.pointee.base) * columns + column]
  }

  /// Goes on behind what was known before its first row.
  func resume(settled: Timestamp, latest: Timestamp, lastOrder: Int64) {
    record.pointee.settled = settled
    record.pointee.latest = max(record.pointee.latest, latest)
    record.pointee.lastOrder = max(record.pointee.lastOrder, lastOrder)
  }

  /// - Complexity: O(log rows behind it), at least O(1).
  func firstRow(notBefore time: Timestamp) -> Int { firstRow(notBefore: time, upTo: endRow) }

  /// The same, where no row from `end` on is before `time`.
  ///
  /// - Complexity: O(log rows between it and `end`), at least O(1).
  func firstRow(notBefore time: Timestamp, upTo end: Int) -> Int {
    let (times, base) = (record.pointee.times, record.pointee.base)
    var (low, high) = (record.pointee.dropped, end - base - 1)
    guard low <= high, times[high] >= time else { return base + high + 1 }
    // Questions are about recent times: in steps that double, back from the last row.
    var step = 1
    while high - step >= low, times[high - step] >= time {
      high -= step
      step *= 2
    }
    low = max(low, high - step)
    while low < high {
      let middle = (low + high) / 2
      if times[middle] < time { low = middle + 1 } else { high = middle }
    }
    return base + low
  }

  /// Lends the times and the cells of a column from row `first` on, and how far the cells lie apart.
  ///
  /// - Parameter column: nil where whole events are counted; one constant then stands for all of them.
  @inline(__always)
  func withRows<Result>(
    from first: Int, column: Int?,
    _ body: (_ times: UnsafePointer<Timestamp>, _ cells: UnsafePointer<Cell>, _ stride: Int) ->
      Result
  ) -> Result {
    precondition(first >= firstRow && first <= endRow, "rows that are kept")
    let place = first - record.pointee.base
    let times = UnsafePointer(record.pointee.times + place)
    guard let column else {
      return withUnsafePointer(to: Cell.bool(true)) { body(times, $0, 0) }
    }
    let columns = record.pointee.columns
    return body(times, UnsafePointer(record.pointee.cells + (place * columns + column)), columns)
  }

  /// The same without a check of its own, for rows that were found for the question at hand.
  @inline(__always)
  func cells(from first: Int, _ column: Int) -> (cells: UnsafePointer<Cell>, stride: Int) {
    assert(first >= firstRow && first <= endRow, "rows that are kept")
    let columns = record.pointee.columns
    let place = (first - record.pointee.base) * columns + column
    return (UnsafePointer(record.pointee.cells + place), columns)
  }

  /// Drops the rows before `row`.
  ///
  /// - Complexity: amortised O(1) a row.
  func drop(before row: Int) {
    precondition(row >= firstRow && row <= endRow, "rows that are kept")
    if row > firstRow { record.pointee.settled = max(settled, time(row - 1)) }
    record.pointee.dropped = row - record.pointee.base
    let (dropped, columns) = (record.pointee.dropped, record.pointee.columns)
    guard dropped * 2 > record.pointee.count else { return }
    let (times, orders, cells) = (record.pointee.times, record.pointee.orders, record.pointee.cells)
    let kept = rowCount
    times.update(from: times + dropped, count: kept)
    orders.update(from: orders + dropped, count: kept)
    cells.update(from: cells + dropped * columns, count: kept * columns)
    record.pointee.base += dropped
    record.pointee.count = kept
    record.pointee.dropped = 0
  }
}
