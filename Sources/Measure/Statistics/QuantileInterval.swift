// How well a sample knows a percentile, whatever the distribution: the true one lies between two of the sorted values,
// whose ranks follow from the binomial distribution alone (order statistics). Far out there may be no upper end: the
// p99 of 300 requests could be anything above the largest.
//
//     sorted:  ────────────────┬────────●────────────┬──    n = 1,000, p99, 95 %:
//                           982nd    991st         997th     18th … 4th largest
//
// Samples that follow one another in a queue are not independent: a slow one makes its neighbours slow. `inflation` says
// by how much more the share above the percentile varies than it would for independent ones; the ranks are taken as
// of so many fewer samples.

public import Core

public struct QuantileInterval: Sendable, Equatable {
  /// Nanoseconds.
  public let low: UInt64
  /// Nil: too few samples to say.
  public let high: UInt64?

  /// - Parameters:
  ///   - percent: as in 99.9.
  ///   - confidence: of the whole interval, as in 0.95.
  public static func interval(
    of histogram: LatencyHistogram, _ percent: Double, confidence: Double, inflation: Double = 1
  ) -> QuantileInterval {
    let ranks = ranks(
      of: histogram.count, percent / 100, confidence: confidence, inflation: inflation)
    return QuantileInterval(
      low: ranks.low > 0 ? histogram.lowest(atRank: ranks.low) : 0,
      high: ranks.high.map { histogram.value(atRank: $0) })
  }

  /// Ranks, 1 the smallest, between which the quantile lies.
  ///
  /// - Returns: `low` 0: there is no lower end; `high` nil: there is no upper end.
  public static func ranks(
    of count: Int, _ share: Double, confidence: Double, inflation: Double = 1
  ) -> (low: Int, high: Int?) {
    let inflation = max(1, inflation)
    let effective = Int((Double(count) / inflation).rounded(.down))
    guard effective > 0 else { return (0, nil) }
    let tail = (1 - confidence) / 2
    // The r-th value lies above the quantile when fewer than r values lie below it.
    let low = BinomialDistribution.quantile(tail, of: effective, chance: share)
    let high = BinomialDistribution.quantile(1 - tail, of: effective, chance: share) + 1
    guard inflation > 1 else { return (low, high <= count ? high : nil) }
    let lowScaled = Int((Double(low) * inflation).rounded(.down))
    let highScaled = Int((Double(high) * inflation).rounded(.up))
    return (min(lowScaled, count), high <= effective && highScaled <= count ? highScaled : nil)
  }
}
