// Partial states as bytes, little-endian, and back. What is read may be damaged, or may be changing while it is looked
// at: every read is held against the end, and after the first that does not fit all others give zeros and the
// reader says so. Nothing read from bytes can lead outside them.
//
//     a cell   kind (1 byte), then by kind:
//              0 null  1 false  2 true  3 int (8)  4 uint (8)  5 double (8)  6 time (8)  7 text: length (4), bytes

import Core

/// Gathers bytes.
struct StateWriter {
  private(set) var bytes: [UInt8] = []
  /// What text cells are numbers of.
  let strings: ByteTable

  init(strings: ByteTable) { self.strings = strings }

  var count: Int { bytes.count }

  mutating func clear() { bytes.removeAll(keepingCapacity: true) }

  mutating func write<Value: FixedWidthInteger>(_ value: Value) {
    withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
  }

  mutating func write(_ value: Double) { write(value.bitPattern) }
  mutating func write(_ value: Timestamp) { write(value.microseconds) }

  mutating func write(_ cell: Cell) {
    switch cell {
    case .null, .document: write(UInt8(0))
    case .bool(let value): write(UInt8(value ? 2 : 1))
    case .int(let value): write(3, UInt64(bitPattern: value))
    case .uint(let value): write(4, value)
    case .double(let value): write(5, value.bitPattern)
    case .time(let value): write(6, UInt64(bitPattern: value.microseconds))
    case .text(let index):
      let text = strings[Int(index)]
      write(UInt8(7))
      write(UInt32(text.count))
      write(text)
    }
  }

  private mutating func write(_ kind: UInt8, _ bits: UInt64) {
    write(kind)
    write(bits)
  }

  mutating func write(_ text: Bytes) { bytes.append(contentsOf: text.buffer) }

  mutating func write(_ cells: some Collection<Cell>) {
    write(UInt32(cells.count))
    for cell in cells { write(cell) }
  }

  /// Puts a number where room was left for it.
  mutating func set(_ value: UInt32, at place: Int) {
    for index in 0..<4 { bytes[place + index] = UInt8(truncatingIfNeeded: value >> (8 * index)) }
  }
}

/// Reads bytes from the front to the end.
struct StateReader {
  private let base: UnsafeRawPointer
  private(set) var place: Int
  let end: Int
  /// What text cells become numbers of.
  unowned(unsafe) let strings: ByteTable
  /// Whether more was asked for than there is.
  private(set) var isDamaged = false

  /// - Parameter strings: outlives the reader.
  init(_ base: UnsafeRawPointer, _ range: Range<Int>, strings: ByteTable) {
    self.base = base
    self.place = range.lowerBound
    self.end = range.upperBound
    self.strings = strings
  }

  @inline(__always)
  mutating func read<Value: FixedWidthInteger & BitwiseCopyable>(_: Value.Type = Value.self)
    -> Value
  {
    guard end - place >= MemoryLayout<Value>.size else {
      isDamaged = true
      return 0
    }
    let value = base.loadUnaligned(fromByteOffset: place, as: Value.self)
    place += MemoryLayout<Value>.size
    return Value(littleEndian: value)
  }

  @inline(__always)
  mutating func read(_: Double.Type = Double.self) -> Double { Double(bitPattern: read()) }

  @inline(__always)
  mutating func read(_: Timestamp.Type = Timestamp.self) -> Timestamp {
    Timestamp(microseconds: read())
  }

  mutating func read(_: Cell.Type = Cell.self) -> Cell {
    switch read(UInt8.self) {
    case 1: return .bool(false)
    case 2: return .bool(true)
    case 3: return .int(read())
    case 4: return .uint(read())
    case 5: return .double(read())
    case 6: return .time(read())
    case 7:
      let count = Int(read(UInt32.self))
      return .text(Int32(strings.insert(bytes(count)).index))
    case 0: return .null
    default:
      isDamaged = true
      return .null
    }
  }

  /// The next bytes themselves.
  mutating func bytes(_ count: Int) -> Bytes {
    guard end - place >= count else {
      isDamaged = true
      return Bytes("" as StaticString)
    }
    defer { place += count }
    return Bytes(base: (base + place).assumingMemoryBound(to: UInt8.self), count: count)
  }

  /// A reader of a part, which must lie within.
  func part(_ range: Range<Int>) -> StateReader {
    precondition(range.upperBound <= end, "a part of what may be read")
    return StateReader(base, range, strings: strings)
  }

  /// The number at a place, without moving on; 0 outside.
  @inline(__always)
  func number(at place: Int) -> UInt32 {
    guard place >= 0, place + 4 <= end else { return 0 }
    return UInt32(littleEndian: base.loadUnaligned(fromByteOffset: place, as: UInt32.self))
  }

  /// How many entries follow.
  ///
  /// - Parameter size: the least bytes that one takes.
  mutating func readCount(entriesOfAtLeast size: Int) -> Int {
    let count = Int(read(UInt32.self))
    guard count <= (end - place) / size else {
      isDamaged = true
      return 0
    }
    return count
  }

  mutating func readCells() -> [Cell] {
    (0..<readCount(entriesOfAtLeast: 1)).map { _ in read(Cell.self) }
  }
}
