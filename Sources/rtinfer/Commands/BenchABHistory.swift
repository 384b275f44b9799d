// What both ways of bench ab do, the replay and the look back: events are read once in their order, beside decisions as
// they were made, and what was found goes to the page, to the terminal or the pipe, and into the status.

import Core
import Decisions
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

  /// What was declared or logged and met nothing: a misspelt name looks like that.
  private func idle(_ subject: BenchABSubject) -> [String] {
    var notes: [String] = []
    if let values = subject.values, values.uses.contains(where: { $0 > 0 }) {
      notes += values.uses.indices.filter { values.uses[$0] == 0 }.map {
        "values.\(subject.definition.name)[\($0)] never applied"
      }
    }
    guard let logged = logged?.decisions else { return notes }
    if logged.untakenCount > 0 {
      notes.append(
        "\(logged.untakenCount.grouped) of \(logged.count.grouped) logged decisions have the id of no question"
      )
    }
    if logged.repeatedCount > 0 {
      notes.append(
        "questions whose id has asked before are left out, as one decision is logged for all:"
          + " \(logged.repeatedCount.grouped)")
    }
    return notes
  }

  /// - Parameter notes: what stderr says behind it, and behind what both ways say.
  func tell(
    _ report: some HistoryReport, of subject: BenchABSubject, notes: [String] = []
  ) throws(Failure) -> ExitStatus {
    try PageFile.write(invocation) { report.appendPage(to: $0) }
    if invocation.terminal.outputIsTerminal, !invocation.options.isOn(BenchModel.json) {
      invocation.output.append(report.text)
    } else {
      report.append(to: invocation.output)
    }
    try invocation.output.flush()
    for note in idle(subject) + notes { invocation.messages.note(note) }
    let rejected = try rejects.finish(total: intake.counts.read + (logged?.count ?? 0))
    // A verdict goes before bad records.
    return report.status == .success ? rejected : report.status
  }
}
