// What an online store holds of one entity under one view: not values, but the mergeable state from which the values are
// made when they are asked for, so that a count of five minutes falls to zero when nothing happens.
//
//     0   latest event time (8)      8   order of the last event (8)      16  settled: see below (8)
//     24  rows n (4)  28  bytes of the rows' part (4)  32  families with a section (4)
//     36  rows:      times n × 8 │ orders n × 8 │ per column: kinds n × 1, values n × 8 │ texts
//         sections:  for each family of the view, in its order: length (4), bytes
//
//     a section      boundary (8)  length (4)  state          the fold of all rows
//                    boundary (8)  tiles b (4)  length (4)  state   of those before the first row: the base
//                    tiles m (4)  first start (8)  m × [start: tile widths behind the first (4) │ end of its state (4)]
//                    states of the m tiles, of which the first b are the base's
//
// The rows are the latest ones: all that an exact window can reach, and a few more, so that a question about a moment
// just past is exact too. A question at or before `settled`, the time of the latest row folded away, may see
// what happened after it; the answer says so. An entity of whom little is known has rows only, and no sections: they
// are folded for each question. Numbers are little-endian. A text's value is its place among the texts (4)
// and its length (4).

import Core

/// A row's bytes, looked at where they lie.
struct EntityRow {
  let latest: Timestamp
  let lastOrder: Int64
  let settled: Timestamp
  let rowCount: Int
  let sectionCount: Int
  private let base: UnsafeRawPointer
  private let texts: Int
  /// Where the sections begin and end.
  let sections: Range<Int>

  static let headBytes = 36

  /// Nil if the bytes are no row of a view with so many columns.
  init?(_ bytes: Bytes, columns: Int, strings: ByteTable) {
    guard bytes.count >= EntityRow.headBytes else { return nil }
    let base = UnsafeRawPointer(bytes.base)
    var head = StateReader(base, 0..<EntityRow.headBytes, strings: strings)
    latest = head.read()
    lastOrder = head.read()
    settled = head.read()
    rowCount = Int(head.read(UInt32.self))
    let rowBytes = Int(head.read(UInt32.self))
    sectionCount = Int(head.read(UInt32.self))
    texts = rowCount * (16 + 9 * columns)
    guard texts <= rowBytes, rowBytes <= bytes.count - EntityRow.headBytes else { return nil }
    self.base = base + EntityRow.headBytes
    sections = EntityRow.headBytes + rowBytes..<bytes.count
  }

  func time(_ row: Int) -> Timestamp {
    Timestamp(
      microseconds: Int64(littleEndian: base.loadUnaligned(fromByteOffset: row * 8, as: Int64.self))
    )
  }

  func order(_ row: Int) -> Int64 {
    let place = (rowCount + row) * 8
    return Int64(littleEndian: base.loadUnaligned(fromByteOffset: place, as: Int64.self))
  }

  func cell(_ row: Int, _ column: Int, _ strings: ByteTable) -> Cell {
    withUnsafeTemporaryAllocation(of: Cell.self, capacity: 1) { cell in
      decode(column, rows: row..<row + 1, strings, to: cell.baseAddress!)
      return cell[0]
    }
  }

  /// Writes the cells of a column from a row on, one behind another.
  func decode(
    _ column: Int, from first: Int, _ strings: ByteTable, to cells: UnsafeMutablePointer<Cell>
  ) {
    decode(column, rows: first..<rowCount, strings, to: cells)
  }

  private func decode(
    _ column: Int, rows: Range<Int>, _ strings: ByteTable, to cells: UnsafeMutablePointer<Cell>
  ) {
    let kinds = base + rowCount * (16 + 9 * column)
    let values = kinds + rowCount
    for row in rows {
      let bits = UInt64(
        littleEndian: values.loadUnaligned(fromByteOffset: row * 8, as: UInt64.self))
      let kind = kinds.load(fromByteOffset: row, as: UInt8.self)
      (cells + (row - rows.lowerBound)).initialize(to: cell(kind, bits, strings))
    }
  }

  @inline(__always)
  private func cell(_ kind: UInt8, _ bits: UInt64, _ strings: ByteTable) -> Cell {
    switch kind {
    case 1: return .bool(bits != 0)
    case 3: return .int(Int64(bitPattern: bits))
    case 4: return .uint(bits)
    case 5: return .double(Double(bitPattern: bits))
    case 6: return .time(Timestamp(microseconds: Int64(bitPattern: bits)))
    case 7:
      let place = texts + Int(bits & 0xFFFF_FFFF)
      let end = place + Int(bits >> 32)
      guard end <= sections.lowerBound - EntityRow.headBytes else { return .null }
      let text = Bytes(base: (base + place).assumingMemoryBound(to: UInt8.self), count: end - place)
      return .text(Int32(strings.insert(text).index))
    default: return .null
    }
  }

  /// The number of the first row at `time` or later.
  func firstRow(notBefore time: Timestamp) -> Int {
    var low = 0
    var high = rowCount
    guard high > 0, self.time(high - 1) >= time else { return high }
    while low < high {
      let middle = (low + high) / 2
      if self.time(middle) < time { low = middle + 1 } else { high = middle }
    }
    return low
  }
}

extension EntityHistory {
  /// The time of the latest event before a row.
  func settled(at row: Int) -> Timestamp { row > firstRow ? time(row - 1) : settled }
}

/// Writes rows' bytes; the counterpart of `EntityRow`.
struct EntityRowWriter {
  private var bytes: StateWriter
  private var texts: StateWriter

  init(strings: ByteTable) {
    bytes = StateWriter(strings: strings)
    texts = StateWriter(strings: strings)
  }

  /// - Parameter row: the first that is written as a row.
  /// - Returns: the bytes, which the next call overwrites.
  mutating func write(
    _ history: EntityHistory, from row: Int, columns: Int, families: [Family]
  ) -> [UInt8] {
    bytes.clear()
    texts.clear()
    bytes.write(history.latest)
    bytes.write(history.lastOrder)
    bytes.write(history.settled(at: row))
    bytes.write(UInt32(history.endRow - row))
    bytes.write(UInt32(0))
    bytes.write(UInt32(history.track == nil ? 0 : families.count))
    writeRows(history, row..<history.endRow, columns)
    bytes.set(UInt32(bytes.count - EntityRow.headBytes), at: 28)
    guard history.track != nil else { return bytes.bytes }
    for family in families {
      let start = bytes.count
      bytes.write(UInt32(0))
      family.write(history, from: row, to: &bytes)
      bytes.set(UInt32(bytes.count - start - 4), at: start)
    }
    return bytes.bytes
  }

  private mutating func writeRows(_ history: EntityHistory, _ rows: Range<Int>, _ columns: Int) {
    for row in rows { bytes.write(history.time(row)) }
    for row in rows { bytes.write(history.order(row)) }
    for column in 0..<columns {
      for row in rows { bytes.write(history.cell(row, column).kind) }
      for row in rows { bytes.write(bits(history.cell(row, column))) }
    }
    texts.bytes.withBytes { bytes.write($0) }
  }

  private mutating func bits(_ cell: Cell) -> UInt64 {
    switch cell {
    case .null, .document: return 0
    case .bool(let value): return value ? 1 : 0
    case .int(let value): return UInt64(bitPattern: value)
    case .uint(let value): return value
    case .double(let value): return value.bitPattern
    case .time(let value): return UInt64(bitPattern: value.microseconds)
    case .text(let index):
      let text = texts.strings[Int(index)]
      defer { texts.write(text) }
      return UInt64(texts.count) | UInt64(text.count) << 32
    }
  }
}

extension Cell {
  /// As in `EntityRow`.
  fileprivate var kind: UInt8 {
    switch self {
    case .null, .document: 0
    case .bool: 1
    case .int: 3
    case .uint: 4
    case .double: 5
    case .time: 6
    case .text: 7
    }
  }
}
