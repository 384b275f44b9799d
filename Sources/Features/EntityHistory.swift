// What happened to one entity, in the order (time, order of arrival), as far back as its windows reach. One
// row an event; rows that no window can reach any more are folded into the state of the features
// that look back without end, and dropped.
//
//     times:  10:00  10:02  10:02  10:07
//     orders:    3      5      9     11
//     cells:  [5 UA] [0 DL] [9 UA] [7 B6]    row-major, one cell for each column of the view

import Core

final class EntityHistory {
  private var times: [Timestamp] = []
  private var orders: [Int64] = []
  private var cells: [Cell] = []
  /// Rows at the front that are dropped already but still take room.
  private var dropped = 0
  /// For each feature without a window, the state of the dropped rows.
  private var bases: [(any Aggregation)?] = []

  var isEmpty: Bool { times.count == dropped && bases.allSatisfy { $0 == nil } }

  /// Puts an event at its place. Nearly always that is the end.
  ///
  /// - Complexity: O(columns) at the end, O(rows behind it) else.
  func insert(_ time: Timestamp, order: Int64, cells row: [Cell]) {
    var place = times.count
    while place > dropped,
      (time, order) < (times[place - 1], orders[place - 1])
    {
      place -= 1
    }
    times.insert(time, at: place)
    orders.insert(order, at: place)
    cells.insert(contentsOf: row, at: place * row.count)
  }

  /// The value of a feature for a question at `time`: everything in `[start, time)`.
  ///
  /// - Parameters:
  ///   - columns: of the view.
  ///   - base: the feature's place among those without a window, if it has none.
  /// - Complexity: O(log rows + rows in the window).
  func value(_ feature: Feature, at time: Timestamp, columns: Int, base: Int?) -> Cell {
    let first = firstRow(notBefore: feature.start(at: time))
    let rows = max(0, firstRow(notBefore: time) - first)
    var state: (any Aggregation)?
    if let base, base < bases.count { state = bases[base] }
    let type = feature.aggregation.type
    return withColumn(feature, from: first, rows: rows, columns: columns) { cells, stride in
      type.value(cells, stride: stride, rows: rows, onto: state)
    }
  }

  /// Lends the cells of a feature's column from row `first` on, and how far apart they lie.
  @inline(__always)
  private func withColumn<Result>(
    _ feature: Feature, from first: Int, rows: Int, columns: Int,
    _ body: (UnsafePointer<Cell>, Int) -> Result
  ) -> Result {
    guard let column = feature.column, rows > 0 else {
      // Whole events are counted: one constant stands for all of them.
      return withUnsafePointer(to: Cell.bool(true)) { body($0, 0) }
    }
    return cells.withUnsafeBufferPointer {
      body($0.baseAddress! + (first * columns + column), columns)
    }
  }

  /// Drops rows before `horizon`, folding them into the states of the `endless` features.
  func forget(before horizon: Timestamp, endless: [Feature], columns: Int) {
    let end = firstRow(notBefore: horizon)
    guard end > dropped else { return }
    if !endless.isEmpty {
      if bases.isEmpty { bases = Array(repeating: nil, count: endless.count) }
      for (index, feature) in endless.enumerated() {
        let rows = end - dropped
        let (type, state) = (feature.aggregation.type, bases[index])
        bases[index] = withColumn(feature, from: dropped, rows: rows, columns: columns) {
          cells, stride in
          type.fold(cells, stride: stride, rows: rows, onto: state)
        }
      }
    }
    dropped = end
    // Moving the rest to the front now and then costs a constant a row.
    guard dropped * 2 > times.count else { return }
    times.removeFirst(dropped)
    orders.removeFirst(dropped)
    cells.removeFirst(dropped * columns)
    dropped = 0
  }

  private func firstRow(notBefore time: Timestamp) -> Int {
    var low = dropped
    var high = times.count
    while low < high {
      let middle = (low + high) / 2
      if times[middle] < time { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
