// The records that a budget is held against: samples (from bench, from serve's access log), decisions (from score, from
// serve), summaries (from bench --summary). Any other kind is rejected by name.

import Core
import Measure

/// What one line says.
enum BudgetRecord: Sendable {
  case observation(BudgetEvidence.Observation)
  case decision(LayerTiming)
  // Rare and large: the others should not take their room.
  indirect case summary(LoadSummary)
  indirect case step(RateCurve.Step)
  /// Another command's, which is passed over.
  case nothing
  case rejected(String, raw: [UInt8])
}

final class BudgetRecords {
  /// Told of each request.
  var onObservation: (BudgetEvidence.Observation) -> Void = { _ in }
  var onDecision: (LayerTiming) -> Void = { _ in }
  var onSummary: (LoadSummary) -> Void = { _ in }
  /// Told of each rate that bench search tried; nil: those say nothing here and are rejected, with their verdict.
  var onStep: ((RateCurve.Step) -> Void)?

  /// Reads all inputs, their lines by as many threads as there are processors.
  func read(_ invocation: Invocation, _ files: [String]) throws(Failure) -> ExitStatus {
    let rejects = try Rejects(invocation)
    let progress = Progress(invocation)
    let takesSteps = onStep != nil
    let lines = ParallelLines<BudgetRecord>(
      threads: Machine.current(build: "").cores,
      parser: {
        let parser = BudgetLines(takesSteps: takesSteps)
        return { parser.parse($0) }
      })
    for source in try invocation.inputs(files) {
      try lines.read(source) { (record, number, offset) throws(Failure) in
        switch record {
        case .observation(let observation): onObservation(observation)
        case .decision(let timing): onDecision(timing)
        case .summary(let summary): onSummary(summary)
        case .step(let step): onStep?(step)
        case .nothing: break
        case .rejected(let reason, let raw):
          try raw.withBytes { (raw) throws(Failure) in
            try rejects.add(reason, source: source.name, line: number, byte: offset, raw: raw)
          }
        }
        progress.advance()
      }
    }
    progress.finish()
    return try rejects.finish(total: progress.count)
  }
}

/// Understands lines, each thread its own.
final class BudgetLines {
  private let scanner: RecordScanner
  private let kind: Int
  private let due: Int
  private let latency: Int
  private let service: Int
  private let status: Int
  private let error: Int
  /// The first of those of samples and of decisions, which follow each other in the order of `LayerTiming.names`.
  private let layers: Int
  private let decisionLayers: Int
  private let summary: SummarySlots
  private var times = TimestampReader()
  private let takesSteps: Bool
  private static let sampleKind: StaticString = "sample"

  init(takesSteps: Bool) {
    self.takesSteps = takesSteps
    var plan = FieldPlan()
    kind = plan.slot(["kind"])
    due = plan.slot(["due"])
    latency = plan.slot(["latency_us"])
    service = plan.slot(["service_us"])
    status = plan.slot(["status"])
    error = plan.slot(["error"])
    layers = plan.slots(of: ["layers_us"])
    decisionLayers = plan.slots(of: ["_rt", "layers_us"])
    summary = SummarySlots(&plan)
    scanner = RecordScanner(plan)
  }

  func parse(_ line: Line) -> BudgetRecord {
    if line.fault == .tooLong {
      return .rejected("longer than \(Limits.lineBytesMax) bytes", raw: line.bytes.copy())
    }
    do throws(BadRecord) {
      return try record(line)
    } catch {
      return .rejected(error.reason, raw: line.bytes.copy())
    }
  }

  private func record(_ line: Line) throws(BadRecord) -> BudgetRecord {
    do throws(JSONError) {
      try scanner.scan(line.bytes, padding: LineReader.padding)
    } catch {
      throw BadRecord(error.description)
    }
    let kind = scanner.raw(kind)
    guard kind.kind == .string else {
      throw BadRecord("not a record of rtinfer: there is no 'kind'")
    }
    // Nearly all are.
    if kind.bytes == BudgetLines.sampleKind { return try sample() }
    if kind.bytes == "decision" { return try decision() }
    if kind.bytes == "summary" { return try summaryOrStep() }
    if kind.bytes == "verdict", takesSteps { return .nothing }
    throw BadRecord(
      "'\(kind.bytes.string)' records say nothing of latency: sample, decision, summary do")
  }

  private func summaryOrStep() throws(BadRecord) -> BudgetRecord {
    if summary.isPipeline(scanner) { return .nothing }
    do throws(JSONError) {
      guard takesSteps, summary.isStep(scanner) else { return .summary(try summary.read(scanner)) }
      // A rate at which nothing was answered has no latency.
      return summary.step(scanner).map { BudgetRecord.step($0) } ?? .nothing
    } catch {
      throw BadRecord(error.description)
    }
  }

  private func timing(_ first: Int) -> LayerTiming {
    var timing = LayerTiming()
    for index in 0..<LayerTiming.count where scanner.has(first + index) {
      timing[index] = scanner.thousandths(first + index)
    }
    return timing
  }

  private func sample() throws(BadRecord) -> BudgetRecord {
    var observation = BudgetEvidence.Observation()
    let fault = scanner.raw(error)
    let hasFault = fault.kind == .string
    guard let latency = scanner.thousandths(latency) else {
      throw BadRecord("'latency_us' is not a number of 0 or more")
    }
    // What was refused took no time that says anything; what was given up took so long at least.
    if !hasFault || fault.bytes == "timeout" {
      observation.latency = latency
      observation.service = scanner.thousandths(service)
    }
    guard case .int(let status)? = scanner.scalar(status) else {
      throw BadRecord("'status' is not a number")
    }
    observation.isError = hasFault || status >= 400
    if scanner.raw(due).kind == .string {
      guard let due = times.read(scanner.text(due)) else {
        throw BadRecord("'due' is not an RFC 3339 time")
      }
      observation.due = due
    }
    observation.layers = timing(layers)
    return .observation(observation)
  }

  private func decision() throws(BadRecord) -> BudgetRecord {
    let timing = timing(decisionLayers)
    guard timing.isPresent else { throw BadRecord("a decision without '_rt.layers_us'") }
    return .decision(timing)
  }
}

extension FieldPlan {
  /// A slot for each layer's member, one after another; the first of them.
  fileprivate mutating func slots(of path: [String]) -> Int {
    let slots = LayerTiming.names.map { slot(path + [$0]) }
    precondition(slots == Array(slots[0]..<slots[0] + slots.count), "slots of new members")
    return slots[0]
  }
}
