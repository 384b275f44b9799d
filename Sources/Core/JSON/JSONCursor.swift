// A strict pull reader for JSON (RFC 8259): the one place that knows its grammar. The record scanner
// takes the members it needs and skips the rest through it; model loaders read whole files with it.
//
//     {"id":"a1", "delay":-5.5, "tags":["x"]}
//      ^ nextKey  ^ rawValue    ^ skipValue: checked, not kept
//
// Everything is checked as it is passed over: escapes, surrogates, UTF-8 (RFC 3629), control characters,
// number syntax, nesting depth. Nothing is copied; a value is a borrowed run of the text.
// Time is spent in `scanString` and `skipValue`.

/// What a JSON value is, by its first byte.
public enum JSONKind: UInt8, Sendable {
  case null, bool, number, string, array, object

  /// The kind of a valid value.
  @inline(__always)
  init(firstByte: UInt8) {
    switch firstByte {
    case UInt8(ascii: "\""): self = .string
    case UInt8(ascii: "{"): self = .object
    case UInt8(ascii: "["): self = .array
    case UInt8(ascii: "t"), UInt8(ascii: "f"): self = .bool
    case UInt8(ascii: "n"): self = .null
    default: self = .number
    }
  }

  public var name: String {
    switch self {
    case .null: "null"
    case .bool: "a boolean"
    case .number: "a number"
    case .string: "a string"
    case .array: "an array"
    case .object: "an object"
    }
  }
}

/// A value as it stands in the text, not yet converted.
public struct JSONRaw: Sendable {
  public let kind: JSONKind
  /// A string: what is between the quotes, escapes and all. Anything else: its whole text.
  public let bytes: Bytes
  /// Only for strings: there are escapes to resolve.
  public let escaped: Bool

  @inlinable
  public init(kind: JSONKind, bytes: Bytes, escaped: Bool = false) {
    self.kind = kind
    self.bytes = bytes
    self.escaped = escaped
  }
}

public struct JSONCursor {
  let base: UnsafePointer<UInt8>
  let end: Int
  /// Bytes up to here may be loaded, though only those before `end` are read.
  let readable: Int
  public internal(set) var position = 0
  /// XGBoost writes `NaN`, `Infinity` and `-Infinity` into its JSON; nobody else may.
  private let allowsNonFinite: Bool
  private var depth = 0

  /// - Parameters:
  ///   - text: must stay valid while the cursor is used.
  ///   - padding: bytes behind the text that may be loaded; with 16, no text is read byte by byte.
  public init(_ text: Bytes, padding: Int = 0, allowsNonFinite: Bool = false) {
    self.base = text.base
    self.end = text.count
    self.readable = text.count + padding
    self.allowsNonFinite = allowsNonFinite
  }

  // MARK: Structure

  /// The kind of the next value, which is not consumed.
  public mutating func peek() throws(JSONError) -> JSONKind {
    skipBlanks()
    guard position < end else { throw truncated("a value") }
    switch base[position] {
    case UInt8(ascii: "{"): return .object
    case UInt8(ascii: "["): return .array
    case UInt8(ascii: "\""): return .string
    case UInt8(ascii: "t"), UInt8(ascii: "f"): return .bool
    case UInt8(ascii: "n"): return .null
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return .number
    case UInt8(ascii: "N"), UInt8(ascii: "I"): if allowsNonFinite { return .number }
    default: break
    }
    throw JSONError("expected a value, found \(describe(position))", at: position)
  }

  public mutating func beginObject() throws(JSONError) {
    try open(UInt8(ascii: "{"), "an object")
  }

  public mutating func beginArray() throws(JSONError) {
    try open(UInt8(ascii: "["), "an array")
  }

  /// The next member's name in the open object, its value next; nil when the object ends.
  /// `first` starts as true for each object and is kept by the caller.
  @inline(__always)
  public mutating func nextKey(first: inout Bool) throws(JSONError) -> JSONRaw? {
    skipBlanks()
    guard position < end else { throw truncated("a member or '}'") }
    var byte = base[position]
    if byte == UInt8(ascii: "}") {
      position += 1
      depth -= 1
      return nil
    }
    if !first {
      guard byte == UInt8(ascii: ",") else {
        throw JSONError("expected ',' or '}', found \(describe(position))", at: position)
      }
      position += 1
      skipBlanks()
      guard position < end else { throw truncated("a member") }
      byte = base[position]
    }
    first = false
    guard byte == UInt8(ascii: "\"") else {
      throw JSONError(
        "expected a member's name in quotes, found \(describe(position))", at: position)
    }
    let key = try scanString()
    skipBlanks()
    guard position < end else { throw truncated("':'") }
    guard base[position] == UInt8(ascii: ":") else {
      throw JSONError(
        "expected ':' after the member's name, found \(describe(position))", at: position)
    }
    position += 1
    return key
  }

  /// True when another element of the open array follows; false when the array ends.
  public mutating func nextElement(first: inout Bool) throws(JSONError) -> Bool {
    skipBlanks()
    guard position < end else { throw truncated("an element or ']'") }
    if base[position] == UInt8(ascii: "]") {
      position += 1
      depth -= 1
      return false
    }
    if first {
      first = false
      return true
    }
    guard base[position] == UInt8(ascii: ",") else {
      throw JSONError("expected ',' or ']', found \(describe(position))", at: position)
    }
    position += 1
    return true
  }

  /// Checks that nothing but white space follows.
  public mutating func finish() throws(JSONError) {
    skipBlanks()
    guard position == end else {
      throw JSONError("expected the end, found \(describe(position))", at: position)
    }
  }

  // MARK: Values

  /// Passes over the next value, checking all of it.
  public mutating func skipValue() throws(JSONError) {
    _ = try rawValue()
  }

  /// The next value as it stands in the text, checked in full.
  @inline(__always)
  public mutating func rawValue() throws(JSONError) -> JSONRaw {
    let kind = try peek()
    let start = position
    switch kind {
    case .string: return try scanString()
    case .number: return JSONRaw(kind: .number, bytes: try scanNumber())
    case .bool:
      try scanWord(base[position] == UInt8(ascii: "t") ? "true" : "false")
    case .null: try scanWord("null")
    case .array, .object: try skipComposite(kind)
    }
    return JSONRaw(kind: kind, bytes: Bytes(base: base + start, count: position - start))
  }

  public mutating func readString() throws(JSONError) -> String {
    let start = try expect(.string)
    let raw = try rawValue()
    guard raw.escaped else { return raw.bytes.string }
    var text: [UInt8] = []
    JSONText.unescape(raw.bytes) { text.append($0) }
    guard let string = String(validating: text, as: UTF8.self) else {
      throw JSONError("the string is not UTF-8", at: start)
    }
    return string
  }

  public mutating func readBool() throws(JSONError) -> Bool {
    _ = try expect(.bool)
    return try rawValue().bytes.count == 4
  }

  public mutating func readInt() throws(JSONError) -> Int {
    let start = try expect(.number)
    let bytes = try scanNumber()
    guard let value = JSONNumber.integer(bytes) else {
      throw JSONError("'\(bytes.string)' is not a 64-bit integer", at: start)
    }
    return Int(value)
  }

  public mutating func readDouble() throws(JSONError) -> Double {
    let start = try expect(.number)
    let bytes = try scanNumber()
    guard let value = JSONNumber.double(bytes) ?? nonFinite(bytes) else {
      throw JSONError("'\(bytes.string)' is out of the range of a double", at: start)
    }
    return value
  }

  /// Rounded once, from the decimal text to the nearest 32-bit float.
  public mutating func readFloat() throws(JSONError) -> Float {
    let start = try expect(.number)
    let bytes = try scanNumber()
    guard let value = JSONNumber.float(bytes) ?? nonFinite(bytes).map(Float.init) else {
      throw JSONError("'\(bytes.string)' is out of the range of a float", at: start)
    }
    return value
  }

  private mutating func expect(_ kind: JSONKind) throws(JSONError) -> Int {
    let found = try peek()
    guard found == kind else {
      throw JSONError("expected \(kind.name), found \(found.name)", at: position)
    }
    return position
  }

  private func nonFinite(_ bytes: Bytes) -> Double? {
    guard allowsNonFinite else { return nil }
    if bytes == "NaN" { return .nan }
    if bytes == "Infinity" { return .infinity }
    if bytes == "-Infinity" { return -.infinity }
    return nil
  }

  // MARK: Scanning

  private mutating func open(_ byte: UInt8, _ what: String) throws(JSONError) {
    skipBlanks()
    guard position < end else { throw truncated(what) }
    guard base[position] == byte else {
      throw JSONError("expected \(what), found \(describe(position))", at: position)
    }
    position += 1
    depth += 1
    guard depth <= Limits.jsonDepthMax else {
      throw JSONError("nested more than \(Limits.jsonDepthMax) deep", at: position - 1)
    }
  }

  /// Not recursive: the stack stays flat however deep the text is nested.
  private mutating func skipComposite(_ kind: JSONKind) throws(JSONError) {
    let floor = depth
    var open = NestingKinds()
    try kind == .object ? beginObject() : beginArray()
    open.push(isObject: kind == .object)
    var first = true
    while depth > floor {
      let more =
        open.isObject ? try nextKey(first: &first) != nil : try nextElement(first: &first)
      guard more else {
        open.pop()
        first = false
        continue
      }
      let next = try peek()
      if next == .object || next == .array {
        try next == .object ? beginObject() : beginArray()
        open.push(isObject: next == .object)
        first = true
      } else {
        _ = try rawValue()
      }
    }
  }

  @inline(__always)
  mutating func skipBlanks() {
    while position < end {
      let byte = base[position]
      guard byte <= 0x20, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 else {
        return
      }
      position += 1
    }
  }

  private mutating func scanWord(_ word: StaticString) throws(JSONError) {
    let length = word.utf8CodeUnitCount
    guard end - position >= length else { throw truncated("'\(word)'") }
    guard Bytes(base: base + position, count: length) == word else {
      throw JSONError("expected '\(word)', found \(describe(position))", at: position)
    }
    position += length
  }

  /// The cursor stands on the opening quote.
  @inline(__always)
  private mutating func scanString() throws(JSONError) -> JSONRaw {
    let start = position + 1
    var index = start
    var escaped = false
    while true {
      index = PlainText.end(base, from: index, to: end, readable: readable)
      guard index < end else { break }
      let byte = base[index]
      if byte == UInt8(ascii: "\"") {
        position = index + 1
        return JSONRaw(
          kind: .string, bytes: Bytes(base: base + start, count: index - start), escaped: escaped)
      }
      if byte == UInt8(ascii: "\\") {
        escaped = true
        index = try JSONText.endOfEscape(base, index, end)
      } else if byte >= 0x80 {
        guard let next = JSONText.endOfUTF8Scalar(base, index, end) else {
          throw JSONError("bytes that are not UTF-8", at: index)
        }
        index = next
      } else {
        throw JSONError("a control character in a string must be escaped", at: index)
      }
    }
    throw JSONError("the text ends inside a string", at: end)
  }

  /// The cursor stands on a digit, a minus sign or the start of a non-finite word.
  private mutating func scanNumber() throws(JSONError) -> Bytes {
    let start = position
    var index = position
    if base[index] == UInt8(ascii: "-") { index += 1 }
    if allowsNonFinite, index < end, base[index] >= UInt8(ascii: "A") {
      position = index
      try scanWord(base[index] == UInt8(ascii: "N") ? "NaN" : "Infinity")
      return Bytes(base: base + start, count: position - start)
    }
    let whole = index
    index = digits(from: index)
    guard index > whole else {
      throw JSONError("expected a digit, found \(describe(index))", at: index)
    }
    if base[whole] == UInt8(ascii: "0"), index > whole + 1 {
      throw JSONError("a number cannot start with 0", at: whole)
    }
    if index < end, base[index] == UInt8(ascii: ".") {
      let fraction = index + 1
      index = digits(from: fraction)
      guard index > fraction else {
        throw JSONError("expected a digit after the point, found \(describe(index))", at: index)
      }
    }
    if index < end, base[index] | 0x20 == UInt8(ascii: "e") {
      index += 1
      if index < end, base[index] == UInt8(ascii: "+") || base[index] == UInt8(ascii: "-") {
        index += 1
      }
      let exponent = index
      index = digits(from: exponent)
      guard index > exponent else {
        throw JSONError("expected a digit in the exponent, found \(describe(index))", at: index)
      }
    }
    position = index
    return Bytes(base: base + start, count: index - start)
  }

  @inline(__always)
  private func digits(from start: Int) -> Int {
    var index = start
    while index < end, base[index] &- UInt8(ascii: "0") <= 9 { index += 1 }
    return index
  }

  // MARK: Messages

  private func truncated(_ expected: String) -> JSONError {
    JSONError("the text ends where \(expected) was expected", at: end)
  }

  private func describe(_ index: Int) -> String {
    guard index < end else { return "the end" }
    let byte = base[index]
    guard byte > 0x20, byte < 0x7F else {
      let digits = String(byte, radix: 16, uppercase: true)
      return "byte 0x\(digits.count == 1 ? "0" : "")\(digits)"
    }
    return "'\(Character(UnicodeScalar(byte)))'"
  }
}
