// Fields: which of them say where a request ends, and what else anyone reads. All are checked alike.

import Core

/// Characters of methods and field names (RFC 9110 section 5.6.2).
enum FieldToken {
  private static let table: [Bool] = {
    var table = [Bool](repeating: false, count: 256)
    let others = "!#$%&'*+-.^_`|~".utf8
    for byte in UInt8.min...UInt8.max {
      let isLetter = (byte | 0x20) &- UInt8(ascii: "a") < 26
      table[Int(byte)] = isLetter || byte &- UInt8(ascii: "0") < 10 || others.contains(byte)
    }
    return table
  }()

  static func isToken(_ byte: UInt8) -> Bool { table[Int(byte)] }
  static func isToken(_ bytes: Bytes) -> Bool { bytes.buffer.allSatisfy { table[Int($0)] } }
}

/// `Name: value`, checked.
struct FieldLine {
  let name: Bytes
  /// Without blanks around it.
  let value: Bytes

  init(_ line: Bytes) throws(Refusal) {
    guard line.first != 0x20, line.first != 0x09 else {
      throw Refusal(.badRequest, "a folded field line")
    }
    guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else {
      throw Refusal(.badRequest, "a field line without a colon")
    }
    name = line[0..<colon]
    guard !name.isEmpty, FieldToken.isToken(name) else {
      throw Refusal(.badRequest, "a field name that is no token (or a blank before the colon)")
    }
    let text = line[colon + 1..<line.count]
    // A carriage return that stands alone included.
    for byte in text.buffer where byte < 0x20 && byte != 0x09 || byte == 0x7F {
      throw Refusal(.badRequest, "a control character in a field's value")
    }
    value = text.trimmed
  }

  /// Calls `body` for each element of a comma-separated list; empty ones are passed over.
  func forEachElement(_ body: (Bytes) throws(Refusal) -> Void) throws(Refusal) {
    var rest = value
    while !rest.isEmpty {
      let comma = rest.firstIndex(of: UInt8(ascii: ",")) ?? rest.count
      let element = rest[0..<comma].trimmed
      if !element.isEmpty { try body(element) }
      rest = rest[min(comma + 1, rest.count)..<rest.count]
    }
  }
}

extension RequestParser {
  mutating func takeField(
    _ line: Bytes, _ base: UnsafeMutablePointer<UInt8>
  ) throws(Refusal) {
    try countField()
    let field = try FieldLine(line)
    switch field.name.count {
    case 4 where field.name.equalsIgnoringCase("host"): try takeHost()
    case 6 where field.name.equalsIgnoringCase("expect"): try takeExpect(field.value)
    case 10 where field.name.equalsIgnoringCase("connection"): try takeConnection(field)
    case 14 where field.name.equalsIgnoringCase("content-length"): try takeLength(field.value)
    case 17 where field.name.equalsIgnoringCase("transfer-encoding"):
      try takeCoding(field.value)
    default: try takeKnown(field, base)
    }
  }

  private mutating func takeHost() throws(Refusal) {
    guard !hasHost else { throw Refusal(.badRequest, "a second Host") }
    hasHost = true
  }

  private mutating func takeExpect(_ value: Bytes) throws(Refusal) {
    guard value.equalsIgnoringCase("100-continue") else {
      throw Refusal(.expectationFailed, "only 'Expect: 100-continue' can be met")
    }
    expectsContinue = true
  }

  private mutating func takeConnection(_ field: FieldLine) throws(Refusal) {
    var said = keepAlive
    try field.forEachElement { (element) throws(Refusal) in
      if element.equalsIgnoringCase("close") {
        said = false
      } else if element.equalsIgnoringCase("keep-alive"), said == nil {
        said = true
      }
    }
    keepAlive = said
  }

  /// Digits and nothing else, once.
  private mutating func takeLength(_ value: Bytes) throws(Refusal) {
    guard contentLength == nil else { throw Refusal(.badRequest, "a second Content-Length") }
    guard !value.isEmpty, value.buffer.allSatisfy({ $0 &- UInt8(ascii: "0") < 10 }) else {
      throw Refusal(.badRequest, "a Content-Length that is no number")
    }
    var length = 0
    for byte in value.buffer {
      length = length * 10 + Int(byte - UInt8(ascii: "0"))
      guard length <= bodyBytesMax else { throw tooLarge }
    }
    contentLength = length
  }

  var tooLarge: Refusal {
    Refusal(.contentTooLarge, "the body is larger than \(bodyBytesMax) bytes")
  }

  private mutating func takeCoding(_ value: Bytes) throws(Refusal) {
    guard !isChunked else { throw Refusal(.badRequest, "a second Transfer-Encoding") }
    guard value.equalsIgnoringCase("chunked") else {
      throw Refusal(.notImplemented, "the only Transfer-Encoding known is 'chunked'")
    }
    isChunked = true
  }

  private mutating func takeKnown(
    _ field: FieldLine, _ base: UnsafeMutablePointer<UInt8>
  ) throws(Refusal) {
    for known in KnownField.allCases where field.name.count == known.name.utf8CodeUnitCount {
      guard field.name.equalsIgnoringCase(known.name) else { continue }
      guard fields[known.rawValue].isAbsent else {
        if known.isSingle { throw Refusal(.badRequest, "a second \(known.name)") }
        return
      }
      let start = field.value.base - UnsafePointer(base)
      fields[known.rawValue] = Stretch(from: start, to: start + field.value.count)
      return
    }
  }
}
