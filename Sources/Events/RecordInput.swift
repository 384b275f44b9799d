// The records of one input: lines of JSON as they are, or a table's rows as the lines that they stand for.

public import Core

/// A record of an input. Borrowed until the next one is asked for.
public struct InputRecord {
  /// One line of JSON; `LineReader.padding` bytes behind it may be loaded. Empty where there is a problem.
  public let text: Bytes
  /// As it came, or its beginning if it was too long.
  public let raw: Bytes
  /// Counted from 1; a row's first one.
  public let line: Int
  /// Bytes before it in its source.
  public let offset: Int
  /// Its line has no end.
  public let isUnterminated: Bool
  /// It is no record: `RecordInput.problem` says why.
  public let isProblem: Bool

  /// - Parameters:
  ///   - text: a record of JSON that was handed over, with `LineReader.padding` bytes behind it.
  ///   - number: its place among those handed over with it, from 1.
  init(_ text: Bytes, number: Int) {
    isProblem = text.count > Limits.lineBytesMax
    self.text = isProblem ? .empty : text
    raw = isProblem ? text[0..<Limits.lineBytesMax] : text
    line = number
    offset = 0
    isUnterminated = false
  }

  /// - Parameter line: of JSON.
  init(_ line: Line) {
    let isTooLong = line.fault == .tooLong
    text = isTooLong ? .empty : line.bytes
    raw = line.bytes
    self.line = line.number
    offset = line.offset
    isUnterminated = line.fault == .unterminated
    isProblem = isTooLong
  }

  init(_ row: CSVRecord) {
    text = row.json
    raw = row.raw
    line = row.line
    offset = row.offset
    isUnterminated = false
    isProblem = false
  }

  init(_ fault: CSVFault) {
    text = .empty
    raw = fault.raw
    line = fault.line
    offset = fault.offset
    isUnterminated = false
    isProblem = true
  }
}

public final class RecordInput {
  public let name: String
  /// Of nothing where records are handed over.
  private let reader: LineReader
  /// Records are handed over; there is no end, only a pause until there are more.
  let isHandedOver: Bool
  /// Handed over and not asked for yet: `handed[nextHanded...]`.
  private var handed: [Bytes] = []
  private var nextHanded = 0
  /// Nil where the input holds lines.
  private let separator: UInt8?
  private let column: (String) throws(Failure) -> Field?
  /// Made when the first row is asked for.
  private var table: CSVRecords?
  private var fault = ""

  /// - Parameters:
  ///   - column: what is declared of a table's column, if anything.
  ///   - beforeWaiting: called before a read that would wait, to pass on what is ready.
  public init(
    _ source: any ByteSource, _ form: RecordForm,
    column: @escaping (String) throws(Failure) -> Field?,
    beforeWaiting: (() throws(Failure) -> Void)? = nil
  ) {
    name = source.name
    let reader = LineReader(source)
    reader.beforeWaiting = beforeWaiting
    self.reader = reader
    isHandedOver = false
    separator = form.separator(of: source.name)
    self.column = column
  }

  /// One whose records of JSON are handed over, some at a time.
  init(handedOverAs name: String) {
    self.name = name
    reader = LineReader(MemorySource([]), readBytes: 1)
    isHandedOver = true
    separator = nil
    column = { _ in nil }
  }

  /// How often the source was read.
  var readCount: Int { reader.readCount }

  /// Takes up further records, once all earlier ones have been asked for.
  ///
  /// - Parameter records: valid until the next are handed over, with `LineReader.padding` bytes behind each. Empty
  ///   ones are passed over, and counted where a record is named by its number.
  func take(_ records: [Bytes]) {
    handed = records
    nextHanded = 0
  }

  /// Its records are a table's rows.
  public var isTable: Bool { separator != nil }

  /// Why the last record is none.
  public var problem: String {
    isTable ? fault : "longer than \(Limits.lineBytesMax) bytes; only its beginning is kept"
  }

  /// The next record, or nil at the end.
  ///
  /// - Throws: also where a table's header row is none, or what is declared of a column says two things.
  public func next() throws(Failure) -> InputRecord? {
    if isHandedOver { return nextHandedOver() }
    if let separator { return try nextRow(reader, separator) }
    guard let line = try reader.next() else { return nil }
    return InputRecord(line)
  }

  /// Looks at lines of JSON that are still to come, as far as they have been read already; none of a table.
  func peekLines(_ max: Int, _ look: (Bytes) -> Void) {
    guard !isTable else { return }
    reader.peekLines(max, look)
  }

  private func nextHandedOver() -> InputRecord? {
    while nextHanded < handed.count {
      nextHanded += 1
      let record = InputRecord(handed[nextHanded - 1], number: nextHanded)
      if record.isProblem || !record.text.trimmed.isEmpty { return record }
    }
    return nil
  }

  private func nextRow(_ reader: LineReader, _ separator: UInt8) throws(Failure) -> InputRecord? {
    if table == nil { table = try CSVRecords(reader, separator: separator, field: column) }
    while let next = try table!.next() {
      switch next {
      case .failure(let found):
        fault = found.reason
        return InputRecord(found)
      case .success(let row):
        // Tables that were joined, or a followed file's next one. No event is lost: where the header says
        // `time` no time can stand.
        if row.raw.buffer.elementsEqual(table!.header) { continue }
        return InputRecord(row)
      }
    }
    return nil
  }
}
