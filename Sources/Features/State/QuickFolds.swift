// Most questions about a window find few rows that are all still there, and most features are counts, sums, means and
// extremes. These are answered here, by one loop over the rows and without a call into each feature's family; and features
// that ask for sums of one column over one window share one fold. Where a window has a hop, its rows are summed tile by tile,
// as they would be if they were folded already.
//
//     sum_24h, mean_24h  ─▶ fold 0 of "amount" over 24h        count_1h  ─▶ rows in 1h
//
// `Aggregation.value` is the slow and obvious twin, and answers whatever is left. Both give the same to the last bit.

import Core

/// By which loop an aggregation folds few rows.
enum QuickFold {
  case none, events, sum, mean, least, greatest
}

/// How one feature is answered.
struct QuickAnswer {
  static let none = QuickAnswer(fold: .none)

  let fold: QuickFold
  var column = 0
  /// Of the tiles that sums are made of; zero where the window is exact.
  var width = TimeSpan.zero
  /// Of its sum among all sums of the view.
  var place = 0
  /// Whether it is the first in the order of features to need that sum.
  var isFirst = false
}

/// Valid as long as their view, which frees them.
struct QuickFolds {
  /// Which sums there are, worked out feature by feature.
  struct Places {
    private var sums: [(window: Int, column: Int)] = []
    fileprivate var count: Int { sums.count }

    /// - Parameter index: of the window among those that the view is asked for.
    mutating func answer(_ family: Family, _ window: Window, _ index: Int) -> QuickAnswer {
      guard case .tiles(let width) = window.grouping else { return .none }
      let isExact = window.rowReach > .zero
      var answer = QuickAnswer(fold: family.countsEvents ? .events : family.quickFold)
      answer.width = isExact ? .zero : width
      if answer.fold == .events { return answer }
      guard let column = family.shape.column else { return .none }
      answer.column = column
      guard answer.fold == .sum || answer.fold == .mean else { return answer }
      let known = sums.firstIndex { $0.window == index && $0.column == column }
      if known == nil { sums.append((index, column)) }
      answer.place = known ?? sums.count - 1
      answer.isFirst = known == nil
      return answer
    }
  }

  private let sums: UnsafeMutablePointer<RunningSum>

  init(_ places: Places) {
    sums = .allocate(capacity: max(places.count, 1))
    sums.initialize(repeating: RunningSum(), count: places.count)
  }

  func deallocate() { sums.deallocate() }

  /// The value for the question at hand, or nil where its family has to say. The features of a view are answered in their
  /// order.
  ///
  /// - Complexity: O(rows in the window), at most `Family.plainRowsMax`.
  @inline(__always)
  func answer(
    _ plan: QuickAnswer, _ history: EntityHistory, _ window: UnsafePointer<AskedWindow>
  ) -> Cell? {
    let first = window.pointee.question.firstRow
    let count = window.pointee.question.endRow - first
    switch plan.fold {
    case .none: return nil
    case .events: return isHeld(plan, history, window) ? .int(Int64(count)) : nil
    case .sum, .mean:
      guard plan.width == .zero || history.track == nil, count <= Family.plainRowsMax else {
        return nil
      }
      if plan.isFirst { sums[plan.place] = sum(plan, history, first, count) }
      return plan.fold == .sum
        ? Sum.result(of: sums[plan.place]) : Mean.result(of: sums[plan.place])
    case .greatest, .least:
      guard isHeld(plan, history, window), count <= Family.plainRowsMax else { return nil }
      guard count > 0 else { return .null }
      let (cells, stride) = history.cells(from: first, plan.column)
      return plan.fold == .greatest
        ? QuickFolds.greatest(cells, stride, count) : QuickFolds.least(cells, stride, count)
    }
  }

  /// Whether all that is in the window is still there row by row: see `Aggregation.holdsAll`.
  @inline(__always)
  private func isHeld(
    _ plan: QuickAnswer, _ history: EntityHistory, _ window: UnsafePointer<AskedWindow>
  ) -> Bool {
    plan.width == .zero || history.settled == .distantPast
      || window.pointee.question.start > history.settled
  }

  @inline(__always)
  private func sum(
    _ plan: QuickAnswer, _ history: EntityHistory, _ first: Int, _ count: Int
  ) -> RunningSum {
    guard count > 0 else { return RunningSum() }
    let (cells, stride) = history.cells(from: first, plan.column)
    if plan.width == .zero { return RunningSum(cells, stride: stride, count: count) }
    return history.withRows(from: first, column: plan.column) { times, cells, stride in
      RunningSum(times, cells, stride: stride, count: count, tiles: plan.width)
    }
  }

  /// The greatest of doubles; nil where there is anything else among them.
  private static func greatest(
    _ cells: UnsafePointer<Cell>, _ stride: Int, _ count: Int
  ) -> Cell? {
    guard case .double(var greatest) = cells[0] else { return nil }
    for index in 1..<count {
      guard case .double(let value) = cells[index &* stride] else { return nil }
      if greatest < value { greatest = value }
    }
    return .double(greatest)
  }

  /// The least of doubles; nil where there is anything else among them.
  private static func least(_ cells: UnsafePointer<Cell>, _ stride: Int, _ count: Int) -> Cell? {
    guard case .double(var least) = cells[0] else { return nil }
    for index in 1..<count {
      guard case .double(let value) = cells[index &* stride] else { return nil }
      if value < least { least = value }
    }
    return .double(least)
  }
}
