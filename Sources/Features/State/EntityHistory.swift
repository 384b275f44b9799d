// What happened to one entity, in the order (time, order of arrival), as far back as it may still be looked at row
// by row. One row an event. Rows are numbered from the entity's first on; the numbers of those that have been
// folded away are not used again.
//
//     row:      3      4      5      6
//     times:  10:00  10:02  10:02  10:07
//     orders:    3      5      9     11
//     cells:  [5 UA] [0 DL] [9 UA] [7 B6]    row-major, one cell for each column of the view
//
// The three lie one behind another in one block, which nobody else can hold: a question about an entity that is not in
// the cache waits for memory once, and no reference is counted.

import Core

final class EntityHistory {
  private let columns: Int
  private var times: UnsafeMutablePointer<Timestamp>
  private var orders: UnsafeMutablePointer<Int64>
  private var cells: UnsafeMutablePointer<Cell>
  /// Rows that the block has room for; 0 before there is one.
  private var capacity = 0
  /// Rows in the block, dropped ones included.
  private var count = 0
  /// Rows at the front that are dropped already but still take room.
  private var dropped = 0
  /// The number of the row that stands first in the block, dropped or not.
  private var base = 0
  /// When something happened last.
  private(set) var latest = Timestamp.distantPast
  /// The number of the entity's partial states in every family of the view; nil as long as its rows are so few
  /// that they are folded for each question.
  var track: Int?

  private static let capacityMin = 4

  init(columns: Int) {
    self.columns = columns
    times = EntityHistory.nowhere.assumingMemoryBound(to: Timestamp.self)
    orders = EntityHistory.nowhere.assumingMemoryBound(to: Int64.self)
    cells = EntityHistory.nowhere.assumingMemoryBound(to: Cell.self)
  }

  deinit { if capacity > 0 { UnsafeMutableRawPointer(times).deallocate() } }

  /// A valid address with nothing behind it, for entities without rows.
  nonisolated(unsafe) private static let nowhere = UnsafeMutableRawPointer.allocate(
    byteCount: 16, alignment: 16)

  /// The first row that is kept.
  var firstRow: Int { base + dropped }
  /// Behind the last row.
  var endRow: Int { base + count }
  var rowCount: Int { count - dropped }

  func time(_ row: Int) -> Timestamp {
    precondition(row >= firstRow && row < endRow, "a row that is kept")
    return times[row - base]
  }

  /// Puts an event at its place. Nearly always that is the end.
  ///
  /// - Returns: its row; those behind it have moved by one.
  /// - Complexity: O(columns) at the end, O(rows behind it) else.
  func insert(_ time: Timestamp, order: Int64, cells row: [Cell]) -> Int {
    precondition(row.count == columns, "a row has a cell for each column")
    latest = max(latest, time)
    if count == capacity { grow() }
    var place = count
    while place > dropped,
      (time, order) < (times[place - 1], orders[place - 1])
    {
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
    count += 1
    return base + place
  }

  /// Makes room by twice the rows, or by leaving out the dropped ones.
  private func grow() {
    let larger = max(EntityHistory.capacityMin, rowCount * 2)
    let rowBytes = 16 + columns * MemoryLayout<Cell>.stride
    let block = UnsafeMutableRawPointer.allocate(byteCount: larger * rowBytes, alignment: 16)
    let newTimes = block.bindMemory(to: Timestamp.self, capacity: larger)
    let newOrders = (block + larger * 8).bindMemory(to: Int64.self, capacity: larger)
    let newCells = (block + larger * 16).bindMemory(to: Cell.self, capacity: larger * columns)
    let kept = rowCount
    newTimes.update(from: times + dropped, count: kept)
    newOrders.update(from: orders + dropped, count: kept)
    newCells.update(from: cells + dropped * columns, count: kept * columns)
    if capacity > 0 { UnsafeMutableRawPointer(times).deallocate() }
    (times, orders, cells, capacity) = (newTimes, newOrders, newCells, larger)
    base += dropped
    (count, dropped) = (kept, 0)
  }

  /// - Complexity: O(1) if that is none or the last, else O(log rows).
  func firstRow(notBefore time: Timestamp) -> Int {
    var low = dropped
    var high = count
    guard low < high, times[high - 1] >= time else { return base + high }
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
    let place = first - base
    guard let column else {
      return withUnsafePointer(to: Cell.bool(true)) { body(times + place, $0, 0) }
    }
    return body(times + place, cells + (place * columns + column), columns)
  }

  /// Drops the rows before `row`.
  ///
  /// - Complexity: amortised O(1) a row.
  func drop(before row: Int) {
    precondition(row >= firstRow && row <= endRow, "rows that are kept")
    dropped = row - base
    guard dropped * 2 > count else { return }
    let kept = rowCount
    times.update(from: times + dropped, count: kept)
    orders.update(from: orders + dropped, count: kept)
    cells.update(from: cells + dropped * columns, count: kept * columns)
    base += dropped
    (count, dropped) = (kept, 0)
  }
}
