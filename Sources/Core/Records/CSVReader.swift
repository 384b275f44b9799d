// Rows of comma- or tab-separated values (RFC 4180): quotes, doubled quotes, line ends inside quotes, CRLF, a
// header row; `LineReader` sees to a byte order mark. Cells are borrowed; a cell with doubled quotes is copied once to
// resolve them. Nearly all rows have no quote at all, and then only their separators need be found, 64 bytes at a time.

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

public struct CSVRow {
  /// Valid until the next row is asked for; `LineReader.padding` bytes behind each may be loaded.
  public let cells: UnsafeBufferPointer<Bytes>
  /// Of the row's first line.
  public let line: Int
  public let offset: Int
  /// As it came.
  public let raw: Bytes
}

public final class CSVReader {
  private let reader: LineReader
  private let separator: UInt8
  /// A row that spans lines is put together here.
  private var joined: [UInt8] = []
  private var storage: UnsafeMutablePointer<UInt8>
  private var capacity = 4096
  private var cells: UnsafeMutablePointer<Bytes>
  private var cellCapacity = 64
  private var cellCount = 0

  public var sourceName: String { reader.source.name }

  public init(_ reader: LineReader, separator: UInt8 = UInt8(ascii: ",")) {
    self.reader = reader
    self.separator = separator
    self.storage = .allocate(capacity: capacity + LineReader.padding)
    self.cells = .allocate(capacity: cellCapacity)
  }

  deinit {
    storage.deallocate()
    cells.deallocate()
  }

  /// The next row, or nil at the end; a fault in its place where its quotes are wrong or it is too long.
  public func next() throws(Failure) -> Result<CSVRow, CSVFault>? {
    guard let line = try reader.next() else { return nil }
    if line.fault == .tooLong {
      return .failure(fault("longer than \(Limits.lineBytesMax) bytes", line))
    }
    var bytes = line.bytes
    let (number, offset) = (line.number, line.offset)
    let hasQuotes = memchr(bytes.base, Int32(UInt8(ascii: "\"")), bytes.count) != nil
    if hasQuotes, endsInsideQuotes(bytes, inside: false) {
      let closes = try join(line, bytes)
      keep(joined)
      bytes = kept
      guard closes else {
        return .failure(
          CSVFault(
            reason: "a quote is opened and not closed", line: number, offset: offset, raw: bytes))
      }
    }
    cellCount = 0
    if !hasQuotes {
      splitPlain(bytes)
    } else if !split(bytes) {
      return .failure(
        CSVFault(
          reason: "text before or after a quoted cell", line: number, offset: offset, raw: bytes))
    }
    return .success(
      CSVRow(
        cells: UnsafeBufferPointer(start: cells, count: cellCount), line: number, offset: offset,
        raw: bytes))
  }

  private func fault(_ reason: String, _ line: Line) -> CSVFault {
    CSVFault(reason: reason, line: line.number, offset: line.offset, raw: line.bytes)
  }

  // MARK: Joined rows

  /// Puts a row and the lines it goes on over together; false if its quotes are never closed.
  private func join(_ first: Line, _ bytes: Bytes) throws(Failure) -> Bool {
    joined = bytes.copy()
    var endedInReturn = first.endedInReturn
    while joined.count <= Limits.lineBytesMax, let more = try reader.nextIncludingBlank() {
      if endedInReturn { joined.append(UInt8(ascii: "\r")) }
      endedInReturn = more.endedInReturn
      joined.append(UInt8(ascii: "\n"))
      joined.append(contentsOf: more.bytes.buffer)
      guard more.fault != .tooLong else { return false }
      if !endsInsideQuotes(more.bytes, inside: true) { return true }
    }
    return false
  }

  private var keptCount = 0
  private var kept: Bytes { Bytes(base: UnsafePointer(storage), count: keptCount) }

  private func keep(_ bytes: [UInt8]) {
    if bytes.count > capacity {
      storage.deallocate()
      capacity = bytes.count * 2
      storage = .allocate(capacity: capacity + LineReader.padding)
    }
    storage.update(from: bytes, count: bytes.count)
    keptCount = bytes.count
  }

  /// A row goes on over its line's end where that lies inside a quoted cell. Only a quote at the start of a
  /// cell opens one; anywhere else in an unquoted cell it is a character like any other: 5" pipe.
  private func endsInsideQuotes(_ bytes: Bytes, inside: Bool) -> Bool {
    var inside = inside
    var atStart = !inside
    var justClosed = false
    for byte in bytes.buffer {
      if inside {
        // A doubled quote closes and opens again: the state after it is the same.
        if byte == UInt8(ascii: "\"") {
          inside = false
          justClosed = true
          continue
        }
      } else if byte == UInt8(ascii: "\""), atStart || justClosed {
        inside = true
      }
      justClosed = false
      atStart = !inside && byte == separator
    }
    return inside
  }

  // MARK: Cells

  /// A row without quotes.
  private func splitPlain(_ bytes: Bytes) {
    var start = 0
    var block = 0
    while block < bytes.count {
      if cellCapacity &- cellCount <= SeparatorMask.blockBytes { growCells() }
      var separators = SeparatorMask.of(
        bytes.base + block, count: min(SeparatorMask.blockBytes, bytes.count &- block), separator)
      var next = cells + cellCount
      while separators != 0 {
        let end = block &+ separators.trailingZeroBitCount
        next.initialize(to: Bytes(base: bytes.base + start, count: end &- start))
        next += 1
        start = end &+ 1
        separators &= separators &- 1
      }
      cellCount = next - cells
      block &+= SeparatorMask.blockBytes
    }
    append(bytes[start..<bytes.count])
  }

  private func append(_ cell: Bytes) {
    if cellCount == cellCapacity { growCells() }
    (cells + cellCount).initialize(to: cell)
    cellCount += 1
  }

  private func growCells() {
    cellCapacity *= 2
    cells = cells.moved(cellCount, toRoomFor: cellCapacity)
  }

  /// Any row: the slow twin for those without quotes.
  private func split(_ bytes: Bytes) -> Bool {
    scratch.removeAll(keepingCapacity: true)
    var index = 0
    while true {
      if index < bytes.count, bytes[index] == UInt8(ascii: "\"") {
        guard let end = quotedCell(bytes, from: index + 1) else { return false }
        index = end
      } else {
        let start = index
        while index < bytes.count, bytes[index] != separator { index += 1 }
        append(bytes[start..<index])
      }
      guard index < bytes.count else { return true }
      guard bytes[index] == separator else { return false }
      index += 1
    }
  }

  /// Cells whose doubled quotes were resolved; they live until the next row.
  private var scratch: [ByteOwner] = []

  /// Returns the index behind the closing quote.
  private func quotedCell(_ bytes: Bytes, from start: Int) -> Int? {
    var index = start
    var hasDoubled = false
    while index < bytes.count {
      if bytes[index] == UInt8(ascii: "\"") {
        guard index + 1 < bytes.count, bytes[index + 1] == UInt8(ascii: "\"") else { break }
        hasDoubled = true
        index += 1
      }
      index += 1
    }
    guard index < bytes.count else { return nil }
    let cell = bytes[start..<index]
    if hasDoubled {
      let owner = ByteOwner()
      let text = Array(CSVReader.withoutDoubledQuotes(cell).utf8)
      append(owner.keep(text, padding: LineReader.padding))
      scratch.append(owner)
    } else {
      append(cell)
    }
    return index + 1
  }

  private static func withoutDoubledQuotes(_ cell: Bytes) -> String {
    var result: [UInt8] = []
    var skip = false
    for byte in cell.buffer {
      if byte == UInt8(ascii: "\""), !skip {
        skip = true
        continue
      }
      skip = false
      result.append(byte)
    }
    return String(decoding: result, as: UTF8.self)
  }
}

/// A row that is no CSV.
public struct CSVFault: Error {
  public let reason: String
  public let line: Int
  public let offset: Int
  public let raw: Bytes
}

extension OutputBuffer {
  /// A cell of a table, quoted only where it must be; null is empty.
  public func appendCell(_ value: Scalar, separator: UInt8 = UInt8(ascii: ",")) {
    switch value {
    case .null: break
    case .text(let text): appendCell(text, separator: separator)
    case .time(let time): append(time)
    default: append(value)
    }
  }

  public func appendCell(_ text: Bytes, separator: UInt8 = UInt8(ascii: ",")) {
    let mustQuote = text.buffer.contains { byte in
      byte == separator || byte == UInt8(ascii: "\"") || byte == 0x0A || byte == 0x0D
    }
    guard mustQuote else { return append(text) }
    append(UInt8(ascii: "\""))
    for byte in text.buffer {
      if byte == UInt8(ascii: "\"") { append(byte) }
      append(byte)
    }
    append(UInt8(ascii: "\""))
  }
}
