// --save: what was read, kept as a baseline once its verdict is no failure.

import Core
import Measure

enum BaselineFile {
  static let save = Flag(
    "save", .file, "Keep what was read there as a baseline, where all passes")

  /// Nil where nothing is to be kept.
  static func recorder(_ options: Options) throws(Failure) -> BaselineRecorder? {
    try options.value(save) == nil ? nil : BaselineRecorder()
  }

  static func write(
    _ recorder: BaselineRecorder?, _ status: ExitStatus, _ invocation: Invocation
  ) throws(Failure) {
    guard let recorder, let path = try invocation.options.value(save) else { return }
    let baseline = recorder.baseline
    guard recorder.invalidity == nil, baseline.count > 0, status == .success else {
      return invocation.messages.note("not kept as a baseline: \(path) stays as it is")
    }
    guard baseline.machine != nil else {
      throw .badData(
        "--save: no record says which machine it was made on, so nothing could be compared with it",
        hint: "bench http says it in the summary that ends its records")
    }
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
