// From what a file says to a forest that can be walked without checks. A format's reader fills a
// `TreeDraft` for each tree, in the file's own numbering; `add` checks it from the root down and
// keeps what can be reached. The number of inputs and the trees' outputs may stand behind the trees
// in a file, so they are checked last, in `freeze`.
//
// Nothing that a file says is trusted: a problem is a failure that names the file, the tree, the
// node, the value and the bound. No recursion, so a tree as deep as its nodes allow is no problem
// either.

import Core

/// One tree as a file describes it, its nodes numbered as there. The arrays of a draft are used
/// again for the next tree.
struct TreeDraft {
  /// The children; -1 on the left marks a leaf.
  var left: [Int] = []
  var right: [Int] = []
  /// The input that a split asks for.
  var feature: [Int] = []
  /// A split's threshold or a leaf's value.
  var value: [Float] = []
  /// Where a missing input goes.
  var defaultLeft: [Bool] = []
  /// Which splits are by category; empty when the file does not know categories.
  var isCategorical: [Bool] = []

  /// The categories that go right, of one node after another …
  var categories: [Int] = []
  /// … namely of these nodes, each with the start and length of its run.
  var categoryNodes: [Int] = []
  var categoryStarts: [Int] = []
  var categoryCounts: [Int] = []

  mutating func removeAll() {
    left.removeAll(keepingCapacity: true)
    right.removeAll(keepingCapacity: true)
    feature.removeAll(keepingCapacity: true)
    value.removeAll(keepingCapacity: true)
    defaultLeft.removeAll(keepingCapacity: true)
    isCategorical.removeAll(keepingCapacity: true)
    categories.removeAll(keepingCapacity: true)
    categoryNodes.removeAll(keepingCapacity: true)
    categoryStarts.removeAll(keepingCapacity: true)
    categoryCounts.removeAll(keepingCapacity: true)
  }
}

struct ForestBuilder {
  /// The file's name, for messages.
  private let source: String

  private var roots: [Int32] = [0]
  private var left: [Int32] = []
  private var feature: [Int32] = []
  private var value: [Float] = []
  private var defaultLeft: [Bool] = []
  private var categorySet: [Int32] = []
  private var categorySets: [CategorySet] = []
  private var categoryWords: [UInt32] = []
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

  init(source: String) { self.source = source }

  var treeCount: Int { roots.count - 1 }

  // MARK: One tree

  /// Checks the next tree and keeps the nodes that its root reaches.
  ///
  /// - Complexity: O(nodes + categories).
  mutating func add(_ draft: TreeDraft) throws(Failure) {
    try checkLengths(draft)
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
      ("thresholds", draft.value.count), ("default directions", draft.defaultLeft.count),
      ("split types", draft.isCategorical.isEmpty ? count : draft.isCategorical.count),
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
    guard draft.value[node].isFinite else {
      throw failure("leaf value \(draft.value[node]) is not a finite number", node)
    }
    append(left: -1, feature: 0, value: draft.value[node], defaultLeft: false, categorySet: -1)
  }

  private mutating func addSplit(
    _ draft: TreeDraft, _ node: Int, firstChild: Int
  ) throws(Failure) {
    let asked = draft.feature[node]
    guard asked >= 0, asked < Limits.modelInputsMax else {
      throw failure("feature \(asked) is outside 0..<\(Limits.modelInputsMax)", node)
    }
    let tree = largestFeature.count - 1
    if asked > largestFeature[tree].feature { largestFeature[tree] = (asked, node) }

    let run = runOfNode.isEmpty ? -1 : runOfNode[node]
    let isCategorical = !draft.isCategorical.isEmpty && draft.isCategorical[node]
    guard isCategorical == (run >= 0) else {
      throw failure(
        isCategorical
          ? "a categorical split without categories" : "a numeric split with categories", node)
    }
    var threshold: Float = 0
    if !isCategorical {
      // An infinite threshold is well defined, and GPU training has written them.
      threshold = draft.value[node]
      guard !threshold.isNaN else { throw failure("threshold NaN", node) }
    }
    append(
      left: Int32(firstChild), feature: Int32(asked), value: threshold,
      defaultLeft: draft.defaultLeft[node],
      categorySet: isCategorical ? try addCategories(draft, run, node) : -1)
  }

  private mutating func addCategories(
    _ draft: TreeDraft, _ run: Int, _ node: Int
  ) throws(Failure) -> Int32 {
    let start = draft.categoryStarts[run]
    let listed = draft.categories[start..<start + draft.categoryCounts[run]]
    var largest = 0
    for category in listed {
      guard category >= 0, category < Int(CategorySet.categoryEnd) else {
        throw failure("category \(category) is outside 0..<\(Int(CategorySet.categoryEnd))", node)
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
    left: Int32, feature: Int32, value: Float, defaultLeft: Bool, categorySet: Int32
  ) {
    self.left.append(left)
    self.feature.append(feature)
    self.value.append(value)
    self.defaultLeft.append(defaultLeft)
    self.categorySet.append(categorySet)
  }

  // MARK: All trees

  /// Checks what the trees ask for against the whole model, and takes `trees` of them.
  ///
  /// - Parameters:
  ///   - treeOutputs: of every tree in the file, the output that it adds to.
  ///   - trees: the trees that are to predict.
  func freeze(
    inputCount: Int, baseMargins: [Float], treeOutputs: [Int], trees: Range<Int>
  ) throws(Failure) -> Forest {
    precondition(0 <= trees.lowerBound && trees.upperBound <= treeCount, "trees that were added")
    guard treeOutputs.count == treeCount else {
      throw .badData("\(source): \(treeOutputs.count) outputs of trees for \(treeCount) trees")
    }
    for tree in 0..<treeCount {
      guard baseMargins.indices.contains(treeOutputs[tree]) else {
        throw .badData(
          "\(source): tree \(tree): output \(treeOutputs[tree]) is outside "
            + "0..<\(baseMargins.count)")
      }
      let (largest, node) = largestFeature[tree]
      guard largest < inputCount else {
        throw .badData(
          "\(source): tree \(tree), node \(node): feature \(largest) is outside 0..<\(inputCount)")
      }
    }
    let first = roots[trees.lowerBound]
    let nodes = Int(first)..<Int(roots[trees.upperBound])
    return Forest(
      inputCount: inputCount, outputCount: baseMargins.count, baseMargins: baseMargins,
      roots: roots[trees.lowerBound...trees.upperBound].map { $0 - first },
      treeOutput: treeOutputs[trees].map { Int32($0) },
      left: left[nodes].map { $0 < 0 ? -1 : $0 - first },
      feature: Array(feature[nodes]), value: Array(value[nodes]),
      defaultLeft: Array(defaultLeft[nodes]), categorySet: Array(categorySet[nodes]),
      categorySets: categorySets, categoryWords: categoryWords,
      depth: Int(depths[trees].max() ?? 0))
  }

  private func failure(_ reason: String, _ node: Int? = nil) -> Failure {
    let place = node.map { "tree \(treeCount), node \($0)" } ?? "tree \(treeCount)"
    return .badData("\(source): \(place): \(reason)")
  }
}
