// What was read, kept for later: --save, as a baseline once its verdict is no failure; --record, as metrics of a registered
// version, whatever the verdict.

import Core
import Measure

enum BaselineFile {
  static let save = Flag(
    "save", .file, "Keep what was read there as a baseline, where all passes")

  /// Nil where nothing is to be kept.
  static func recorder(
    _ options: Options, for record: RegistryRecord? = nil
  ) throws(Failure) -> BaselineRecorder? {
    try options.value(save) == nil && record == nil ? nil : BaselineRecorder()
  }

  /// Percentiles and the share of errors, as metrics of the version that answered.
  static func write(
    _ recorder: BaselineRecorder?, to record: RegistryRecord?, _ invocation: Invocation
  ) throws(Failure) {
    guard let record, let baseline = recorder?.baseline else { return }
    guard recorder?.invalidity == nil, baseline.count > 0 else {
      return invocation.messages.note("nothing is recorded: there is no valid run")
    }
    guard let machine = baseline.machine.flatMap({ Machine(json: $0) }) else {
      throw unknownMachine(RegistryRecord.record)
    }
    try record.write(
      baseline.metrics, source: "budget check", machine: machine.title, invocation)
  }

  private static func unknownMachine(_ flag: Flag) -> Failure {
    .badData(
      "--\(flag.name): no record says which machine it was made on, so nothing could be compared with it",
      hint: "bench http says it in the summary that ends its records")
  }

  static func write(
    _ recorder: BaselineRecorder?, _ status: ExitStatus, _ invocation: Invocation
  ) throws(Failure) {
    guard let recorder, let path = try invocation.options.value(save) else { return }
    let baseline = recorder.baseline
    guard recorder.invalidity == nil, baseline.count > 0, status == .success else {
      return invocation.messages.note("not kept as a baseline: \(path) stays as it is")
    }
    guard baseline.machine != nil else { throw unknownMachine(save) }
    let output = OutputBuffer(MemorySink())
    baseline.append(to: output)
    try OutputFile.write(output.pending, to: path, in: invocation.files)
  }
}

/// Listens beside what is judged.
final class BaselineRecorder {
  private(set) var baseline = Baseline()
  private(set) var invalidity: String?

  func record(_ observation: BudgetEvidence.Observation) { baseline.record(observation) }

  func record(_ summary: LoadSummary) {
    invalidity = summary.invalidity ?? invalidity
    baseline.machine = summary.machine ?? baseline.machine
    baseline.isClosedLoop = baseline.isClosedLoop || summary.isClosedLoop
    guard summary.holdsHistograms, let latency = summary.latency else { return }
    baseline.merge(
      requests: summary.requests, errors: summary.errors, seconds: summary.seconds,
      latency: latency, service: summary.service, layers: summary.layers)
  }
}
