// One tree of an XGBoost document: arrays with an entry for each node, and for categorical splits
// lists of categories, which go right.
//
//     { "id": 0, "tree_param": { "num_nodes": "3", "size_leaf_vector": "1" },
//       "left_children": [1, -1, -1], "right_children": [2, -1, -1],     -1: a leaf
//       "split_indices": [4, 0, 0], "split_conditions": [0.5, 0.25, -1], a leaf's value
//       "default_left": [1, 0, 0], "split_type": [0, 0, 0],
//       "categories": [], "categories_nodes": [], "categories_segments": [], "categories_sizes": [],
//       "sum_hessian": [9, 4, 5], "loss_changes": [2, 0, 0], "base_weights": [ … ] }
//
// Where leaves are vectors of K values, one for each target, 2.0 to 3.1 keep K of them in
// `base_weights` for every node; since 3.2 `leaf_weights` has those of the leaves alone, and a leaf's
// right child is its place there.

import Core

/// The arrays of a tree, used again for the next.
struct XGBoostTree {
  private var draft = TreeDraft()
  private var defaultLeft: [Bool] = []
  private var leafWeights: [Double] = []
  private var nodeCount: Int?
  private var leafWidth = 1

  mutating func read(
    _ document: inout ModelDocument, _ index: Int, into trees: inout ForestBuilder
  ) throws(Failure) {
    draft.removeAll()
    defaultLeft.removeAll(keepingCapacity: true)
    leafWeights.removeAll(keepingCapacity: true)
    nodeCount = nil
    leafWidth = 1
    // Most trees need no weights of their inner nodes; where they stand, nobody knows yet whether
    // this one does.
    var baseWeights: ModelDocument?
    try document.members { (document, name) throws(Failure) in
      if name == "base_weights" { baseWeights = document }
      try read(name, &document, index)
    }
    if let nodeCount, nodeCount != draft.left.count {
      throw document.failure("\(draft.left.count) nodes, but num_nodes is \(nodeCount)")
    }
    for left in defaultLeft { draft.missing.append(left ? .left : .right) }
    if leafWidth > 1 {
      let isCompact = !leafWeights.isEmpty
      if !isCompact { try baseWeights?.floats(into: &leafWeights) }
      try takeVectors(document, isCompact: isCompact)
    }
    try trees.add(draft)
  }

  private mutating func read(
    _ name: String, _ document: inout ModelDocument, _ index: Int
  ) throws(Failure) {
    switch name {
    case "id":
      let id = try document.integer()
      guard id == index else { throw document.failure("\(id) for the tree at place \(index)") }
    case "tree_param": try readParameters(&document)
    case "left_children": try document.integers(into: &draft.left)
    case "right_children": try document.integers(into: &draft.right)
    case "split_indices": try document.integers(into: &draft.feature)
    case "split_conditions": try document.floats(into: &draft.value)
    case "default_left": try document.bools(into: &defaultLeft)
    case "split_type": try document.bools(into: &draft.isCategorical)
    case "categories": try document.integers(into: &draft.categories)
    case "categories_nodes": try document.integers(into: &draft.categoryNodes)
    case "categories_segments": try document.integers(into: &draft.categoryStarts)
    case "categories_sizes": try document.integers(into: &draft.categoryCounts)
    case "sum_hessian": try document.floats(into: &draft.cover)
    case "loss_changes": try document.floats(into: &draft.gain)
    case "leaf_weights": try document.floats(into: &leafWeights)
    default: try document.skip()
    }
  }

  private mutating func readParameters(_ document: inout ModelDocument) throws(Failure) {
    try document.members { (document, name) throws(Failure) in
      switch name {
      case "num_nodes": nodeCount = try document.parameter()
      case "size_leaf_vector":
        // 0 up to 1.7 and 1 since then for a plain leaf.
        leafWidth = try document.parameter()
        guard leafWidth <= Limits.modelOutputsMax else {
          throw document.failure(
            "\(leafWidth) values in a leaf, more than \(Limits.modelOutputsMax)")
        }
      default: try document.skip()
      }
    }
  }

  /// - Parameter isCompact: whether there are vectors of leaves alone, not of every node.
  private mutating func takeVectors(
    _ document: ModelDocument, isCompact: Bool
  ) throws(Failure) {
    guard draft.right.count == draft.left.count else {
      throw document.failure(
        "\(draft.right.count) right children for \(draft.left.count) nodes")
    }
    guard isCompact || leafWeights.count == draft.left.count * leafWidth else {
      throw document.failure(
        "\(leafWeights.count) values in base_weights for \(draft.left.count) nodes of \(leafWidth)")
    }
    draft.leafWidth = leafWidth
    swap(&draft.leafVectors, &leafWeights)
    for node in draft.left.indices {
      let isLeaf = draft.left[node] == -1
      guard isLeaf, isCompact else {
        draft.leafEntry.append(isLeaf ? node : -1)
        continue
      }
      let leaf = draft.right[node]
      guard leaf >= 0 else { throw document.failure("leaf \(leaf) of node \(node)") }
      draft.leafEntry.append(leaf)
      draft.right[node] = -1
    }
  }
}
