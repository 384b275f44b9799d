// Has it become slower? Two answers from two sets of latencies, neither of which asks for a distribution: an interval
// for the ratio of a percentile, and Mann and Whitney's test of whether one set tends to lie above the other.
//
// The ratio's interval is put together from the two percentiles' own (MOVER: Zou and Donner, "Construction of
// confidence intervals about effect measures", 2008), on logarithms:
//
//     log ratio = h − b      lower = h − b − √((h − lowᴴ)² + (highᴮ − b)²)      upper alike

import Core

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

public enum LatencyComparison {
  public struct Ratio: Sendable, Equatable {
    public let value: Double
    public let low: Double
    /// Nil: the head's percentile has no upper end, or the baseline's no lower one.
    public let high: Double?
  }

  /// The head's percentile by the baseline's; nil where a set is empty or the baseline's percentile is 0.
  public static func ratio(
    _ percent: Double, base: BatchedLatencies, head: BatchedLatencies, confidence: Double
  ) -> Ratio? {
    guard let b = base.all.percentile(percent), let h = head.all.percentile(percent), b > 0, h > 0
    else { return nil }
    let (logBase, logHead) = (log(Double(b)), log(Double(h)))
    let baseEnds = logEnds(base.interval(percent, confidence: confidence))
    let headEnds = logEnds(head.interval(percent, confidence: confidence))
    let difference = logHead - logBase
    func ratio(_ head: Double?, _ base: Double?, _ sign: Double) -> Double? {
      guard let head, let base else { return nil }
      let (left, right) = (logHead - head, base - logBase)
      return exp(difference + sign * (left * left + right * right).squareRoot())
    }
    return Ratio(
      value: exp(difference), low: ratio(headEnds.low, baseEnds.high, -1) ?? 0,
      high: ratio(headEnds.high, baseEnds.low, 1))
  }

  private static func logEnds(_ interval: QuantileInterval) -> (low: Double?, high: Double?) {
    (
      interval.low > 0 ? log(Double(interval.low)) : nil,
      interval.high.map { log(Double(max($0, 1))) }
    )
  }

  public struct RankTest: Sendable {
    /// The chance that a request of the head took longer than one of the baseline, ties by half.
    public let chance: Double
    /// How likely so much or more would be, were the head's times the baseline's times the tolerated factor.
    public let slowerProbability: Double
  }

  /// Mann and Whitney's U from the histograms: values of one bucket are ties. Its variance is corrected for ties, and
  /// widened by how much neighbours hang together.
  ///
  /// - Parameter tolerated: the factor by which the baseline's times may have grown: what is to be shown is that the head's are
  ///   longer than those. A test for any difference finds the smallest one, if only there are requests enough.
  public static func rankTest(
    base: BatchedLatencies, head: BatchedLatencies, tolerated: Double = 1, confidence: Double
  ) -> RankTest? {
    let (m, n) = (Double(base.all.count), Double(head.all.count))
    guard m > 0, n > 0 else { return nil }
    let (above, ties) = ranks(base: base.all, head: head.all, tolerated)
    let plainly = tolerated == 1 ? above : ranks(base: base.all, head: head.all, 1).above
    let total = m + n
    let inflation = max(
      base.inflation(at: 50, confidence: confidence), head.inflation(at: 50, confidence: confidence)
    )
    let variance = m * n / 12 * (total + 1 - ties / (total * (total - 1))) * inflation
    guard variance > 0 else { return RankTest(chance: plainly / (m * n), slowerProbability: 0.5) }
    let z = (above - m * n / 2) / variance.squareRoot()
    return RankTest(
      chance: plainly / (m * n), slowerProbability: NormalDistribution.upperTail(z))
  }

  /// Pairs in which the head's time is the longer one, ties by half, and the sum of t³ − t over all ties of t values.
  private static func ranks(
    base: LatencyHistogram, head: LatencyHistogram, _ factor: Double
  ) -> (above: Double, ties: Double) {
    var counts: [Double: (base: Double, head: Double)] = [:]
    base.forEachBucket { lowest, _, count in
      counts[Double(lowest) * factor, default: (0, 0)].base += Double(count)
    }
    head.forEachBucket { lowest, _, count in
      counts[Double(lowest), default: (0, 0)].head += Double(count)
    }
    var (below, above, ties) = (0.0, 0.0, 0.0)
    for key in counts.keys.sorted() {
      let (inBase, inHead) = counts[key]!
      above += inHead * (below + inBase / 2)
      below += inBase
      let both = inBase + inHead
      ties += both * both * both - both
    }
    return (above, ties)
  }

  /// The mean of paired log ratios and Student's interval around it, as a ratio; nil for fewer than two pairs.
  public static func paired(_ logRatios: [Double], confidence: Double) -> Ratio? {
    guard logRatios.count >= 2 else { return nil }
    let count = Double(logRatios.count)
    let mean = logRatios.reduce(0, +) / count
    let squares = logRatios.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    let factor = StudentDistribution.quantile(1 - (1 - confidence) / 2, degrees: count - 1)
    let half = factor * (squares / (count - 1) / count).squareRoot()
    return Ratio(value: exp(mean), low: exp(mean - half), high: exp(mean + half))
  }
}
