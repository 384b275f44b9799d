// MLflow's scoring server: POST /invocations with one of four forms, or CSV. The model is the only one that is served,
// or the one that the query names: /invocations?model=fraud.

import Core
import Decisions
import HTTP

extension Service {
  func invocations(_ call: Call) throws(Refusal) {
    let desk = try invokedDesk(call.request)
    let began = clock.monotonicNanoseconds()
    var reader = RowReader(desk, self)
    let type = call.request.field(.contentType) ?? Bytes("application/json")
    let (name, parameters) = type.split(at: UInt8(ascii: ";"))
    let charset = parameters.trimmed
    guard charset.isEmpty || charset.equalsIgnoringCase("charset=utf-8") else {
      throw Refusal(.unsupportedMediaType, "only charset=utf-8 is read, not '\(charset.excerpt)'")
    }
    if name.trimmed.equalsIgnoringCase("text/csv") {
      try readTable(call.request.body, &reader)
    } else if name.trimmed.equalsIgnoringCase("application/json") {
      try readForms(call.request.body, &reader)
    } else {
      throw Refusal(
        .unsupportedMediaType, "application/json or text/csv is read, not '\(name.excerpt)'")
    }
    try reader.finish()
    try predict(
      call, rows: reader.rows, at: desk, began: began, V1Reply(member: "predictions"))
  }

  private func invokedDesk(_ request: Request) throws(Refusal) -> Desk {
    if let name = request.query.behind("model=") {
      guard let desk = desk(name) else { throw unknownModel(name) }
      return desk
    }
    guard desks.count == 1 else {
      throw Refusal(
        .badRequest, "\(desks.count) models are served; name one: /invocations?model=NAME")
    }
    return desks[0]
  }

  private static let forms = ["dataframe_split", "dataframe_records", "instances", "inputs"]

  private func readForms(_ body: Bytes, _ reader: inout RowReader) throws(Refusal) {
    var cursor = JSONCursor(body, padding: Request.padding, allowsNonFinite: true)
    var form: String?
    do throws(JSONFault) {
      guard try cursor.peeked() == .object else { throw .refusal(Self.oneForm) }
      try cursor.objectBegins()
      var first = true
      while let name = try cursor.key(&first) {
        if name == "params" {
          _ = try cursor.raw()
          continue
        }
        guard form == nil, Self.forms.contains(name) else { throw .refusal(Self.oneForm) }
        form = name
        do throws(Refusal) { try read(form: name, &reader, &cursor) } catch {
          throw .refusal(error)
        }
      }
      try cursor.ends()
    } catch {
      throw error.refusal
    }
    guard form != nil else { throw Self.oneForm }
  }

  private static let oneForm = Refusal(
    .badRequest, "the body is an object with exactly one of \(forms.joined(separator: ", "))")

  private func read(
    form: String, _ reader: inout RowReader, _ cursor: inout JSONCursor
  ) throws(Refusal) {
    let kind: JSONKind
    do throws(JSONFault) { kind = try cursor.peeked() } catch { throw error.refusal }
    if form == "dataframe_split" {
      try readSplit(&reader, &cursor)
    } else if form == "inputs", kind == .object {
      try reader.readColumns(&cursor)
    } else {
      try reader.readRows(&cursor)
    }
  }

  /// `{"columns":[…],"index":[…],"data":[[…]]}`, in any order.
  private func readSplit(
    _ reader: inout RowReader, _ cursor: inout JSONCursor
  ) throws(Refusal) {
    var names: [String] = []
    var table: [[Bytes?]] = []
    do throws(JSONFault) {
      try cursor.objectBegins()
      var first = true
      while let name = try cursor.key(&first) {
        switch name {
        case "columns": names = try cursor.cells(texts).map { $0?.string ?? "" }
        case "data":
          try cursor.arrayBegins()
          var firstRow = true
          while try cursor.hasElement(&firstRow) { table.append(try cursor.cells(texts)) }
        default: _ = try cursor.raw()
        }
      }
    } catch {
      throw error.refusal
    }
    guard !names.isEmpty else { throw Refusal(.badRequest, "dataframe_split has no columns") }
    let slots = try reader.slots(of: names)
    for cells in table { try reader.takeCells(cells, slots) }
  }

  private func readTable(_ body: Bytes, _ reader: inout RowReader) throws(Refusal) {
    let table = CSVReader(LineReader(BorrowedSource(body)), separator: UInt8(ascii: ","))
    guard let header = try next(of: table) else {
      throw Refusal(.badRequest, "the CSV has no header row")
    }
    let names = header.cells.map { $0.trimmed.string }
    let slots = try reader.slots(of: names)
    while let row = try next(of: table) { try reader.takeCells(row.cells, slots) }
  }

  private func next(of table: CSVReader) throws(Refusal) -> CSVRow? {
    do throws(Failure) {
      switch try table.next() {
      case nil: return nil
      case .success(let row): return row
      case .failure(let fault):
        throw .badData("line \(fault.line): \(fault.reason)")
      }
    } catch {
      throw Refusal(.badRequest, error.message)
    }
  }

  func ping(_ call: Call) { respond(call, .ok, .text, body: Bytes("\n")) }

  func version(_ call: Call) {
    body.rewind(to: 0)
    body.append(options.version)
    respond(call, .ok, .text, body: body.pending)
  }
}

/// Bytes in memory as a source.
private final class BorrowedSource: ByteSource {
  let name = "body"
  private var rest: Bytes

  init(_ bytes: Bytes) { rest = bytes }

  func read(into buffer: UnsafeMutableRawBufferPointer) throws(Failure) -> Int {
    let count = min(buffer.count, rest.count)
    buffer.copyBytes(from: rest[0..<count].buffer)
    rest = rest[count..<rest.count]
    return count
  }

  func mustWait() throws(Failure) -> Bool { false }
}
