// Universal Binary JSON as XGBoost writes it (src/common/json.cc), a subset of draft 12 with big-endian
// numbers. A value is a marker and what belongs to it:
//
//     Z T F                     null, true, false
//     i U I l L d D C           int8, uint8, int16, int32, int64, float32, float64, char
//     S L<int64 n> …            a string of n bytes; as the name in an object, without the S
//     { L<int64 n> name value … }
//     [ value … ]               an array, plain
//     [ #L<int64 n> value …     … counted, which has no end mark
//     [ $d#L<int64 n> …         … typed: n numbers without markers, no end mark
//
// A count is checked against the bytes that are left before anything is made of it.

import Core

struct UBJSONCursor {
  private let base: UnsafePointer<UInt8>
  private let end: Int
  private(set) var position = 0
  /// The marker of the array elements that are being read, which have none of their own.
  private var elementMarker: UInt8?

  /// - Parameter bytes: must stay valid while the cursor is used.
  init(_ bytes: Bytes) {
    base = bytes.base
    end = bytes.count
  }

  /// What is left of an array.
  struct Elements {
    fileprivate var left: Int?
    fileprivate let marker: UInt8?
  }

  // MARK: Structure

  func peek() throws(JSONError) -> JSONKind {
    if elementMarker != nil { return .number }
    switch try peekMarker() {
    case UInt8(ascii: "{"): return .object
    case UInt8(ascii: "["): return .array
    case UInt8(ascii: "S"): return .string
    case UInt8(ascii: "T"), UInt8(ascii: "F"): return .bool
    case UInt8(ascii: "Z"): return .null
    case let marker:
      guard Self.size(marker) > 0 else {
        throw JSONError("\(Self.name(marker)) is not a value's marker", at: position)
      }
      return .number
    }
  }

  mutating func beginObject() throws(JSONError) { try open(UInt8(ascii: "{"), "an object") }

  /// The next member's name; nil, and past the object, at its end.
  mutating func nextKey() throws(JSONError) -> Bytes? {
    if try peekMarker() == UInt8(ascii: "}") {
      position += 1
      return nil
    }
    return try text()
  }

  mutating func beginArray() throws(JSONError) -> Elements {
    try open(UInt8(ascii: "["), "an array")
    guard position < end else { throw truncated() }
    if base[position] == UInt8(ascii: "$") {
      guard position + 1 < end else { throw truncated() }
      let marker = base[position + 1]
      let size = Self.size(marker)
      guard size > 0 else {
        throw JSONError("arrays of \(Self.name(marker)) are not known", at: position + 1)
      }
      position += 2
      return Elements(left: try count(of: size), marker: marker)
    }
    if base[position] == UInt8(ascii: "#") {
      return Elements(left: try count(of: 1), marker: nil)
    }
    return Elements(left: nil, marker: nil)
  }

  /// Whether there is another element; past the array when not.
  mutating func nextElement(_ elements: inout Elements) throws(JSONError) -> Bool {
    elementMarker = nil
    if let left = elements.left {
      guard left > 0 else { return false }
      elements.left = left - 1
      elementMarker = elements.marker
      return true
    }
    guard try peekMarker() == UInt8(ascii: "]") else { return true }
    position += 1
    return false
  }

  func finish() throws(JSONError) {
    guard position == end else {
      throw JSONError("\(end - position) bytes behind the document", at: position)
    }
  }

  // MARK: Values

  mutating func readString() throws(JSONError) -> Bytes {
    try open(UInt8(ascii: "S"), "a string")
    return try text()
  }

  mutating func readBool() throws(JSONError) -> Bool {
    let marker = try peekMarker()
    guard marker == UInt8(ascii: "T") || marker == UInt8(ascii: "F") else {
      throw JSONError("expected a boolean, found \(Self.name(marker))", at: position)
    }
    position += 1
    return marker == UInt8(ascii: "T")
  }

  mutating func readInt() throws(JSONError) -> Int {
    let start = position
    let marker = try number("an integer")
    guard let value = try integer(marker) else {
      throw JSONError("expected an integer, found \(Self.name(marker))", at: start)
    }
    return value
  }

  mutating func readDouble() throws(JSONError) -> Double { try double(try number("a number")) }

  /// Passes over a value. No recursion: a run of brackets is as deep as it is long.
  mutating func skipValue() throws(JSONError) {
    // Each open container: nil for an object, else what is left of an array.
    var open: [Elements?] = []
    repeat {
      if let container = open.last {
        if var elements = container {
          let more = try nextElement(&elements)
          open[open.count - 1] = elements
          guard more else {
            open.removeLast()
            continue
          }
        } else if try nextKey() == nil {
          open.removeLast()
          continue
        }
      }
      try skipOne(&open)
    } while !open.isEmpty
  }

  private mutating func skipOne(_ open: inout [Elements?]) throws(JSONError) {
    if elementMarker != nil {
      _ = try readDouble()
      return
    }
    switch try peek() {
    case .object:
      try beginObject()
      open.append(nil)
    case .array:
      let elements = try beginArray()
      if let marker = elements.marker, let left = elements.left {
        position += Self.size(marker) * left
      } else {
        open.append(elements)
      }
    case .string: _ = try readString()
    case .bool, .null: position += 1
    case .number: _ = try readDouble()
    }
    guard open.count <= Limits.documentDepthMax else {
      throw JSONError(
        "more than \(Limits.documentDepthMax) containers in one another", at: position)
    }
  }

  // MARK: Whole arrays

  /// The loops that read nearly all bytes of a file.
  mutating func appendIntegers(to values: inout [Int]) throws(JSONError) {
    var elements = try beginArray()
    values.reserveCapacity(values.count + (elements.left ?? 0))
    while try nextElement(&elements) { values.append(try readInt()) }
  }

  mutating func appendDoubles(to values: inout [Double]) throws(JSONError) {
    var elements = try beginArray()
    values.reserveCapacity(values.count + (elements.left ?? 0))
    while try nextElement(&elements) { values.append(try readDouble()) }
  }

  // MARK: Bytes

  private func peekMarker() throws(JSONError) -> UInt8 {
    guard position < end else { throw truncated() }
    return base[position]
  }

  private mutating func open(_ marker: UInt8, _ what: StaticString) throws(JSONError) {
    let found = elementMarker == nil ? try peekMarker() : elementMarker!
    guard found == marker else {
      throw JSONError("expected \(what), found \(Self.name(found))", at: position)
    }
    position += 1
  }

  /// The marker of the number that follows, with the cursor behind it.
  private mutating func number(_ what: StaticString) throws(JSONError) -> UInt8 {
    if let marker = elementMarker {
      elementMarker = nil
      return marker
    }
    let marker = try peekMarker()
    guard Self.size(marker) > 0 else {
      throw JSONError("expected \(what), found \(Self.name(marker))", at: position)
    }
    position += 1
    return marker
  }

  private mutating func integer(_ marker: UInt8) throws(JSONError) -> Int? {
    switch marker {
    case UInt8(ascii: "i"): return Int(Int8(bitPattern: try take(UInt8.self)))
    case UInt8(ascii: "U"), UInt8(ascii: "C"): return Int(try take(UInt8.self))
    case UInt8(ascii: "I"): return Int(Int16(bitPattern: try take(UInt16.self)))
    case UInt8(ascii: "l"): return Int(Int32(bitPattern: try take(UInt32.self)))
    case UInt8(ascii: "L"): return Int(Int64(bitPattern: try take(UInt64.self)))
    default: return nil
    }
  }

  private mutating func double(_ marker: UInt8) throws(JSONError) -> Double {
    switch marker {
    case UInt8(ascii: "d"): return Double(Float(bitPattern: try take(UInt32.self)))
    case UInt8(ascii: "D"): return Double(bitPattern: try take(UInt64.self))
    default: return Double(try integer(marker) ?? 0)
    }
  }

  @inline(__always)
  private mutating func take<Word: FixedWidthInteger>(_ type: Word.Type) throws(JSONError) -> Word {
    guard MemoryLayout<Word>.size <= end - position else { throw truncated() }
    let word = UnsafeRawPointer(base + position).loadUnaligned(as: Word.self)
    position += MemoryLayout<Word>.size
    return Word(bigEndian: word)
  }

  /// `L<int64 n> …`
  private mutating func text() throws(JSONError) -> Bytes {
    let count = try length(of: 1)
    let text = Bytes(base: base + position, count: count)
    position += count
    return text
  }

  /// `#L<int64 n>`
  private mutating func count(of size: Int) throws(JSONError) -> Int {
    guard try peekMarker() == UInt8(ascii: "#") else {
      throw JSONError("expected a count, found \(Self.name(base[position]))", at: position)
    }
    position += 1
    return try length(of: size)
  }

  private mutating func length(of size: Int) throws(JSONError) -> Int {
    let start = position
    guard try peekMarker() == UInt8(ascii: "L") else {
      throw JSONError("expected a length, found \(Self.name(base[position]))", at: position)
    }
    position += 1
    let count = Int(Int64(bitPattern: try take(UInt64.self)))
    guard count >= 0, count <= (end - position) / size else {
      throw JSONError("\(count) values where \(end - position) bytes are left", at: start)
    }
    return count
  }

  private func truncated() -> JSONError { JSONError("the file ends too early", at: position) }

  /// Bytes behind a number's marker; 0 for anything else.
  private static func size(_ marker: UInt8) -> Int {
    switch marker {
    case UInt8(ascii: "i"), UInt8(ascii: "U"), UInt8(ascii: "C"): 1
    case UInt8(ascii: "I"): 2
    case UInt8(ascii: "l"), UInt8(ascii: "d"): 4
    case UInt8(ascii: "L"), UInt8(ascii: "D"): 8
    default: 0
    }
  }

  private static func name(_ marker: UInt8) -> String {
    0x21...0x7E ~= marker ? "'\(Character(UnicodeScalar(marker)))'" : "byte \(marker)"
  }
}
