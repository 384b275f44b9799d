// ingest --replay: events from the log, byte for byte as they were passed on. Keeps no state: a reader that wants
// to go on says from which offset.

import Core
import Events

final class IngestReplay {
  private let invocation: Invocation
  private let output: OutputBuffer
  private let reader: LogReader
  private let speed: Double?
  private let isByIngestTime: Bool
  /// The first event's time, and when it was printed.
  private var origin: (recorded: Timestamp, printed: UInt64)?

  private init(_ invocation: Invocation, _ folder: String) throws(Failure) {
    let options = invocation.options
    self.invocation = invocation
    output = invocation.output
    speed = try LogFlags.speed(options)
    isByIngestTime = try options.value(LogFlags.by) == "ingest"
    reader = try LogReader(
      folder, range: try LogFlags.range(options), files: invocation.files)
  }

  static func run(_ invocation: Invocation) throws(Failure) -> ExitStatus {
    let options = invocation.options
    if let operand = options.operands.first {
      throw .usage("--replay reads the log, not '\(operand)'")
    }
    for flag in LogFlags.writing where options.isTyped(flag) && !LogFlags.places.contains(flag.name)
    {
      throw .usage("\(options.origin(flag)) is for writing the log, --replay only reads it")
    }
    for flag in IngestCommand.intakeFlags + IngestListen.flags where options.isTyped(flag) {
      throw .usage("\(options.origin(flag)) is for events that come in, --replay only prints them")
    }
    let folder = try LogFlags.folder(invocation, try Project.find(invocation))
    let replay = try IngestReplay(invocation, folder)
    try replay.printAll(follows: options.isOn(LogFlags.follow))
    return .success
  }

  /// A reading flag without `--replay` means nothing.
  static func refuseFlags(_ options: Options) throws(Failure) {
    for flag in LogFlags.reading where options.isTyped(flag) {
      throw .usage("\(options.origin(flag)) is for --replay")
    }
  }

  private func printAll(follows: Bool) throws(Failure) {
    while Signals.drainStatus == nil {
      if let events = try reader.next() {
        try take(events)
      } else {
        try output.flush()
        if !follows { break }
        // A log has no way to wake its readers; a look costs a few microseconds.
        if Signals.sleep(milliseconds: 5) { break }
      }
    }
    try output.flush()
    guard !follows, reader.incompleteBytes > 0 else { return }
    invocation.messages.note(
      "the log ends with \(reader.incompleteBytes.grouped) bytes that are no whole batch: a writer"
        + " is at work, or the next ingest --log will cut them")
  }

  private func take(_ events: LogEvents) throws(Failure) {
    guard speed == nil else {
      return try events.visit { (event) throws(Failure) in
        try waitUntilDue(isByIngestTime ? event.ingested : event.time)
        output.append(event.line)
        if output.count >= Limits.writeBytes { try output.flush() }
      }
    }
    try events.visitRuns { (lines) throws(Failure) in
      output.append(lines)
      if output.count >= Limits.writeBytes { try output.flush() }
    }
  }

  /// Waits until an event of this time is due. One that came out of order is due at once.
  private func waitUntilDue(_ time: Timestamp) throws(Failure) {
    let now = invocation.clock.monotonicNanoseconds()
    guard let origin else {
      origin = (time, now)
      return
    }
    let recorded = Double(time.microseconds - origin.recorded.microseconds)
    let due = Double(origin.printed) + max(0, recorded / speed!) * 1_000
    while Signals.drainStatus == nil {
      let left = due - Double(invocation.clock.monotonicNanoseconds())
      guard left > 0 else { return }
      try output.flush()
      if Signals.sleep(milliseconds: Int(min(max(left / 1e6, 1), 60_000))) { return }
    }
  }
}
