// What decisions would have been worth that nobody made, from those that were made by chance with known chances: outcomes
// depend on the decision, so only the one that was made is known, and each question in which it is the one to be valued
// stands for as many as its chance says.
//
//     weight w = 1 / propensity where the logged decision is the arm's, else 0
//
//     IPW     Σ w·r                    unbiased (Horvitz and Thompson, "A generalization of sampling without
//                                      replacement from a finite universe", 1952); what both arms decide alike drops
//                                      out of their difference
//     SNIPW   count · Σ w·r / Σ w      self-normalised (Hájek; Swaminathan and Joachims, "The self-normalized estimator
//                                      for counterfactual learning", 2015): a little biased, steadier, and the same
//                                      whatever constant is added to every r
//
// The mean weight estimates the share of questions in which the arm's decision had any chance, its support: away from 1
// either that is lacking or the propensities are not those of the decisions.

import Core

public struct OffPolicyValue: Sendable {
  /// Questions, and those whose logged decision is the arm's.
  public let count: Int
  public let matchedCount: Int
  /// As many questions of equal weight would say as much (Kish): (Σ w)² / Σ w².
  public let effectiveSampleSize: Double
  public let weightMax: Double
  /// The mean weight; with an interval where there are clusters enough.
  public let support: Double
  public let supportInterval: (low: Double, high: Double)?
  /// Sums over all questions. Nil for SNIPW where nothing matched.
  public let ipw: Double
  public let ipwInterval: (low: Double, high: Double)?
  public let snipw: Double?
  public let snipwInterval: (low: Double, high: Double)?
  fileprivate let sums: [ClusterBootstrap.Ratio]

  /// Below this nothing is said.
  public static let effectiveSampleSizeMin = 30.0
  /// Support is doubted only where this wide an interval leaves out 1.
  public static let supportConfidence = 0.999

  /// - Parameters:
  ///   - weights: of each question, 0 where another decision was made.
  ///   - rewards: what the logged decision was worth; read only where the weight is above 0.
  ///   - clusters: the number of each question's cluster, dense from 0.
  /// - Complexity: O(questions) and three bootstraps.
  public init(
    weights: [Double], rewards: [Double], clusters: [Int], bootstrap: ClusterBootstrap
  ) {
    precondition(
      weights.count == rewards.count && weights.count == clusters.count, "questions by all three")
    let sums = OffPolicyValue.clusterSums(weights, rewards, clusters)
    let total = weights.reduce(0, +)
    count = weights.count
    matchedCount = weights.count { $0 > 0 }
    effectiveSampleSize = OffPolicyValue.effectiveSampleSize(weights)
    weightMax = weights.max() ?? 0
    support = count > 0 ? total / Double(count) : 0
    ipw = sums.reduce(0) { $0 + $1.numerator }
    snipw = total > 0 ? Double(count) * ipw / total : nil
    self.sums = sums
    let isEnough = sums.count >= PairedComparison.clusterCountMin && matchedCount > 0
    let doubt = ClusterBootstrap(
      replicates: max(bootstrap.replicates, 20_000), seed: bootstrap.seed,
      confidence: OffPolicyValue.supportConfidence)
    supportInterval = isEnough ? doubt.supportInterval(sums) : nil
    ipwInterval = isEnough ? bootstrap.interval(ofSum: sums.map(\.numerator)) : nil
    snipwInterval = isEnough ? bootstrap.interval(ofRatio: sums).scaled(by: count) : nil
  }

  private static func effectiveSampleSize(_ weights: [Double]) -> Double {
    // By shares of the largest: the square of a huge weight would be none.
    guard let largest = weights.max(), largest > 0 else { return 0 }
    let (shares, squares) = weights.reduce(into: (0.0, 0.0)) {
      $0.0 += $1 / largest
      $0.1 += ($1 / largest) * ($1 / largest)
    }
    return shares * shares / squares
  }

  static func clusterSums(
    _ weights: [Double], _ rewards: [Double], _ clusters: [Int]
  ) -> [ClusterBootstrap.Ratio] {
    var sums = [ClusterBootstrap.Ratio](
      repeating: .init(), count: (clusters.max() ?? -1) + 1)
    var isSeen = [Bool](repeating: false, count: sums.count)
    for (question, cluster) in clusters.enumerated() {
      isSeen[cluster] = true
      sums[cluster].count += 1
      guard weights[question] > 0 else { continue }
      sums[cluster].numerator += weights[question] * rewards[question]
      sums[cluster].denominator += weights[question]
    }
    return sums.indices.filter { isSeen[$0] }.map { sums[$0] }
  }

  /// How much more this is worth than another on the same questions, by SNIPW; nil where either cannot be said.
  ///
  /// - Complexity: that of a bootstrap.
  public func gain(
    over other: OffPolicyValue, bootstrap: ClusterBootstrap
  ) -> (value: Double, interval: (low: Double, high: Double)?)? {
    guard let snipw, let theirs = other.snipw else { return nil }
    let isEnough = sums.count >= PairedComparison.clusterCountMin
    return (
      snipw - theirs,
      isEnough
        ? bootstrap.interval(ofRatio: sums, less: other.sums).scaled(by: count) : nil
    )
  }

  /// How much more one way is worth than another on some questions, by SNIPW; what either is worth by itself is not asked.
  ///
  /// Where both decide alike in most clusters the interval is narrower than it should be: where some sixteen of forty differ it
  /// misses the truth in 10 of 100 and not in 5, of eighty in 7, of two hundred in 6.
  ///
  /// - Parameters:
  ///   - first, second: of each question, the weight and what the logged decision was worth.
  /// - Returns: nil where either has no weight; no interval where weights say too little, or clusters are too few.
  /// - Complexity: that of a bootstrap.
  public static func gain(
    _ first: [(weight: Double, reward: Double)], over second: [(weight: Double, reward: Double)],
    clusters: [Int], bootstrap: ClusterBootstrap
  ) -> (value: Double, interval: (low: Double, high: Double)?)? {
    let sums = [first, second].map {
      clusterSums($0.map(\.weight), $0.map(\.reward), clusters)
    }
    let totals = sums.map { $0.reduce(0) { $0 + $1.denominator } }
    guard totals.allSatisfy({ $0 > 0 }) else { return nil }
    let values = zip(sums, totals).map { sums, total in
      Double(clusters.count) * sums.reduce(0) { $0 + $1.numerator } / total
    }
    let isEnough =
      sums[0].count >= PairedComparison.clusterCountMin
      && [first, second].allSatisfy {
        effectiveSampleSize($0.map(\.weight)) >= effectiveSampleSizeMin
      }
    return (
      values[0] - values[1],
      isEnough
        ? bootstrap.interval(ofRatio: sums[0], less: sums[1]).scaled(by: clusters.count) : nil
    )
  }

  /// Why nothing can be said; nil if something can.
  public var lack: String? {
    guard matchedCount > 0 else { return "no logged decision is its own" }
    guard effectiveSampleSize >= OffPolicyValue.effectiveSampleSizeMin else {
      return "its weights say as much as \(effectiveSampleSize.fixed(1)) questions would,"
        + " \(Int(OffPolicyValue.effectiveSampleSizeMin)) are needed"
    }
    if let supportInterval, supportInterval.low > 1 || supportInterval.high < 1 {
      return
        "its mean weight is \(support.fixed(3)) where 1 is due (\(supportInterval.low.fixed(3))"
        + " to \(supportInterval.high.fixed(3)), 99.9 %): some of its decisions had no chance, or the"
        + " propensities are not those of the decisions"
    }
    return nil
  }
}

extension ClusterBootstrap {
  /// Of the mean weight.
  fileprivate func supportInterval(_ sums: [Ratio]) -> (low: Double, high: Double)? {
    interval(ofRatio: sums.map { Ratio(numerator: $0.denominator, denominator: Double($0.count)) })
  }
}

extension (low: Double, high: Double)? {
  fileprivate func scaled(by count: Int) -> (low: Double, high: Double)? {
    map { ($0.low * Double(count), $0.high * Double(count)) }
  }
}
