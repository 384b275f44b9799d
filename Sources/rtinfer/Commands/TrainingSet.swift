// A training set: the rows of a spine with every feature as of the row's own time, by the same engine as the
// stream. Rows and events are both put in the order of their time; between two rows the events before
// the later one are applied. Rows leave in the order in which they came.
//
// Memory: the spine, and the state of the features; the events only stream by.

import Core
import Decisions
import Events
import Features

final class TrainingSet {
  private struct Row {
    let time: Timestamp
    /// Position in the spine.
    let index: Int
  }

  private let invocation: Invocation
  private let engine: FeatureEngine
  private let plan: RequestPlan
  private let schema: EventSchema
  private let type: Int
  private let changes: ChangeRefusal
  private let rejects: Rejects
  private let inputs: [(name: String, expression: Expression)]
  private let isCSV: Bool
  private var lines: [[UInt8]] = []
  private var rows: [Row] = []
  private var nextRow = 0
  /// Answers by position in the spine, as written bytes.
  private var answers: [[UInt8]] = []
  /// The spine's own members, as columns; fixed by the first row.
  private var columns: [String] = []
  private var rowDecoder: EventDecoder?
  private var values: [Scalar] = []
  private let stack = ExpressionStack()
  private let scratch = OutputBuffer(MemorySink())
  private var spineRead = 0

  init(
    _ invocation: Invocation, project: Project, schema: EventSchema, views: [FeatureView], type: Int
  ) throws(Failure) {
    self.invocation = invocation
    self.schema = schema
    self.type = type
    self.engine = FeatureEngine(views: views, schema: schema)
    self.plan = engine.plan(requestsOf: type, schema: schema)
    self.changes = ChangeRefusal(schema, views)
    self.rejects = try Rejects(invocation)
    self.isCSV = try invocation.options.value(MaterializeCommand.format) != "ndjson"
    self.inputs = try TrainingSet.derivedInputs(project, schema, type)
  }

  /// Inputs of the models that decide this type which are neither members nor features: expressions.
  private static func derivedInputs(
    _ project: Project, _ schema: EventSchema, _ type: Int
  ) throws(Failure) -> [(name: String, expression: Expression)] {
    let scope = schema.scope(of: type)
    let declared = schema.types[type].fields.map(\.name)
    var result: [(name: String, expression: Expression)] = []
    for model in try project.models() where model.decides == schema.types[type].name {
      for node in model.expressionInputs {
        let name = try node.string()
        guard !declared.contains(name), !result.contains(where: { $0.name == name }) else {
          continue
        }
        result.append((name, try node.expression(scope: scope)))
      }
    }
    return result
  }

  func build(spine: String) throws(Failure) -> ExitStatus {
    try readSpine(spine)
    let intake = EventIntake(
      try invocation.inputs(), schema: schema, rejects: rejects, clock: invocation.clock,
      trustsMarks: true
    ) { () throws(Failure) in }
    let progress = Progress(invocation)
    var waiting = ReorderBuffer()
    let decoder = EventDecoder(schema, trustsMarks: intake.trustsMarks)
    var order: Int64 = 0
    while let arrival = try intake.next() {
      try changes.check(arrival)
      waiting.insert(WaitingEvent(arrival))
      progress.advance()
      while let event = waiting.next(before: arrival.watermark) { apply(event, decoder, &order) }
    }
    while let event = waiting.next() { apply(event, decoder, &order) }
    answerRows(upTo: .distantFuture)
    progress.finish()
    try write()
    return try rejects.finish(total: intake.counts.read + spineRead)
  }

  // MARK: The spine

  /// The spine's rows are events of the asking type, whether or not they say so.
  private func readSpine(_ path: String) throws(Failure) {
    let types = schema.types
    let decoder = EventDecoder(schema)
    let reader = LineReader(try DescriptorSource.file(path))
    while let line = try reader.next() {
      spineRead += 1
      do throws(BadRecord) {
        if line.fault == .tooLong { throw BadRecord("longer than \(Limits.lineBytesMax) bytes") }
        let event = try decoder.decode(line.bytes, as: type)
        if columns.isEmpty { columns = decoder.scanner.memberNames.filter { $0 != "_rt" } }
        rows.append(Row(time: event.time, index: lines.count))
        lines.append(line.bytes.copy())
      } catch {
        try rejects.add(
          "spine: \(error.reason)", source: path, line: line.number, byte: line.offset,
          raw: line.bytes)
      }
    }
    guard !rows.isEmpty else {
      throw .badData("\(path): no rows of type '\(types[type].name)' to build a training set for")
    }
    rows.sort { ($0.time, $0.index) < ($1.time, $1.index) }
    answers = Array(repeating: [], count: lines.count)
    rowDecoder = decoder
  }

  // MARK: Answers

  private func apply(_ waiting: WaitingEvent, _ decoder: EventDecoder, _ order: inout Int64) {
    answerRows(upTo: waiting.time)
    let event = waiting.line.withBytes { decoder.decodeAccepted($0) }
    // Every row still open asks at this time or later.
    engine.apply(
      type: event.type, decoder.scalars, at: event.time, order: order, watermark: event.time)
    order += 1
  }

  /// Answers the rows that ask at `time` or before: everything before their own time has been applied.
  private func answerRows(upTo time: Timestamp) {
    while nextRow < rows.count, rows[nextRow].time <= time {
      let row = rows[nextRow]
      nextRow += 1
      let decoder = rowDecoder!
      lines[row.index].withBytes { line in
        _ = decoder.decodeAccepted(line, as: type)
        engine.lookUp(plan, decoder.scalars, at: row.time, into: &values)
        appendAnswer(decoder)
      }
      answers[row.index] = scratch.pending.copy()
      scratch.rewind(to: 0)
      lines[row.index] = []
    }
  }

  private func appendAnswer(_ decoder: EventDecoder) {
    stack.reset()
    let derived = inputs.map { $0.expression.evaluate(decoder.scalars, stack) }
    if isCSV {
      appendSpineCells(decoder)
      for value in derived + values {
        scratch.append(UInt8(ascii: ","))
        scratch.appendCell(value)
      }
    } else {
      var needsComma = decoder.scanner.appendOpen(to: scratch, keeping: decoder.unmarked)
      let names = inputs.map(\.name) + engine.features(plan).map(\.columnName)
      for (name, value) in zip(names, derived + values) {
        if needsComma { scratch.append(UInt8(ascii: ",")) }
        needsComma = true
        scratch.appendQuoted(name)
        scratch.append(UInt8(ascii: ":"))
        scratch.append(value)
      }
      scratch.append(UInt8(ascii: "}"))
    }
  }

  /// The row's own members as they stand: numbers and words as written, objects and arrays as JSON.
  private func appendSpineCells(_ decoder: EventDecoder) {
    let members = decoder.scanner.membersByName
    for (index, column) in columns.enumerated() {
      if index > 0 { scratch.append(UInt8(ascii: ",")) }
      guard let raw = members[column], raw.kind != .null else { continue }
      if raw.kind == .string {
        scratch.appendCell(decoder.scanner.resolved(raw))
      } else {
        scratch.appendCell(raw.bytes)
      }
    }
  }

  // MARK: Output

  private func write() throws(Failure) {
    let output = invocation.output
    if isCSV {
      let names = columns + inputs.map(\.name) + engine.features(plan).map(\.columnName)
      for (index, name) in names.enumerated() {
        if index > 0 { output.append(UInt8(ascii: ",")) }
        Array(name.utf8).withBytes { output.appendCell($0) }
      }
      try output.endRecord()
    }
    for answer in answers {
      answer.withBytes { output.append($0) }
      try output.endRecord()
    }
  }
}
