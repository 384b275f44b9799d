// One tree of a CatBoost file. In an oblivious tree all nodes of a level ask the same, and the answers
// are the bits of the leaf's number, the first split the lowest:
//
//     { "splits": [ { "split_type": "FloatFeature", "float_feature_index": 0, "border": 0.5 },
//                   { "split_type": "OneHotFeature", "cat_feature_index": 1, "value": -1712403 },
//                   { "split_type": "OnlineCtr", "split_index": 17, "border": 3.5 } ],
//       "leaf_values": [ 8 values, or 8 × outputs ], "leaf_weights": [ 8 values ] }
//
// Others are nested, yes to the right:
//
//     { "split": { … }, "left": { "value": 0.1, "weight": 9 }, "right": { "split": … } }

import Core

/// What a split of the file asks of the forest's inputs.
struct CatBoostSplits {
  /// Of the float features by their own index, the column.
  var columns: [Int: (column: Int, missingIsAbove: Bool)] = [:]
  /// Of the categories' values, the forest's input.
  var oneHot: [OneHotKey: Int] = [:]
  /// Where each statistic's cuts start in the order of all cuts, with its cuts and its input.
  var statistics: [(firstCut: Int, borders: [Double], input: Int)] = []

  struct OneHotKey: Hashable {
    let category: Int
    let hash: Int
  }
}

struct CatBoostTree {
  private let splits: CatBoostSplits
  private var draft = TreeDraft()
  /// Values in a leaf, as the first tree has them.
  private(set) var leafWidth: Int?

  private struct Split {
    var input: Int
    var threshold: Double
    var missing: Forest.Missing
  }

  init(splits: CatBoostSplits) { self.splits = splits }

  // MARK: Oblivious trees

  mutating func readOblivious(
    _ document: inout ModelDocument, into trees: inout ForestBuilder
  ) throws(Failure) {
    draft.removeAll()
    var levels: [Split] = []
    var values: [Double] = []
    var weights: [Double] = []
    try document.members { (document, name) throws(Failure) in
      switch name {
      case "splits":
        guard try document.kind() == .array else { return try document.skip() }
        try document.elements { (document, _) throws(Failure) in
          levels.append(try readSplit(&document))
        }
      case "leaf_values": try document.doubles(into: &values)
      case "leaf_weights":
        guard try document.kind() == .array else { return try document.skip() }
        try document.doubles(into: &weights)
      default: try document.skip()
      }
    }
    guard levels.count < Int.bitWidth - 2, values.count >> levels.count > 0,
      values.count & (1 << levels.count - 1) == 0
    else {
      throw document.failure("\(values.count) leaf values for \(levels.count) splits")
    }
    let leaves = 1 << levels.count
    try checkWidth(values.count / leaves, document)
    try checkFinite(values, document)
    spread(levels, values, weights: weights.count == leaves ? weights : [])
    try trees.add(draft)
  }

  /// Level by level, the last split at the root, as the library has it where the order matters: its
  /// shares of rows, from which contributions come, are those of leaves whose numbers begin alike. So
  /// the leaves stand in the order of their numbers.
  private mutating func spread(_ levels: [Split], _ values: [Double], weights: [Double]) {
    let width = leafWidth ?? 1
    let leaves = 1 << levels.count
    let splits = leaves - 1
    for (level, split) in levels.reversed().enumerated() {
      let children = (1 << (level + 1)) - 1
      for number in 0..<1 << level {
        appendSplit(split, left: children + 2 * number, right: children + 2 * number + 1)
      }
    }
    for leaf in 0..<leaves {
      appendLeaf(value: width == 1 ? values[leaf] : 0, entry: width == 1 ? -1 : leaf)
    }
    if width > 1 {
      draft.leafWidth = width
      draft.leafVectors = values
    }
    guard !weights.isEmpty else { return }
    draft.cover = [Double](repeating: 0, count: splits) + weights
    for node in (0..<splits).reversed() {
      draft.cover[node] = draft.cover[draft.left[node]] + draft.cover[draft.right[node]]
    }
  }

  // MARK: Other trees

  mutating func readUnbalanced(
    _ document: inout ModelDocument, into trees: inout ForestBuilder
  ) throws(Failure) {
    draft.removeAll()
    _ = try readNode(&document, depth: 0)
    if let leafWidth, leafWidth > 1 { draft.leafWidth = leafWidth }
    // Children come before their parents; the root, read last, goes to the front.
    moveRootToFront()
    try trees.add(draft)
  }

  /// Returns the node's place in the draft.
  private mutating func readNode(
    _ document: inout ModelDocument, depth: Int
  ) throws(Failure) -> Int {
    guard depth < Limits.documentDepthMax else {
      throw document.failure("more than \(Limits.documentDepthMax) splits in one another")
    }
    var split: Split?
    var left: Int?
    var right: Int?
    var values: [Double] = []
    var weight: Double?
    try document.members { (document, name) throws(Failure) in
      switch name {
      case "split": split = try readSplit(&document)
      case "left": left = try readNode(&document, depth: depth + 1)
      case "right": right = try readNode(&document, depth: depth + 1)
      case "value":
        if try document.kind() == .array {
          try document.doubles(into: &values)
        } else {
          values = [try document.double()]
        }
      case "weight": weight = try document.double()
      default: try document.skip()
      }
    }
    if let split, let left, let right {
      appendSplit(split, left: left, right: right)
      draft.cover.append(draft.cover[left] + draft.cover[right])
      return draft.left.count - 1
    }
    guard split == nil, left == nil, right == nil, !values.isEmpty else {
      throw document.failure("neither a split with two sides nor a leaf with a value")
    }
    try checkWidth(values.count, document)
    try checkFinite(values, document)
    if values.count == 1 {
      appendLeaf(value: values[0], entry: -1)
    } else {
      appendLeaf(value: 0, entry: draft.leafVectors.count / values.count)
      draft.leafVectors += values
    }
    draft.cover.append(weight ?? 0)
    return draft.left.count - 1
  }

  private mutating func moveRootToFront() {
    let last = draft.left.count - 1
    func moved(_ node: Int) -> Int { node < 0 ? node : last - node }
    draft.left = draft.left.reversed().map(moved)
    draft.right = draft.right.reversed().map(moved)
    draft.feature.reverse()
    draft.value.reverse()
    draft.missing.reverse()
    draft.leafEntry.reverse()
    draft.cover.reverse()
  }

  // MARK: Nodes

  private mutating func appendSplit(_ split: Split, left: Int, right: Int) {
    draft.left.append(left)
    draft.right.append(right)
    draft.feature.append(split.input)
    draft.value.append(split.threshold)
    draft.missing.append(split.missing)
    draft.leafEntry.append(-1)
  }

  private mutating func appendLeaf(value: Double, entry: Int) {
    draft.left.append(-1)
    draft.right.append(-1)
    draft.feature.append(0)
    draft.value.append(value)
    draft.missing.append(.left)
    draft.leafEntry.append(entry)
  }

  private mutating func checkWidth(_ width: Int, _ document: ModelDocument) throws(Failure) {
    guard leafWidth ?? width == width, width <= Limits.modelOutputsMax else {
      throw document.failure("\(width) values in a leaf, but \(leafWidth ?? 0) before")
    }
    leafWidth = width
  }

  private func checkFinite(_ values: [Double], _ document: ModelDocument) throws(Failure) {
    for value in values where !value.isFinite {
      throw document.failure("leaf value \(value) is not a finite number")
    }
  }

  // MARK: Splits

  private func readSplit(_ document: inout ModelDocument) throws(Failure) -> Split {
    var type = ""
    var border = Double.nan
    var float = -1
    var category = -1
    var hash = 0
    var cut = -1
    try document.members { (document, name) throws(Failure) in
      switch name {
      case "split_type": type = try document.string()
      case "border": border = Double(Float(try document.double()))
      case "float_feature_index": float = try document.integer()
      case "cat_feature_index": category = try document.integer()
      case "value": hash = try document.integer()
      case "split_index": cut = try document.integer()
      default: try document.skip()
      }
    }
    switch type {
    case "FloatFeature":
      guard let (column, missingIsAbove) = splits.columns[float] else {
        throw document.failure("float_feature_index \(float) is not among the features")
      }
      return Split(input: column, threshold: border, missing: missingIsAbove ? .right : .left)
    case "OneHotFeature":
      guard let input = splits.oneHot[.init(category: category, hash: hash)] else {
        throw document.failure("value \(hash) is not one of cat_feature_index \(category)")
      }
      return Split(input: input, threshold: 0.5, missing: .left)
    case "OnlineCtr": return try statisticSplit(cut, border, document)
    default: throw document.failure("split_type '\(type)' is not supported yet")
    }
  }

  /// A statistic's split says nothing but its number among all cuts.
  private func statisticSplit(
    _ cut: Int, _ border: Double, _ document: ModelDocument
  ) throws(Failure) -> Split {
    let after = splits.statistics.indices.firstPlace { splits.statistics[$0].firstCut > cut }
    guard after > 0 else {
      throw document.failure("split_index \(cut) is not that of a statistic")
    }
    let (firstCut, borders, input) = splits.statistics[after - 1]
    guard cut - firstCut < borders.count, borders[cut - firstCut] == border else {
      throw document.failure("split_index \(cut) with border \(border) is not in ctrs")
    }
    return Split(input: input, threshold: border, missing: .left)
  }
}
