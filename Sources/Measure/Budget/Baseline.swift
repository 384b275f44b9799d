// A run to compare later runs with: one summary record with histograms and the machine it was made on, whatever it was
// read from. It holds no request, so that a file stays small, and no percentile, so that several can be put together.

public import Core

public struct Baseline: Sendable {
  private var requests = 0
  private var errors = 0
  private var seconds = 0.0
  private var latency = LatencyHistogram(bits: 10)
  private var service = LatencyHistogram(bits: 10)
  private var layers: [LatencyHistogram] = []
  private var first: Timestamp?
  private var last: Timestamp?
  /// JSON, as it was read; nil: no record said where it was made.
  public var machine: String?
  public var isClosedLoop = false

  public init() {}

  public mutating func record(_ observation: BudgetEvidence.Observation) {
    requests += 1
    if observation.isError { errors += 1 }
    if let time = observation.latency { latency.record(time) }
    if let time = observation.service { service.record(time) }
    if observation.layers.isPresent { record(observation.layers) }
    guard let due = observation.due else { return }
    first = min(first ?? due, due)
    last = max(last ?? due, due)
  }

  private mutating func record(_ timing: LayerTiming) {
    openLayers()
    for index in 0..<LayerTiming.count {
      if let time = timing[index] { layers[index].record(time) }
    }
  }

  private mutating func openLayers() {
    guard layers.isEmpty else { return }
    layers = .init(repeating: LatencyHistogram(bits: 10), count: LayerTiming.count)
  }

  public mutating func merge(
    requests: Int, errors: Int, seconds: Double, latency: LatencyHistogram,
    service: LatencyHistogram?, layers: [LatencyHistogram?]
  ) {
    self.requests += requests
    self.errors += errors
    self.seconds += seconds
    self.latency.add(latency)
    if let service { self.service.add(service) }
    for (index, histogram) in layers.enumerated() {
      guard let histogram else { continue }
      openLayers()
      self.layers[index].add(histogram)
    }
  }

  public var count: Int { latency.count }

  /// By name: percentiles of the latency in microseconds, as many as are known for sure to lie below the slowest, and the share
  /// of requests that failed (of decisions: none).
  public var metrics: [String: Double] {
    var metrics = ["request_errors": Double(errors) / Double(max(1, requests))]
    for percent in [50.0, 95, 99] {
      let interval = QuantileInterval.interval(of: latency, percent, confidence: 0.95)
      guard interval.high != nil, let value = latency.percentile(percent) else { continue }
      metrics["request_p\(percent.plain)_us"] = Double(value) / 1e3
    }
    return metrics
  }

  public func append(to output: OutputBuffer) {
    var length = seconds
    if let first, let last { length += Double(last.microseconds - first.microseconds) / 1e6 }
    output.append("{\"kind\":\"summary\",\"what\":\"load\",\"label\":\"baseline\",\"load\":")
    output.append(isClosedLoop ? "\"closed\"" : "\"open\"")
    output.append(",\"valid\":true,\"requests\":\(requests),\"errors\":\(errors)" as String)
    output.append(",\"seconds\":")
    output.append(length)
    if let machine { output.append(",\"machine\":\(machine)" as String) }
    output.append(",\"latency_ns\":")
    latency.append(to: output)
    if service.count > 0 {
      output.append(",\"service_ns\":")
      service.append(to: output)
    }
    if layers.contains(where: { $0.count > 0 }) {
      output.append(",\"layers_ns\":{")
      var isFirst = true
      for (index, histogram) in layers.enumerated() where histogram.count > 0 {
        output.append((isFirst ? "\"" : ",\"") + LayerTiming.names[index] + "\":")
        histogram.append(to: output)
        isFirst = false
      }
      output.append("}")
    }
    output.append("}\n")
  }
}
