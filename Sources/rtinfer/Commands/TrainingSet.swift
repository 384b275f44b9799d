// A training set: the rows of a spine with every feature as of the row's own time, by the same engine as the
// stream (`PointInTime`), and with the outcomes that the project declares. Rows leave in the order in which they came.

import Core
import Decisions
import Events
import Features
import Replay

final class TrainingSet {
  private let invocation: Invocation
  private let run: PointInTime
  private let plan: RequestPlan
  private let schema: EventSchema
  private let type: Int
  private let changes: ChangeRefusal
  private let rejects: Rejects
  private let tableRowsRead: Int
  private let inputs: [(name: String, expression: Expression)]
  private let outcomes: [(outcome: Outcome, collector: OutcomeCollector)]
  private let isCSV: Bool
  /// As of when features are known; nil: as of the row's own time.
  private let stale: ReplayArm?
  /// Answers by position in the spine, as written bytes.
  private var answers: [[UInt8]] = []
  /// The spine's own members, as columns; fixed by the first row.
  private var columns: [String] = []
  private let stack = ExpressionStack()
  private let scratch = OutputBuffer(MemorySink())
  private var spineRead = 0

  init(
    _ invocation: Invocation, project: Project, schema: EventSchema, features: FeatureDefinitions,
    type: Int
  ) throws(Failure) {
    self.invocation = invocation
    self.schema = schema
    self.type = type
    let asOf = try invocation.options.value(MaterializeCommand.asOf) ?? AsOf.event.rawValue
    self.stale = try MaterializeCommand.staleArm(invocation.options)
    guard stale == nil || asOf == AsOf.event.rawValue else {
      throw .usage(
        "--stale says itself what a row knows, so not with --as-of ingest",
        hint: "delay=SPAN is how long an event takes to come in")
    }
    self.rejects = try Rejects(invocation)
    let tables = try TableFiles(invocation, features, rejects)
    self.tableRowsRead = tables.rowsRead
    self.run = PointInTime(
      features, schema, tables: tables.all, asking: [type], asOf: AsOf(rawValue: asOf)!)
    self.plan = run.plans[type]!
    self.changes = ChangeRefusal(schema, features.views)
    self.isCSV = try invocation.options.value(MaterializeCommand.format) != "ndjson"
    self.inputs = try TrainingSet.derivedInputs(project, schema, type)
    self.outcomes = try project.outcomes(of: type, schema).map { ($0, OutcomeCollector($0)) }
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
      try LogReading.events(invocation), schema: schema, rejects: rejects, clock: invocation.clock,
      trustsMarks: true
    ) { () throws(Failure) in }
    run.trustsMarks = intake.trustsMarks
    run.onEvent = { [outcomes] event, decoder in
      for (_, collector) in outcomes {
        collector.observe(type: event.type, decoder.scalars, at: event.time)
      }
    }
    run.onAnswer = { [unowned self] row, decoder, values in
      appendAnswer(decoder, values)
      answers[row.index] = scratch.pending.copy()
      scratch.rewind(to: 0)
    }
    run.begin()
    let progress = Progress(invocation)
    while let arrival = try intake.next() {
      try changes.check(arrival)
      try run.take(arrival)
      progress.advance()
    }
    run.finish()
    progress.finish()
    try write()
    reportOutcomes()
    invocation.messages.report(plan.answers)
    return try rejects.finish(total: intake.counts.read + spineRead + tableRowsRead)
  }

  private func reportOutcomes() {
    for (outcome, collector) in outcomes {
      let matured = answers.indices.count { collector.hasMatured($0) }
      let open = answers.count - matured
      guard open > 0 else { continue }
      invocation.messages.note(
        "\(outcome.name): \(open.grouped) of \(answers.count.grouped) rows have not matured"
          + " (\(outcome.matures.description)): their outcome is empty")
    }
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
        run.add(
          AskedRow(
            time: stale?.asOf(event.time) ?? event.time, index: run.rowCount, type: type,
            offset: event.mark?.offset,
            ingested: event.mark?.ingested),
          line: line.bytes.copy())
        for (_, collector) in outcomes { collector.ask(decoder.scalars, at: event.time) }
      } catch {
        try rejects.add(
          "spine: \(error.reason)", source: path, line: line.number, byte: line.offset,
          raw: line.bytes)
      }
    }
    guard run.rowCount > 0 else {
      throw .badData("\(path): no rows of type '\(types[type].name)' to build a training set for")
    }
    answers = Array(repeating: [], count: run.rowCount)
  }

  // MARK: Answers

  private func appendAnswer(_ decoder: EventDecoder, _ values: [Scalar]) {
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
      let columns =
        inputs.map { ($0.name, false) }
        + plan.answers.map { ($0.columnName, $0.isDocument) }
      for (column, value) in zip(columns, derived + values) {
        if needsComma { scratch.append(UInt8(ascii: ",")) }
        needsComma = true
        scratch.appendQuoted(column.0)
        scratch.append(UInt8(ascii: ":"))
        scratch.append(value, isDocument: column.1)
      }
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
      let names =
        columns + inputs.map(\.name) + plan.answers.map(\.columnName)
        + outcomes.map { outcomeColumn($0.outcome) }
      for (index, name) in names.enumerated() {
        if index > 0 { output.append(UInt8(ascii: ",")) }
        Array(name.utf8).withBytes { output.appendCell($0) }
      }
      try output.endRecord()
    }
    for (index, answer) in answers.enumerated() {
      answer.withBytes { output.append($0) }
      for (outcome, collector) in outcomes {
        output.append(UInt8(ascii: ","))
        if isCSV {
          output.appendCell(collector.value(index))
        } else {
          output.appendQuoted(outcomeColumn(outcome))
          output.append(UInt8(ascii: ":"))
          output.append(collector.value(index))
        }
      }
      if !isCSV { output.append(UInt8(ascii: "}")) }
      try output.endRecord()
    }
  }

  private func outcomeColumn(_ outcome: Outcome) -> String { "\(outcome.name)__outcome" }
}
