// Most questions about an exact window find few rows, and most features are counts, sums, means and extremes. These are
// answered here, by one loop over the rows and without a call into each feature's family; and features that ask for
// sums of one column over one window share one fold.
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
  static let none = QuickAnswer(fold: .none, column: 0, place: 0, isFirst: false)

  let fold: QuickFold
  let column: Int
  /// Of its sum among all sums of the view.
  let place: Int
  /// Whether it is the first in the order of features to need that sum.
  let isFirst: Bool
}

/// Valid as long as their view, which frees them.
struct QuickFolds {
  /// Which sums there are, worked out feature by feature.
  struct Places {
    private var sums: [(window: Int, column: Int)] = []
    fileprivate var count: Int { sums.count }

    /// - Parameter index: of the window among those that the view is asked for.
    mutating func answer(_ family: Family, _ window: Window, _ index: Int) -> QuickAnswer {
      guard window.rowReach > .zero else { return .none }
      if family.countsEvents {
        return QuickAnswer(fold: .events, column: 0, place: 0, isFirst: false)
      }
      guard let column = family.shape.column else { return .none }
      let fold = family.quickFold
      guard fold == .sum || fold == .mean else {
        return QuickAnswer(fold: fold, column: column, place: 0, isFirst: false)
      }
      let known = sums.firstIndex { $0.window == index && $0.column == column }
      if known == nil { sums.append((index, column)) }
      return QuickAnswer(
        fold: fold, column: column, place: known ?? sums.count - 1, isFirst: known == nil)
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
  /// - Complexity: O(rows in the window), at most `Family.plainRowsMax`. Time is spent here.
  @inline(__always)
  func answer(
    _ plan: QuickAnswer, _ history: EntityHistory, _ window: UnsafePointer<AskedWindow>
  ) -> Cell? {
    let first = window.pointee.question.firstRow
    let count = window.pointee.question.endRow - first
    if plan.fold == .events { return .int(Int64(count)) }
    guard plan.fold != .none, count <= Family.plainRowsMax else { return nil }
    guard count > 0 else { return .null }
    let (cells, stride) = history.cells(from: first, plan.column)
    switch plan.fold {
    case .sum, .mean:
      if plan.isFirst { sums[plan.place] = RunningSum(cells, stride: stride, count: count) }
      return plan.fold == .sum
        ? Sum.result(of: sums[plan.place]) : Mean.result(of: sums[plan.place])
    case .greatest: return QuickFolds.greatest(cells, stride, count)
    case .least: return QuickFolds.least(cells, stride, count)
    case .none, .events: return nil
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
