// One measured request, as a `sample` record says it.
//
//     due ─────lag────▶ sent ─────service────▶ ended
//     └────────────────latency────────────────┘

public import Core

public struct LoadSample: Sendable {
  /// Monotonic nanoseconds, as are the others.
  public var due: UInt64
  public var sent: UInt64
  public var ended: UInt64
  /// 0 without a reply.
  public var status: Int
  /// What went wrong on the way; nil where a reply came.
  public var fault: String?
  /// Index into the run's paths.
  public var path: Int
  public var layers: LayerTiming

  public init(
    due: UInt64, sent: UInt64, ended: UInt64, status: Int, fault: String?, path: Int,
    layers: LayerTiming
  ) {
    self.due = due
    self.sent = sent
    self.ended = ended
    self.status = status
    self.fault = fault
    self.path = path
    self.layers = layers
  }

  public var latency: UInt64 { ended - min(due, ended) }
  public var service: UInt64 { ended - min(sent, ended) }
  public var isError: Bool { fault != nil || status >= 400 }
  /// It was answered, or given up after a time that says how slow it was at least.
  public var hasLatency: Bool { fault == nil || fault == "timeout" }

  /// - Parameters:
  ///   - epoch: what monotonic zero was by the wall clock.
  ///   - path: left out where there is one for all.
  public func append(to output: OutputBuffer, epoch: Timestamp, path: String?) {
    output.append("{\"kind\":\"sample\",\"due\":")
    output.appendQuoted(LoadSample.wall(due, epoch))
    output.append(",\"sent\":")
    output.appendQuoted(LoadSample.wall(sent, epoch))
    output.append(",\"latency_us\":")
    output.appendMicroseconds(nanoseconds: latency)
    output.append(",\"service_us\":")
    output.appendMicroseconds(nanoseconds: service)
    output.append(",\"status\":")
    output.append(Int64(status))
    if let fault {
      output.append(",\"error\":")
      output.appendQuoted(fault)
    }
    if let path {
      output.append(",\"path\":")
      output.appendQuoted(path)
    }
    if layers.isPresent {
      output.append(",\"layers_us\":")
      layers.append(to: output)
    }
    output.append("}\n")
  }

  static func wall(_ nanoseconds: UInt64, _ epoch: Timestamp) -> Timestamp {
    epoch + TimeSpan(microseconds: Int64(nanoseconds / 1_000))
  }
}
