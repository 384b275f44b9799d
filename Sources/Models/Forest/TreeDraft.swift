// What a format's reader hands to `ForestBuilder`: one tree in the file's own numbering, unchecked.

/// One tree as a file describes it, its nodes numbered as there. The arrays of a draft are used
/// again for the next tree.
struct TreeDraft {
  /// The children; -1 on the left marks a leaf.
  var left: [Int] = []
  var right: [Int] = []
  /// The input that a split asks for.
  var feature: [Int] = []
  /// A split's threshold or a leaf's value.
  var value: [Double] = []
  /// What a split makes of a missing input.
  var missing: [Forest.Missing] = []
  /// Which splits are by category; empty when the file does not know categories.
  var isCategorical: [Bool] = []
  /// What training knew of each node; empty when the file does not say.
  var cover: [Double] = []
  var gain: [Double] = []

  /// The categories that go right, of one node after another …
  var categories: [Int] = []
  /// … namely of these nodes, each with the start and length of its run.
  var categoryNodes: [Int] = []
  var categoryStarts: [Int] = []
  var categoryCounts: [Int] = []

  /// Of a leaf, its row of `leafVectors` or its place in `linearLeaves`, else -1; empty when all
  /// leaves are plain.
  var leafEntry: [Int] = []
  /// Values of one leaf after another, `leafWidth` each.
  var leafVectors: [Double] = []
  var leafWidth = 1
  var linearLeaves: [(constant: Double, terms: Range<Int>)] = []
  var linearFeatures: [Int] = []
  var linearCoefficients: [Double] = []

  mutating func removeAll() {
    left.removeAll(keepingCapacity: true)
    right.removeAll(keepingCapacity: true)
    feature.removeAll(keepingCapacity: true)
    value.removeAll(keepingCapacity: true)
    missing.removeAll(keepingCapacity: true)
    isCategorical.removeAll(keepingCapacity: true)
    cover.removeAll(keepingCapacity: true)
    gain.removeAll(keepingCapacity: true)
    categories.removeAll(keepingCapacity: true)
    categoryNodes.removeAll(keepingCapacity: true)
    categoryStarts.removeAll(keepingCapacity: true)
    categoryCounts.removeAll(keepingCapacity: true)
    leafEntry.removeAll(keepingCapacity: true)
    leafVectors.removeAll(keepingCapacity: true)
    leafWidth = 1
    linearLeaves.removeAll(keepingCapacity: true)
    linearFeatures.removeAll(keepingCapacity: true)
    linearCoefficients.removeAll(keepingCapacity: true)
  }
}
