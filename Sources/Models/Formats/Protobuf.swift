// Protocol Buffers, as far as a model needs them: a message is a run of fields, each a key and a value.
//
//     key          number × 8 + wire type, a varint
//     wire type    0  varint: seven bits a byte, the lowest first, the last byte below 128
//                  1  eight bytes      5  four bytes, lowest first
//                  2  a length, a varint, and so many bytes: a text, a message, or packed numbers
//
// A repeated number may come packed or field by field. A message in a message is read by its own
// reader over its own bytes, so the depth is that of the code and not of the file; a length beyond the
// bytes that are there is a failure that says where.

import Core

/// One field of a message.
struct ProtobufField {
  enum Value {
    case varint(UInt64)
    case fixed64(UInt64)
    case fixed32(UInt32)
    case bytes(Bytes)
  }

  let number: Int
  let value: Value
  /// What it is in, and where in the file, for messages.
  fileprivate let message: ProtobufMessage
  fileprivate let offset: Int
}

/// A message that is being read.
struct ProtobufMessage {
  /// The file's name, for messages.
  let source: String
  /// The message's type, such as `NodeProto`.
  let name: StaticString
  private let bytes: Bytes
  /// Where its bytes are in the file.
  private let start: Int
  private var offset = 0

  init(_ bytes: Bytes, source: String, name: StaticString, start: Int = 0) {
    (self.bytes, self.source, self.name, self.start) = (bytes, source, name, start)
  }

  /// The next field; nil behind the last.
  ///
  /// - Complexity: O(1).
  mutating func next() throws(Failure) -> ProtobufField? {
    guard offset < bytes.count else { return nil }
    let begin = offset
    let key = try varint()
    guard let number = Int(exactly: key >> 3), 1...Self.numberMax ~= number else {
      throw failure("field \(key >> 3) is outside 1...\(Self.numberMax)", at: begin)
    }
    let value: ProtobufField.Value
    switch key & 7 {
    case 0: value = .varint(try varint())
    case 1: value = .fixed64(Self.number(try take(8), as: UInt64.self))
    case 2:
      let length = try varint()
      guard length <= UInt64(bytes.count - offset) else {
        throw failure(
          "field \(number) has \(length) bytes, but only \(bytes.count - offset) are left",
          at: begin)
      }
      value = .bytes(try take(Int(length)))
    case 5: value = .fixed32(Self.number(try take(4), as: UInt32.self))
    default: throw failure("wire type \(key & 7) of field \(number) is not known", at: begin)
    }
    return ProtobufField(number: number, value: value, message: self, offset: begin)
  }

  /// Field numbers have 29 bits.
  private static let numberMax = 1 << 29 - 1

  private mutating func take(_ count: Int) throws(Failure) -> Bytes {
    guard count <= bytes.count - offset else {
      throw failure("the file ends too early", at: offset)
    }
    defer { offset += count }
    return bytes[offset..<offset + count]
  }

  private mutating func varint() throws(Failure) -> UInt64 {
    var value: UInt64 = 0
    for shift in stride(from: UInt64(0), to: 70, by: 7) {
      let byte = try take(1)[0]
      value |= UInt64(byte & 0x7F) << shift
      if byte < 0x80 { return value }
    }
    throw failure("a number of more than ten bytes", at: offset - 10)
  }

  /// The number in so many bytes, the lowest first.
  static func number<Number: FixedWidthInteger>(_ bytes: Bytes, as: Number.Type) -> Number {
    var number: Number = 0
    for index in 0..<bytes.count {
      number |= Number(truncatingIfNeeded: bytes[index]) << (8 * index)
    }
    return number
  }

  func failure(_ reason: String, at offset: Int) -> Failure {
    .badData("\(source): byte \(start + offset), in \(name): \(reason)")
  }

  fileprivate func place(of bytes: Bytes) -> Int { start + (bytes.base - self.bytes.base) }
}

extension ProtobufField {
  func failure(_ reason: String) -> Failure {
    message.failure("field \(number): \(reason)", at: offset)
  }

  /// A number of any integer type.
  func integer() throws(Failure) -> Int {
    guard case .varint(let value) = value else { throw failure("not an integer") }
    return Int(truncatingIfNeeded: value)
  }

  func float() throws(Failure) -> Float {
    guard case .fixed32(let bits) = value else { throw failure("not a 32-bit float") }
    return Float(bitPattern: bits)
  }

  func bytes() throws(Failure) -> Bytes {
    guard case .bytes(let bytes) = value else { throw failure("not a text or message") }
    return bytes
  }

  func text() throws(Failure) -> String { try bytes().string }

  /// The message in this field, ready to be read.
  func message(_ name: StaticString) throws(Failure) -> ProtobufMessage {
    let bytes = try bytes()
    return ProtobufMessage(
      bytes, source: message.source, name: name, start: message.place(of: bytes))
  }

  /// One more integer, or a packed run of them.
  func integers(into values: inout [Int]) throws(Failure) {
    guard case .bytes = value else { return values.append(try integer()) }
    var packed = try message("packed integers")
    while let value = try packed.nextPacked() { values.append(Int(truncatingIfNeeded: value)) }
  }

  /// One more 32-bit float, or a packed run of them.
  func floats(into values: inout [Float]) throws(Failure) {
    guard case .bytes(let bytes) = value else { return values.append(try float()) }
    for bits in try numbers(bytes, UInt32.self) { values.append(Float(bitPattern: bits)) }
  }

  /// One more 64-bit float, or a packed run of them.
  func doubles(into values: inout [Double]) throws(Failure) {
    switch value {
    case .fixed64(let bits): values.append(Double(bitPattern: bits))
    case .bytes(let bytes):
      for bits in try numbers(bytes, UInt64.self) { values.append(Double(bitPattern: bits)) }
    default: throw failure("not a 64-bit float")
    }
  }

  /// Numbers of a fixed width, one after another.
  func numbers<Number: FixedWidthInteger>(
    _ bytes: Bytes, _ type: Number.Type
  ) throws(Failure) -> [Number] {
    let width = Number.bitWidth / 8
    guard bytes.count % width == 0 else {
      throw failure("\(bytes.count) bytes are not whole numbers of \(width)")
    }
    return (0..<bytes.count / width).map {
      ProtobufMessage.number(bytes[$0 * width..<($0 + 1) * width], as: type)
    }
  }
}

extension ProtobufMessage {
  /// The next of a run of packed integers; nil behind the last.
  fileprivate mutating func nextPacked() throws(Failure) -> UInt64? {
    offset < bytes.count ? try varint() : nil
  }
}
