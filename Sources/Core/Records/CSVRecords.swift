// Tables as records: each row becomes the line of JSON that a producer of events would have written, so that
// whatever reads records reads tables too, with the same checks and the same messages.
//
//     id,user,amount              {"id":"a1","user":"7","amount":12.50}
//     a1,7,12.50           ─▶     {"id":"a2"}
//     a2,,
//
// The header row names the members. A cell's declared type says how it is written: a string's always in quotes
// (so that 007 stays what it is), a number's as it stands. What does not fit its type goes on as a string, and
// whoever holds the record against its schema says so. Cells of columns that nobody declares are numbers,
// true, false or else strings. An empty cell is a missing member.

/// A row as a record.
public struct CSVRecord {
  /// One line of JSON; valid until the next record is asked for. `LineReader.padding` bytes behind it may be
  /// loaded.
  public let json: Bytes
  /// Of the row's first line, counted from 1.
  public let line: Int
  /// Bytes before the row in its source.
  public let offset: Int
  /// The row as it came, for the rejects.
  public let raw: Bytes
}

public final class CSVRecords {
  private struct Column {
    /// `"name":`
    let key: [UInt8]
    let type: FieldType
    let unit: TimeUnit
  }

  private let table: CSVReader
  private var columns: [Column] = []
  private let output = OutputBuffer(MemorySink())
  public let names: [String]
  /// The header row as it came.
  public let header: [UInt8]
  public var sourceName: String { table.sourceName }

  /// Reads the header row.
  ///
  /// - Parameter field: what is declared of a column, if anything.
  /// - Throws: where the header cannot be read, or names a column twice or not at all; what `field` throws.
  public init(
    _ reader: LineReader, separator: UInt8 = UInt8(ascii: ","),
    field: (String) throws(Failure) -> Field?
  ) throws(Failure) {
    table = CSVReader(reader, separator: separator)
    guard let first = try table.next() else {
      names = []
      header = []
      return
    }
    guard case .success(let row) = first else {
      throw .badData("\(reader.source.name): the header row cannot be read")
    }
    names = row.cells.map { $0.trimmed.string }
    header = row.raw.copy()
    for (index, name) in names.enumerated() {
      guard !name.isEmpty else {
        throw .badData("\(reader.source.name): column \(index + 1) has no name in the header row")
      }
      guard names.firstIndex(of: name) == index else {
        throw .badData("\(reader.source.name): the header row names '\(name)' twice")
      }
      let declared = try field(name)
      output.rewind(to: 0)
      output.appendQuoted(name)
      output.append(":")
      columns.append(
        Column(
          key: output.pending.copy(), type: declared?.type ?? .any, unit: declared?.unit ?? .rfc3339
        ))
    }
  }

  /// The next row, or nil at the end; a fault in its place where it is no row of this table.
  public func next() throws(Failure) -> Result<CSVRecord, CSVFault>? {
    guard let next = try table.next() else { return nil }
    let row: CSVRow
    switch next {
    case .failure(let fault): return .failure(fault)
    case .success(let found): row = found
    }
    guard row.cells.count == columns.count else {
      return .failure(
        fault("\(row.cells.count) cells where the header has \(columns.count)", row))
    }
    output.rewind(to: 0)
    output.append(UInt8(ascii: "{"))
    for (index, cell) in row.cells.enumerated() where !cell.isEmpty {
      if output.count > 1 { output.append(UInt8(ascii: ",")) }
      columns[index].key.withBytes { output.append($0) }
      append(cell, columns[index])
    }
    output.append(UInt8(ascii: "}"))
    let count = output.count
    output.appendPadding(LineReader.padding)
    return .success(
      CSVRecord(json: output.pending[0..<count], line: row.line, offset: row.offset, raw: row.raw))
  }

  private func fault(_ reason: String, _ row: CSVRow) -> CSVFault {
    CSVFault(reason: reason, line: row.line, offset: row.offset, raw: row.raw)
  }

  private func append(_ cell: Bytes, _ column: Column) {
    switch column.type {
    case .string: return output.appendQuoted(cell)
    case .time where column.unit == .rfc3339: return output.appendQuoted(cell.trimmed)
    case .any, .integer, .number, .boolean, .time: break
    }
    let text = cell.trimmed
    if CSVRecords.isLiteral(text) { output.append(text) } else { output.appendQuoted(cell) }
  }

  /// Whether JSON writes it without quotes: a number, true or false.
  private static func isLiteral(_ text: Bytes) -> Bool {
    guard let first = text.first else { return false }
    if text == "true" || text == "false" { return true }
    guard first == UInt8(ascii: "-") || first &- UInt8(ascii: "0") <= 9 else { return false }
    var cursor = JSONCursor(text)
    do throws(JSONError) {
      try cursor.skipValue()
      try cursor.finish()
      return true
    } catch {
      return false
    }
  }
}
