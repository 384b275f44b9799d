// The same bootstrap for a ratio of two sums, and for what several such ratios over the same clusters come to, each
// added or taken away. The standard error that each draw is measured in is that of the linearised ratios:
//
//     v = Σ a / Σ b        error² = Σ ((a − v·b) / b̄)² / (n − 1) / n
//
// Of several the linear parts are added up cluster by cluster, so that what they have in common drops out.

import Core

extension ClusterBootstrap {
  /// What one cluster adds to either sum.
  struct Ratio: Sendable {
    var numerator = 0.0
    var denominator = 0.0
    /// Units.
    var count = 0
  }

  /// Ratios that are added, or with the sign −1 taken away.
  struct Term: Sendable {
    let sign: Double
    /// By cluster.
    let ratios: [Ratio]
  }

  /// The interval of Σ numerators / Σ denominators, less that of `others`.
  func interval(
    ofRatio ratios: [Ratio], less others: [Ratio]? = nil
  ) -> (low: Double, high: Double)? {
    interval(
      of: [Term(sign: 1, ratios: ratios)] + (others.map { [Term(sign: -1, ratios: $0)] } ?? []))
  }

  /// The interval of all terms together.
  ///
  /// - Parameter strata: by cluster, dense from 0; each is drawn for by one of its own. Nil: all are one.
  ///
  /// A draw without any denominator says nothing, so it counts as beyond either end in turn.
  ///
  /// - Returns: an end is infinite where the draws cannot bound it; nil for fewer than two clusters or a term that
  ///   has no denominator.
  /// - Complexity: O(replicates · clusters · terms).
  func interval(of terms: [Term], strata: [Int]? = nil) -> (low: Double, high: Double)? {
    let count = terms[0].ratios.count
    precondition(terms.allSatisfy { $0.ratios.count == count }, "the same clusters")
    let all = Array(0..<count)
    guard count > 1, let own = ClusterBootstrap.estimate(terms, all) else { return nil }
    guard own.error > 0 else { return (own.value, own.value) }
    var random = SplitMix64(seed: seed)
    var drawn = all
    let pools = ClusterBootstrap.pools(strata ?? all.map { _ in 0 })
    var distances: [Double] = []
    distances.reserveCapacity(replicates)
    for draw in 0..<replicates {
      for place in 0..<count {
        let pool = pools[strata?[place] ?? 0]
        drawn[place] = pool[Int.random(in: 0..<pool.count, using: &random)]
      }
      guard let estimate = ClusterBootstrap.estimate(terms, drawn) else {
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

  /// By stratum its clusters.
  private static func pools(_ strata: [Int]) -> [[Int]] {
    var pools = [[Int]](repeating: [], count: (strata.max() ?? -1) + 1)
    for (cluster, stratum) in strata.enumerated() { pools[stratum].append(cluster) }
    return pools
  }

  /// Of all clusters; nil where a term has no denominator.
  static func estimate(_ terms: [Term]) -> (value: Double, error: Double)? {
    estimate(terms, Array(terms[0].ratios.indices))
  }

  /// Of the clusters with these numbers; nil where a denominator is 0.
  private static func estimate(
    _ terms: [Term], _ drawn: [Int]
  ) -> (value: Double, error: Double)? {
    var value = 0.0
    var parts = [Double](repeating: 0, count: drawn.count)
    for term in terms {
      guard let (own, base) = ratio(term.ratios, drawn) else { return nil }
      value += term.sign * own
      for (place, cluster) in drawn.enumerated() {
        let ratio = term.ratios[cluster]
        parts[place] += term.sign * (ratio.numerator - own * ratio.denominator) / base
      }
    }
    let squares = parts.reduce(0) { $0 + $1 * $1 }
    let count = Double(drawn.count)
    return (value, (squares / (count - 1) / count).squareRoot())
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
