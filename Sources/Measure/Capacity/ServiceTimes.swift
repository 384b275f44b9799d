// How long the work for one request takes when nothing waits: as measured, or of a stated mean and variation. Held as
// slices of equal weight, so that a formula can add over them and a simulation can draw from them alike.

public import Core

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

public struct ServiceTimes: Sendable {
  /// Seconds, ascending; each stands for an equal share of requests.
  public let slices: [Double]
  /// Seconds.
  public let mean: Double
  /// Variance by the squared mean: 0 where all take the same time, 1 where times are exponential.
  public let squaredVariation: Double

  private init(slices: [Double]) {
    self.slices = slices
    let mean = slices.reduce(0, +) / Double(slices.count)
    let squares = slices.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    self.mean = mean
    squaredVariation = mean > 0 ? squares / Double(slices.count) / (mean * mean) : 0
  }

  /// Gamma distributed: constant for a variation of 0, exponential for 1.
  ///
  /// - Parameters:
  ///   - mean: seconds, above 0.
  ///   - variation: the standard deviation by the mean, 0 or more.
  public init(mean: Double, variation: Double, slices count: Int = 2_000) {
    precondition(mean > 0 && variation >= 0, "work takes time")
    guard variation > 0 else {
      self.init(slices: [mean])
      return
    }
    let shape = 1 / (variation * variation)
    let raw = (0..<count).map { index in
      ServiceTimes.gammaQuantile((Double(index) + 0.5) / Double(count), shape)
    }
    // The slices' middles lose a little of the tail's mean.
    let scale = mean / (raw.reduce(0, +) / Double(count))
    self.init(slices: raw.map { $0 * scale })
  }

  /// As measured, in nanoseconds; nil where nothing was.
  public init?(_ histogram: LatencyHistogram, slices count: Int = 2_000) {
    guard histogram.count > 0 else { return nil }
    let count = min(count, histogram.count)
    var sums = [Double](repeating: 0, count: count)
    let weight = Double(histogram.count) / Double(count)
    var before = 0.0
    histogram.forEachBucket { lowest, highest, bucketCount in
      let middle = Double(lowest) / 2 + Double(min(highest, histogram.maximum)) / 2
      let end = before + Double(bucketCount)
      var index = min(count - 1, Int(before / weight))
      var from = before
      while from < end {
        let to = index == count - 1 ? end : min(end, Double(index + 1) * weight)
        sums[index] += (to - from) * middle
        (from, index) = (to, min(count - 1, index + 1))
      }
      before = end
    }
    self.init(slices: sums.map { $0 / weight / 1e9 })
  }

  /// The same shape with another mean.
  public func scaled(toMean wanted: Double) -> ServiceTimes {
    ServiceTimes(slices: slices.map { $0 * wanted / mean })
  }

  /// A gamma distribution of scale 1 is half a chi-squared one of twice the degrees.
  private static func gammaQuantile(_ probability: Double, _ shape: Double) -> Double {
    var (low, high) = (0.0, max(1, shape))
    while ChiSquaredDistribution.lowerTail(2 * high, degrees: 2 * shape) < probability { high *= 2 }
    for _ in 0..<60 {
      let middle = (low + high) / 2
      if ChiSquaredDistribution.lowerTail(2 * middle, degrees: 2 * shape) < probability {
        low = middle
      } else {
        high = middle
      }
    }
    return (low + high) / 2
  }
}
