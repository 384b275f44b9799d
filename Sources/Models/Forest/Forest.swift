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
// Libraries differ in how an input is compared, in where a missing one goes, in how wide the sum is
// and in what it starts from. None of that is unified here: a forest says which library's arithmetic
// it wants, since any other gives other last bits, and near a threshold another leaf:
//
//                comparison      missing input               sum
//     XGBoost    Float(x) < t    each split its own side     32 bits, from the base margins
//     LightGBM   x ≤ t           three kinds, see `Missing`  64 bits, from zero
//     CatBoost   Float(x) ≤ t    each split its own side     64 bits, from zero; × scale + base
//     ONNX       Float(x) < t    each split its own side     32 bits, from zero; ÷ divisor + base
//                Float(x) ≤ t
//                x ≤ t                                       64 bits, from zero; + base
//
// (XGBoost has added so since 1.3; before, it summed the trees first. Older files score as they do
// in the library of today.)

import Wide

struct Forest: Sendable {
  /// When a numeric split sends a row to the left.
  enum Comparison: Sendable {
    /// The input as a 32-bit float lies below the threshold, which is one.
    case floatBelow
    /// The input as a 32-bit float is at most the threshold, which is one.
    case floatAtMost
    /// The input is at most the threshold, both with 64 bits. An input within 1e-35 of zero counts
    /// as zero.
    case doubleAtMost
    /// The input is at most the threshold, both with 64 bits, and nothing counts as zero but zero.
    case exactAtMost
  }

  /// What a split makes of a missing input (NaN).
  enum Missing: UInt8, Sendable {
    case left, right
    /// It counts as zero and is compared like any other.
    case asZero
    /// It counts as zero, and zero is what is missing: both go to this side.
    case zeroLeft, zeroRight
  }

  /// How a row's leaves become its margins, always in tree order.
  enum Accumulation: Sendable, Equatable {
    /// In 32-bit floats, on top of the base margins.
    case float
    /// In 32-bit floats from zero; then ÷ `divisor` + base margin, in such floats too.
    case floatFromZero(divisor: Float)
    /// In 64-bit floats from zero; then × `scale` + base margin.
    case double(scale: Double)
  }

  let inputCount: Int
  let outputCount: Int
  let comparison: Comparison
  let accumulation: Accumulation
  /// What comes to each output besides the trees; `outputCount` values.
  let baseMargins: [Double]

  /// Where each tree starts, and at last the number of nodes; `treeCount + 1` values.
  let roots: [Int32]
  /// Which output a tree adds to, each in `0 ..< outputCount`; 0 where leaves are vectors.
  let treeOutput: [Int32]

  /// The left child, -1 in a leaf.
  let left: [Int32]
  /// The input that a split asks for, in `0 ..< inputCount`; 0 in a leaf.
  let feature: [Int32]
  /// A split's threshold, never NaN; a leaf's value, always finite as the file has it. 0 in a
  /// categorical split and in a vector leaf. Where the arithmetic is in 32-bit floats, so is this.
  let value: [Double]
  /// What a split makes of NaN; `left` in a leaf. A categorical split has `left` or `right`.
  let missing: [Missing]
  /// Of a categorical split, which of `categorySets` goes right; of a vector leaf, its row of
  /// `leafVectors`; of a linear leaf, its place in `linearLeaves`; else -1.
  let entry: [Int32]

  /// Everything outside its set goes left.
  let categorySets: [CategorySet]
  /// The sets' bits: category c is bit c % 32 of word c / 32 of its set.
  let categoryWords: [UInt32]

  /// Rows of `outputCount` values, which a leaf adds to all outputs at once; empty where each leaf
  /// adds one value to one output.
  let leafVectors: [Double]
  /// Leaves that are linear in some inputs; empty where none is.
  let linearLeaves: [LinearLeaf]
  let linearFeatures: [Int32]
  let linearCoefficients: [Double]

  /// How many training rows came to each node, or their weight, as the library explains with; empty
  /// where the file does not say.
  let cover: [Double]
  /// Of each node, the part of a walk at the split above that goes there where the split's input is not
  /// known; empty where `cover` says it.
  var unknownShares: [Double] = []
  /// What each split was worth in training, 0 in a leaf; empty where the file does not say.
  let gain: [Double]

  /// Splits on the longest way from a root to a leaf.
  let depth: Int

  var treeCount: Int { treeOutput.count }
  var nodeCount: Int { left.count }
}

/// A run of `Forest.categoryWords`. A category beyond the run is not in the set.
struct CategorySet: Sendable {
  let firstWord: Int32
  let wordCount: Int32
}

/// constant + Σ coefficient × input, added from left to right, over a run of
/// `Forest.linearFeatures` and `linearCoefficients`. Where one of the inputs is missing, the leaf's
/// plain value counts.
struct LinearLeaf: Sendable {
  let constant: Double
  let firstTerm: Int32
  let termCount: Int32
}

extension Forest.Accumulation {
  /// Whether leaves are added in 32-bit floats.
  var isFloat: Bool { if case .double = self { false } else { true } }

  /// What the sum of an output with this base margin starts from.
  @inline(__always)
  func start(_ base: Double) -> Double { self == .float ? base : 0 }

  /// The margin of an output with this base margin, of whose leaves this is the sum.
  @inline(__always)
  func margin(_ sum: Double, _ base: Double) -> Double {
    switch self {
    case .float: sum
    case .floatFromZero(let divisor): Double(Float(sum) / divisor + Float(base))
    case .double(let scale): sum * scale + base
    }
  }
}

extension Forest.Comparison {
  /// An input as a split sees it. NaN stays NaN.
  @inline(__always)
  func seen(_ input: Double) -> Double {
    switch self {
    case .floatBelow, .floatAtMost: return Double(Float(input))
    case .exactAtMost: return input
    // Rows come to LightGBM's trees as sparse ones, without what is as good as zero
    // (src/c_api.cpp, `kZeroThreshold`, a 32-bit float).
    case .doubleAtMost: return input.magnitude <= BinKernel.tiny ? 0 : input
    }
  }

  /// The category that an input names, nil where it names none; a fraction counts as the category
  /// below it: 3.7 is 3.
  @inline(__always)
  func category(_ seen: Double) -> Int? {
    switch self {
    case .floatBelow, .floatAtMost, .exactAtMost:
      // From here on not every integer is a float, so XGBoost takes such inputs, as well as negative
      // ones, for no category at all (src/common/categorical.h).
      return seen >= 0 && seen < Double(Self.floatCategoriesMax) ? Int(seen) : nil
    case .doubleAtMost:
      // LightGBM truncates first: -0.5 is category 0.
      return seen > -1 && seen < 2_147_483_648 ? Int(seen) : nil
    }
  }

  static let floatCategoriesMax = 16_777_216

  /// Categories are in `0 ..< categoriesMax`.
  var categoriesMax: Int { self == .doubleAtMost ? 1 << 31 : Self.floatCategoriesMax }
}
