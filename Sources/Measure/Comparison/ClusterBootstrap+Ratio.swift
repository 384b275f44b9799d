// The same bootstrap for a ratio of two sums, and for the difference of two such ratios over the same clusters. The
// standard error that each draw is measured in is that of the linearised ratio:
//
//     v = Σ a / Σ b        error² = Σ ((a − v·b) / b̄)² / (n − 1) / n
//
// Of a difference the linear parts are subtracted cluster by cluster, so that what both ratios have in common drops out.

import Core

extension ClusterBootstrap {
  /// What one cluster adds to either sum.
  struct Ratio: Sendable {
    var numerator = 0.0
    var denominator = 0.0
    /// Units.
    var count = 0
  }

  /// The interval of Σ numerators / Σ denominators, less that of `others`.
  ///
  /// A draw without any denominator says nothing, so it counts as beyond either end in turn.
  ///
  /// - Returns: an end is infinite where the draws cannot bound it; nil for fewer than two clusters or none that
  ///   has a denominator.
  /// - Complexity: O(replicates · clusters).
  func interval(
    ofRatio ratios: [Ratio], less others: [Ratio]? = nil
  ) -> (low: Double, high: Double)? {
    precondition(others == nil || others!.count == ratios.count, "the same clusters")
    let count = ratios.count
    let all = Array(0..<count)
    guard count > 1, let own = ClusterBootstrap.estimate(ratios, others, all) else { return nil }
    guard own.error > 0 else { return (own.value, own.value) }
    var random = SplitMix64(seed: seed)
    var drawn = all
    var distances: [Double] = []
    distances.reserveCapacity(replicates)
    for draw in 0..<replicates {
      for place in 0..<count { drawn[place] = Int.random(in: 0..<count, using: &random) }
      guard let estimate = ClusterBootstrap.estimate(ratios, others, drawn) else {
        distances.append(draw % 2 == 0 ? .infinity : -.infinity)
        continue
      }
      let distance = estimate.value - own.value
      distances.append(distance == 0 ? 0 : distance / estimate.error)
    }
    distances.sort()
    let tail = (1 - confidence) / 2
    return (
      own.value - ClusterBootstrap.quantile(distances, 1 - tail) * own.error,
      own.value - ClusterBootstrap.quantile(distances, tail) * own.error
    )
  }

  /// Of the clusters with these numbers; nil where a denominator is 0.
  private static func estimate(
    _ ratios: [Ratio], _ others: [Ratio]?, _ drawn: [Int]
  ) -> (value: Double, error: Double)? {
    guard let (value, base) = ratio(ratios, drawn) else { return nil }
    var (otherValue, otherBase) = (0.0, 1.0)
    if let others {
      guard let (value, base) = ratio(others, drawn) else { return nil }
      (otherValue, otherBase) = (value, base)
    }
    var squares = 0.0
    for cluster in drawn {
      var part = (ratios[cluster].numerator - value * ratios[cluster].denominator) / base
      if let others {
        part -= (others[cluster].numerator - otherValue * others[cluster].denominator) / otherBase
      }
      squares += part * part
    }
    let count = Double(drawn.count)
    return (value - otherValue, (squares / (count - 1) / count).squareRoot())
  }

  /// The ratio, and the mean denominator.
  private static func ratio(
    _ ratios: [Ratio], _ drawn: [Int]
  ) -> (value: Double, base: Double)? {
    var (numerator, denominator) = (0.0, 0.0)
    for cluster in drawn {
      numerator += ratios[cluster].numerator
      denominator += ratios[cluster].denominator
    }
    guard denominator > 0 else { return nil }
    return (numerator / denominator, denominator / Double(drawn.count))
  }
}
