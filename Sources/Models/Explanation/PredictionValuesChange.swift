// CatBoost's measure of importance: how far a split moves the prediction. Of two leaves that only one
// split keeps apart, with values v and w that m and n training rows came to, and their mean a,
//
//     (v - a)²·m + (w - a)²·n
//
// is counted for the split's input. In an oblivious tree each leaf has such a partner at every level:
// the one with that level's answer the other way round. In other trees a split's two sides are
// compared by the means of what is below them. A statistic of several inputs is shared among them.
// In the end all inputs add up to 100. (catboost/libs/fstr/feature_str.h, calc_fstr.cpp)

import Core

extension Forest {
  func predictionValuesChange(
    _ derived: DerivedInputs?, inputCount: Int, _ source: String
  ) throws(Failure) -> [Double] {
    guard cover.count == nodeCount else {
      throw .badData("\(source): the file has no leaf weights, from which importance comes")
    }
    var effects = [Double](repeating: 0, count: self.inputCount)
    let levels = (0..<treeCount).map(levels)
    let areOblivious = levels.allSatisfy { $0 != nil }
    for tree in 0..<treeCount {
      if areOblivious, let levels = levels[tree] {
        addObliviousEffects(tree, levels, to: &effects)
      } else {
        addEffects(tree, to: &effects)
      }
    }
    var shares = Array(effects[..<inputCount])
    for input in inputCount..<self.inputCount {
      let sources = derived!.sources(ofInput: input)
      for source in sources { shares[source] += effects[input] / Double(sources.count) }
    }
    let total = shares.reduce(0, +)
    return total > 0 ? shares.map { $0 * 100 / total } : shares
  }

  /// The levels of a perfect tree in each of which all nodes ask the same; nil for other trees. The
  /// nodes are in breadth-first order.
  private func levels(_ tree: Int) -> Int? {
    let nodes = Int(roots[tree])..<Int(roots[tree + 1])
    guard (nodes.count + 1) & nodes.count == 0 else { return nil }
    let levels = (nodes.count + 1).trailingZeroBitCount - 1
    for level in 0..<levels {
      let first = nodes.lowerBound + (1 << level) - 1
      for node in first..<first + 1 << level {
        let isSame =
          left[node] >= 0 && feature[node] == feature[first] && value[node] == value[first]
          && missing[node] == missing[first]
        guard isSame else { return nil }
      }
    }
    return levels
  }

  private var leafWidth: Int { leafVectors.isEmpty ? 1 : outputCount }

  private static func effect(_ one: Double, _ rows: Double, _ other: Double, _ others: Double)
    -> Double
  {
    guard rows != 0, others != 0 else { return 0 }
    let mean = (one * rows + other * others) / (rows + others)
    return (one - mean) * (one - mean) * rows + (other - mean) * (other - mean) * others
  }

  private func addObliviousEffects(_ tree: Int, _ levels: Int, to effects: inout [Double]) {
    let firstLeaf = Int(roots[tree]) + (1 << levels) - 1
    for level in 0..<levels {
      let bit = 1 << (levels - 1 - level)
      let input = Int(feature[Int(roots[tree]) + (1 << level) - 1])
      for leaf in 0..<1 << levels where leaf & bit == 0 {
        let (one, other) = (firstLeaf + leaf, firstLeaf + leaf + bit)
        for output in 0..<leafWidth {
          effects[input] += Self.effect(
            leafValue(one, output), cover[one], leafValue(other, output), cover[other])
        }
      }
    }
  }

  /// Children come behind their parents, so that from the back on each node's means are known.
  private func addEffects(_ tree: Int, to effects: inout [Double]) {
    let nodes = Int(roots[tree])..<Int(roots[tree + 1])
    var means = [Double](repeating: 0, count: nodes.count)
    for output in 0..<leafWidth {
      for node in nodes.reversed() {
        guard left[node] >= 0 else {
          means[node - nodes.lowerBound] = leafValue(node, output)
          continue
        }
        let (one, other) = (Int(left[node]), Int(left[node]) + 1)
        let (mean, otherMean) = (means[one - nodes.lowerBound], means[other - nodes.lowerBound])
        effects[Int(feature[node])] += Self.effect(mean, cover[one], otherMean, cover[other])
        let rows = cover[one] + cover[other]
        means[node - nodes.lowerBound] =
          rows == 0 ? 0 : (mean * cover[one] + otherMean * cover[other]) / rows
      }
    }
  }
}
