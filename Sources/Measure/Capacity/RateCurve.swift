// Latency against rate, as `bench search` measured it, and the queue that explains it best: a service time and a variation
// for which the percentiles lie nearest to the measured ones (least squares of logarithms), and what a request takes beside
// that, on the way. A fit says how far off it is; beyond twice the rates that were measured it says nothing.

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

public struct RateCurve: Sendable {
  /// One rate that was tried.
  public struct Step: Sendable {
    /// Requests a second.
    public let rate: Double
    /// Seconds.
    public let p50: Double
    public let p99: Double
    public let isKept: Bool

    public init(rate: Double, p50: Double, p99: Double, isKept: Bool) {
      (self.rate, self.p50, self.p99, self.isKept) = (rate, p50, p99, isKept)
    }
  }

  /// A queue, and the seconds that a request takes beside it.
  public struct Fit: Sendable {
    public let queue: QueueModel
    public let overhead: Double
    /// The largest factor between a measured p99 and the fitted one, either way.
    public let worstFactor: Double

    public func p99(_ rate: Double) -> Double { overhead + queue.responsePercentile(99, rate) }
  }

  public private(set) var steps: [Step] = []
  /// A model says nothing of rates above this multiple of the highest that was measured.
  public static let extrapolationMax = 2.0

  public init() {}

  public mutating func append(_ step: Step) { steps.append(step) }

  /// The highest rate at which the promise was kept and the p99 stayed within `bound` seconds; nil where there is none.
  public func keptRate(within bound: Double) -> Double? {
    steps.filter { $0.isKept && $0.p99 <= bound }.map(\.rate).max()
  }

  /// Nil where fewer than three rates were kept: a curve through two points explains nothing.
  ///
  /// - Parameter workers: of the server that was measured.
  public func fit(workers: Int) -> Fit? {
    let kept = steps.filter(\.isKept)
    guard Set(kept.map(\.rate)).count >= 3, let top = kept.map(\.rate).max() else { return nil }
    var best: (error: Double, fit: Fit)?
    let slowest = 0.998 * Double(workers) / top
    for variation in [0.0, 0.5, 1, 2] {
      let shape = ServiceTimes(mean: 1, variation: variation, slices: 100)
      // From just below saturation to a thousandth of it, finest where the line builds up.
      var mean = slowest
      while mean > slowest / 1_000 {
        let candidate = tried(
          QueueModel(workers: workers, service: shape.scaled(toMean: mean)), kept)
        if best.map({ candidate.error < $0.error }) ?? true { best = candidate }
        mean /= mean > slowest / 4 ? 1.04 : 1.25
      }
    }
    return best?.fit
  }

  private func tried(_ queue: QueueModel, _ kept: [Step]) -> (error: Double, fit: Fit) {
    let models = kept.map { step in
      (queue.responsePercentile(50, step.rate), queue.responsePercentile(99, step.rate))
    }
    let quiet = kept.indices.min { kept[$0].rate < kept[$1].rate }!
    let overhead = max(0, kept[quiet].p50 - models[quiet].0)
    var (error, worst) = (0.0, 1.0)
    for (step, model) in zip(kept, models) {
      let off = log((overhead + model.1) / step.p99)
      let offMiddle = log((overhead + model.0) / step.p50)
      error += off * off + offMiddle * offMiddle
      worst = max(worst, exp(abs(off)))
    }
    return (error, Fit(queue: queue, overhead: overhead, worstFactor: worst))
  }
}
