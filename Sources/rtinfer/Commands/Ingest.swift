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

      With --from, events are taken out of what other systems wrap them in: kcat -J (Kafka), CloudEvents 1.0, \
      Debezium's change events, records of Kinesis and messages of Pub/Sub; several layers from the outside \
      in, as in kcat,debezium, or auto to look at each record. An event's id, time and type may then come \
      from the wrapping, _rt also gets source, source_offset or source_id, and op (insert, update, delete, \
      snapshot), and each source partition has a watermark of its own. What was delivered before is a \
      repeat: by topic, partition and offset always, else by its id within `dedup`.

      Tables are read too: CSV and TSV (RFC 4180) with a header row, from files ending in .csv or .tsv, and \
      from anything with --from csv or tsv. A row becomes the line of JSON that its header and the declared \
      types make of it; a cell that nobody declares is a number, true or false where it looks like one, else a \
      string; an empty cell is a missing member. A rejected row is kept as it came.

      Members that the project file declares as `private` are hidden before anything is written, rejects and \
      log included: dropped, or replaced by a keyed hash (HMAC-SHA-256 with the key in --private-key), which \
      is the same for the same value. A rejected line that cannot be read is then not kept.

      At the end, if events came out of order, stderr says by how much, which lateness would have kept them, and \
      how many windows of event time (--window) lacked events when the watermark passed them; --windows writes the \
      figures of each of the newest, 10,000 at most. Windows of which an earlier run with the same log may have taken events are left out.

      With --log, accepted events are appended to the durable log, and passed on only when they are as \
      durable as --fsync says. A run goes on where the log ends: offsets and the watermark follow, and with \
      `dedup` a source that is read again gives only what is new. A consumer of stdout that missed events \
      gets them with --replay --from-offset, the one behind its last. --replay prints events from the log, \
      byte for byte.

      With --listen, events come over HTTP, at POST /events: one event, an array, lines (application/x-ndjson) or \
      CloudEvents (structured, binary mode, batch). A sender is answered 200 once its events are in the log, as \
      durable as --fsync says, and passed on; 400 names each rejected event with its reason, the others being \
      taken; 503 with Retry-After asks to come back, as does 429 where one client sends more than --max-rate \
      allows. GET /livez, /readyz and /metrics are there too.
      """,
    operands: .files,
    flags: [CommonFlags.project] + intakeFlags + LogFlags.writing + LogFlags.reading
      + [LogFlags.follow] + IngestListen.flags,
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
      .init(
        "kcat -C -b broker -t departures -J | rtinfer ingest --from kcat --log",
        "A Kafka topic; a partition that is read again is recognised."),
      .init(
        "rtinfer ingest flights.csv --type departed | rtinfer materialize",
        "A table; each row is an event of one type."),
      .init(
        "rtinfer ingest --log --fsync always events.ndjson > clean.ndjson",
        "Nothing goes on that a power cut could take back."),
      .init(
        "rtinfer ingest --listen 127.0.0.1:8080 --log | rtinfer materialize --online .rtinfer/online",
        "Events over HTTP, kept and made into features."),
      .init(
        "rtinfer ingest --replay --since 2013-01-05 --until 2013-01-06",
        "A day of the log, as it was passed on."),
    ],
    verbs: IngestLogCommands.all + IngestSchemaCommands.all,
    run: run)

  /// Of events that come in, which those of the log have been.
  static let intakeFlags =
    EventFlags.declared + EventFlags.undeclared + EventFlags.wrapped + [
      EventFlags.privateKey, EventFlags.dedupMemory, EventFlags.window, EventFlags.windows,
    ] + CommonFlags.records

  private static func run(_ invocation: Invocation) throws(Failure) -> ExitStatus {
    if invocation.options.isOn(LogFlags.replay) { return try IngestReplay.run(invocation) }
    try IngestReplay.refuseFlags(invocation.options)
    if try IngestListen.isAsked(invocation) { return try IngestListen.run(invocation) }
    let project = try Project.find(invocation)
    let schema = try EventFlags.schema(invocation, project)
    let rejects = try Rejects(invocation)
    let log = try LogFlags.open(invocation, project)
    var inputs = try inputs(invocation)
    if let log { inputs = inputs.map { SyncingSource($0, log) } }
    let output: any EventOutput =
      if let log { LoggedOutput(log, invocation.output) } else { PlainOutput(invocation.output) }
    let options = invocation.options
    let form = try EventFlags.form(options)
    let (folder, bytesMax) = try EventFlags.idMemory(invocation)
    let idMemory = SpillMemory(folder: folder, bytesMax: bytesMax)
    let intake = EventIntake(
      inputs, schema: schema, rejects: rejects, clock: invocation.clock, trustsMarks: false,
      records: form.records, layers: form.layers,
      idle: try options.span(EventFlags.idle) ?? EventFlags.idleStandard,
      privacy: try EventFlags.privacy(invocation, schema), idMemory: idMemory
    ) { () throws(Failure) in
      try output.passOn()
      try rejects.flush()
    }
    let window = try options.span(EventFlags.window, atLeast: TimeSpan(microseconds: 1))
    if let log {
      try intake.resume(
        log.path, nextOffset: log.nextOffset, schema: schema, files: invocation.files)
    }
    intake.watchWindows(window ?? EventFlags.windowStandard)
    try pass(intake, to: output, invocation)
    if let note = EventFlags.note(idMemory) { invocation.messages.note(note) }
    return try report(intake, rejects, invocation)
  }

  /// What the operands name; a file that is followed has no end, so nothing can be merged with it.
  private static func inputs(_ invocation: Invocation) throws(Failure) -> [any ByteSource] {
    let options = invocation.options
    guard options.isOn(LogFlags.follow) else { return try invocation.inputs() }
    guard options.operands.count == 1, let path = options.operands.first, path != "-" else {
      throw .usage(
        "\(options.origin(LogFlags.follow)) is for --replay or for one file",
        hint: "stdin is read until it ends; of several files each can have an ingest of its own")
    }
    return [try FollowedFile(path)]
  }

  private static func pass(
    _ intake: EventIntake, to output: any EventOutput, _ invocation: Invocation
  ) throws(Failure) {
    let progress = Progress(invocation)
    let lines = output.lines
    let writer = ArrivalWriter(intake.schema)
    var (ingested, reads) = (Timestamp.distantPast, -1)
    do throws(Failure) {
      while let arrival = try intake.next() {
        if intake.readCount != reads {
          (ingested, reads) = (invocation.clock.now(), intake.readCount)
        }
        writer.append(arrival, ingested: ingested, to: lines)
        try output.endEvent(time: arrival.event.time, ingested: ingested)
        progress.advance()
      }
    } catch {
      // What was accepted before the failure is kept and passed on; the first failure is the news.
      try? output.finish()
      throw error
    }
    progress.finish()
    try output.finish()
  }

  private static func report(
    _ intake: EventIntake, _ rejects: Rejects, _ invocation: Invocation
  ) throws(Failure) -> ExitStatus {
    let counts = intake.counts
    let status = try rejects.finish(total: counts.read)
    let isWorthTelling = rejects.count > 0 || counts.repeats > 0 || counts.tombstones > 0
    if isWorthTelling || invocation.terminal.errorIsTerminal {
      let events = counts.accepted.grouped
      let tombstones =
        counts.tombstones > 0 ? ", tombstones passed over \(counts.tombstones.grouped)" : ""
      invocation.messages.note(
        "accepted \(events), repeats dropped \(counts.repeats.grouped),"
          + " rejected \(rejects.count.grouped)\(tombstones)")
    }
    if intake.lateness.outOfOrder > 0 {
      invocation.messages.note(LatenessReport.sentence(intake))
      if let windows = LatenessReport.windows(intake) { invocation.messages.note(windows) }
    }
    try LatenessReport.writeWindows(intake, invocation)
    return status
  }
}
