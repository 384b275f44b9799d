// Text to tokens. Strings are resolved and numbers converted here, so that what follows sees
// values.

enum Token: Equatable {
  /// A magnitude: the minus sign belongs to the grammar, and Int64.min has no positive twin.
  case int(UInt64)
  case double(Double)
  case text(String)
  case name(String)
  /// An operator, a bracket, a comma or a point.
  case symbol(String)
  case end

  /// As a message shows it.
  var shown: String {
    switch self {
    case .int, .double: "a number"
    case .text: "a string"
    case .name(let name): "'\(name)'"
    case .symbol(let symbol): "'\(symbol)'"
    case .end: "the end"
    }
  }
}

struct PlacedToken {
  let token: Token
  let offset: Int
}

struct ExpressionLexer {
  private let text: String
  private let bytes: [UInt8]
  private var index = 0

  init(_ text: String) {
    self.text = text
    self.bytes = Array(text.utf8)
  }

  private static let symbols = [
    "||", "&&", "<=", ">=", "==", "!=", "<", ">", "+", "-", "*", "/", "%", "!", "?", ":", "(", ")",
    "[", "]", ",", ".",
  ]

  /// What other languages would write.
  private static let mistaken = [
    "=": "to compare, write '=='", "&": "write '&&'", "|": "write '||'",
    "^": "for powers, write pow(x, y)",
    ";": "an expression has no ';'", "{": "maps are not part of the language",
    "`": "quote text with ' or \"",
  ]

  /// All tokens and, as the last one, the end.
  mutating func tokens() throws(ExpressionError) -> [PlacedToken] {
    var tokens: [PlacedToken] = []
    while true {
      while index < bytes.count, Bytes.isBlank(bytes[index]) { index += 1 }
      let start = index
      guard index < bytes.count else { break }
      tokens.append(PlacedToken(token: try next(), offset: start))
    }
    tokens.append(PlacedToken(token: .end, offset: bytes.count))
    return tokens
  }

  private mutating func next() throws(ExpressionError) -> Token {
    let start = index
    switch bytes[index] {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
    case UInt8(ascii: "'"), UInt8(ascii: "\""): return try string()
    case let byte where isNameByte(byte):
      while index < bytes.count, isNameByte(bytes[index]) { index += 1 }
      return .name(slice(start))
    default: break
    }
    let rest = bytes[index...]
    if let symbol = ExpressionLexer.symbols.first(where: { rest.starts(with: $0.utf8) }) {
      index += symbol.utf8.count
      return .symbol(symbol)
    }
    let character = String(decoding: rest, as: UTF8.self).unicodeScalars.first.map(String.init)!
    let hint = ExpressionLexer.mistaken[character].map { "; \($0)" } ?? ""
    let printable = bytes[index] > 0x20 && bytes[index] != 0x7F
    throw error(
      "unexpected \(printable ? "'\(character)'" : "control character")\(hint)", at: start)
  }

  private func isNameByte(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: "_") || byte &- UInt8(ascii: "0") <= 9
      || (byte | 0x20) &- UInt8(ascii: "a") < 26
  }

  /// Digits, then perhaps a fraction and an exponent, which make it a double.
  private mutating func number() throws(ExpressionError) -> Token {
    let start = index
    digits()
    var isDouble = false
    if index + 1 < bytes.count, bytes[index] == UInt8(ascii: "."),
      bytes[index + 1] &- UInt8(ascii: "0") <= 9
    {
      isDouble = true
      index += 1
      digits()
    }
    if index < bytes.count, bytes[index] | 0x20 == UInt8(ascii: "e") {
      isDouble = true
      index += 1
      if index < bytes.count, bytes[index] == UInt8(ascii: "+") || bytes[index] == UInt8(ascii: "-")
      {
        index += 1
      }
      guard index < bytes.count, bytes[index] &- UInt8(ascii: "0") <= 9 else {
        throw error("a number's exponent needs digits", at: start)
      }
      digits()
    }
    if index < bytes.count, isNameByte(bytes[index]) {
      throw error("a number is followed by '\(Character(UnicodeScalar(bytes[index])))'", at: index)
    }
    if isDouble {
      guard let value = Double(slice(start)), value.isFinite else {
        throw error("the number is beyond the range of a double", at: start)
      }
      return .double(value)
    }
    guard let value = UInt64(slice(start)) else {
      throw error(
        "the number is beyond 64 bits; write it with a point to make it a double", at: start)
    }
    return .int(value)
  }

  private mutating func digits() {
    while index < bytes.count, bytes[index] &- UInt8(ascii: "0") <= 9 { index += 1 }
  }

  private mutating func string() throws(ExpressionError) -> Token {
    let start = index
    let quote = bytes[index]
    var value: [UInt8] = []
    index += 1
    while index < bytes.count, bytes[index] >= 0x20, bytes[index] != quote {
      if bytes[index] == UInt8(ascii: "\\") {
        value += try escape()
      } else {
        value.append(bytes[index])
        index += 1
      }
    }
    guard index < bytes.count else { throw error("the string has no closing quote", at: start) }
    guard bytes[index] == quote else {
      throw error("a control character in a string must be escaped, as in \\n", at: index)
    }
    index += 1
    return .text(String(decoding: value, as: UTF8.self))
  }

  private mutating func escape() throws(ExpressionError) -> [UInt8] {
    let start = index
    index += 2
    guard start + 1 < bytes.count else { throw error("the string has no closing quote", at: start) }
    switch bytes[start + 1] {
    case UInt8(ascii: "n"): return [0x0A]
    case UInt8(ascii: "r"): return [0x0D]
    case UInt8(ascii: "t"): return [0x09]
    case UInt8(ascii: "\\"), UInt8(ascii: "'"), UInt8(ascii: "\""): return [bytes[start + 1]]
    case UInt8(ascii: "u"):
      let digits = bytes[index...].prefix(4)
      guard digits.count == 4, digits.allSatisfy({ Character(UnicodeScalar($0)).isHexDigit }),
        let unit = UInt32(String(decoding: digits, as: UTF8.self), radix: 16)
      else { throw error("\\u needs four hexadecimal digits", at: start) }
      guard let scalar = Unicode.Scalar(unit) else {
        throw error(
          "half of a surrogate pair is no character; write the character itself", at: start)
      }
      index += 4
      return Array(String(scalar).utf8)
    default:
      throw error("an unknown escape; there are \\\\ \\' \\\" \\n \\r \\t and \\uXXXX", at: start)
    }
  }

  private func slice(_ start: Int) -> String {
    String(decoding: bytes[start..<index], as: UTF8.self)
  }

  private func error(_ reason: String, at offset: Int) -> ExpressionError {
    ExpressionError(reason, at: offset, in: text)
  }
}

extension Expression {
  /// The texts on both sides of each operator of one kind that stands in no brackets; all of it where there is none, or
  /// where it is no expression.
  public static func operands(of symbol: String, in text: String) -> [String] {
    var lexer = ExpressionLexer(text)
    guard let tokens = try? lexer.tokens() else { return [text] }
    let bytes = Array(text.utf8)
    var operands: [String] = []
    var start = 0
    var depth = 0
    func add(upTo end: Int) {
      operands.append(Array(bytes[start..<end]).withBytes { $0.trimmed.string })
    }
    for token in tokens {
      switch token.token {
      case .symbol("("), .symbol("["): depth += 1
      case .symbol(")"), .symbol("]"): depth -= 1
      case .symbol(symbol) where depth == 0:
        add(upTo: token.offset)
        start = token.offset + symbol.utf8.count
      default: break
      }
    }
    add(upTo: bytes.count)
    return operands
  }
}
