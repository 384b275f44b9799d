// ingest: lines of JSON in, clean events out. Each accepted line goes on as it came, with our mark `_rt` behind
// its own members.

import Core
import Events

enum IngestCommand {
  static let command = Command(
    name: "ingest",
    summary: "Check, deduplicate and order live events",
    story: """
      Reads events, one JSON object a line, and passes on those that the project file's schema accepts, \
      unchanged but for one added member: _rt with the event's type, offset, ingest time, partition and \
      the watermark. Several inputs are merged by event time under one watermark.

      Not passed on: repeats (the same id within the type's `dedup`), and rejected records: not JSON (all of \
      RFC 8259 is checked), an unknown type, a missing or wrong member, later than the type's `lateness` \
      allows, further ahead of the clock than `max_future_skew`. Rejected records are counted, shown, and \
      kept whole with --rejects; that file can be piped into ingest again.

      Without a project file any members are accepted, and flags say where id and time are.
      """,
    operands: .files,
    flags: [CommonFlags.project] + EventFlags.declared + EventFlags.undeclared
      + CommonFlags.records,
    examples: [
      .init(
        "rtinfer ingest events.ndjson --rejects bad.ndjson > clean.ndjson",
        "Check a file; keep what is wrong with it beside it."),
      .init(
        "rtinfer ingest scheduled.ndjson departed.ndjson arrived.ndjson | rtinfer materialize",
        "Merge three streams by event time."),
      .init(
        "tail -f app.log | rtinfer ingest --time ts --time-unit ms --dedup 1h --max-rejects 1%",
        "No project file: any events, timed by epoch milliseconds."),
    ],
    run: run)

  private static func run(_ invocation: Invocation) throws(Failure) -> ExitStatus {
    let schema = try EventFlags.schema(invocation, try Project.find(invocation))
    let rejects = try Rejects(invocation)
    let output = invocation.output
    let intake = EventIntake(
      try invocation.inputs(), schema: schema, rejects: rejects, clock: invocation.clock,
      trustsMarks: false
    ) { () throws(Failure) in
      try output.flush()
      try rejects.flush()
    }
    let progress = Progress(invocation)
    while let arrival = try intake.next() {
      append(arrival, ingested: invocation.clock.now(), to: output)
      try output.endRecord()
      progress.advance()
    }
    progress.finish()
    try output.flush()
    let counts = intake.counts
    let status = try rejects.finish(total: counts.read)
    if rejects.count > 0 || counts.repeats > 0 || invocation.terminal.errorIsTerminal {
      let events = counts.accepted.grouped
      invocation.messages.note(
        "accepted \(events), repeats dropped \(counts.repeats.grouped),"
          + " rejected \(rejects.count.grouped)")
    }
    return status
  }

  /// The line as it came, without an older mark and with a new one at its end.
  private static func append(_ arrival: Arrival, ingested: Timestamp, to output: OutputBuffer) {
    let decoder = arrival.decoder
    let needsComma = decoder.scanner.appendOpen(
      to: output, keeping: decoder.kept(arrival.event.type))
    if needsComma { output.append(UInt8(ascii: ",")) }
    output.append("\"_rt\":{")
    if !arrival.event.typeName.isEmpty {
      output.append("\"type\":")
      output.appendQuoted(arrival.event.typeName)
      output.append(UInt8(ascii: ","))
    }
    output.append("\"offset\":")
    output.append(arrival.offset)
    output.append(",\"ingested\":")
    output.appendQuoted(ingested)
    if arrival.watermark > .distantPast {
      output.append(",\"watermark\":")
      output.appendQuoted(arrival.watermark)
    }
    output.append(",\"partition\":")
    output.append(Int64(arrival.partition))
    output.append("}}")
  }
}
