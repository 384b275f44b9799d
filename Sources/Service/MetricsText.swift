// GET /metrics, in Prometheus' text format 0.0.4: names by its conventions, durations in seconds, counts that only grow.
// Beside them Triton's `nv_inference_*`, so that dashboards and autoscalers that read those go on working.

import Core
import Features
import HTTP
import Measure

struct MetricsText {
  private let output: OutputBuffer

  /// Appends all of it.
  init(_ service: Service, to output: OutputBuffer) {
    self.output = output
    let total = service.meters.total()
    requests(total.requests, waiting: total.waiting)
    connections(service.state)
    batches(total.models)
    online(total.models)
    decisions(total.models)
    durations(total.models)
    tritons(total.models)
    if let queue = service.options.events { events(queue) }
    if let state = service.options.liveState { features(state) }
    logs([service.options.accessLog, service.options.decisionLog].compactMap { $0 })
    process()
  }

  // MARK: Lines

  private func declare(_ name: String, _ type: String, _ help: String) {
    output.append("# HELP \(name) \(help)\n# TYPE \(name) \(type)\n")
  }

  private func line(_ name: String, _ labels: [(String, String)] = [], _ value: String) {
    output.append(name)
    for (index, label) in labels.enumerated() {
      output.append(index == 0 ? "{" : ",")
      output.append("\(label.0)=")
      output.appendQuoted(label.1)
    }
    if !labels.isEmpty { output.append("}") }
    output.append(" \(value)\n")
  }

  private func histogram(
    _ name: String, _ labels: [(String, String)], _ buckets: Buckets, isDuration: Bool
  ) {
    func text(_ value: UInt64) -> String {
      isDuration ? (Double(value) / 1e9).plain : String(value)
    }
    var seen = 0
    for (bound, count) in zip(buckets.bounds, buckets.counts) {
      seen += count
      line("\(name)_bucket", labels + [("le", text(bound))], String(seen))
    }
    line("\(name)_bucket", labels + [("le", "+Inf")], String(buckets.count))
    line("\(name)_sum", labels, text(buckets.sum))
    line("\(name)_count", labels, String(buckets.count))
  }

  private typealias Models = [(name: String, counts: ModelCounts)]

  /// One line for each model.
  private func each(
    _ name: String, _ type: String, _ help: String, _ models: Models,
    _ value: (ModelCounts) -> Int
  ) {
    declare(name, type, help)
    for (model, counts) in models { line(name, [("model", model)], String(value(counts))) }
  }

  // MARK: Families

  private func requests(_ counts: [[Int]], waiting: Int) {
    declare("rtinfer_http_requests_total", "counter", "Requests answered, by route and status.")
    for route in Route.Kind.allCases {
      for (status, count) in zip(Status.allCases, counts[route.rawValue]) where count > 0 {
        line(
          "rtinfer_http_requests_total",
          [("route", route.path), ("code", String(status.rawValue))], String(count))
      }
    }
    declare("rtinfer_http_requests_in_flight", "gauge", "Requests that wait for their model.")
    line("rtinfer_http_requests_in_flight", [], String(waiting))
  }

  private func connections(_ state: ServerState) {
    declare("rtinfer_http_connections", "gauge", "Connections now.")
    line("rtinfer_http_connections", [], String(state.openConnections))
    declare("rtinfer_http_connections_max", "gauge", "Connections that are allowed.")
    line("rtinfer_http_connections_max", [], String(state.connectionsMax))
    declare("rtinfer_http_connections_total", "counter", "Connections since the start.")
    line("rtinfer_http_connections_total", [], String(state.acceptedConnections))
    declare(
      "rtinfer_http_connections_turned_away_total", "counter", "Connections beyond those allowed.")
    line("rtinfer_http_connections_turned_away_total", [], String(state.turnedAwayConnections))
  }

  private func batches(_ models: Models) {
    declare("rtinfer_model_info", "gauge", "The models that are served.")
    for (model, counts) in models {
      let labels = [("model", model), ("version", counts.version), ("format", counts.format)]
      line("rtinfer_model_info", labels, "1")
    }
    each("rtinfer_rows_total", "counter", "Rows that were judged.", models) { $0.rows }
    declare("rtinfer_batch_rows", "histogram", "Rows that were judged together.")
    for (model, counts) in models {
      histogram("rtinfer_batch_rows", [("model", model)], counts.batchRows, isDuration: false)
    }
    each(
      "rtinfer_missing_inputs_total", "counter", "Inputs that were missing, before defaults.",
      models
    ) { $0.missing }
    each(
      "rtinfer_requests_refused_total", "counter", "Requests that were not what the model takes.",
      models
    ) { $0.failed }
    each(
      "rtinfer_requests_late_total", "counter", "Requests whose deadline passed while they waited.",
      models
    ) { $0.tooLate }
    each(
      "rtinfer_requests_dropped_total", "counter",
      "Requests whose clients had gone before they were judged.", models
    ) { $0.dropped }
  }

  /// Nothing where no model takes features from a store.
  private func online(_ models: Models) {
    guard models.contains(where: { $0.counts.lookUps > 0 }) else { return }
    each("rtinfer_online_lookups_total", "counter", "Rows whose features were looked up.", models) {
      $0.lookUps
    }
    declare(
      "rtinfer_online_views_total", "counter", "Views of those rows, by what was amiss with them.")
    for (model, counts) in models {
      for (name, count) in zip(OnlineCounts.names, counts.online.counts) {
        line(
          "rtinfer_online_views_total", [("model", model), ("outcome", name)], String(count))
      }
    }
  }

  private func decisions(_ models: Models) {
    declare("rtinfer_decisions_total", "counter", "Decisions, by the rules' words.")
    for (model, counts) in models {
      // Several rules may decide the same.
      var byName: [String: Int] = [:]
      for (name, count) in zip(counts.decisionNames, counts.decisions) {
        byName[name, default: 0] += count
      }
      for (name, count) in byName.sorted(by: { $0.key < $1.key }) {
        line("rtinfer_decisions_total", [("model", model), ("decision", name)], String(count))
      }
    }
  }

  private func durations(_ models: Models) {
    declare(
      "rtinfer_request_duration_seconds", "histogram",
      "From a request's last byte to its reply, waiting included.")
    for (model, counts) in models {
      histogram(
        "rtinfer_request_duration_seconds", [("model", model)], counts.total, isDuration: true)
    }
    declare("rtinfer_layer_duration_seconds", "histogram", "Where the time went.")
    for (model, counts) in models {
      for (layer, buckets) in zip(Layer.allCases, counts.layers) {
        histogram(
          "rtinfer_layer_duration_seconds", [("model", model), ("layer", layer.rawValue)], buckets,
          isDuration: true)
      }
      histogram(
        "rtinfer_layer_duration_seconds", [("model", model), ("layer", "queue")], counts.queue,
        isDuration: true)
    }
  }

  private func tritons(_ models: Models) {
    let families: [(String, String, (ModelCounts) -> UInt64)] = [
      ("request_success", "Requests that succeeded.", { UInt64($0.succeeded) }),
      (
        "request_failure", "Requests that failed.",
        { UInt64($0.failed + $0.tooLate + $0.dropped) }
      ),
      ("count", "Rows that were judged.", { UInt64($0.rows) }),
      ("exec_count", "Batches that were judged.", { UInt64($0.batches) }),
      ("request_duration_us", "Microseconds in requests.", { $0.total.sum / 1_000 }),
      ("queue_duration_us", "Microseconds of waiting.", { $0.queue.sum / 1_000 }),
      (
        "compute_input_duration_us", "Microseconds of reading and gathering.",
        { ($0.layers[0].sum + $0.layers[1].sum) / 1_000 }
      ),
      ("compute_infer_duration_us", "Microseconds in the model.", { $0.layers[2].sum / 1_000 }),
      (
        "compute_output_duration_us", "Microseconds of concluding and replying.",
        { ($0.layers[3].sum + $0.layers[4].sum) / 1_000 }
      ),
    ]
    for (name, help, value) in families {
      declare("nv_inference_\(name)", "counter", help)
      for (model, counts) in models {
        line(
          "nv_inference_\(name)", [("model", model), ("version", counts.version)],
          String(value(counts)))
      }
    }
  }

  private func events(_ queue: EventQueue) {
    let (counts, waiting) = queue.counts
    declare("rtinfer_events_total", "counter", "Events sent to /events, by what became of them.")
    for (result, count) in [
      ("accepted", counts.accepted), ("repeat", counts.repeats), ("rejected", counts.rejected),
    ] {
      line("rtinfer_events_total", [("result", result)], String(count))
    }
    declare(
      "rtinfer_event_requests_refused_total", "counter",
      "Requests with events that were answered 503.")
    for (reason, count) in [("full", counts.turnedAway), ("failed", counts.failed)] {
      line("rtinfer_event_requests_refused_total", [("reason", reason)], String(count))
    }
    declare("rtinfer_event_requests_waiting", "gauge", "Requests whose events are not taken yet.")
    line("rtinfer_event_requests_waiting", [], String(waiting))
    declare(
      "rtinfer_event_duration_seconds", "histogram",
      "From a request's last byte to its events being in the log and in the features.")
    histogram("rtinfer_event_duration_seconds", [], counts.taken, isDuration: true)
  }

  private func features(_ state: LiveState) {
    let extent = state.extent
    declare("rtinfer_feature_entities", "gauge", "Entities that features are kept of.")
    line("rtinfer_feature_entities", [], String(extent.entities))
    guard extent.watermark > .distantPast else { return }
    declare(
      "rtinfer_feature_watermark_seconds", "gauge",
      "The watermark of the features, in seconds since 1970.")
    line(
      "rtinfer_feature_watermark_seconds", [],
      (Double(extent.watermark.microseconds) / 1e6).plain)
  }

  private func logs(_ logs: [LogWriter]) {
    guard !logs.isEmpty else { return }
    declare("rtinfer_log_dropped_total", "counter", "Lines of logs that the disk did not take up.")
    for log in logs { line("rtinfer_log_dropped_total", [("log", log.name)], String(log.dropped)) }
  }

  private func process() {
    let usage = ProcessUsage.current()
    declare("process_cpu_seconds_total", "counter", "Processor time of this process.")
    line("process_cpu_seconds_total", [], usage.processorSeconds.plain)
    declare("process_resident_memory_bytes", "gauge", "Memory of this process.")
    line("process_resident_memory_bytes", [], String(usage.residentBytes))
    if let open = usage.openDescriptors {
      declare("process_open_fds", "gauge", "Descriptors of this process.")
      line("process_open_fds", [], String(open))
    }
    declare("process_max_fds", "gauge", "Descriptors that are allowed.")
    line("process_max_fds", [], String(usage.descriptorsMax))
  }
}
