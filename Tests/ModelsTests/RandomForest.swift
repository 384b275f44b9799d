// Forests and rows by chance, with everything that makes kernels go wrong: thresholds that are met exactly, infinities,
// denormals, zeros of both signs, missing values, every treatment of them, categories, trees of one leaf, trees as
// uneven as they can be.

import Core
import TestSupport

@testable import Models

struct RandomForest {
  enum Shape: CaseIterable, Sendable { case perfect, ragged, chain, mixed }

  let forest: Forest
  private let inputCount: Int
  private let comparison: Forest.Comparison
  /// Values that some split asks for, by input.
  private var asked: [[Double]]

  init(
    _ comparison: Forest.Comparison, _ shape: Shape, trees: Int, inputs: Int, outputs: Int = 1,
    depth: Int = 6, cuts: Int = 20, categories: Bool = false, using random: inout SplitMix64
  ) {
    self.comparison = comparison
    inputCount = inputs
    let cutTable = (0..<inputs).map { _ in
      (0..<cuts).map { _ in RandomForest.value(comparison, using: &random) }
    }
    asked = cutTable
    var build = Build(
      comparison: comparison, inputs: inputs, cuts: cutTable, categories: categories)
    for _ in 0..<trees {
      let shape = shape == .mixed ? Shape.allCases.randomElement(using: &random)! : shape
      build.addTree(shape, depth: depth, using: &random)
    }
    forest = build.forest(outputs: outputs, using: &random)
  }

  static func value(_ comparison: Forest.Comparison, using random: inout SplitMix64) -> Double {
    let special: [Double] = [
      0, -0.0, 1, -1, .infinity, -.infinity, 1e-35, -1e-35, Double(Float.leastNonzeroMagnitude),
      Double(Float.greatestFiniteMagnitude), 1.0000000180025095e-35,
    ]
    let value =
      Int.random(in: 0..<12, using: &random) == 0
      ? special.randomElement(using: &random)! : Double.random(in: -4...40, using: &random)
    return comparison == .floatBelow || comparison == .floatAtMost ? Double(Float(value)) : value
  }

  /// A row for which splits are met exactly, missed by a hair, or have nothing to see.
  func row(using random: inout SplitMix64) -> [Double] {
    (0..<inputCount).map { input in
      switch Int.random(in: 0..<8, using: &random) {
      case 0: return .nan
      case 1: return RandomForest.value(.doubleAtMost, using: &random)
      case 2: return Double(Int.random(in: -2..<70, using: &random))
      case 3: return asked[input].randomElement(using: &random)!
      case 4: return asked[input].randomElement(using: &random)!.nextUp
      case 5: return asked[input].randomElement(using: &random)!.nextDown
      case 6: return Double(Float(asked[input].randomElement(using: &random)!).nextDown)
      default: return Double.random(in: -4...40, using: &random)
      }
    }
  }
}

/// The arrays of a forest while it grows.
private struct Build {
  let comparison: Forest.Comparison
  let inputs: Int
  let cuts: [[Double]]
  let categories: Bool
  var roots: [Int32] = [0]
  var left: [Int32] = []
  var feature: [Int32] = []
  var value: [Double] = []
  var missing: [Forest.Missing] = []
  var entry: [Int32] = []
  var sets: [CategorySet] = []
  var words: [UInt32] = []

  mutating func addTree(
    _ shape: RandomForest.Shape, depth: Int, using random: inout SplitMix64
  ) {
    // Breadth first: nodes still to be made a split or a leaf, with their depths.
    var open = [(node: addNode(), depth: 0)]
    while !open.isEmpty {
      let (node, level) = open.removeFirst()
      let splits: Bool
      switch shape {
      case .perfect: splits = level < depth
      case .ragged, .mixed:
        splits =
          level < depth * 2 && Int.random(in: 0..<10, using: &random) < 7
          && left.count - Int(roots.last!) < 400
      case .chain: splits = level < depth * 3 && open.isEmpty
      }
      guard splits else {
        value[node] = Double(Float.random(in: -1...1, using: &random))
        continue
      }
      split(node, using: &random)
      left[node] = Int32(left.count)
      open.append((addNode(), level + 1))
      open.append((addNode(), level + 1))
    }
    roots.append(Int32(left.count))
  }

  private mutating func addNode() -> Int {
    left.append(-1)
    feature.append(0)
    value.append(0)
    missing.append(.left)
    entry.append(-1)
    return left.count - 1
  }

  private mutating func split(_ node: Int, using random: inout SplitMix64) {
    let input = Int.random(in: 0..<inputs, using: &random)
    feature[node] = Int32(input)
    if categories, Int.random(in: 0..<4, using: &random) == 0 {
      entry[node] = Int32(sets.count)
      sets.append(CategorySet(firstWord: Int32(words.count), wordCount: 2))
      words.append(UInt32.random(in: 0...UInt32.max, using: &random))
      words.append(UInt32.random(in: 0...UInt32.max, using: &random))
      missing[node] = Bool.random(using: &random) ? .left : .right
      return
    }
    value[node] = cuts[input].randomElement(using: &random)!
    let treatments: [Forest.Missing] =
      comparison == .doubleAtMost
      ? [.left, .right, .asZero, .zeroLeft, .zeroRight] : [.left, .right]
    missing[node] = treatments.randomElement(using: &random)!
  }

  /// One that a forest with this comparison may have.
  private func accumulation(using random: inout SplitMix64) -> Forest.Accumulation {
    switch comparison {
    case .floatBelow: Bool.random(using: &random) ? .float : .floatFromZero(divisor: 1)
    case .floatAtMost:
      Bool.random(using: &random) ? .double(scale: 0.75) : .floatFromZero(divisor: 3)
    case .doubleAtMost, .exactAtMost: .double(scale: 0.75)
    }
  }

  func forest(outputs: Int, using random: inout SplitMix64) -> Forest {
    let trees = roots.count - 1
    return Forest(
      inputCount: inputs, outputCount: outputs, comparison: comparison,
      accumulation: accumulation(using: &random),
      baseMargins: (0..<outputs).map { _ in Double(Float.random(in: -1...1, using: &random)) },
      roots: roots, treeOutput: (0..<trees).map { Int32($0 % outputs) }, left: left,
      feature: feature, value: value, missing: missing, entry: entry, categorySets: sets,
      categoryWords: words, leafVectors: [], linearLeaves: [], linearFeatures: [],
      linearCoefficients: [], cover: [], gain: [], depth: 0)
  }
}
