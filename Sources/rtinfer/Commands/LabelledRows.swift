// What turned out, read from the rows that were decided.

import Core

/// What turned out, by row.
enum LabelledRows {
  /// One value for each row, nil where it has none.
  ///
  /// - Parameter names: what classes are called; a text is one of them.
  static func labels(
    _ member: String, _ path: String, _ names: [String]
  ) throws(Failure) -> [Double?] {
    let reader = LineReader(try DescriptorSource.file(path))
    let isTable = [".csv", ".tsv"].contains { path.hasSuffix($0) }
    let first = isTable ? nil : try reader.peekByte()
    if first == UInt8(ascii: "{") { return try ofRecords(reader, member, names) }
    return try ofTable(
      CSVReader(reader, separator: UInt8(ascii: path.hasSuffix(".tsv") ? "\t" : ",")), member, names
    )
  }

  private static func ofTable(
    _ table: CSVReader, _ member: String, _ names: [String]
  ) throws(Failure) -> [Double?] {
    guard case .success(let header)? = try table.next() else { return [] }
    let columns = header.cells.map { $0.trimmed.string }
    guard let column = columns.firstIndex(of: member) else {
      throw .badData(
        "\(table.sourceName): no column '\(member)'",
        hint: Spelling.nearest(member, among: columns).map { "did you mean '\($0)'?" })
    }
    var labels: [Double?] = []
    while case .success(let row)? = try table.next() {
      labels.append(
        try value(row.cells[column].trimmed, names, "\(table.sourceName):\(row.line)"))
    }
    return labels
  }

  private static func ofRecords(
    _ reader: LineReader, _ member: String, _ names: [String]
  ) throws(Failure) -> [Double?] {
    var labels: [Double?] = []
    var isKnown = false
    while let line = try reader.next() {
      let place = "\(reader.source.name):\(line.number)"
      var text = Bytes.empty
      do throws(JSONError) {
        if let raw = try find(member, in: line.bytes) {
          isKnown = true
          if raw.kind != .null { text = raw.bytes }
        }
      } catch {
        throw .badData("\(place): \(error.description)")
      }
      labels.append(try value(text, names, place))
    }
    guard isKnown || labels.isEmpty else {
      throw .badData("\(reader.source.name): no row has a member '\(member)'")
    }
    return labels
  }

  /// A member of the row, or of the request in a features record.
  private static func find(_ member: String, in line: Bytes) throws(JSONError) -> JSONRaw? {
    var cursor = JSONCursor(line)
    try cursor.beginObject()
    var first = true
    var inner: JSONRaw?
    while let key = try cursor.nextKey(first: &first) {
      let raw = try cursor.rawValue()
      if key.bytes == member { return raw }
      if key.bytes == "request", raw.kind == .object { inner = try find(member, in: raw.bytes) }
    }
    return inner
  }

  private static func value(
    _ text: Bytes, _ names: [String], _ place: String
  ) throws(Failure) -> Double? {
    if text.isEmpty { return nil }
    if let number = JSONNumber.double(text) { return number }
    let word = text.string
    if let index = names.firstIndex(of: word) { return Double(index) }
    if word == "true" || word == "True" { return 1 }
    if word == "false" || word == "False" { return 0 }
    throw .badData(
      "\(place): '\(word)' is no outcome: a number, true or false"
        + (names.isEmpty ? "" : ", or one of \(names.joined(separator: ", "))"))
  }
}
