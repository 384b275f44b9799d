// A borrowed run of bytes: the currency between the reader of lines, the JSON scanner, expressions and
// entity keys. It owns nothing and costs nothing to make, which is why a record can be read without
// an allocation; in return, whoever hands one out says until when it is valid. The rule of the house:
//
//   - what a record reader hands out is valid until its next record is asked for;
//   - what must live longer is copied, by `copy()` or into a `ByteTable`.

/// A borrowed, read-only run of bytes, usually UTF-8 text.
public struct Bytes: @unchecked Sendable {
  // Sendable by the rule above: the bytes behind it do not change while it is valid.
  public let base: UnsafePointer<UInt8>
  public let count: Int

  @inlinable @inline(__always)
  public init(base: UnsafePointer<UInt8>, count: Int) {
    self.base = base
    self.count = count
  }

  @inlinable
  public init(_ buffer: UnsafeBufferPointer<UInt8>) {
    self.base = buffer.baseAddress ?? Bytes.nowhere
    self.count = buffer.count
  }

  /// Text that is part of the program.
  @inlinable
  public init(_ text: StaticString) {
    self.base = text.utf8Start
    self.count = text.utf8CodeUnitCount
  }

  /// A copy that lives as long as the process: for names that are made once, never for records.
  public init(owning text: String) {
    let bytes = Array(text.utf8)
    let memory = UnsafeMutablePointer<UInt8>.allocate(capacity: max(bytes.count, 1))
    memory.update(from: bytes, count: bytes.count)
    self.init(base: UnsafePointer(memory), count: bytes.count)
  }

  public static let empty = Bytes(base: nowhere, count: 0)

  /// A valid address with nothing behind it, for empty runs.
  @usableFromInline
  nonisolated(unsafe) static let nowhere = UnsafePointer(
    UnsafeMutablePointer<UInt8>.allocate(capacity: 1))

  @inlinable public var isEmpty: Bool { count == 0 }

  @inlinable public var first: UInt8? { count > 0 ? base[0] : nil }

  @inlinable public var buffer: UnsafeBufferPointer<UInt8> {
    UnsafeBufferPointer(start: base, count: count)
  }

  /// - Precondition: `index` lies in `0 ..< count`; checked in debug builds.
  @inlinable @inline(__always)
  public subscript(index: Int) -> UInt8 {
    assert(index >= 0 && index < count, "index outside the bytes")
    return base[index]
  }

  /// The bytes from `range`, still borrowed.
  @inlinable
  public subscript(range: Range<Int>) -> Bytes {
    precondition(range.lowerBound >= 0 && range.upperBound <= count, "range outside the bytes")
    return Bytes(base: base + range.lowerBound, count: range.count)
  }

  /// A copy as text; bytes that are not UTF-8 become U+FFFD.
  public var string: String { String(decoding: buffer, as: UTF8.self) }

  public func copy() -> [UInt8] { Array(buffer) }

  /// - Complexity: O(count) for equal lengths.
  @inlinable
  public static func == (left: Bytes, right: Bytes) -> Bool {
    guard left.count == right.count else { return false }
    var index = 0
    if left.count >= 8 {
      let (lefts, rights) = (UnsafeRawPointer(left.base), UnsafeRawPointer(right.base))
      let last = left.count &- 8
      while index < last {
        guard
          lefts.loadUnaligned(fromByteOffset: index, as: UInt64.self)
            == rights.loadUnaligned(fromByteOffset: index, as: UInt64.self)
        else { return false }
        index &+= 8
      }
      // The last word may overlap with the one before.
      return lefts.loadUnaligned(fromByteOffset: last, as: UInt64.self)
        == rights.loadUnaligned(fromByteOffset: last, as: UInt64.self)
    }
    while index < left.count {
      if left.base[index] != right.base[index] { return false }
      index += 1
    }
    return true
  }

  public static func == (left: Bytes, right: StaticString) -> Bool { left == Bytes(right) }

  public static func == (left: Bytes, right: String) -> Bool {
    left.buffer.elementsEqual(right.utf8)
  }

  /// Order by byte values, the shorter first where one starts the other (code point order in UTF-8).
  public static func < (left: Bytes, right: Bytes) -> Bool {
    left.buffer.lexicographicallyPrecedes(right.buffer)
  }

  public func starts(with prefix: Bytes) -> Bool {
    count >= prefix.count && self[0..<prefix.count] == prefix
  }

  public func ends(with suffix: Bytes) -> Bool {
    count >= suffix.count && self[count - suffix.count..<count] == suffix
  }

  /// - Complexity: O(count × part.count), enough for field values.
  public func contains(_ part: Bytes) -> Bool {
    guard count >= part.count else { return false }
    return (0...(count - part.count)).contains { self[$0..<$0 + part.count] == part }
  }

  /// Without spaces, tabs, carriage returns and line feeds at both ends.
  public var trimmed: Bytes {
    var first = 0
    var last = count
    while first < last, Bytes.isBlank(base[first]) { first += 1 }
    while last > first, Bytes.isBlank(base[last - 1]) { last -= 1 }
    return self[first..<last]
  }

  @inlinable
  static func isBlank(_ byte: UInt8) -> Bool {
    byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D
  }
}

extension Array where Element == UInt8 {
  /// Lends the array's bytes for the length of `body`.
  public func withBytes<Result, Problem: Error>(
    _ body: (Bytes) throws(Problem) -> Result
  ) throws(Problem) -> Result {
    try withUnsafeBufferPointer { (buffer) throws(Problem) in try body(Bytes(buffer)) }
  }
}
