// A tree ensemble, frozen: made and checked once by `ForestBuilder`, then only read, from any
// number of threads. Every index in it was validated when it was built, so that a walk needs no
// checks.
//
// Nodes of all trees lie one after another, each kind of member in an array of its own. A tree
// takes the nodes roots[t] ..< roots[t + 1] in breadth-first order, the root first. The two
// children of a split are neighbours, so that one index does for both and a step is an addition:
//
//     node       0    1    2    3    4          left[n] is absolute; -1 marks a leaf
//     left       1    3   -1   -1   -1          right child = left[n] + 1
//     value     0.5  2.0  .31  .07  -.2         a split's threshold, or a leaf's contribution
//
// Only nodes that can be reached from a root are kept; files carry deleted ones along.
//
// The arithmetic is part of the type: inputs are 32-bit floats, a row goes left when input <
// threshold, and leaves are added in 32-bit floats in tree order, after the base margins. Any other
// order of the additions gives other last bits than the library. (XGBoost has added so since 1.3;
// before, it summed the trees first. Older files score as they do in the library of today.)

struct Forest: Sendable {
  let inputCount: Int
  let outputCount: Int
  /// What each output starts from; `outputCount` values.
  let baseMargins: [Float]

  /// Where each tree starts, and at last the number of nodes; `treeCount + 1` values.
  let roots: [Int32]
  /// Which output a tree adds to, each in `0 ..< outputCount`.
  let treeOutput: [Int32]

  /// The left child, -1 in a leaf.
  let left: [Int32]
  /// The input that a split asks for, in `0 ..< inputCount`; 0 in a leaf.
  let feature: [Int32]
  /// A split's threshold, never NaN; a leaf's value, always finite; 0 in a categorical split.
  let value: [Float]
  /// Where a missing input (NaN) goes.
  let defaultLeft: [Bool]
  /// Which of `categorySets` goes right; -1 in a numeric split and in a leaf.
  let categorySet: [Int32]

  let categorySets: [CategorySet]
  /// The sets' bits: category c is bit c % 32 of word c / 32 of its set.
  let categoryWords: [UInt32]

  /// Splits on the longest way from a root to a leaf.
  let depth: Int

  var treeCount: Int { treeOutput.count }
  var nodeCount: Int { left.count }
}

/// A run of `Forest.categoryWords`. A category beyond the run is not in the set.
struct CategorySet: Sendable {
  let firstWord: Int32
  let wordCount: Int32

  /// Categories are float inputs. From here on not every integer is a float, so XGBoost takes such
  /// inputs, as well as negative ones, for no category at all (src/common/categorical.h).
  static let categoryEnd: Float = 16_777_216
}
