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
  private var times = TimestampReader()
  /// Told of each request.
  var onObservation: (BudgetEvidence.Observation) -> Void = { _ in }
  var onDecision: (LayerTiming) -> Void = { _ in }
  var onSummary: (LoadSummary) -> Void = { _ in }
  /// Told of each rate that bench search tried; nil: those say nothing here and are rejected, with their verdict.
  var onStep: ((RateCurve.Step) -> Void)?

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
    try RecordLines.read(invocation, files) { take($0) }
  }

  /// - Returns: why the line cannot be used; nil where it was.
  private func take(_ line: Line) -> String? {
    do throws(JSONError) {
      try scanner.scan(line.bytes, padding: LineReader.padding)
      let kind = scanner.raw(kind)
      guard kind.kind == .string else { return "not a record of rtinfer: there is no 'kind'" }
      if kind.bytes == "sample" { return takeSample() }
      if kind.bytes == "decision" { return takeDecision() }
      if kind.bytes == "summary" {
        if let onStep, summary.isStep(scanner) {
          // A rate at which nothing was answered has no latency.
          if let step = summary.step(scanner) { onStep(step) }
        } else {
          onSummary(try summary.read(scanner))
        }
        return nil
      }
      if kind.bytes == "verdict", onStep != nil { return nil }
      return "'\(kind.bytes.string)' records say nothing of latency: sample, decision, summary do"
    } catch {
      return error.description
    }
  }

  private func timing(_ slots: [Int]) -> LayerTiming {
    var timing = LayerTiming()
    for index in 0..<LayerTiming.count where scanner.has(slots[index]) {
      timing[index] = scanner.thousandths(slots[index])
    }
    return timing
  }

  private func takeSample() -> String? {
    var observation = BudgetEvidence.Observation()
    let fault = scanner.raw(error)
    let hasFault = fault.kind == .string
    guard let latency = scanner.thousandths(latency) else {
      return "'latency_us' is not a number of 0 or more"
    }
    // What was refused took no time that says anything; what was given up took so long at least.
    if !hasFault || fault.bytes == "timeout" {
      observation.latency = latency
      observation.service = scanner.thousandths(service)
    }
    guard case .int(let status)? = scanner.scalar(status) else { return "'status' is not a number" }
    observation.isError = hasFault || status >= 400
    if scanner.raw(due).kind == .string {
      guard let due = times.read(scanner.text(due)) else {
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
