// One block of a LightGBM file:
//
//     Tree=0
//     num_leaves=3
//     num_cat=1
//     split_feature=0 2            of each of the num_leaves - 1 splits
//     split_gain=12.5 3.25
//     threshold=0.5 0              a categorical split's is its place in cat_boundaries
//     decision_type=2 1            bit 0: categorical; 1: missing goes left; 2 and 3: what is missing
//     left_child=1 -1              a split, or ~leaf where negative
//     right_child=-2 -3
//     leaf_value=0.1 -0.2 0.3      shrinkage and the first score are in them already
//     leaf_count=10 20 30
//     internal_count=60 30
//     cat_boundaries=0 1           where each categorical split's words start
//     cat_threshold=6              bit c % 32 of word c / 32: category c goes left
//     is_linear=0                  1: leaf_const, num_features, leaf_features, leaf_coeff follow
//     shrinkage=0.1
//
// A tree of one leaf has no splits. The block ends with an empty line.

import Core

/// The arrays of a block, used again for the next.
struct LightGBMTree {
  private var leafCount: Int?
  private var categoricalCount = 0
  private var isLinear = false
  private var splitFeature: [Int] = []
  private var splitGain: [Double] = []
  private var threshold: [Double] = []
  private var decisionType: [Int] = []
  private var leftChild: [Int] = []
  private var rightChild: [Int] = []
  private var leafValue: [Double] = []
  private var leafRows: [Double] = []
  private var splitRows: [Double] = []
  private var categoryBoundaries: [Int] = []
  private var categoryWords: [Int] = []
  private var leafConstant: [Double] = []
  private var termCounts: [Int] = []
  private var termFeatures: [Int] = []
  private var termCoefficients: [Double] = []
  private var draft = TreeDraft()

  /// Reads the block behind its first line.
  mutating func read(
    _ text: inout ModelText, into trees: inout ForestBuilder
  ) throws(Failure) {
    removeAll()
    while let line = text.nextLine(), !line.isEmpty {
      let (key, value) = ModelText.pair(line)
      guard let value else {
        throw text.failure("'\(ModelText.excerpt(line))' is not key=value")
      }
      try read(key, value, text)
    }
    try makeDraft(text)
    try trees.add(draft)
  }

  private mutating func removeAll() {
    leafCount = nil
    categoricalCount = 0
    isLinear = false
    for path in [\Self.splitFeature, \.decisionType, \.leftChild, \.rightChild] {
      self[keyPath: path].removeAll(keepingCapacity: true)
    }
    for path in [\Self.categoryBoundaries, \.categoryWords, \.termCounts, \.termFeatures] {
      self[keyPath: path].removeAll(keepingCapacity: true)
    }
    for path in [\Self.splitGain, \.threshold, \.leafValue, \.leafRows, \.splitRows] {
      self[keyPath: path].removeAll(keepingCapacity: true)
    }
    leafConstant.removeAll(keepingCapacity: true)
    termCoefficients.removeAll(keepingCapacity: true)
  }

  private mutating func read(_ key: String, _ value: Bytes, _ text: ModelText) throws(Failure) {
    switch key {
    case "num_leaves": leafCount = try text.integer("num_leaves", value)
    case "num_cat": categoricalCount = try text.integer("num_cat", value)
    case "is_linear": isLinear = try text.integer("is_linear", value) != 0
    case "split_feature": try text.integers("split_feature", value, into: &splitFeature)
    case "split_gain": try text.numbers("split_gain", value, into: &splitGain)
    case "threshold": try text.numbers("threshold", value, into: &threshold)
    case "decision_type": try text.integers("decision_type", value, into: &decisionType)
    case "left_child": try text.integers("left_child", value, into: &leftChild)
    case "right_child": try text.integers("right_child", value, into: &rightChild)
    case "leaf_value": try text.numbers("leaf_value", value, into: &leafValue)
    case "leaf_count": try text.numbers("leaf_count", value, into: &leafRows)
    case "internal_count": try text.numbers("internal_count", value, into: &splitRows)
    case "cat_boundaries": try text.integers("cat_boundaries", value, into: &categoryBoundaries)
    case "cat_threshold": try text.integers("cat_threshold", value, into: &categoryWords)
    case "leaf_const": try text.numbers("leaf_const", value, into: &leafConstant)
    case "num_features": try text.integers("num_features", value, into: &termCounts)
    case "leaf_features": try text.integers("leaf_features", value, into: &termFeatures)
    case "leaf_coeff": try text.numbers("leaf_coeff", value, into: &termCoefficients)
    default: break
    }
  }

  // MARK: Checking

  private mutating func makeDraft(_ text: ModelText) throws(Failure) {
    try checkLengths(text)
    draft.removeAll()
    let leaves = leafValue.count
    let splits = leaves - 1
    // The draft numbers the splits first, then the leaves. A number too large to add to wraps to one
    // that is no node's either.
    func node(_ child: Int) -> Int { child < 0 ? splits &+ ~child : child }
    // A tree that is one leaf has nothing to tell of its rows.
    if leaves == 1 { (leafRows, splitRows, splitGain) = ([0], [], []) }
    let hasCover = leafRows.count == leaves && splitRows.count == splits
    let hasGain = splitGain.count == splits
    for split in 0..<splits {
      let isCategorical = decisionType[split] & 1 != 0
      // The library sends the set to the left, a forest to the right.
      draft.left.append(node(isCategorical ? rightChild[split] : leftChild[split]))
      draft.right.append(node(isCategorical ? leftChild[split] : rightChild[split]))
      draft.feature.append(splitFeature[split])
      draft.value.append(threshold[split])
      draft.isCategorical.append(isCategorical)
      draft.missing.append(
        isCategorical ? .left : try missing(decisionType[split], split, text))
      if hasCover { draft.cover.append(splitRows[split]) }
      if hasGain { draft.gain.append(splitGain[split]) }
    }
    for leaf in 0..<leaves {
      draft.left.append(-1)
      draft.right.append(-1)
      draft.feature.append(0)
      draft.value.append(leafValue[leaf])
      draft.isCategorical.append(false)
      draft.missing.append(.left)
      if hasCover { draft.cover.append(leafRows[leaf]) }
      if hasGain { draft.gain.append(0) }
    }
    try addCategories(text)
    if isLinear { try addLinearLeaves(splits, text) }
  }

  private mutating func checkLengths(_ text: ModelText) throws(Failure) {
    guard let leafCount else { throw text.failure("num_leaves is missing") }
    guard leafCount >= 1, leafValue.count == leafCount else {
      throw text.failure("\(leafValue.count) values in leaf_value, but num_leaves is \(leafCount)")
    }
    if leafCount == 1 {
      // Some versions leave values in the arrays of splits that are none.
      for path in [\Self.splitFeature, \.decisionType, \.leftChild, \.rightChild] {
        self[keyPath: path].removeAll(keepingCapacity: true)
      }
      threshold.removeAll(keepingCapacity: true)
    }
    if decisionType.isEmpty { decisionType += repeatElement(0, count: leafCount - 1) }
    for (key, count) in [
      ("split_feature", splitFeature.count), ("threshold", threshold.count),
      ("decision_type", decisionType.count), ("left_child", leftChild.count),
      ("right_child", rightChild.count),
    ] where count != leafCount - 1 {
      throw text.failure("\(count) values in \(key) for \(leafCount - 1) splits")
    }
  }

  private func missing(
    _ type: Int, _ split: Int, _ text: ModelText
  ) throws(Failure) -> Forest.Missing {
    let toLeft = type & 2 != 0
    switch type >> 2 {
    case 0: return .asZero
    case 1: return toLeft ? .zeroLeft : .zeroRight
    case 2: return toLeft ? .left : .right
    default: throw text.failure("decision_type \(type) of split \(split) is not known")
    }
  }

  private mutating func addCategories(_ text: ModelText) throws(Failure) {
    guard draft.isCategorical.contains(true) else { return }
    guard categoryBoundaries.count >= 1, categoryBoundaries.count - 1 == categoricalCount,
      categoryBoundaries[0] == 0, categoryBoundaries[categoricalCount] <= categoryWords.count,
      zip(categoryBoundaries, categoryBoundaries.dropFirst()).allSatisfy({ $0 <= $1 })
    else {
      throw text.failure(
        "cat_boundaries does not rise in \(categoricalCount) steps from 0 to at most "
          + "\(categoryWords.count)")
    }
    for (node, isCategorical) in draft.isCategorical.enumerated() where isCategorical {
      guard let set = Int(exactly: threshold[node]), 0..<categoricalCount ~= set else {
        throw text.failure(
          "threshold \(threshold[node]) of the categorical split \(node) is not in "
            + "0..<\(categoricalCount)")
      }
      let start = draft.categories.count
      for place in categoryBoundaries[set]..<categoryBoundaries[set + 1] {
        guard let word = UInt32(exactly: categoryWords[place]) else {
          throw text.failure("cat_threshold: \(categoryWords[place]) is not a word of 32 bits")
        }
        let first = (place - categoryBoundaries[set]) * 32
        for bit in 0..<32 where word >> UInt32(bit) & 1 == 1 {
          draft.categories.append(first + bit)
        }
      }
      draft.categoryNodes.append(node)
      draft.categoryStarts.append(start)
      draft.categoryCounts.append(draft.categories.count - start)
    }
  }

  private mutating func addLinearLeaves(_ splits: Int, _ text: ModelText) throws(Failure) {
    let leaves = leafValue.count
    guard leafConstant.count == leaves, termCounts.count == leaves else {
      throw text.failure(
        "\(leafConstant.count) values in leaf_const and \(termCounts.count) in num_features for "
          + "\(leaves) leaves")
    }
    draft.leafEntry += repeatElement(-1, count: splits)
    var first = 0
    for leaf in 0..<leaves {
      let count = termCounts[leaf]
      guard count >= 0, count <= min(termFeatures.count, termCoefficients.count) - first else {
        throw text.failure(
          "\(termFeatures.count) values in leaf_features and \(termCoefficients.count) in leaf_coeff"
            + " are fewer than num_features adds up to")
      }
      draft.leafEntry.append(leaf)
      draft.linearLeaves.append((leafConstant[leaf], first..<first + count))
      first += count
    }
    draft.linearFeatures = termFeatures
    draft.linearCoefficients = termCoefficients
  }
}
