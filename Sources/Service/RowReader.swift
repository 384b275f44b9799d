// Rows out of JSON, as TensorFlow Serving, KServe and MLflow write them:
//
//     [[1,2],[3,null]]                         values in the model's order
//     [{"a":1,"b":2},{"a":3}]                  objects by name, read as `score` reads a plain row
//     {"a":[1,3],"b":[2,null]}                 columns by name
//     {"columns":["a","b"],"data":[[1,2]]}     a table, read as `score` reads a line of CSV
//
// Null is a missing value. So are NaN and the infinities where a client writes them, which is no JSON but usual.

import Core
import Decisions
import HTTP
import Models

/// Reads rows onto a desk; what it has read is counted once a ticket is taken for it.
struct RowReader {
  let desk: Desk
  let service: Service
  private(set) var rows = 0
  /// Values of rows in the model's order, before they are put on the desk.
  private var values: [Double] = []

  init(_ desk: Desk, _ service: Service) {
    self.desk = desk
    self.service = service
    service.texts.reset()
  }

  private var inputCount: Int { desk.model.inputCount }
  /// Not in use by any ticket that waits.
  private var decider: Decider { desk.seat(desk.tickets.count) }

  /// Puts what was read on the desk.
  func finish() throws(Refusal) {
    _ = try service.room(rows, at: desk).update(fromContentsOf: values)
  }

  private func checkRoom() throws(Refusal) {
    guard rows < Limits.requestRowsMax else {
      throw Refusal(.contentTooLarge, "more than \(Limits.requestRowsMax) rows in one request")
    }
  }

  // MARK: Rows

  /// An array of rows, each an array or an object; for a model with one input, also of bare values.
  mutating func readRows(_ cursor: inout JSONCursor) throws(Refusal) {
    try read(&cursor) { (reader, cursor) throws(JSONFault) in
      guard try cursor.peeked() == .array else { throw .refusal(RowReader.noRows) }
      try cursor.arrayBegins()
      var first = true
      while try cursor.hasElement(&first) { try reader.readRow(&cursor) }
    }
  }

  private static let noRows = Refusal(
    .badRequest, "the rows are an array of arrays or of objects")

  private mutating func readRow(_ cursor: inout JSONCursor) throws(JSONFault) {
    do throws(Refusal) { try checkRoom() } catch { throw .refusal(error) }
    switch try cursor.peeked() {
    case .object:
      let raw = try cursor.raw()
      try takeRecord(raw.bytes)
    case .array:
      try cursor.arrayBegins()
      var first = true
      var count = 0
      while try cursor.hasElement(&first) {
        values.append(try value(&cursor, ofInput: count))
        count += 1
      }
      guard count == inputCount else {
        throw .refusal(
          Refusal(
            .badRequest,
            "row \(rows) has \(count) values, the model '\(desk.served.name)' takes \(inputCount)"))
      }
      rows += 1
    default:
      guard inputCount == 1 else { throw .refusal(RowReader.noRows) }
      values.append(try value(&cursor, ofInput: 0))
      rows += 1
    }
  }

  /// What the model is told for a value of a row in the model's order.
  private func value(_ cursor: inout JSONCursor, ofInput input: Int) throws(JSONFault) -> Double {
    guard desk.takesCategories, desk.categorical.indices ~= input, desk.categorical[input] else {
      let number = try cursor.number("row \(rows)")
      return number.isNaN && input < inputCount ? desk.substitutes[input] : number
    }
    let value: Scalar
    if try cursor.peeked() == .string {
      value = .text(service.texts.resolved(try cursor.raw()))
    } else {
      let number = try cursor.number("row \(rows)")
      value = number.isNaN ? .null : Scalar(exactly: number) ?? .double(number)
    }
    do throws(Refusal) {
      return try desk.told(value, ofInput: input, row: rows)
    } catch {
      throw .refusal(error)
    }
  }

  private mutating func takeRecord(_ bytes: Bytes) throws(JSONFault) {
    let decider = decider
    do throws(BadRecord) {
      let kind = try decider.read(bytes)
      try decider.gather(kind)
    } catch {
      throw .refusal(Refusal(.badRequest, "row \(rows): \(error.reason)"))
    }
    values.append(contentsOf: decider.gathered)
    rows += 1
  }

  // MARK: Columns

  /// An object of columns by name, all of one length.
  mutating func readColumns(_ cursor: inout JSONCursor) throws(Refusal) {
    var names: [String] = []
    var columns: [[Bytes?]] = []
    try read(&cursor) { (reader, cursor) throws(JSONFault) in
      try cursor.objectBegins()
      var first = true
      while let name = try cursor.key(&first) {
        names.append(name)
        columns.append(try cursor.cells(reader.service.texts))
      }
    }
    let count = columns.first?.count ?? 0
    guard columns.allSatisfy({ $0.count == count }) else {
      throw Refusal(.badRequest, "the columns differ in length")
    }
    let slots = try slots(of: names)
    for row in 0..<count { try takeCells(columns.map { $0[row] }, slots) }
  }

  /// Where the columns of a table lead; refused where they lead to no input at all.
  func slots(of names: [String]) throws(Refusal) -> [Int?] {
    let decider = decider
    let missing = decider.inputsMissing(inColumns: names)
    guard missing.count < decider.inputNames.count else {
      throw Refusal(
        .badRequest,
        "no column is an input of '\(desk.served.name)'; it takes "
          + missing.prefix(5).joined(separator: ", "))
    }
    return decider.slots(ofColumns: names)
  }

  /// A row of cells under columns, as in CSV.
  mutating func takeCells(
    _ cells: UnsafeBufferPointer<Bytes>, _ slots: [Int?]
  ) throws(Refusal) {
    try takeRow(cells.count, slots) { (decider) throws(BadRecord) in
      try decider.read(cells: cells, slots: slots)
    }
  }

  /// A row of JSON's values under columns; nil is null.
  mutating func takeCells(_ cells: [Bytes?], _ slots: [Int?]) throws(Refusal) {
    try takeRow(cells.count, slots) { (decider) throws(BadRecord) in
      try decider.read(cells: cells, slots: slots)
    }
  }

  private mutating func takeRow(
    _ count: Int, _ slots: [Int?], read: (Decider) throws(BadRecord) -> Void
  ) throws(Refusal) {
    try checkRoom()
    guard count == slots.count else {
      throw Refusal(
        .badRequest, "row \(rows) has \(count) cells under \(slots.count) columns")
    }
    let decider = decider
    do throws(BadRecord) {
      try read(decider)
      try decider.gather(.plain)
    } catch {
      throw Refusal(.badRequest, "row \(rows): \(error.reason)")
    }
    values.append(contentsOf: decider.gathered)
    rows += 1
  }

  /// Runs `body`, whose faults become refusals.
  private mutating func read(
    _ cursor: inout JSONCursor,
    _ body: (inout RowReader, inout JSONCursor) throws(JSONFault) -> Void
  ) throws(Refusal) {
    do throws(JSONFault) {
      try body(&self, &cursor)
    } catch {
      throw error.refusal
    }
  }
}

/// What is wrong with a body: its JSON, or what it says.
enum JSONFault: Error {
  case json(JSONError)
  case refusal(Refusal)

  var refusal: Refusal {
    switch self {
    case .json(let error): Refusal(.badRequest, "not JSON: \(error.description)")
    case .refusal(let refusal): refusal
    }
  }
}

extension JSONCursor {
  private mutating func trying<Value>(
    _ body: (inout JSONCursor) throws(JSONError) -> Value
  ) throws(JSONFault) -> Value {
    do throws(JSONError) {
      return try body(&self)
    } catch {
      throw .json(error)
    }
  }

  mutating func peeked() throws(JSONFault) -> JSONKind {
    try trying { (cursor) throws(JSONError) in try cursor.peek() }
  }
  mutating func raw() throws(JSONFault) -> JSONRaw {
    try trying { (cursor) throws(JSONError) in try cursor.rawValue() }
  }
  mutating func arrayBegins() throws(JSONFault) {
    try trying { (cursor) throws(JSONError) in try cursor.beginArray() }
  }
  mutating func objectBegins() throws(JSONFault) {
    try trying { (cursor) throws(JSONError) in try cursor.beginObject() }
  }
  mutating func hasElement(_ first: inout Bool) throws(JSONFault) -> Bool {
    var isFirst = first
    defer { first = isFirst }
    return try trying { (cursor) throws(JSONError) in try cursor.nextElement(first: &isFirst) }
  }
  /// The next member's name; nil at the object's end.
  mutating func key(_ first: inout Bool) throws(JSONFault) -> String? {
    var isFirst = first
    defer { first = isFirst }
    let raw = try trying { (cursor) throws(JSONError) in try cursor.nextKey(first: &isFirst) }
    return raw?.text
  }
  mutating func string() throws(JSONFault) -> String {
    try trying { (cursor) throws(JSONError) in try cursor.readString() }
  }
  mutating func ends() throws(JSONFault) {
    try trying { (cursor) throws(JSONError) in try cursor.finish() }
  }

  /// A number; NaN for null. True and false are 1 and 0.
  mutating func number(_ place: @autoclosure () -> String) throws(JSONFault) -> Double {
    switch try peeked() {
    case .number:
      return try trying { (cursor) throws(JSONError) in try cursor.readDouble() }
    case .null:
      _ = try raw()
      return .nan
    case .bool: return try raw().bytes.count == 4 ? 1 : 0
    case let kind:
      throw .refusal(Refusal(.badRequest, "\(place()): \(kind.name) where a number is due"))
    }
  }

  /// An array's values as the cells of a table; nil for null.
  ///
  /// - Parameter texts: keeps the strings that have escapes.
  mutating func cells(_ texts: TextScratch) throws(JSONFault) -> [Bytes?] {
    try arrayBegins()
    var cells: [Bytes?] = []
    var first = true
    while try hasElement(&first) {
      let raw = try raw()
      guard raw.kind != .array, raw.kind != .object else {
        throw .refusal(Refusal(.badRequest, "\(raw.kind.name) where a plain value is due"))
      }
      cells.append(raw.kind == .null ? nil : texts.resolved(raw))
    }
    return cells
  }
}

extension TextScratch {
  /// A value as it is meant: a string's escapes resolved.
  func resolved(_ raw: JSONRaw) -> Bytes { raw.escaped ? unescape(raw.bytes) : raw.bytes }
}

extension JSONRaw {
  /// A member's name with its escapes resolved.
  var text: String {
    guard escaped else { return bytes.string }
    var cursor = JSONCursor(literal)
    return (try? cursor.readString()) ?? bytes.string
  }
}
