// The `summary` records of load runs as budgets read them: bench http's (with or without histograms) and bench search's
// steps.

import Core
import Measure

/// What budgets read of a run's summary.
struct LoadSummary: Sendable {
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

struct SummarySlots {
  private let what, valid, why, load, requests, errors, seconds, latency, service, machine: Int
  private let rate, answer, p50, p99: Int
  private let layers: [Int]

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
    rate = plan.slot(["rate"])
    answer = plan.slot(["answer"])
    p50 = plan.slot(["p50_us"])
    p99 = plan.slot(["p99_us"])
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

  /// It says how fast a pipeline is beside the samples of its run, which are there by themselves.
  /// What bench pipeline says beside its run.
  func isPipeline(_ scanner: RecordScanner) -> Bool {
    let what = scanner.raw(what)
    return what.kind == .string && (what.bytes == "pipeline" || what.bytes == "peer")
  }

  // MARK: Steps of bench search

  func isStep(_ scanner: RecordScanner) -> Bool {
    let what = scanner.raw(what)
    return what.kind == .string && what.bytes == "step"
  }

  /// Nil where the rate has no latency, or the generator was the limit.
  func step(_ scanner: RecordScanner) -> RateCurve.Step? {
    let answer = scanner.raw(answer)
    let (rate, p50, p99) = (number(scanner, rate), number(scanner, p50), number(scanner, p99))
    guard answer.kind == .string, !(answer.bytes == "invalid"), rate > 0, p50 > 0, p99 >= p50 else {
      return nil
    }
    return RateCurve.Step(
      rate: rate, p50: p50 / 1e6, p99: p99 / 1e6, isKept: answer.bytes == "kept")
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
