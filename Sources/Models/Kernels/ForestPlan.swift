// How a forest is evaluated: chosen once, when the model is loaded, by the shapes of its trees, and then by the number
// of rows that come together. Every choice gives the reference's margins, bit for bit.

struct ForestPlan: Sendable {
  let forest: Forest
  private let levels: LevelPlan?
  private let walk: WalkPlan?
  private let planes: PlanePlan?

  /// Rows from which on a block is cheaper than one row after another. Measured: a block takes about as long as a
  /// dozen walks, however many of its rows are there.
  private static let planeRowsMin = 16

  init(_ forest: Forest) {
    self.forest = forest
    planes = PlanePlan(forest)
    levels = LevelPlan(forest)
    walk = levels == nil ? WalkPlan(forest) : nil
  }

  /// Margins of `rowCount` rows; see `Forest.referenceMargins`.
  func margins(
    _ rows: UnsafeBufferPointer<Double>, rowCount: Int,
    into margins: UnsafeMutableBufferPointer<Double>
  ) {
    if let planes, rowCount >= Self.planeRowsMin {
      return planes.margins(rows, rowCount: rowCount, into: margins)
    }
    if let levels { return levels.margins(rows, rowCount: rowCount, into: margins) }
    if let walk { return walk.margins(rows, rowCount: rowCount, into: margins) }
    forest.referenceMargins(rows, rowCount: rowCount, into: margins)
  }
}
