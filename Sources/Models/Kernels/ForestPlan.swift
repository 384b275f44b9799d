// How a forest is evaluated: chosen once, when the model is loaded, by the shapes of its trees, and then by the number
// of rows that come together. Every choice gives the reference's margins, bit for bit.

import Core

final class ForestPlan: Sendable {
  let forest: Forest
  private let words: WordPlan?
  private let levels: LevelPlan?
  private let walk: WalkPlan?
  private let planes: PlanePlan?

  /// Rows from which on a block is cheaper than one row after another. Measured: a block takes as long as some 55 rows
  /// by words, or two dozen walks, however many of its rows are there.
  private var planeRowsMin: Int { words == nil ? 24 : 56 }

  init(_ forest: Forest) {
    self.forest = forest
    planes = PlanePlan(forest)
    words = Processor.isWide ? WordPlan(forest) : nil
    levels = words == nil ? LevelPlan(forest) : nil
    walk = words == nil && levels == nil ? WalkPlan(forest) : nil
  }

  /// Which way so many rows go, and why.
  func kernel(forRows rowCount: Int) -> (name: String, why: String) {
    if let planes, rowCount >= planeRowsMin {
      let name = Processor.isWide ? "planes, AVX2" : "planes"
      return (
        name,
        "\(planeRowsMin) rows or more, no tree with more than \(PlaneKernel.leavesMax) leaves:"
          + " \(PlaneKernel.rows) rows at once, a bit each, \(planes.choices.count) choices"
      )
    }
    let fewRows = planes == nil ? "" : "fewer than \(planeRowsMin) rows, "
    if words != nil {
      return (
        "words, AVX2",
        "\(fewRows)few inputs: six levels of a tree at once, a bit for each of their splits"
      )
    }
    if let levels {
      return (
        "levels",
        "\(fewRows)shallow and even trees: padded to \(levels.levels) levels, four at a time"
      )
    }
    if walk != nil {
      return (
        "walk",
        "\(fewRows)deep or uneven trees, or many inputs: from node to node, sixteen at a time"
      )
    }
    return ("reference", "leaves that are not plain numbers: node by node, one tree after another")
  }

  /// Margins of `rowCount` rows; see `Forest.referenceMargins`.
  func margins(
    _ rows: UnsafeBufferPointer<Double>, rowCount: Int,
    into margins: UnsafeMutableBufferPointer<Double>
  ) {
    if let planes, rowCount >= planeRowsMin {
      return planes.margins(rows, rowCount: rowCount, into: margins)
    }
    if let words { return words.margins(rows, rowCount: rowCount, into: margins) }
    if let levels { return levels.margins(rows, rowCount: rowCount, into: margins) }
    if let walk { return walk.margins(rows, rowCount: rowCount, into: margins) }
    forest.referenceMargins(rows, rowCount: rowCount, into: margins)
  }
}
