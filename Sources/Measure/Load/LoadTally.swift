// A run's figures while it runs: histograms, counts, the worst requests, and a row for each second. Nothing grows with
// the number of requests.

public import Core

public struct LoadTally: Sendable {
  /// One second of the run, by when requests were due.
  public struct Second: Sendable {
    public var index: Int
    public var count = 0
    public var errors = 0
    public var p50: UInt64 = 0
    public var p99: UInt64 = 0
    public var maximum: UInt64 = 0
  }

  /// Samples from this moment on count.
  public let begin: UInt64
  public private(set) var requests = 0
  public private(set) var errors = 0
  public private(set) var warmupRequests = 0
  public private(set) var latency = LatencyHistogram(bits: 10)
  public private(set) var service = LatencyHistogram(bits: 10)
  /// How late the generator itself looked at what was due.
  public private(set) var lag = LatencyHistogram(bits: 10)
  public private(set) var layers: [LatencyHistogram] = []
  public private(set) var statuses: [Int: Int] = [:]
  public private(set) var faults: [String: Int] = [:]
  public private(set) var worst: [LoadSample] = []
  public private(set) var seconds: [Second] = []
  private var window = LatencyHistogram(bits: 7)
  private var current = Second(index: 0)
  /// Due, but never sent: the generator had no connection free until the end.
  public var unsent = 0
  /// Due at a time when every connection was taken.
  public var waitedForConnection = 0
  public private(set) var lastEnd: UInt64 = 0

  static let worstMax = 10

  /// - Parameter begin: monotonic nanoseconds.
  public init(begin: UInt64) { self.begin = begin }

  public mutating func recordLag(_ nanoseconds: UInt64) { lag.record(nanoseconds) }

  /// - Returns: false where the sample belongs to the warm-up.
  @discardableResult
  public mutating func record(_ sample: LoadSample) -> Bool {
    guard sample.due >= begin else {
      warmupRequests += 1
      return false
    }
    requests += 1
    lastEnd = max(lastEnd, sample.ended)
    if sample.isError { errors += 1 }
    if let fault = sample.fault {
      faults[fault, default: 0] += 1
    } else {
      statuses[sample.status, default: 0] += 1
    }
    recordInWindow(sample)
    guard sample.hasLatency else { return true }
    latency.record(sample.latency)
    service.record(sample.service)
    if sample.layers.isPresent { recordLayers(sample.layers) }
    if worst.count < LoadTally.worstMax || sample.latency > worst[worst.count - 1].latency {
      keepAmongWorst(sample)
    }
    return true
  }

  private mutating func recordLayers(_ timing: LayerTiming) {
    if layers.isEmpty {
      layers = .init(repeating: LatencyHistogram(bits: 10), count: LayerTiming.count)
    }
    for index in 0..<LayerTiming.count {
      if let nanoseconds = timing[index] { layers[index].record(nanoseconds) }
    }
  }

  private mutating func keepAmongWorst(_ sample: LoadSample) {
    let place = worst.firstIndex { $0.latency < sample.latency } ?? worst.count
    worst.insert(sample, at: place)
    if worst.count > LoadTally.worstMax { worst.removeLast() }
  }

  // MARK: Seconds

  private mutating func recordInWindow(_ sample: LoadSample) {
    // By its end: what comes late belongs to the second in which it was told.
    let index = Int((sample.ended - begin) / 1_000_000_000)
    if index > current.index { closeSecond(next: index) }
    current.count += 1
    if sample.isError { current.errors += 1 }
    if sample.hasLatency { window.record(sample.latency) }
  }

  private mutating func closeSecond(next: Int) {
    if current.count > 0 {
      current.p50 = window.percentile(50) ?? 0
      current.p99 = window.percentile(99) ?? 0
      current.maximum = window.maximum
      seconds.append(current)
      window.removeAll()
    }
    current = Second(index: next)
  }

  /// Nothing more will come.
  public mutating func finish() { closeSecond(next: current.index + 1) }

  /// Seconds from the first that counts to the last reply.
  public var elapsedSeconds: Double { Double(lastEnd - min(begin, lastEnd)) / 1e9 }

  // MARK: Validity

  /// Why the run says nothing about the server; nil where it does. The generator is late by itself when its lag's
  /// p99 passes `plan.lagMax`, or without one both a millisecond and a tenth of the latency's p99: then the
  /// generator, not the server, is what was measured.
  public func invalidity(_ plan: LoadPlan) -> String? {
    guard requests > 0 else { return "no request was sent" }
    guard latency.count > 0 else { return "no request was answered" }
    if unsent > 0 {
      return "\(unsent.grouped) requests were due and never sent: more were waiting than may wait"
    }
    guard case .open = plan.load, let late = lag.percentile(99) else { return nil }
    let bound =
      plan.lagMax.map(\.nanoseconds)
      ?? max(1_000_000, (latency.percentile(99) ?? 0) / 10)
    guard late > bound else { return nil }
    return "the generator itself was late: send lag p99 \(LayerTimes.readable(late)), bound"
      + " \(LayerTimes.readable(bound))"
  }
}
