// What a plan reads of requests: how long the whole took, each layer, and the work without its waiting. In flat memory.

public import Core

public struct LayerEvidence: Sendable {
  public private(set) var count = 0
  public private(set) var total = BatchedLatencies()
  /// In the order of `LayerTiming.names`.
  public private(set) var layers = [BatchedLatencies](
    repeating: BatchedLatencies(), count: LayerTiming.count)
  /// All layers but the queue, request by request.
  public private(set) var work = LatencyHistogram(bits: 10)
  /// Of summaries, which tell each layer apart and not which belong together: all layers but the queue.
  private var summarised = [LatencyHistogram](
    repeating: LatencyHistogram(bits: 10), count: LayerTiming.count - 1)

  public init() {}

  /// - Parameter latency: nanoseconds from outside; nil where the layers are all that is known.
  public mutating func record(_ latency: UInt64?, _ timing: LayerTiming) {
    let sum = (0..<LayerTiming.count).reduce(0) { $0 &+ timing.nanoseconds[$1] }
    guard latency != nil || timing.isPresent else { return }
    count += 1
    total.record(latency ?? sum)
    guard timing.isPresent else { return }
    for index in 0..<LayerTiming.count {
      if let time = timing[index] { layers[index].record(time) }
    }
    work.record(sum &- timing.nanoseconds[LayerTiming.count - 1])
  }

  public mutating func merge(latency: LatencyHistogram, layers: [LatencyHistogram?]) {
    count += latency.count
    total.merge(latency)
    for (index, histogram) in layers.enumerated() {
      guard let histogram else { continue }
      self.layers[index].merge(histogram)
      if index < summarised.count { summarised[index].add(histogram) }
    }
  }

  /// The work for one request; nil where no layer is known. Of summaries a gamma distribution of the layers' means and
  /// variances, as if they were independent.
  public var service: ServiceTimes? {
    if let times = ServiceTimes(work), times.mean > 0 { return times }
    var (mean, variance) = (0.0, 0.0)
    for times in summarised.compactMap({ ServiceTimes($0) }) {
      mean += times.mean
      variance += times.squaredVariation * times.mean * times.mean
    }
    return mean > 0 ? ServiceTimes(mean: mean, variation: variance.squareRoot() / mean) : nil
  }
}
