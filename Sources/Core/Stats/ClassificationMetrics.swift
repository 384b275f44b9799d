// How good scores are, against what turned out to be true: the measures that registries gate on, each with a 95 %
// interval, since a figure from a hundred rows is no promise.
//
//   AUC         midranks in O(n log n), with DeLong's variance as Sun and Xu compute it ("Fast Implementation of
//               DeLong's Algorithm", 2014): ties count half, as in scikit-learn's roc_auc_score
//   log loss    probabilities are held away from 0 and 1 by one machine epsilon, as scikit-learn does
//   calibration the mean distance between score and frequency over ten bins of equal width, weighted by rows; the
//               interval has all bins' frequencies in their exact intervals at once, so it covers with at least 95 %
//   bias        the mean score less the share of yes, which is calibration in the large
//   precision, recall   of score >= threshold, with Wilson's interval
//
// Means (log loss, Brier score) have the interval of the normal approximation. A calibration error is biased upward by an
// amount that depends on the bins, which is why its interval reaches further down than up.

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// A measured value with its 95 % interval, where there is one.
public struct Estimate: Sendable, Equatable {
  public let value: Double
  public let low: Double?
  public let high: Double?

  public init(_ value: Double, low: Double? = nil, high: Double? = nil) {
    self.value = value
    self.low = low
    self.high = high
  }

  /// The 97.5th percentile of the normal distribution.
  static let normalQuantile = 1.959963984540054

  /// A value with a standard error, its interval cut at what the measure can be.
  static func normal(
    _ value: Double, standardError: Double, within bounds: ClosedRange<Double>
  ) -> Estimate {
    let half = normalQuantile * standardError
    return Estimate(
      value, low: max(bounds.lowerBound, value - half), high: min(bounds.upperBound, value + half))
  }

  /// Wilson's interval of `count` out of `total`; nil where the total is 0.
  static func share(_ count: Int, of total: Int) -> Estimate? {
    guard total > 0 else { return nil }
    let (n, z) = (Double(total), normalQuantile)
    let share = Double(count) / n
    let middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    let half = z * (share * (1 - share) / n + z * z / (4 * n * n)).squareRoot() / (1 + z * z / n)
    return Estimate(share, low: max(0, middle - half), high: min(1, middle + half))
  }

  /// The mean of values, with the interval of its standard error; nil without values.
  ///
  /// - Complexity: O(count).
  static func mean(of values: [Double], within bounds: ClosedRange<Double>) -> Estimate? {
    guard !values.isEmpty else { return nil }
    let n = Double(values.count)
    let mean = values.reduce(0, +) / n
    guard values.count > 1 else { return Estimate(mean) }
    return normal(mean, standardError: (variance(values, mean) / n).squareRoot(), within: bounds)
  }

  /// How much larger this is than another, measured on other rows; with an interval where both have one.
  ///
  /// The interval recovers the two variances from the two intervals, so that it is right for lopsided ones, too (Zou and
  /// Donner, "Construction of confidence intervals about effect measures", 2008; for shares it is Newcombe's tenth).
  public func difference(from other: Estimate) -> Estimate {
    let difference = value - other.value
    guard let low, let high, let otherLow = other.low, let otherHigh = other.high else {
      return Estimate(difference)
    }
    func together(_ one: Double, _ two: Double) -> Double { (one * one + two * two).squareRoot() }
    return Estimate(
      difference, low: difference - together(value - low, otherHigh - other.value),
      high: difference + together(high - value, other.value - otherLow))
  }

  static func variance(_ values: [Double], _ mean: Double) -> Double {
    values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(max(1, values.count - 1))
  }
}

/// A yes or no that was given as a probability.
public struct ClassificationMetrics: Sendable {
  private let scores: [Double]
  private let outcomes: [Bool]

  /// - Parameters:
  ///   - scores: probabilities of a yes, 0 to 1.
  ///   - outcomes: what turned out, as many.
  public init(scores: [Double], outcomes: [Bool]) {
    precondition(scores.count == outcomes.count, "every score has an outcome")
    self.scores = scores
    self.outcomes = outcomes
  }

  /// So many yeses, and as many noes, give the area under the curve an interval.
  public static let leastOfEach = AUCPlacements.leastOfEach

  /// The chance that a yes scores above a no; nil where all outcomes are the same, without an interval where few are of one
  /// kind.
  ///
  /// - Complexity: O(n log n).
  public var auc: Estimate? {
    guard let places = AUCPlacements(scores, outcomes) else { return nil }
    let area = places.area
    guard places.allowInterval else { return Estimate(area) }
    let variance =
      Estimate.variance(places.above, area) / Double(places.above.count)
      + Estimate.variance(places.below, area) / Double(places.below.count)
    return Estimate.normal(area, standardError: variance.squareRoot(), within: 0...1)
  }

  public var logLoss: Estimate? {
    let losses = zip(scores, outcomes).map { score, outcome in
      let held = min(max(score, .ulpOfOne), 1 - .ulpOfOne)
      return -log(outcome ? held : 1 - held)
    }
    return Estimate.mean(of: losses, within: 0...(.infinity))
  }

  /// The mean squared distance between score and outcome.
  public var brier: Estimate? {
    let distances = zip(scores, outcomes).map { ($0 - ($1 ? 1 : 0)) * ($0 - ($1 ? 1 : 0)) }
    return Estimate.mean(of: distances, within: 0...1)
  }

  /// The mean score less the share of yes: calibration in the large. Above 0 too much is promised.
  public var bias: Estimate? {
    Estimate.mean(of: zip(scores, outcomes).map { $0 - ($1 ? 1 : 0) }, within: -1...1)
  }

  /// The expected calibration error over bins of equal width, (0, 1/bins] and so on, 0 in the first.
  ///
  /// What it estimates is the mean distance between a bin's mean score and the mean chance of a yes in it. That chance
  /// is within Clopper and Pearson's interval of each of B bins at once with at least 95 % where each has it with
  /// 1 - 0.05 / B, also if the chances in a bin differ (Hoeffding, 1956: their sum then varies less).
  public func calibrationError(bins: Int = 10) -> Estimate? {
    guard !scores.isEmpty else { return nil }
    var counts = [Int](repeating: 0, count: bins)
    var yeses = [Int](repeating: 0, count: bins)
    var sums = [Double](repeating: 0, count: bins)
    var distance = [Double](repeating: 0, count: bins)
    for (score, outcome) in zip(scores, outcomes) {
      let bin = min(bins - 1, max(0, Int((score * Double(bins)).rounded(.up)) - 1))
      counts[bin] += 1
      yeses[bin] += outcome ? 1 : 0
      sums[bin] += score
      distance[bin] += score - (outcome ? 1 : 0)
    }
    let value = distance.reduce(0) { $0 + abs($1) } / Double(scores.count)
    let filled = counts.indices.filter { counts[$0] > 0 }
    var (low, high) = (0.0, 0.0)
    for bin in filled {
      let mean = sums[bin] / Double(counts[bin])
      let chance = BinomialDistribution.interval(
        yeses[bin], of: counts[bin], confidence: 1 - 0.05 / Double(filled.count))
      let share = Double(counts[bin]) / Double(scores.count)
      low += share * max(0, chance.lowerBound - mean, mean - chance.upperBound)
      high += share * max(chance.upperBound - mean, mean - chance.lowerBound)
    }
    return Estimate(value, low: min(low, value), high: max(high, value))
  }

  /// The share of yes among those that score at least the threshold; nil where none does.
  public func precision(at threshold: Double) -> Estimate? {
    let chosen = scores.indices.filter { scores[$0] >= threshold }
    return Estimate.share(chosen.count { outcomes[$0] }, of: chosen.count)
  }

  /// The share of those that score at least the threshold among all yes; nil where there is no yes.
  public func recall(at threshold: Double) -> Estimate? {
    let positive = scores.indices.filter { outcomes[$0] }
    return Estimate.share(positive.count { scores[$0] >= threshold }, of: positive.count)
  }
}

/// Numbers that were predicted.
public struct RegressionMetrics: Sendable {
  private let errors: [Double]

  public init(predictions: [Double], outcomes: [Double]) {
    precondition(predictions.count == outcomes.count, "every prediction has an outcome")
    errors = zip(predictions, outcomes).map { $0 - $1 }
  }

  /// The root of the mean squared error; its interval is that of the mean, under the root.
  public var rmse: Estimate? {
    Estimate.mean(of: errors.map { $0 * $0 }, within: 0...(.infinity)).map {
      Estimate($0.value.squareRoot(), low: $0.low?.squareRoot(), high: $0.high?.squareRoot())
    }
  }

  public var mae: Estimate? { Estimate.mean(of: errors.map(abs), within: 0...(.infinity)) }

  /// The mean error: above 0 predictions are too high.
  public var bias: Estimate? { Estimate.mean(of: errors, within: -(.infinity)...(.infinity)) }
}

enum Midranks {
  /// The rank of each value from 1; equal values share the mean of theirs.
  ///
  /// - Complexity: O(n log n).
  static func of(_ values: [Double]) -> [Double] {
    // Values beside their places: to look each up by its place would wait for memory.
    let order = values.enumerated().map { (value: $1, place: $0) }.sorted { $0.value < $1.value }
    var ranks = [Double](repeating: 0, count: values.count)
    var start = 0
    while start < order.count {
      var end = start + 1
      while end < order.count, order[end].value == order[start].value { end += 1 }
      for place in start..<end { ranks[order[place].place] = Double(start + end + 1) / 2 }
      start = end
    }
    return ranks
  }
}
