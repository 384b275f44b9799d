// A run as a `summary` record: what was asked, whether the run was valid, and its figures. Behind samples it only says
// how the run went (`what: "run"`); in their place it holds the histograms (`what: "load"`).

public import Core

extension LoadTally {
  static let shownPercentiles = [50.0, 90, 95, 99, 99.9, 99.99]

  /// - Parameters:
  ///   - holdsHistograms: no samples came before it.
  ///   - label: names one of several runs.
  public func append(
    to output: OutputBuffer, _ plan: LoadPlan, started: Timestamp, epoch: Timestamp,
    holdsHistograms: Bool, label: String? = nil
  ) {
    output.append("{\"kind\":\"summary\",\"what\":")
    output.append(holdsHistograms ? "\"load\"" : "\"run\"")
    if let label {
      output.append(",\"label\":")
      output.appendQuoted(label)
    }
    output.append(",\"url\":")
    output.appendQuoted(plan.url)
    append(plan.load, to: output)
    output.append(",\"seed\":")
    output.append(plan.seed)
    output.append(",\"started\":")
    output.appendQuoted(started)
    output.append(",\"warmup_s\":")
    output.append(Double(plan.warmup.microseconds) / 1e6)
    appendValidity(to: output, plan)
    appendCounts(to: output)
    appendPercentiles(to: output)
    output.append(",\"machine\":")
    plan.machine.append(to: output)
    if holdsHistograms { appendHistograms(to: output, epoch) }
    output.append("}\n")
  }

  private func append(_ load: LoadPlan.Load, to output: OutputBuffer) {
    output.append(",\"load\":")
    output.appendQuoted(load.name)
    switch load {
    case .open(let arrivals, let stages):
      output.append(",\"arrivals\":")
      output.appendQuoted(arrivals)
      guard !stages.isEmpty else { return }
      output.append(",\"stages\":[")
      for (index, stage) in stages.enumerated() {
        output.append(index == 0 ? "{\"rate\":" : ",{\"rate\":")
        output.append(stage.rate)
        output.append(",\"seconds\":")
        output.append(Double(stage.duration.microseconds) / 1e6)
        output.append("}")
      }
      output.append("]")
    case .closed(let concurrency):
      output.append(",\"concurrency\":")
      output.append(Int64(concurrency))
    }
  }

  private func appendValidity(to output: OutputBuffer, _ plan: LoadPlan) {
    let why = invalidity(plan)
    output.append(",\"valid\":")
    output.append(why == nil ? "true" : "false")
    guard let why else { return }
    output.append(",\"why\":")
    output.appendQuoted(why)
  }

  private func appendCounts(to output: OutputBuffer) {
    output.append(",\"requests\":")
    output.append(Int64(requests))
    output.append(",\"errors\":")
    output.append(Int64(errors))
    output.append(",\"unsent\":")
    output.append(Int64(unsent))
    output.append(",\"waited_for_connection\":")
    output.append(Int64(waitedForConnection))
    output.append(",\"seconds\":")
    output.append(elapsedSeconds)
    output.append(",\"per_second\":")
    output.append(elapsedSeconds > 0 ? Double(requests) / elapsedSeconds : 0)
    output.append(",\"statuses\":{")
    for (index, status) in statuses.keys.sorted().enumerated() {
      if index > 0 { output.append(",") }
      output.append("\"\(status)\":\(statuses[status]!)" as String)
    }
    output.append("},\"faults\":{")
    for (index, fault) in faults.keys.sorted().enumerated() {
      if index > 0 { output.append(",") }
      output.append("\"\(fault)\":\(faults[fault]!)" as String)
    }
    output.append("}")
  }

  private func appendPercentiles(to output: OutputBuffer) {
    for (name, histogram) in [("latency", latency), ("service", service), ("lag", lag)]
    where histogram.count > 0 {
      output.append(",\"\(name)_us\":{" as String)
      for percent in LoadTally.shownPercentiles {
        output.append("\"p\(percent.plain)\":" as String)
        output.appendMicroseconds(nanoseconds: histogram.percentile(percent)!)
        output.append(",")
      }
      output.append("\"mean\":")
      output.appendMicroseconds(nanoseconds: histogram.sum / UInt64(histogram.count))
      output.append(",\"max\":")
      output.appendMicroseconds(nanoseconds: histogram.maximum)
      output.append("}")
    }
  }

  private func appendHistograms(to output: OutputBuffer, _ epoch: Timestamp) {
    output.append(",\"latency_ns\":")
    latency.append(to: output)
    output.append(",\"service_ns\":")
    service.append(to: output)
    if !layers.isEmpty {
      output.append(",\"layers_ns\":{")
      var first = true
      for (index, histogram) in layers.enumerated() where histogram.count > 0 {
        if !first { output.append(",") }
        first = false
        output.appendQuoted(LayerTiming.names[index])
        output.append(":")
        histogram.append(to: output)
      }
      output.append("}")
    }
    output.append(",\"worst\":[")
    for (index, sample) in worst.enumerated() {
      output.append(index > 0 ? ",{\"due\":" : "{\"due\":")
      output.appendQuoted(LoadSample.wall(sample.due, epoch))
      output.append(",\"latency_us\":")
      output.appendMicroseconds(nanoseconds: sample.latency)
      output.append(",\"status\":")
      output.append(Int64(sample.status))
      if sample.layers.isPresent {
        output.append(",\"layers_us\":")
        sample.layers.append(to: output)
      }
      output.append("}")
    }
    output.append("]")
  }
}
