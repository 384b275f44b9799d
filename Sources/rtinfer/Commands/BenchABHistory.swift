// What both ways of bench ab do, the replay and the look back: events are read once in their order, beside decisions as
// they were made, and what was found goes to the page, to the terminal or the pipe, and into the status.

import Core
import Events
import Features
import Replay

/// What was found.
protocol HistoryReport {
  var status: ExitStatus { get }
  /// In words.
  var text: String { get }
  /// As records.
  func append(to output: OutputBuffer)
  func appendPage(to output: OutputBuffer)
}

struct BenchABHistory {
  let rejects: Rejects
  /// Nil without --logged.
  let logged: LoggedDecisionLines?
  let trustsMarks: Bool
  private let intake: EventIntake
  private let invocation: Invocation

  init(
    _ schema: EventSchema, loggedPath: String?, needsPropensity: Bool, _ invocation: Invocation
  ) throws(Failure) {
    self.invocation = invocation
    let rejects = try Rejects(invocation)
    self.rejects = rejects
    logged = try loggedPath.map { (path) throws(Failure) in
      try LoggedDecisionLines.read(path, needsPropensity: needsPropensity, rejects)
    }
    intake = EventIntake(
      try LogReading.events(invocation), schema: schema, rejects: rejects,
      clock: invocation.clock, trustsMarks: true
    ) { () throws(Failure) in }
    trustsMarks = intake.trustsMarks
  }

  func read(_ take: (Arrival) throws(Failure) -> Void) throws(Failure) {
    let progress = Progress(invocation)
    while let arrival = try intake.next() {
      try take(arrival)
      progress.advance()
    }
    progress.finish()
  }

  /// - Parameter notes: what stderr says behind it.
  func tell(_ report: some HistoryReport, notes: [String]) throws(Failure) -> ExitStatus {
    try PageFile.write(invocation) { report.appendPage(to: $0) }
    if invocation.terminal.outputIsTerminal, !invocation.options.isOn(BenchModel.json) {
      invocation.output.append(report.text)
    } else {
      report.append(to: invocation.output)
    }
    try invocation.output.flush()
    for note in notes { invocation.messages.note(note) }
    let rejected = try rejects.finish(total: intake.counts.read + (logged?.count ?? 0))
    // A verdict goes before bad records.
    return report.status == .success ? rejected : report.status
  }
}
