// A change of a row as Debezium tells it, with its schema beside it or without:
//
//     {"schema":{…},"payload":{"before":null,"after":{"id":1004,…},"source":{"connector":"postgresql",
//      "name":"shop","db":"shop","schema":"public","table":"orders","ts_ms":1559033904863,"lsn":24023128,…},
//      "op":"c","ts_ms":1559033904961}}
//
// The event is the row as it was after the change, or before it where it was deleted. Its time is
// `source.ts_ms`, when the database made the change, unless the row has the declared member; its type may be
// the table. A row changes many times under one id, so a change is named by everything that the connector
// says of it but what tells of the connector: its version, and PostgreSQL's `sequence`, which begins with the commit
// that was seen before and so with another one, or null, when the same change is told again after a restart.

import Core

struct DebeziumEnvelope: Envelope {
  private struct Slots {
    let operation, before, after, source, connector, name, database, table: Int
    let milliseconds, microseconds, version, sequence: Int

    init(_ plan: inout FieldPlan, _ path: [String]) {
      operation = plan.slot(path + ["op"])
      before = plan.slot(path + ["before"])
      after = plan.slot(path + ["after"])
      source = plan.slot(path + ["source"])
      connector = plan.slot(path + ["source", "connector"])
      name = plan.slot(path + ["source", "name"])
      database = plan.slot(path + ["source", "db"])
      table = plan.slot(path + ["source", "table"])
      milliseconds = plan.slot(path + ["source", "ts_ms"])
      microseconds = plan.slot(path + ["source", "ts_us"])
      version = plan.slot(path + ["source", "version"])
      sequence = plan.slot(path + ["source", "sequence"])
    }

    func match(_ record: RecordScanner) -> Bool {
      record.isString(operation) && record.isObject(source) && record.isString(connector)
    }
  }

  private let payload: Int
  private let bare: Slots
  private let withSchema: Slots

  init(_ plan: inout FieldPlan) {
    payload = plan.slot(["payload"])
    bare = Slots(&plan, [])
    withSchema = Slots(&plan, ["payload"])
  }

  func matches(_ record: RecordScanner) -> Bool {
    bare.match(record) || record.isObject(payload) && withSchema.match(record)
  }

  func open(
    _ record: RecordScanner, _ wrapping: Wrapping, depth: Int, into unwrapper: Unwrapper
  ) throws(BadRecord) {
    if record.raw(payload).kind == .null, !record.raw(payload).bytes.isEmpty {
      return unwrapper.addTombstone()
    }
    let slots = record.isObject(payload) ? withSchema : bare
    guard slots.match(record) else {
      throw BadRecord("no change event of Debezium: 'op' or 'source' is missing")
    }
    let operation = try operation(record, slots)
    let row = record.raw(operation == .delete ? slots.before : slots.after)
    guard row.kind == .object else {
      throw BadRecord(
        "the change event (\(operation.rawValue)) has no row"
          + (operation == .delete ? ": see the table's replica identity" : ""))
    }
    var inner = wrapping
    inner.origin.operation = operation
    inner.time =
      record.integer(slots.microseconds).map(Timestamp.init(microseconds:))
      ?? record.integer(slots.milliseconds).flatMap { TimeUnit.ms.timestamp(.int($0)) }
      ?? wrapping.time
    if record.isString(slots.table) { inner.type = record.text(slots.table) }
    if inner.origin.source.isEmpty, record.isString(slots.name) {
      inner.origin.source = record.text(slots.name)
    }
    Array(identity(record, slots).utf8).withBytes {
      inner.origin.id = $0
      unwrapper.attempt(row.bytes, depth: depth + 1, inner)
    }
  }

  private func operation(
    _ record: RecordScanner, _ slots: Slots
  ) throws(BadRecord) -> ChangeOperation {
    let letter = record.text(slots.operation)
    switch letter.string {
    case "c": return .insert
    case "r": return .snapshot
    case "u": return .update
    case "d": return .delete
    case "t": throw BadRecord("a table was emptied (op t): that is no event of a row")
    case "m": throw BadRecord("a logical message (op m): that is no event of a row")
    default: throw BadRecord("the change event's op is '\(letter.string)', not c, r, u or d")
    }
  }

  /// 128 bits of a SHA-256 over what makes the change this one.
  private func identity(_ record: RecordScanner, _ slots: Slots) -> String {
    var text = Array(record.raw(slots.operation).literal.buffer)
    let source = record.raw(slots.source).literal
    var rest = 0
    let left = [slots.version, slots.sequence].map { record.raw($0) }
      .filter { $0.kind == .string || !$0.bytes.isEmpty }.map(\.literal)
    for part in left.sorted(by: { $0.base < $1.base }) {
      let start = part.base - source.base
      text += source[rest..<start].buffer
      rest = start + part.count
    }
    text += source[rest..<source.count].buffer
    for slot in [slots.before, slots.after] { text += record.raw(slot).literal.buffer }
    return String(text.withBytes { SHA256.hex(of: $0) }.prefix(32))
  }
}
