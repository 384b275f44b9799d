// Questions from a file, answered by the same engine as the stream, with what was known at their own time.
//
// As of event time, questions and events are both put in the order of their time, and between two questions the events
// before the later one are applied: what happened before a question counts, whenever it became known. As of ingest,
// events are applied in the order in which they came, and a question is answered when it was asked: what came late does
// not count. That is what a stream answers on arrival.
//
// Memory: the questions, and the state of the features; the events only stream by.

import Core
import Events
import Features

enum AsOf: String, CaseIterable {
  case event, ingest
}

/// A question with where it stands among the events.
struct AskedRow {
  let time: Timestamp
  /// By position in the file.
  let index: Int
  let type: Int
  /// What ingest left: its place in the order of arrival, and when it came.
  let offset: Int64?
  let ingested: Timestamp?
}

final class PointInTime {
  let engine: FeatureEngine
  /// By event type; nil for types that do not ask.
  let plans: [RequestPlan?]
  private let schema: EventSchema
  private let asOf: AsOf
  private var rows: [AskedRow] = []
  private var lines: [[UInt8]] = []
  private var nextRow = 0
  /// As of ingest: the earliest time that any row from this one on asks about.
  private var earliest: [Timestamp] = []
  private var isByOffset = false
  private var waiting = ReorderBuffer()
  /// Of the next event.
  private var order: Int64 = 0
  /// As of ingest: no event of an earlier time comes behind those that have been applied.
  private var complete = Timestamp.distantPast
  private var decoder: EventDecoder?
  private var eventDecoder: EventDecoder?
  /// Whether events were taken at the word of their marks.
  var trustsMarks = true
  /// Sees each event before it is applied.
  var onEvent: (Event, EventDecoder) -> Void = { _, _ in }
  /// Is given each question, decoded, with its values in the order of its type's plan.
  var onAnswer: (AskedRow, EventDecoder, [Scalar]) -> Void = { _, _, _ in }
  private var values: [Scalar] = []

  init(
    _ features: FeatureDefinitions, _ schema: EventSchema, tables: [TableRows], asking: [Int],
    asOf: AsOf
  ) {
    let engine = FeatureEngine(features, schema: schema, tables: tables)
    self.engine = engine
    self.schema = schema
    self.asOf = asOf
    self.plans = schema.types.indices.map { type in
      asking.contains(type) ? engine.plan(requestsOf: type, schema: schema) : nil
    }
  }

  var rowCount: Int { rows.count }

  /// Adds a question; rows are numbered in the order in which they are added.
  func add(_ row: AskedRow, line: [UInt8]) {
    rows.append(row)
    lines.append(line)
  }

  /// Puts the rows in the order in which they will be answered. To be called when all are added.
  func begin() {
    let asked = EventDecoder(schema)
    decoder = asked
    switch asOf {
    case .event: rows.sort { ($0.time, $0.index) < ($1.time, $1.index) }
    case .ingest:
      isByOffset = rows.allSatisfy { $0.offset != nil }
      rows.sort {
        isByOffset
          ? ($0.offset!, $0.index) < ($1.offset!, $1.index)
          : ($0.known, $0.index) < ($1.known, $1.index)
      }
      var least = Timestamp.distantFuture
      earliest = rows.reversed().map { row in
        least = min(least, row.time)
        return least
      }.reversed()
    }
  }

  /// Takes the next event.
  func take(_ arrival: Arrival) throws(Failure) {
    switch asOf {
    case .event:
      waiting.insert(WaitingEvent(arrival))
      while let event = waiting.next(before: arrival.watermark) { apply(event) }
    case .ingest: try apply(arrival)
    }
  }

  /// Answers what is still open, when there are no more events.
  func finish() {
    while let event = waiting.next() { apply(event) }
    answerRows { _ in true }
  }

  private func apply(_ waiting: WaitingEvent) {
    // Everything before a row's own time has been applied.
    answerRows { $0.time <= waiting.time }
    if eventDecoder == nil { eventDecoder = EventDecoder(schema, trustsMarks: trustsMarks) }
    guard let decoder = eventDecoder else { return }
    let event = waiting.line.withBytes { decoder.decodeAccepted($0) }
    onEvent(event, decoder)
    // Every row still open asks at this time or later.
    engine.apply(
      type: event.type, decoder.scalars, at: event.time, order: order, watermark: event.time)
    order += 1
  }

  private func apply(_ arrival: Arrival) throws(Failure) {
    let event = arrival.event
    let ingested = event.mark?.ingested
    if !isByOffset, ingested == nil {
      throw .badData(
        "--as-of ingest needs to know when each event came: event \(arrival.offset) has no"
          + " _rt.ingested", hint: "give one input that rtinfer ingest has written")
    }
    order = arrival.offset
    if isByOffset {
      if let mark = event.mark, mark.offset != arrival.offset {
        throw .badData(
          "--as-of ingest goes by the numbers of one run of ingest, and event \(mark.offset) is of another",
          hint: "ingest --log numbers the events of all its runs")
      }
      answerRows { $0.offset! < arrival.offset }
      // What the event that asks says of the watermark was known when it was answered.
      complete = max(complete, arrival.watermark)
      answerRows { $0.offset! <= arrival.offset }
    } else {
      answerRows { $0.known <= ingested! }
    }
    onEvent(event, arrival.decoder)
    let open = nextRow < rows.count ? earliest[nextRow] : .distantFuture
    engine.apply(
      type: event.type, arrival.decoder.scalars, at: event.time, order: arrival.offset,
      watermark: min(arrival.watermark, open), complete: arrival.watermark)
    complete = max(complete, arrival.watermark)
  }

  /// Answers the next rows, as long as they are due.
  private func answerRows(while isDue: (AskedRow) -> Bool) {
    while nextRow < rows.count, isDue(rows[nextRow]) {
      let row = rows[nextRow]
      nextRow += 1
      guard let decoder, let plan = plans[row.type] else {
        preconditionFailure("rows are of types that ask, and are answered after begin()")
      }
      lines[row.index].withBytes { line in
        _ = decoder.decodeAccepted(line, as: row.type)
        engine.advance(to: asOf == .event ? row.time : min(complete, row.time), order: order)
        engine.lookUp(plan, decoder.scalars, at: row.time, into: &values)
        onAnswer(row, decoder, values)
      }
      lines[row.index] = []
    }
  }
}

extension AskedRow {
  /// When it was asked, as far as is known.
  var known: Timestamp { ingested ?? time }
}
