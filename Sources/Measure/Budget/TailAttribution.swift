// In which layer the slowest requests spend their time. Percentiles of layers do not add up to a percentile of the
// total, so nothing of that kind is done here: the layers' times are summed over the very requests that were slow. To
// know only at the end which those were, the sums are kept by latency, in the buckets of a histogram.

import Core

public struct TailAttribution: Sendable {
  private struct Sums: Sendable {
    var count = 0
    var latency = 0.0
    /// The last is what no layer accounts for: the network, and waiting outside.
    var layers = [Double](repeating: 0, count: LayerTiming.count)
  }

  private let layout = LatencyHistogram(bits: 7)
  private var buckets: [Int: Sums] = [:]

  public init() {}

  public mutating func record(_ latency: UInt64, _ timing: LayerTiming) {
    let bucket = layout.bucket(of: latency)
    buckets[bucket, default: Sums()].count += 1
    buckets[bucket]!.latency += Double(latency)
    for index in 0..<LayerTiming.count {
      buckets[bucket]!.layers[index] += Double(timing.nanoseconds[index])
    }
  }

  public struct Share: Sendable, Equatable {
    /// A layer, or "elsewhere".
    public let name: String
    public let share: Double
  }

  /// Of the time of the requests slower than `bound`, up to a bucket's width of 0.8 %, the largest first.
  public func shares(above bound: UInt64) -> (count: Int, shares: [Share]) {
    let first = layout.bucket(of: bound)
    var total = Sums()
    for (bucket, sums) in buckets where bucket >= first {
      total.count += sums.count
      total.latency += sums.latency
      for index in 0..<LayerTiming.count { total.layers[index] += sums.layers[index] }
    }
    guard total.latency > 0 else { return (0, []) }
    var shares = (0..<LayerTiming.count).map {
      Share(name: LayerTiming.names[$0], share: total.layers[$0] / total.latency)
    }
    let known = total.layers.reduce(0, +)
    shares.append(Share(name: "elsewhere", share: max(0, 1 - known / total.latency)))
    return (total.count, shares.sorted { $0.share > $1.share })
  }
}
