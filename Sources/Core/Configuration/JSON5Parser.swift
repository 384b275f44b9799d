// JSON5 (spec.json5.org) for the project file: comments, trailing commas, names without quotes, single quotes.
// Small files read once: written for clear errors, not for speed. A key that appears twice is an error.

public enum JSON5Parser {
  /// - Parameter file: for messages.
  public static func parse(_ bytes: [UInt8], file: String) throws(Failure) -> ConfigNode {
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw .usage("\(file): not UTF-8 text")
    }
    var reader = JSON5Reader(text: Array(text.unicodeScalars), file: file)
    return try reader.document()
  }
}

private struct JSON5Reader {
  let text: [Unicode.Scalar]
  let file: String
  var index = 0
  var line = 1
  var depth = 0

  mutating func document() throws(Failure) -> ConfigNode {
    try skipBlanks()
    let root = try value(path: "")
    try skipBlanks()
    guard index == text.count else { throw error("expected the end, found \(found)") }
    return root
  }

  // MARK: Grammar

  private mutating func value(path: String) throws(Failure) -> ConfigNode {
    let start = line
    depth += 1
    defer { depth -= 1 }
    guard depth <= Limits.expressionDepthMax else { throw error("nested too deep") }
    func node(_ value: ConfigNode.Value) -> ConfigNode {
      ConfigNode(value: value, file: file, line: start, path: path)
    }
    switch current {
    case "{": return node(.object(try members(path: path)))
    case "[": return node(.array(try elements(path: path)))
    case "\"", "'": return node(.string(try quoted()))
    case nil: throw error("the file ends where a value was expected")
    default: break
    }
    let word = bareWord()
    switch word {
    case "true": return node(.bool(true))
    case "false": return node(.bool(false))
    case "null": return node(.null)
    case "": throw error("expected a value, found \(found)")
    default:
      guard let number = Double(word), number.isFinite else {
        throw error("'\(word)' is not a value; text needs quotes")
      }
      return node(.number(word))
    }
  }

  private mutating func members(path: String) throws(Failure) -> [ConfigNode.Member] {
    var result: [ConfigNode.Member] = []
    try advance(past: "{")
    while current != "}" {
      let keyLine = line
      let key = try name()
      guard !result.contains(where: { $0.key == key }) else {
        throw error("the key '\(key)' appears twice")
      }
      try advance(past: ":")
      let node = try value(path: path.isEmpty ? key : "\(path).\(key)")
      result.append(ConfigNode.Member(key: key, line: keyLine, node: node))
      try separator(before: "}")
    }
    try advance(past: "}")
    return result
  }

  private mutating func elements(path: String) throws(Failure) -> [ConfigNode] {
    var result: [ConfigNode] = []
    try advance(past: "[")
    while current != "]" {
      result.append(try value(path: "\(path)[\(result.count)]"))
      try separator(before: "]")
    }
    try advance(past: "]")
    return result
  }

  /// A comma, or nothing if the closing bracket follows.
  private mutating func separator(before close: Unicode.Scalar) throws(Failure) {
    try skipBlanks()
    if current == "," {
      index += 1
      try skipBlanks()
    } else if current != close {
      throw error("expected ',' or '\(close)', found \(found)")
    }
  }

  private mutating func name() throws(Failure) -> String {
    if current == "\"" || current == "'" { return try quoted() }
    let word = bareWord()
    guard let first = word.first, !first.isNumber else {
      throw error("expected a key, found \(found)")
    }
    return word
  }

  private mutating func bareWord() -> String {
    var word = ""
    while let scalar = current,
      scalar.properties.isAlphabetic || "0123456789_$+-.".unicodeScalars.contains(scalar)
    {
      word.unicodeScalars.append(scalar)
      index += 1
    }
    return word
  }

  private mutating func quoted() throws(Failure) -> String {
    let quote = current!
    let start = line
    index += 1
    var result = ""
    while let scalar = current {
      index += 1
      if scalar == quote { return result }
      if scalar == "\n" { break }
      if scalar == "\\" {
        try escape(into: &result)
      } else {
        result.unicodeScalars.append(scalar)
      }
    }
    throw Failure.usage("\(file):\(start): the quoted text does not end on its line")
  }

  private mutating func escape(into result: inout String) throws(Failure) {
    guard let scalar = current else { return }
    index += 1
    switch scalar {
    case "n": result += "\n"
    case "t": result += "\t"
    case "r": result += "\r"
    case "b": result += "\u{8}"
    case "f": result += "\u{c}"
    case "v": result += "\u{b}"
    case "0": result += "\0"
    case "\n": line += 1
    case "u": result.unicodeScalars.append(try unicodeEscape())
    case "x":
      guard let code = hexadecimal(digits: 2) else {
        throw error("\\x needs two hexadecimal digits")
      }
      result.unicodeScalars.append(Unicode.Scalar(UInt8(code)))
    default: result.unicodeScalars.append(scalar)
    }
  }

  /// Behind "\\u"; a character beyond U+FFFF takes two of them (RFC 8259 section 7).
  private mutating func unicodeEscape() throws(Failure) -> Unicode.Scalar {
    var code = hexadecimal(digits: 4)
    if let high = code, (0xD800..<0xDC00).contains(high), current == "\\" {
      index += 1
      if current == "u" {
        index += 1
        code = hexadecimal(digits: 4).flatMap { low in
          (0xDC00..<0xE000).contains(low) ? 0x10000 + (high - 0xD800) << 10 + low - 0xDC00 : nil
        }
      }
    }
    guard let code, let scalar = Unicode.Scalar(code) else {
      throw error("\\u needs four hexadecimal digits that are a character")
    }
    return scalar
  }

  private mutating func hexadecimal(digits count: Int) -> UInt32? {
    let digits = text[index..<min(index + count, text.count)]
    guard digits.count == count, digits.allSatisfy({ $0.properties.isASCIIHexDigit }) else {
      return nil
    }
    index += count
    return UInt32(String(String.UnicodeScalarView(digits)), radix: 16)
  }

  // MARK: Characters

  private var current: Unicode.Scalar? { index < text.count ? text[index] : nil }

  private var found: String { current.map { "'\($0)'" } ?? "the end of the file" }

  private mutating func advance(past scalar: Unicode.Scalar) throws(Failure) {
    try skipBlanks()
    guard current == scalar else { throw error("expected '\(scalar)', found \(found)") }
    index += 1
    try skipBlanks()
  }

  private mutating func skipBlanks() throws(Failure) {
    while let scalar = current {
      if scalar == "\n" { line += 1 }
      if scalar.properties.isWhitespace || scalar == "\u{feff}" {
        index += 1
      } else if scalar == "/", index + 1 < text.count, text[index + 1] == "/" {
        while let inside = current, inside != "\n" {
          _ = inside
          index += 1
        }
      } else if scalar == "/", index + 1 < text.count, text[index + 1] == "*" {
        try skipBlockComment()
      } else {
        return
      }
    }
  }

  private mutating func skipBlockComment() throws(Failure) {
    let start = line
    index += 2
    while index + 1 < text.count {
      if text[index] == "*", text[index + 1] == "/" {
        index += 2
        return
      }
      if text[index] == "\n" { line += 1 }
      index += 1
    }
    throw .usage("\(file):\(start): the comment does not end")
  }

  private func error(_ message: String) -> Failure { .usage("\(file):\(line): \(message)") }
}
