// How a forest is evaluated: chosen once, when the model is loaded, by the shapes of its trees, and then by the number
// of rows that come together. Every choice gives the reference's margins, bit for bit.

import Core

final class ForestPlan: Sendable {
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

  /// Which way so many rows go, and why.
  func kernel(forRows rowCount: Int) -> (name: String, why: String) {
    if let planes, rowCount >= Self.planeRowsMin {
      let name = Processor.isWide ? "planes, AVX2" : "planes"
      return (
        name,
        "\(Self.planeRowsMin) rows or more, no tree with more than \(PlaneKernel.leavesMax) leaves:"
          + " \(PlaneKernel.rows) rows at once, a bit each, \(planes.choices.count) choices"
      )
    }
    let fewRows = planes == nil ? "" : "fewer than \(Self.planeRowsMin) rows, "
    if let levels {
      return (
        "levels",
        "\(fewRows)shallow and even trees: padded to \(levels.levels) levels, four at a time"
      )
    }
    if walk != nil {
      return (
        "walk", "\(fewRows)deep or uneven trees, or many inputs: from node to node, eight at a time"
      )
    }
    return ("reference", "leaves that are not plain numbers: node by node, one tree after another")
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
