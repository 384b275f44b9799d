// Two scores of the same rows: how much better one tells the yeses from the noes. Both areas come from the same rows, so
// most of what makes either uncertain is common to both and drops out of their difference (DeLong, DeLong and
// Clarke-Pearson, "Comparing the areas under two or more correlated receiver operating characteristic curves", 1988).
//
//     above(i) = share of noes that yes i scores above      below(j) = share of yeses that score above no j
//     variance of A − B = var(above_A − above_B) / yeses + var(below_A − below_B) / noes
//
// Shares come from midranks, in O(n log n) as Sun and Xu have it. Rows count as independent.

public struct PairedAUC: Sendable {
  /// The first area less the second, with its 95 % interval where there are enough of each class.
  public let difference: Estimate
  /// The chance of a difference at least as large, were there none; nil where there are too few of a class.
  public let pValue: Double?

  /// - Parameters:
  ///   - first, second: scores of the same rows; any that rise with the chance of a yes.
  ///   - outcomes: what turned out, as many.
  /// - Returns: nil where all outcomes are the same.
  /// - Complexity: O(n log n).
  public init?(_ first: [Double], _ second: [Double], outcomes: [Bool]) {
    precondition(
      first.count == outcomes.count && second.count == outcomes.count, "every row has an outcome")
    guard let one = AUCPlacements(first, outcomes), let two = AUCPlacements(second, outcomes) else {
      return nil
    }
    let above = zip(one.above, two.above).map { $0 - $1 }
    let below = zip(one.below, two.below).map { $0 - $1 }
    let (m, n) = (Double(above.count), Double(below.count))
    let value = above.reduce(0, +) / m
    guard one.allowInterval else {
      (difference, pValue) = (Estimate(value), nil)
      return
    }
    let variance =
      Estimate.variance(above, value) / m + Estimate.variance(below, below.reduce(0, +) / n) / n
    difference = .normal(value, standardError: variance.squareRoot(), within: -1...1)
    // Where nothing varies, a difference is one for certain.
    pValue =
      variance > 0
      ? min(1, 2 * NormalDistribution.upperTail(abs(value) / variance.squareRoot()))
      : value == 0 ? 1 : 0
  }
}

/// Where each yes stands among the noes, and each no among the yeses.
struct AUCPlacements {
  /// Of each class so many make an interval: of three yes's it would leave out the truth three times as often as it promises,
  /// of ten hardly more often.
  static let leastOfEach = 10

  /// By yes, the share of noes below it, those that tie by half.
  let above: [Double]
  /// By no, the share of yeses above it.
  let below: [Double]

  /// Nil where all outcomes are the same.
  init?(_ scores: [Double], _ outcomes: [Bool]) {
    let positive = scores.indices.filter { outcomes[$0] }.map { scores[$0] }
    let negative = scores.indices.filter { !outcomes[$0] }.map { scores[$0] }
    guard !positive.isEmpty, !negative.isEmpty else { return nil }
    let (m, n) = (Double(positive.count), Double(negative.count))
    let all = Midranks.of(positive + negative)
    let (own, other) = (Midranks.of(positive), Midranks.of(negative))
    above = positive.indices.map { (all[$0] - own[$0]) / n }
    below = negative.indices.map { 1 - (all[positive.count + $0] - other[$0]) / m }
  }

  /// Whether there are enough of each class to say how far chance goes.
  var allowInterval: Bool { min(above.count, below.count) >= AUCPlacements.leastOfEach }

  var area: Double { above.reduce(0, +) / Double(above.count) }
}
