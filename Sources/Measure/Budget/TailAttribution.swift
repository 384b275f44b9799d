// In which layer the slowest requests spend their time. Percentiles of layers do not add up to a percentile of the
// total, so nothing of that kind is done here: the layers' times are summed over the very requests that were slow. To
// know only at the end which those were, the sums are kept by latency, in the buckets of a histogram.

import Core

public struct TailAttribution: Sendable {
  private static let layout = LatencyHistogram(bits: 7)
  /// By bucket the sums of nanoseconds by layer, and in the two lanes behind them those of latencies and of requests.
  /// 64 bytes a bucket, 464 KiB in all.
  private var buckets: [SIMD8<Double>] = []
  private static let latencyLane = LayerTiming.count
  private static let countLane = LayerTiming.count + 1

  public init() {}

  /// - Complexity: O(1), no allocation but the first time.
  public mutating func record(_ latency: UInt64, _ timing: LayerTiming) {
    if buckets.isEmpty {
      let count = TailAttribution.layout.bucket(of: .max) + 1
      buckets = Array(repeating: SIMD8(), count: count)
    }
    var sums = SIMD8<Double>(timing.nanoseconds)
    sums[TailAttribution.latencyLane] = Double(latency)
    sums[TailAttribution.countLane] = 1
    buckets[TailAttribution.layout.bucket(of: latency)] += sums
  }

  public struct Share: Sendable, Equatable {
    /// A layer, or "elsewhere".
    public let name: String
    public let share: Double
  }

  /// Of the time of the requests slower than `bound`, up to a bucket's width of 0.8 %, the largest first.
  public func shares(above bound: UInt64) -> (count: Int, shares: [Share]) {
    let first = TailAttribution.layout.bucket(of: bound)
    guard first < buckets.count else { return (0, []) }
    let total = buckets[first...].reduce(SIMD8<Double>(), +)
    let latency = total[TailAttribution.latencyLane]
    guard latency > 0 else { return (0, []) }
    var shares = (0..<LayerTiming.count).map {
      Share(name: LayerTiming.names[$0], share: total[$0] / latency)
    }
    let known = (0..<LayerTiming.count).reduce(0) { $0 + total[$1] }
    // What no layer accounts for: the network, and waiting outside.
    shares.append(Share(name: "elsewhere", share: max(0, 1 - known / latency)))
    let count = Int(total[TailAttribution.countLane])
    return (count, shares.sorted { $0.share > $1.share })
  }
}
