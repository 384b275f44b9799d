// Output is gathered in one reused buffer and handed on in one call when the buffer is full, or when the
// reader of the input says that it would have to wait. Nothing is allocated per record.

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Bytes on their way out. `append…` never fails; `flush` writes.
public final class OutputBuffer {
  private let sink: any ByteSink
  @usableFromInline var storage: UnsafeMutablePointer<UInt8>
  @usableFromInline var capacity: Int
  @usableFromInline var filled = 0

  public init(_ sink: any ByteSink, capacity: Int = Limits.writeBytes * 2) {
    self.sink = sink
    self.capacity = capacity
    self.storage = .allocate(capacity: capacity)
  }

  deinit { storage.deallocate() }

  /// Bytes that have been appended and not yet flushed.
  @inlinable public var count: Int { filled }

  /// What has been appended and not yet flushed; valid until the next append.
  public var pending: Bytes { Bytes(base: UnsafePointer(storage), count: count) }

  /// Hands everything on.
  public func flush() throws(Failure) {
    guard count > 0 else { return }
    // Emptied first: what could not be written is not written twice.
    let bytes = pending
    filled = 0
    try sink.write(bytes)
  }

  /// Hands everything on, and then bytes that lie elsewhere, which are not copied.
  public func flush(andPass bytes: Bytes) throws(Failure) {
    try flush()
    if !bytes.isEmpty { try sink.write(bytes) }
  }

  /// To be called after each record: writes once enough has been gathered.
  public func endRecord() throws(Failure) {
    append(UInt8(ascii: "\n"))
    if count >= Limits.writeBytes { try flush() }
  }

  /// Makes one line of the JSON from a place on: a line end stands between two tokens there, where a blank may too.
  ///
  /// - Complexity: O(bytes from there on), at the speed of `memchr` where there is none.
  public func joinLines(from start: Int) {
    func replace(_ end: Int32) {
      var place = start
      while let found = memchr(storage + place, end, filled - place) {
        found.storeBytes(of: UInt8(ascii: " "), as: UInt8.self)
        place = UnsafeRawPointer(found) - UnsafeRawPointer(storage) + 1
      }
    }
    replace(0x0A)
    replace(0x0D)
  }

  /// Takes back what was appended after the buffer held `count` bytes.
  public func rewind(to count: Int) {
    precondition(count <= self.count, "only what is still in the buffer can be taken back")
    filled = count
  }

  // MARK: Bytes

  @inlinable @inline(__always)
  func reserve(_ extra: Int) {
    if filled &+ extra > capacity { grow(filled + extra) }
  }

  @inline(never) @usableFromInline
  func grow(_ needed: Int) {
    let larger = max(needed, capacity * 2)
    let moved = UnsafeMutablePointer<UInt8>.allocate(capacity: larger)
    moved.update(from: storage, count: count)
    storage.deallocate()
    storage = moved
    capacity = larger
  }

  @inlinable
  public func append(_ byte: UInt8) {
    reserve(1)
    storage[filled] = byte
    filled &+= 1
  }

  public func append(_ bytes: Bytes) {
    reserve(bytes.count)
    ShortCopy.copy(bytes.base, to: storage + filled, count: bytes.count)
    filled &+= bytes.count
  }

  /// Blanks behind what was appended, for a reader that loads more than it reads.
  func appendPadding(_ count: Int) {
    for _ in 0..<count { append(UInt8(ascii: " ")) }
  }

  /// A literal's length is known where it is written, and its copy is a few instructions there.
  @inlinable
  public func append(_ text: StaticString) {
    reserve(text.utf8CodeUnitCount)
    (storage + filled).update(from: text.utf8Start, count: text.utf8CodeUnitCount)
    filled &+= text.utf8CodeUnitCount
  }

  /// Text that is made at run time; a literal takes the overload above, which makes no string.
  @_disfavoredOverload
  public func append(_ text: String) {
    var text = text
    text.withUTF8 { append(Bytes($0)) }
  }

  // MARK: Values

  public func append(_ value: Int64) {
    if value < 0 { append(UInt8(ascii: "-")) }
    append(value.magnitude)
  }

  public func append(_ value: UInt64) {
    reserve(20)
    filled &+= DecimalDigits.write(value, to: storage + filled)
  }

  /// The shortest decimal that reads back as the same double; JSON has no other numbers, so what is not
  /// finite becomes null.
  public func append(_ value: Double) {
    if appendHundredths(value) { return }
    reserve(max(Digits.bytesMax, ShortestDecimal.bytesMax))
    let count = ShortestDecimal.write(value, to: storage + filled)
    filled &+= count
    guard count == 0 else { return }
    guard value.isFinite else { return append("null") }
    var digits = Digits(end: storage + filled)
    value.write(to: &digits)
    filled = digits.end - storage
  }

  /// Appends a number of at most two decimals, as amounts are, and says whether it was one. Two decimals of at most 15
  /// digits never stand for the same double, so a decimal that reads back as the value is the shortest there is.
  private func appendHundredths(_ value: Double) -> Bool {
    guard value.magnitude < 1e13 else { return false }
    // From 2^52 on doubles are whole: what is added and taken away again leaves the nearest whole number.
    let hundredths = value * 100 + 0x1.8p52 - 0x1.8p52
    guard hundredths / 100 == value, hundredths != 0 else { return false }
    reserve(Digits.bytesMax)
    var text = storage + filled
    if hundredths < 0 {
      text.pointee = UInt8(ascii: "-")
      text += 1
    }
    let (whole, rest) = UInt64(hundredths.magnitude).quotientAndRemainder(dividingBy: 100)
    text += DecimalDigits.write(whole, to: text)
    text.pointee = UInt8(ascii: ".")
    DecimalDigits.write(pair: UInt32(truncatingIfNeeded: rest), to: text + 1)
    text += text[2] == UInt8(ascii: "0") ? 2 : 3
    filled = text - storage
    return true
  }

  /// The shortest decimal that reads back as the same 32-bit float.
  public func append(_ value: Float) {
    guard value.isFinite else { return append("null") }
    reserve(Digits.bytesMax)
    var digits = Digits(end: storage + filled)
    value.write(to: &digits)
    filled = digits.end - storage
  }

  /// Microseconds with the nanoseconds as three decimals: how latencies are written.
  public func appendMicroseconds(nanoseconds: UInt64) {
    reserve(24)
    let text = storage + filled
    let (whole, rest) = nanoseconds.quotientAndRemainder(dividingBy: 1_000)
    let point = DecimalDigits.write(whole, to: text)
    let decimals = UInt32(truncatingIfNeeded: rest)
    text[point] = UInt8(ascii: ".")
    text[point &+ 1] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: decimals / 100)
    DecimalDigits.write(pair: decimals % 100, to: text + (point &+ 2))
    filled &+= point &+ 4
  }

  /// In quotes, with what JSON demands escaped and everything else as it is.
  public func appendQuoted(_ text: Bytes) {
    // Copied first: behind the copy there is room to be looked at as well.
    reserve(text.count &+ PlainText.blockBytes &+ 2)
    storage[filled] = UInt8(ascii: "\"")
    let copy = storage + (filled &+ 1)
    ShortCopy.copy(text.base, to: copy, count: text.count)
    let plain = PlainText.end(
      copy, from: 0, to: text.count, readable: text.count &+ PlainText.blockBytes)
    filled &+= plain &+ 1
    if plain < text.count { appendEscaping(text[plain..<text.count]) }
    append(UInt8(ascii: "\""))
  }

  private func appendEscaping(_ text: Bytes) {
    var plain = 0
    for index in 0..<text.count {
      let byte = text.base[index]
      guard byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") else {
        continue
      }
      append(text[plain..<index])
      plain = index + 1
      appendEscaped(byte)
    }
    append(text[plain..<text.count])
  }

  public func appendQuoted(_ text: String) {
    var text = text
    text.withUTF8 { appendQuoted(Bytes($0)) }
  }

  private func appendEscaped(_ byte: UInt8) {
    switch byte {
    case UInt8(ascii: "\""): append("\\\"")
    case UInt8(ascii: "\\"): append("\\\\")
    case 0x08: append("\\b")
    case 0x09: append("\\t")
    case 0x0A: append("\\n")
    case 0x0C: append("\\f")
    case 0x0D: append("\\r")
    default:
      append("\\u00")
      append(OutputBuffer.hexDigits[Int(byte >> 4)])
      append(OutputBuffer.hexDigits[Int(byte & 15)])
    }
  }

  private static let hexDigits = Array("0123456789abcdef".utf8)

  /// As a JSON value; a time as RFC 3339.
  public func append(_ value: Scalar) {
    switch value {
    case .null: append("null")
    case .bool(let flag): append(flag ? "true" : "false")
    case .int(let number): append(number)
    case .uint(let number): append(number)
    case .double(let number): append(number)
    case .text(let text): appendQuoted(text)
    case .time(let time): appendQuoted(time)
    }
  }

  /// As RFC 3339, without quotes.
  public func append(_ time: Timestamp) {
    reserve(Timestamp.textBytesMax)
    filled += time.write(to: storage + count)
  }

  /// The same in quotes, by a writer that knows the last time's second.
  public func appendQuoted(_ time: Timestamp, _ writer: inout TimestampWriter) {
    reserve(Timestamp.textBytesMax + 2)
    storage[filled] = UInt8(ascii: "\"")
    filled &+= 1
    filled &+= writer.write(time, to: storage + filled)
    storage[filled] = UInt8(ascii: "\"")
    filled &+= 1
  }

  /// As RFC 3339 in quotes, with as many decimals of the second as it has.
  public func appendQuoted(_ time: Timestamp) {
    append(UInt8(ascii: "\""))
    append(time)
    append(UInt8(ascii: "\""))
  }
}

/// Takes a number's digits as the standard library makes them. `description` would make a string of them first,
/// and one of more than 15 bytes is allocated.
private struct Digits: TextOutputStream {
  /// Of one number, with its sign, point and exponent.
  static let bytesMax = 32

  var end: UnsafeMutablePointer<UInt8>

  mutating func _writeASCII(_ digits: UnsafeBufferPointer<UInt8>) {
    precondition(digits.count <= Digits.bytesMax, "a number of 32 bytes at most")
    ShortCopy.copy(digits.baseAddress!, to: end, count: digits.count)
    end += digits.count
  }

  mutating func write(_ string: String) {
    var string = string
    string.withUTF8 { _writeASCII($0) }
  }
}
