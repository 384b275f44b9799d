// From what a file says to a forest that can be walked without checks. A format's reader fills a
// `TreeDraft` for each tree, in the file's own numbering; `add` checks it from the root down and
// keeps what can be reached. The number of inputs and the trees' outputs may stand behind the trees
// in a file, so they are checked last, in `freeze`.
//
// Nothing that a file says is trusted: a problem is a failure that names the file, the tree, the
// node, the value and the bound. No recursion, so a tree as deep as its nodes allow is no problem
// either.

import Core

struct ForestBuilder {
  /// The file's name, for messages.
  private let source: String
  private let comparison: Forest.Comparison

  private var roots: [Int32] = [0]
  private var left: [Int32] = []
  private var feature: [Int32] = []
  private var value: [Double] = []
  private var missing: [Forest.Missing] = []
  private var entry: [Int32] = []
  private var cover: [Double] = []
  private var gain: [Double] = []
  private var categorySets: [CategorySet] = []
  private var categoryWords: [UInt32] = []
  /// Values in a leaf; 0 until there is one.
  private var leafWidth = 0
  private var leafVectors: [Double] = []
  /// Rows that the current tree has taken of its draft's.
  private var leafRowsTaken = 0
  private var linearLeaves: [LinearLeaf] = []
  private var linearFeatures: [Int32] = []
  private var linearCoefficients: [Double] = []
  private var depths: [Int32] = []
  /// Of each tree, the largest feature and a node that asks for it, until the number of inputs is
  /// known.
  private var largestFeature: [(feature: Int, node: Int)] = []

  // Used again for each tree.
  /// The file's node numbers in the order in which they are kept.
  private var order: [Int] = []
  private var reached: [Bool] = []
  /// Of each node of the file, its run among the categories; empty without categories, -1 without a
  /// run.
  private var runOfNode: [Int] = []

  init(source: String, comparison: Forest.Comparison) {
    self.source = source
    self.comparison = comparison
  }

  var treeCount: Int { roots.count - 1 }

  // MARK: One tree

  /// Checks the next tree and keeps the nodes that its root reaches.
  ///
  /// - Complexity: O(nodes + categories).
  mutating func add(_ draft: TreeDraft) throws(Failure) {
    try checkLengths(draft)
    guard leafWidth == 0 || leafWidth == draft.leafWidth else {
      throw failure("leaves of \(draft.leafWidth) values, but of \(leafWidth) before")
    }
    leafWidth = draft.leafWidth
    leafRowsTaken = 0
    try indexCategoryRuns(draft)
    let first = left.count
    let nodeCount = draft.left.count
    guard first + nodeCount <= Limits.forestNodesMax else {
      throw failure("more than \(Limits.forestNodesMax) nodes in all trees")
    }
    order.removeAll(keepingCapacity: true)
    order.append(0)
    reached.removeAll(keepingCapacity: true)
    reached.append(contentsOf: repeatElement(false, count: nodeCount))
    reached[0] = true
    largestFeature.append((-1, 0))

    var depth: Int32 = 0
    var levelEnd = 1
    var next = 0
    while next < order.count {
      if next == levelEnd {
        depth += 1
        levelEnd = order.count
      }
      let node = order[next]
      if draft.left[node] == -1 {
        try addLeaf(draft, node)
      } else {
        try addSplit(draft, node, firstChild: first + order.count)
        try reach(draft.left[node], from: node, "left")
        try reach(draft.right[node], from: node, "right")
      }
      next += 1
    }
    depths.append(depth)
    roots.append(Int32(left.count))
  }

  private func checkLengths(_ draft: TreeDraft) throws(Failure) {
    let count = draft.left.count
    guard count > 0 else { throw failure("the tree has no nodes") }
    let lengths = [
      ("right children", draft.right.count), ("features", draft.feature.count),
      ("thresholds", draft.value.count), ("default directions", draft.missing.count),
      ("split types", draft.isCategorical.isEmpty ? count : draft.isCategorical.count),
      ("covers", draft.cover.isEmpty ? count : draft.cover.count),
      ("gains", draft.gain.isEmpty ? count : draft.gain.count),
      ("leaf entries", draft.leafEntry.isEmpty ? count : draft.leafEntry.count),
    ]
    for (name, length) in lengths where length != count {
      throw failure("\(length) \(name) for \(count) nodes")
    }
    let runs = draft.categoryNodes.count
    guard draft.categoryStarts.count == runs, draft.categoryCounts.count == runs else {
      throw failure(
        "\(runs) categorical nodes, but \(draft.categoryStarts.count) starts and "
          + "\(draft.categoryCounts.count) lengths of their categories")
    }
  }

  /// Runs may not overlap: otherwise a small file could have its categories read over and over.
  private mutating func indexCategoryRuns(_ draft: TreeDraft) throws(Failure) {
    runOfNode.removeAll(keepingCapacity: true)
    guard !draft.categoryNodes.isEmpty else { return }
    runOfNode.append(contentsOf: repeatElement(-1, count: draft.left.count))
    var taken = 0
    for (run, node) in draft.categoryNodes.enumerated() {
      guard draft.left.indices.contains(node) else {
        throw failure("categories of node \(node), which is outside 0..<\(draft.left.count)")
      }
      guard runOfNode[node] == -1 else { throw failure("categories given twice", node) }
      let start = draft.categoryStarts[run]
      let count = draft.categoryCounts[run]
      let total = draft.categories.count
      guard start >= 0, count > 0, start <= total, count <= total - start else {
        throw failure("\(count) categories from \(start) on, of \(total)", node)
      }
      taken += count
      guard taken <= total else { throw failure("categories that other nodes also have", node) }
      runOfNode[node] = run
    }
  }

  private mutating func reach(
    _ child: Int, from node: Int, _ side: StaticString
  ) throws(Failure) {
    guard reached.indices.contains(child) else {
      throw failure("\(side) child \(child) is outside 0..<\(reached.count)", node)
    }
    guard !reached[child] else {
      throw failure("\(side) child \(child) is reached a second time", node)
    }
    reached[child] = true
    order.append(child)
  }

  private mutating func addLeaf(_ draft: TreeDraft, _ node: Int) throws(Failure) {
    guard draft.right[node] == -1 else {
      throw failure("right child \(draft.right[node]) without a left one", node)
    }
    let entry = draft.leafEntry.isEmpty ? -1 : draft.leafEntry[node]
    if entry >= 0, draft.leafWidth > 1 {
      try addVectorLeaf(draft, node, entry)
    } else {
      guard draft.value[node].isFinite else {
        throw failure("leaf value \(draft.value[node]) is not a finite number", node)
      }
      let linear = entry >= 0 ? try addLinearLeaf(draft, node, entry) : -1
      append(draft, node, left: -1, feature: 0, value: draft.value[node], entry: linear)
    }
  }

  private mutating func addVectorLeaf(
    _ draft: TreeDraft, _ node: Int, _ entry: Int
  ) throws(Failure) {
    let width = draft.leafWidth
    guard entry < draft.leafVectors.count / width else {
      throw failure(
        "leaf \(entry) is outside 0..<\(draft.leafVectors.count / width)", node)
    }
    // Else a small file could have one row copied for every leaf.
    leafRowsTaken += 1
    guard leafRowsTaken * width <= draft.leafVectors.count else {
      throw failure("leaf \(entry), which another node also is", node)
    }
    let row = leafVectors.count / width
    for value in draft.leafVectors[entry * width..<(entry + 1) * width] {
      guard value.isFinite else {
        throw failure("leaf value \(value) is not a finite number", node)
      }
      leafVectors.append(value)
    }
    append(draft, node, left: -1, feature: 0, value: 0, entry: Int32(row))
  }

  private mutating func addLinearLeaf(
    _ draft: TreeDraft, _ node: Int, _ entry: Int
  ) throws(Failure) -> Int32 {
    let (constant, terms) = draft.linearLeaves[entry]
    guard constant.isFinite else {
      throw failure("leaf constant \(constant) is not a finite number", node)
    }
    let first = linearFeatures.count
    for term in terms {
      let coefficient = draft.linearCoefficients[term]
      guard coefficient.isFinite else {
        throw failure("leaf coefficient \(coefficient) is not a finite number", node)
      }
      try ask(for: draft.linearFeatures[term], node)
      linearFeatures.append(Int32(draft.linearFeatures[term]))
      linearCoefficients.append(coefficient)
    }
    linearLeaves.append(
      LinearLeaf(constant: constant, firstTerm: Int32(first), termCount: Int32(terms.count)))
    return Int32(linearLeaves.count - 1)
  }

  private mutating func addSplit(
    _ draft: TreeDraft, _ node: Int, firstChild: Int
  ) throws(Failure) {
    let asked = draft.feature[node]
    try ask(for: asked, node)
    let run = runOfNode.isEmpty ? -1 : runOfNode[node]
    let isCategorical = !draft.isCategorical.isEmpty && draft.isCategorical[node]
    guard isCategorical == (run >= 0) else {
      throw failure(
        isCategorical
          ? "a categorical split without categories" : "a numeric split with categories", node)
    }
    var threshold = 0.0
    if !isCategorical {
      // An infinite threshold is well defined, and GPU training has written them.
      threshold = draft.value[node]
      guard !threshold.isNaN else { throw failure("threshold NaN", node) }
    }
    append(
      draft, node, left: Int32(firstChild), feature: Int32(asked), value: threshold,
      entry: isCategorical ? try addCategories(draft, run, node) : -1)
  }

  private mutating func ask(for feature: Int, _ node: Int) throws(Failure) {
    guard feature >= 0, feature < Limits.modelInputsMax else {
      throw failure("feature \(feature) is outside 0..<\(Limits.modelInputsMax)", node)
    }
    let tree = largestFeature.count - 1
    if feature > largestFeature[tree].feature { largestFeature[tree] = (feature, node) }
  }

  private mutating func addCategories(
    _ draft: TreeDraft, _ run: Int, _ node: Int
  ) throws(Failure) -> Int32 {
    let start = draft.categoryStarts[run]
    let listed = draft.categories[start..<start + draft.categoryCounts[run]]
    var largest = 0
    for category in listed {
      guard category >= 0, category < comparison.categoriesMax else {
        throw failure("category \(category) is outside 0..<\(comparison.categoriesMax)", node)
      }
      largest = max(largest, category)
    }
    let firstWord = categoryWords.count
    let wordCount = largest / 32 + 1
    guard (firstWord + wordCount) * 4 <= Limits.categorySetBytesMax else {
      throw failure("the category sets take more than \(Limits.categorySetBytesMax) bytes", node)
    }
    categoryWords += [UInt32](repeating: 0, count: wordCount)
    for category in listed { categoryWords[firstWord + category / 32] |= 1 << (category % 32) }
    categorySets.append(CategorySet(firstWord: Int32(firstWord), wordCount: Int32(wordCount)))
    return Int32(categorySets.count - 1)
  }

  private mutating func append(
    _ draft: TreeDraft, _ node: Int, left: Int32, feature: Int32, value: Double, entry: Int32
  ) {
    self.left.append(left)
    self.feature.append(feature)
    self.value.append(value)
    self.missing.append(left < 0 ? .left : draft.missing[node])
    self.entry.append(entry)
    if !draft.cover.isEmpty { cover.append(draft.cover[node]) }
    if !draft.gain.isEmpty { gain.append(left < 0 ? 0 : draft.gain[node]) }
  }

  // MARK: All trees

  /// Checks what the trees ask for against the whole model, and takes `trees` of them.
  ///
  /// - Parameters:
  ///   - treeOutputs: of every tree in the file, the output that it adds to.
  ///   - treeWeights: of the first trees, what their leaves are multiplied with, in 32-bit floats;
  ///     no others are.
  ///   - trees: the trees that are to predict.
  func freeze(
    inputCount: Int, accumulation: Forest.Accumulation, baseMargins: [Double],
    treeOutputs: [Int], treeWeights: [Float] = [], trees: Range<Int>
  ) throws(Failure) -> Forest {
    precondition(0 <= trees.lowerBound && trees.upperBound <= treeCount, "trees that were added")
    try checkTrees(inputCount, baseMargins.count, treeOutputs)
    let first = roots[trees.lowerBound]
    let nodes = Int(first)..<Int(roots[trees.upperBound])
    let (value, leafVectors) = weighted(treeWeights)
    return Forest(
      inputCount: inputCount, outputCount: baseMargins.count, comparison: comparison,
      accumulation: accumulation, baseMargins: baseMargins,
      roots: roots[trees.lowerBound...trees.upperBound].map { $0 - first },
      treeOutput: treeOutputs[trees].map { Int32($0) },
      left: left[nodes].map { $0 < 0 ? -1 : $0 - first },
      feature: Array(feature[nodes]), value: Array(value[nodes]),
      missing: Array(missing[nodes]), entry: Array(entry[nodes]),
      categorySets: categorySets, categoryWords: categoryWords, leafVectors: leafVectors,
      linearLeaves: linearLeaves, linearFeatures: linearFeatures,
      linearCoefficients: linearCoefficients,
      cover: cover.count == left.count ? Array(cover[nodes]) : [],
      gain: gain.count == left.count ? Array(gain[nodes]) : [],
      depth: Int(depths[trees].max() ?? 0))
  }

  private func checkTrees(
    _ inputCount: Int, _ outputCount: Int, _ treeOutputs: [Int]
  ) throws(Failure) {
    guard treeOutputs.count == treeCount else {
      throw .badData("\(source): \(treeOutputs.count) outputs of trees for \(treeCount) trees")
    }
    guard leafWidth <= 1 || leafWidth == outputCount else {
      throw .badData("\(source): leaves of \(leafWidth) values for \(outputCount) outputs")
    }
    for tree in 0..<treeCount {
      guard 0..<outputCount ~= treeOutputs[tree] else {
        throw .badData(
          "\(source): tree \(tree): output \(treeOutputs[tree]) is outside 0..<\(outputCount)")
      }
      let (largest, node) = largestFeature[tree]
      guard largest < inputCount else {
        throw .badData(
          "\(source): tree \(tree), node \(node): feature \(largest) is outside 0..<\(inputCount)")
      }
    }
  }

  /// The leaves with their trees' weights in them. The library multiplies a leaf when it adds it,
  /// which gives the same bits, since the product is rounded before the sum is.
  private func weighted(_ weights: [Float]) -> (value: [Double], leafVectors: [Double]) {
    var value = value
    var leafVectors = leafVectors
    for (tree, weight) in weights.enumerated() where weight != 1 {
      for node in Int(roots[tree])..<Int(roots[tree + 1]) where left[node] < 0 {
        value[node] = Double(Float(value[node]) * weight)
        guard leafWidth > 1 else { continue }
        let row = Int(entry[node]) * leafWidth
        for index in row..<row + leafWidth {
          leafVectors[index] = Double(Float(leafVectors[index]) * weight)
        }
      }
    }
    return (value, leafVectors)
  }

  private func failure(_ reason: String, _ node: Int? = nil) -> Failure {
    let place = node.map { "tree \(treeCount), node \($0)" } ?? "tree \(treeCount)"
    return .badData("\(source): \(place): \(reason)")
  }
}
