// The records that a budget is held against: samples (from bench, from serve's access log), decisions (from score, from
// serve), summaries (from bench --summary). Any other kind is rejected by name.

import Core
import Measure

final class BudgetRecords {
  private let scanner: RecordScanner
  private let kind: Int
  private let due: Int
  private let latency: Int
  private let service: Int
  private let status: Int
  private let error: Int
  /// Of samples and of decisions, in the order of `LayerTiming.names`.
  private let layers: [Int]
  private let decisionLayers: [Int]
  private let summary: SummarySlots
  /// Told of each request.
  var onObservation: (BudgetEvidence.Observation) -> Void = { _ in }
  var onDecision: (LayerTiming) -> Void = { _ in }
  var onSummary: (LoadSummary) -> Void = { _ in }

  init() {
    var plan = FieldPlan()
    kind = plan.slot(["kind"])
    due = plan.slot(["due"])
    latency = plan.slot(["latency_us"])
    service = plan.slot(["service_us"])
    status = plan.slot(["status"])
    error = plan.slot(["error"])
    layers = LayerTiming.names.map { plan.slot(["layers_us", $0]) }
    decisionLayers = LayerTiming.names.map { plan.slot(["_rt", "layers_us", $0]) }
    summary = SummarySlots(&plan)
    scanner = RecordScanner(plan)
  }

  /// Reads all inputs.
  func read(_ invocation: Invocation, _ files: [String]) throws(Failure) -> ExitStatus {
    let rejects = try Rejects(invocation)
    let progress = Progress(invocation)
    for source in try invocation.inputs(files) {
      let reader = LineReader(source)
      while let line = try reader.next() {
        if let reason = take(line) {
          try rejects.add(
            reason, source: source.name, line: line.number, byte: line.offset, raw: line.bytes)
        }
        progress.advance()
      }
    }
    progress.finish()
    return try rejects.finish(total: progress.count)
  }

  /// - Returns: why the line cannot be used; nil where it was.
  private func take(_ line: Line) -> String? {
    guard line.fault != .tooLong else { return "longer than \(Limits.lineBytesMax) bytes" }
    do throws(JSONError) {
      try scanner.scan(line.bytes, padding: LineReader.padding)
      let kind = scanner.raw(kind)
      guard kind.kind == .string else { return "not a record of rtinfer: there is no 'kind'" }
      if kind.bytes == "sample" { return takeSample() }
      if kind.bytes == "decision" { return takeDecision() }
      if kind.bytes == "summary" {
        onSummary(try summary.read(scanner))
        return nil
      }
      return "'\(kind.bytes.string)' records say nothing of latency: sample, decision, summary do"
    } catch {
      return error.description
    }
  }

  /// Microseconds as nanoseconds; nil where the member is no number of 0 or more.
  private func nanoseconds(_ slot: Int) -> UInt64? {
    let value: Double
    switch scanner.scalar(slot) {
    case .int(let number): value = Double(number)
    case .double(let number): value = number
    default: return nil
    }
    guard value >= 0, value < 1e15 else { return nil }
    return UInt64((value * 1e3).rounded())
  }

  private func timing(_ slots: [Int]) -> LayerTiming {
    var timing = LayerTiming()
    for index in 0..<LayerTiming.count {
      timing[index] = nanoseconds(slots[index])
    }
    return timing
  }

  private func takeSample() -> String? {
    var observation = BudgetEvidence.Observation()
    let fault = scanner.raw(error)
    let hasFault = fault.kind == .string
    guard let latency = nanoseconds(latency) else {
      return "'latency_us' is not a number of 0 or more"
    }
    // What was refused took no time that says anything; what was given up took so long at least.
    if !hasFault || fault.bytes == "timeout" {
      observation.latency = latency
      observation.service = nanoseconds(service)
    }
    guard case .int(let status)? = scanner.scalar(status) else { return "'status' is not a number" }
    observation.isError = hasFault || status >= 400
    if scanner.raw(due).kind == .string {
      guard let due = Timestamp(rfc3339: scanner.text(due)) else {
        return "'due' is not an RFC 3339 time"
      }
      observation.due = due
    }
    observation.layers = timing(layers)
    onObservation(observation)
    return nil
  }

  private func takeDecision() -> String? {
    let timing = timing(decisionLayers)
    guard timing.isPresent else { return "a decision without '_rt.layers_us'" }
    onDecision(timing)
    return nil
  }
}

/// What budgets read of a run's summary.
struct LoadSummary {
  /// Holds histograms, or stands behind the run's samples.
  let holdsHistograms: Bool
  let invalidity: String?
  let isClosedLoop: Bool
  let requests: Int
  let errors: Int
  let seconds: Double
  let latency: LatencyHistogram?
  let service: LatencyHistogram?
  let layers: [LatencyHistogram?]
  let machine: String?
}

private struct SummarySlots {
  let what, valid, why, load, requests, errors, seconds, latency, service, machine: Int
  let layers: [Int]

  init(_ plan: inout FieldPlan) {
    what = plan.slot(["what"])
    valid = plan.slot(["valid"])
    why = plan.slot(["why"])
    load = plan.slot(["load"])
    requests = plan.slot(["requests"])
    errors = plan.slot(["errors"])
    seconds = plan.slot(["seconds"])
    latency = plan.slot(["latency_ns"])
    service = plan.slot(["service_ns"])
    machine = plan.slot(["machine"])
    layers = LayerTiming.names.map { plan.slot(["layers_ns", $0]) }
  }

  func read(_ scanner: RecordScanner) throws(JSONError) -> LoadSummary {
    let what = scanner.raw(what)
    guard what.kind == .string, what.bytes == "load" || what.bytes == "run" else {
      throw JSONError("a summary of '\(what.bytes.string)' says nothing of requests", at: 0)
    }
    let holds = what.bytes == "load"
    guard case .bool(let isValid)? = scanner.scalar(valid) else {
      throw JSONError("a summary that does not say whether the run was valid", at: 0)
    }
    let said = scanner.raw(why)
    let reason = said.kind == .string ? scanner.text(why).string : "it does not say why"
    let latency = try histogram(scanner, latency)
    guard !holds || latency != nil else {
      throw JSONError("a summary of a load without 'latency_ns'", at: 0)
    }
    var layers: [LatencyHistogram?] = []
    for slot in self.layers { layers.append(holds ? try histogram(scanner, slot) : nil) }
    let machine = scanner.raw(machine)
    return LoadSummary(
      holdsHistograms: holds, invalidity: isValid ? nil : reason,
      isClosedLoop: scanner.raw(load).bytes == "closed", requests: integer(scanner, requests),
      errors: integer(scanner, errors), seconds: number(scanner, seconds), latency: latency,
      service: try histogram(scanner, service), layers: layers,
      machine: machine.kind == .object ? machine.bytes.string : nil)
  }

  private func histogram(
    _ scanner: RecordScanner, _ slot: Int
  ) throws(JSONError) -> LatencyHistogram? {
    let raw = scanner.raw(slot)
    return raw.kind == .object ? try LatencyHistogram(json: raw.bytes) : nil
  }

  private func number(_ scanner: RecordScanner, _ slot: Int) -> Double {
    switch scanner.scalar(slot) {
    case .int(let number): Double(number)
    case .double(let number): number
    default: 0
    }
  }

  private func integer(_ scanner: RecordScanner, _ slot: Int) -> Int {
    Int(max(0, min(1e15, number(scanner, slot))))
  }
}
