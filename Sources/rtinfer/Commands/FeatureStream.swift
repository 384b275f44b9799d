// The stream of feature rows: each event that asks is answered, each event that tells is applied.

import Core
import Events
import Features

final class FeatureStream {
  private let engine: FeatureEngine
  private let ahead: EntitiesAhead
  /// By event type; nil for types that do not ask.
  private let plans: [RequestPlan?]
  /// By event type; nil for types that do not ask.
  private let forms: [FeatureRowForm?]
  private let parts = FeatureRowParts()
  private let schema: EventSchema
  private let changes: ChangeRefusal
  private let rejects: Rejects
  private let tableRowsRead: Int
  private let intake: EventIntake
  private let checkpoint: FeatureCheckpoint
  /// Nil where no online store is written.
  private let online: OnlineWriter?
  /// Whether the store is made anew from all events.
  private let rebuilds: Bool
  private let output: OutputBuffer
  /// What it goes to, where that is gone on with.
  private let file: ResumableFile?
  private let clock: any Clock
  private let progress: Progress
  private let messages: Messages
  private var values: [Scalar] = []
  private var times = TimestampWriter()
  private var watermarks = TimestampWriter()

  /// - Parameter operands: the files with the events, where they do not come from the log; nil: those that the invocation
  ///   names.
  init(
    _ invocation: Invocation, schema: EventSchema, features: FeatureDefinitions, asking: [Int],
    online use: OnlineUse = .none, operands: [String]? = nil
  ) throws(Failure) {
    let rejects = try Rejects(invocation)
    let tables = try TableFiles(invocation, features, rejects)
    let engine = FeatureEngine(features, schema: schema, tables: tables.all)
    let operands = operands ?? invocation.options.operands
    let reading = try LogReading(invocation)
    try reading?.refuse(operands)
    let files = try reading == nil ? invocation.inputs(operands) : []
    let online = try use.writer(engine)
    let feed = try reading?.open(online, rebuilds: use.rebuilds)
    let file = try ResumedOutput.open(
      invocation, kind: "features", upTo: feed?.bound ?? .max)
    if let file { try reading?.checkHolds(file.lastOffset, file.path) }
    let plans = schema.types.indices.map { type in
      asking.contains(type) ? engine.plan(requestsOf: type, schema: schema) : nil
    }
    let output = file.map { OutputBuffer($0) } ?? invocation.output
    let checkpoint = FeatureCheckpoint(output, file, online, feed, rejects)
    self.tableRowsRead = tables.rowsRead
    self.engine = engine
    self.ahead = EntitiesAhead(engine, schema: schema)
    self.plans = plans
    self.forms = plans.map { $0.map(FeatureRowForm.init) }
    self.schema = schema
    self.changes = ChangeRefusal(schema, features.views)
    self.rejects = rejects
    self.online = online
    self.checkpoint = checkpoint
    self.file = file
    self.rebuilds = use.rebuilds
    self.output = output
    self.messages = invocation.messages
    self.clock = invocation.clock
    self.progress = Progress(invocation)
    self.intake = EventIntake(
      feed.map { [$0.source] } ?? files, schema: schema, rejects: rejects,
      clock: invocation.clock, trustsMarks: true, isTimed: true
    ) { () throws(Failure) in try checkpoint.passOn() }
    if let online, online.resumedCount > 0 {
      intake.resume(at: online.nextOffset, watermark: online.watermark)
    }
  }

  func run(byWatermark: Bool) throws(Failure) -> ExitStatus {
    try byWatermark ? runByWatermark() : runOnArrival()
    progress.finish()
    try finish()
    for plan in plans { messages.report(plan?.answers ?? []) }
    if let file { messages.report(file) }
    return try rejects.finish(total: intake.counts.read + tableRowsRead)
  }

  private func finish() throws(Failure) {
    guard let online else { return try checkpoint.finish() }
    guard rebuilds, intake.counts.accepted == 0 || Signals.drainStatus != nil else {
      try checkpoint.finish()
      return messages.report(online)
    }
    // Half of the events are no store.
    online.abandon()
    let left = "the online store is left as it was"
    guard Signals.drainStatus == nil else { return messages.note("interrupted: \(left)") }
    throw .badData("no events came in: \(left)")
  }

  private func runOnArrival() throws(Failure) {
    var untilLook = 0
    while let arrival = try intake.next() {
      if untilLook > 0 { untilLook -= 1 } else { untilLook = lookAhead() }
      try changes.check(arrival)
      if online != nil, !intake.trustsMarks, arrival.decoder.carriesMark {
        throw .usage(
          "--online takes events that ingest has marked from one input: of several, no one's marks speak for the"
            + " others",
          hint:
            "one run of ingest numbers them all: rtinfer ingest FILES | rtinfer materialize --online …"
        )
      }
      let event = arrival.event
      try take(
        event, arrival.decoder, offset: arrival.offset, order: arrival.offset,
        watermark: arrival.watermark, parse: arrival.decodedAt - arrival.readAt,
        // The head of one among several inputs has waited for its turn since it was decoded.
        since: intake.readsAhead ? clock.monotonicNanoseconds() : arrival.decodedAt)
    }
  }

  /// - Returns: how many events it has looked at.
  private func lookAhead() -> Int {
    guard ahead.pays else { return EntitiesAhead.linesMax }
    var count = 0
    intake.peekLines(EntitiesAhead.linesMax) { line in
      ahead.add(line)
      count += 1
    }
    ahead.reach()
    return count
  }

  /// Events wait until the watermark has passed them and are then taken in an order of their own.
  private func runByWatermark() throws(Failure) {
    var waiting = ReorderBuffer()
    let decoder = EventDecoder(schema, trustsMarks: intake.trustsMarks)
    var order: Int64 = 0
    var watermark = Timestamp.distantPast
    while let arrival = try intake.next() {
      try changes.check(arrival)
      waiting.insert(WaitingEvent(arrival))
      watermark = max(watermark, arrival.watermark)
      while let event = waiting.next(before: watermark) {
        try take(event, decoder, order: &order, watermark: watermark)
      }
    }
    while let event = waiting.next() {
      try take(event, decoder, order: &order, watermark: watermark)
    }
  }

  private func take(
    _ waiting: WaitingEvent, _ decoder: EventDecoder, order: inout Int64, watermark: Timestamp
  ) throws(Failure) {
    let start = clock.monotonicNanoseconds()
    let event = waiting.line.withBytes { decoder.decodeAccepted($0) }
    let decoded = clock.monotonicNanoseconds()
    // No later question can be earlier than this event: what the engine may forget follows from it.
    try take(
      event, decoder, offset: waiting.offset, order: order, watermark: watermark,
      horizon: event.time, parse: decoded - start, since: decoded)
    order += 1
  }

  /// Answers the event if it asks, then lets it count.
  ///
  /// - Parameter start: when it had been decoded; asking the clock again would take as long as an answer.
  private func take(
    _ event: Event, _ decoder: EventDecoder, offset: Int64, order: Int64, watermark: Timestamp,
    horizon: Timestamp? = nil, parse: UInt64, since start: UInt64
  ) throws(Failure) {
    try online?.admit(event.mark, offset: offset)
    let plan = plans[event.type]
    if let plan {
      engine.advance(to: min(horizon ?? watermark, event.time), order: order)
      engine.lookUp(plan, decoder.scalars, at: event.time, into: &values)
      let lookUp = clock.monotonicNanoseconds() - start
      if engine.hasBroken, let reason = engine.rejection(plan) {
        try rejects.add(
          reason, source: "offset", line: Int(offset), byte: 0, raw: decoder.scanner.line)
      } else if try !checkpoint.holdsRow(event, offset) {
        appendRow(event, decoder, plan)
        appendMarks(event, offset, watermark, plan, parse: parse, lookUp: lookUp)
        try output.endRecord()
      }
    }
    engine.apply(
      type: event.type, decoder.scalars, at: event.time, order: order,
      watermark: horizon ?? watermark, asked: plan)
    try checkpoint.noteEvent(offset: offset, watermark: watermark)
    progress.advance()
  }

  // MARK: Rows

  private func appendRow(_ event: Event, _ decoder: EventDecoder, _ plan: RequestPlan) {
    output.append(parts.id)
    output.append(event.id.literal)
    output.append(parts.time)
    output.appendQuoted(event.time, &times)
    output.append(parts.entity)
    guard let form = forms[event.type] else { preconditionFailure("a type that asks") }
    form.appendEntity(decoder.scalars, to: output)
    output.append(parts.request)
    _ = decoder.scanner.appendOpen(to: output, keeping: decoder.unmarked)
    output.append(parts.features)
    values.withUnsafeBufferPointer { form.appendAnswers($0, to: output) }
  }

  private func appendMarks(
    _ event: Event, _ offset: Int64, _ watermark: Timestamp, _ plan: RequestPlan, parse: UInt64,
    lookUp: UInt64
  ) {
    output.append(parts.type)
    output.appendQuoted(event.typeName)
    output.append(parts.offset)
    output.append(offset)
    if watermark > .distantPast {
      output.append(parts.watermark)
      output.appendQuoted(watermark, &watermarks)
    }
    appendFlags(plan)
    output.append(parts.parseTime)
    output.appendMicroseconds(nanoseconds: parse)
    output.append(parts.lookUpTime)
    output.appendMicroseconds(nanoseconds: lookUp)
    output.append(parts.end)
  }
}

extension FeatureStream {
  /// The features whose guards let them pass but say so.
  private func appendFlags(_ plan: RequestPlan) {
    guard engine.hasBroken else { return }
    var needsComma = false
    for (place, _) in engine.broken.filter({ $0.consequence == .flag }) {
      output.append(needsComma ? "," : ",\"flagged\":[")
      needsComma = true
      output.appendQuoted(plan.answers[place].name)
    }
    if needsComma { output.append(UInt8(ascii: "]")) }
  }
}

extension FeatureEngine {
  /// Why the row that was looked up last is to be rejected; nil if it is not.
  func rejection(_ plan: RequestPlan) -> String? {
    guard let (place, _) = broken.first(where: { $0.consequence == .reject }) else { return nil }
    return plan.answers[place].rejection
  }
}

extension Messages {
  /// What the guards of features have seen.
  func report(_ answers: [RequestPlan.Answer]) {
    for answer in answers {
      if let summary = answer.tally?.summary { note(summary) }
    }
  }
}

extension OutputBuffer {
  /// A feature's value; lists and objects are JSON already.
  func append(_ value: Scalar, isDocument: Bool) {
    if isDocument, case .text(let document) = value { append(document) } else { append(value) }
  }
}

extension WaitingEvent {
  /// A copy of what is only borrowed.
  init(_ arrival: Arrival) {
    self.init(
      time: arrival.event.time, id: arrival.event.id.bytes.copy(), offset: arrival.offset,
      line: arrival.decoder.scanner.line.copy())
  }
}
