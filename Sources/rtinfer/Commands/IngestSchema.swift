// ingest schema …: a first schema from real events, and what a new sample shows that the declared one does not say.

import Core
import Events

enum IngestSchemaCommands {
  static let infer = Command(
    name: "ingest schema infer",
    summary: "Write a first schema from real events",
    story: """
      Reads a sample of events and prints a project file that declares what it saw: the types, each member's \
      type, whether every event has it, and between which numbers it lies. Read it before you use it: a \
      sample's smallest and largest value are rarely what is allowed. The id is the member named by --id, the \
      time the one named by --time, else `time`, else the first member that is a time in every event. A file \
      that ends in .csv or .tsv is a table with a header row.
      """,
    operands: .files,
    flags: [
      EventFlags.type, EventFlags.typeMember, EventFlags.id, EventFlags.time, EventFlags.timeUnit,
    ]
      + CommonFlags.records,
    examples: [
      .init("rtinfer ingest schema infer events.ndjson > rtinfer.json", "Begin a project.")
    ],
    run: infer)

  static let diff = Command(
    name: "ingest schema diff",
    summary: "Say what a sample of events shows that the schema does not",
    story: """
      Reads a sample of events and holds the project file's schema against it. Prints a line for each \
      difference: a type or member that is not declared (new type, new), a declared member that no event has \
      (gone) or that some lack though it is required (missing), values of another type (retyped) or outside \
      the bounds (out of bounds). Ends with 1 if there is any, else with 0. A file that ends in .csv or .tsv is a \
      table with a header row.
      """,
    operands: .files,
    flags: [CommonFlags.project, EventFlags.type, EventFlags.typeMember] + CommonFlags.records,
    examples: [
      .init("rtinfer ingest schema diff today.ndjson", "Is the feed still what it was?")
    ],
    run: diff)

  static let all = [infer, diff]

  /// - Parameter declared: what tells a table's columns, where anything does.
  private static func sample(
    _ invocation: Invocation, declared: [EventType] = []
  ) throws(Failure) -> (sample: SchemaSample, status: ExitStatus) {
    let options = invocation.options
    let typeMember = try options.value(EventFlags.typeMember) ?? "type"
    let fixedType = try options.value(EventFlags.type)
    let sample = SchemaSample(typeMember: typeMember, fixedType: fixedType)
    func column(_ name: String) throws(Failure) -> Field? {
      if name == typeMember { return Field(name: name, type: .string) }
      guard !declared.isEmpty else { return nil }
      let index = declared.firstIndex { $0.name == fixedType }
      return try EventSchema(types: declared, typeMember: typeMember, fixedType: index).column(name)
    }
    let rejects = try Rejects(invocation)
    let progress = Progress(invocation)
    var total = 0
    for source in try invocation.inputs() {
      let records = RecordInput(source, .byName, column: column)
      while let record = try records.next() {
        total += 1
        do throws(BadRecord) {
          if record.isProblem { throw BadRecord(records.problem) }
          try sample.add(record.text)
        } catch {
          try rejects.add(
            error.reason, source: source.name, line: record.line, byte: record.offset,
            raw: record.raw)
        }
        progress.advance()
      }
    }
    progress.finish()
    return (sample, try rejects.finish(total: total))
  }

  private static func infer(_ invocation: Invocation) throws(Failure) -> ExitStatus {
    let options = invocation.options
    let (sample, status) = try sample(invocation)
    guard !sample.kinds.isEmpty else {
      throw .badData("no events to infer a schema from")
    }
    let unit = try options.value(EventFlags.timeUnit).flatMap(TimeUnit.init(rawValue:))
    var declarations = ""
    for kind in sample.kinds {
      let naming = try sample.naming(
        kind, id: try options.value(EventFlags.id) ?? "id",
        time: try options.value(EventFlags.time), unit: unit)
      declarations += sample.declaration(kind, naming)
    }
    invocation.output.append("{\n  events: {\n\(declarations)  },\n}\n")
    return status
  }

  private static func diff(_ invocation: Invocation) throws(Failure) -> ExitStatus {
    let project = try Project.require(invocation)
    let types = try project.eventTypes()
    guard !types.isEmpty else {
      throw .usage("\(project.shownName) declares no events to hold against the sample")
    }
    let (sample, status) = try sample(invocation, declared: types)
    let differences = sample.differences(from: EventSchema(types: types))
    let output = invocation.output
    for difference in differences {
      append(difference, to: output)
      try output.endRecord()
    }
    if sample.kinds.isEmpty { throw .badData("no events to hold the schema against") }
    return differences.isEmpty ? status : .verdictNo
  }

  private static func append(_ difference: SchemaDifference, to output: OutputBuffer) {
    output.append("{\"kind\":\"schema_difference\",\"type\":")
    output.appendQuoted(difference.type)
    if !difference.member.isEmpty {
      output.append(",\"member\":")
      output.appendQuoted(difference.member)
    }
    output.append(",\"change\":")
    output.appendQuoted(difference.change.rawValue)
    if let declared = difference.declared {
      output.append(",\"declared\":")
      output.appendQuoted(declared)
    }
    if let found = difference.found {
      output.append(",\"found\":")
      output.appendQuoted(found)
    }
    output.append(",\"events\":")
    output.append(Int64(difference.events))
    output.append("}")
  }
}
