// The records that a budget is held against: samples (from bench, from serve's access log), decisions (from score, from
// serve), summaries (from bench --summary). Any other kind is rejected by name.

import Core
import Measure

/// What the lines of a block say: requests and decisions, which nearly all are, and between them the others.
struct BudgetBlock: Sendable {
  fileprivate(set) var observations: [BudgetEvidence.Observation] = []
  fileprivate(set) var others: [Other] = []

  struct Other: Sendable {
    /// Observations of the block before it.
    let place: Int
    /// Of its line in the block.
    let number: Int
    let offset: Int
    let record: BudgetRecord
  }
}

/// What one line says that is neither request nor decision.
enum BudgetRecord: Sendable {
  case summary(LoadSummary)
  case step(RateCurve.Step)
  /// Another command's, which is passed over.
  case nothing
  case rejected(String, raw: [UInt8])
}

final class BudgetRecords {
  /// Told of requests and decisions, many at a time, in their order.
  var onObservations: (ArraySlice<BudgetEvidence.Observation>) -> Void = { _ in }
  var onSummary: (LoadSummary) -> Void = { _ in }
  /// Told of each rate that bench search tried; nil: those say nothing here and are rejected, with their verdict.
  var onStep: ((RateCurve.Step) -> Void)?

  /// Reads all inputs, their lines by as many threads as there are processors.
  func read(_ invocation: Invocation, _ files: [String]) throws(Failure) -> ExitStatus {
    let rejects = try Rejects(invocation)
    let progress = Progress(invocation)
    let takesSteps = onStep != nil
    let lines = ParallelLines<BudgetBlock>(
      threads: Machine.current(build: "").cores,
      parser: {
        let parser = BudgetLines(takesSteps: takesSteps)
        return { parser.parse($0) }
      })
    for source in try invocation.inputs(files) {
      try lines.read(source) { (block, before) throws(Failure) in
        var place = 0
        for other in block.others {
          tell(block.observations[place..<other.place], progress)
          place = other.place
          switch other.record {
          case .summary(let summary): onSummary(summary)
          case .step(let step): onStep?(step)
          case .nothing: break
          case .rejected(let reason, let raw):
            try raw.withBytes { (raw) throws(Failure) in
              try rejects.add(
                reason, source: source.name, line: before.lines + other.number,
                byte: before.bytes + other.offset, raw: raw)
            }
          }
          progress.advance()
        }
        tell(block.observations[place...], progress)
      }
    }
    progress.finish()
    return try rejects.finish(total: progress.count)
  }

  private func tell(
    _ observations: ArraySlice<BudgetEvidence.Observation>, _ progress: Progress
  ) {
    guard !observations.isEmpty else { return }
    onObservations(observations)
    progress.advance(by: observations.count)
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
  /// Observations of a block, as the one before had, and some more.
  private var expected = 0
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

  func parse(_ lines: BlockLines) -> BudgetBlock {
    var block = BudgetBlock()
    block.observations.reserveCapacity(expected)
    while let line = lines.next() {
      let record: BudgetRecord
      do throws(BadRecord) {
        guard let other = try take(line, &block.observations) else { continue }
        record = other
      } catch {
        record = .rejected(error.reason, raw: line.bytes.copy())
      }
      block.others.append(
        BudgetBlock.Other(
          place: block.observations.count, number: line.number, offset: line.offset, record: record)
      )
    }
    expected = block.observations.count + block.observations.count / 8
    return block
  }

  /// - Returns: what is no observation.
  private func take(
    _ line: Line, _ observations: inout [BudgetEvidence.Observation]
  ) throws(BadRecord) -> BudgetRecord? {
    if line.fault == .tooLong { throw BadRecord("longer than \(Limits.lineBytesMax) bytes") }
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
    if kind.bytes == BudgetLines.sampleKind {
      observations.append(try sample())
      return nil
    }
    if kind.bytes == "decision" {
      observations.append(try decision())
      return nil
    }
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

  private func sample() throws(BadRecord) -> BudgetEvidence.Observation {
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
    return observation
  }

  private func decision() throws(BadRecord) -> BudgetEvidence.Observation {
    let timing = timing(decisionLayers)
    guard timing.isPresent else { throw BadRecord("a decision without '_rt.layers_us'") }
    return BudgetEvidence.Observation(decision: timing)
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
