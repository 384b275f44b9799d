// A model file of lines `key=value`, read line by line from the borrowed bytes. The reader knows
// where it stands, so that every failure names the file and the line:
//
//     model.txt: line 812: Tree=3: threshold: '1.0.0' is not a number

import Core

struct ModelText {
  /// The file's name, for messages.
  let source: String
  private let bytes: Bytes
  private var position = 0
  /// The line that was read last, counted from 1.
  private(set) var lineNumber = 0
  /// What is being read, for messages: `Tree=3`.
  var section = ""

  /// - Parameter bytes: must stay valid while the reader is used.
  init(_ bytes: Bytes, source: String) {
    self.bytes = bytes
    self.source = source
  }

  /// The next line without its end, `\n` or `\r\n`; nil after the last.
  mutating func nextLine() -> Bytes? {
    guard position < bytes.count else { return nil }
    var end = position
    while end < bytes.count, bytes.base[end] != UInt8(ascii: "\n") { end += 1 }
    var length = end - position
    if length > 0, bytes.base[end - 1] == UInt8(ascii: "\r") { length -= 1 }
    let line = bytes[position..<position + length]
    position = min(end + 1, bytes.count)
    lineNumber += 1
    return line
  }

  /// The two sides of the first `=`; the value is nil where there is none.
  static func pair(_ line: Bytes) -> (key: String, value: Bytes?) {
    for index in 0..<line.count where line.base[index] == UInt8(ascii: "=") {
      return (line[0..<index].string, line[index + 1..<line.count])
    }
    return (line.string, nil)
  }

  // MARK: Values

  func integer(_ key: StaticString, _ text: Bytes) throws(Failure) -> Int {
    guard let value = JSONNumber.integer(text.trimmed) else {
      throw failure("\(key): '\(Self.excerpt(text))' is not an integer")
    }
    return Int(value)
  }

  /// Replaces what is in `values` by the integers between the blanks.
  func integers(
    _ key: StaticString, _ text: Bytes, into values: inout [Int]
  ) throws(Failure) {
    values.removeAll(keepingCapacity: true)
    var words = Words(text)
    while let word = words.next() {
      guard let value = JSONNumber.integer(word) else {
        throw failure("\(key): '\(Self.excerpt(word))' is not an integer")
      }
      values.append(Int(value))
    }
  }

  /// Replaces what is in `values` by the numbers between the blanks, each rounded correctly.
  func numbers(
    _ key: StaticString, _ text: Bytes, into values: inout [Double]
  ) throws(Failure) {
    values.removeAll(keepingCapacity: true)
    var words = Words(text)
    while let word = words.next() {
      guard let value = word.isDecimal ? JSONNumber.double(word) : Self.nonFinite(word) else {
        throw failure("\(key): '\(Self.excerpt(word))' is not a number")
      }
      values.append(value)
    }
  }

  func strings(_ text: Bytes) -> [String] {
    var strings: [String] = []
    var words = Words(text)
    while let word = words.next() { strings.append(word.string) }
    return strings
  }

  private static func nonFinite(_ word: Bytes) -> Double? {
    switch word.string.lowercased() {
    case "inf", "infinity", "+inf": .infinity
    case "-inf", "-infinity": -.infinity
    case "nan", "-nan": .nan
    default: nil
    }
  }

  // MARK: Failures

  /// A failure in the line that was read last.
  func failure(_ reason: String, hint: String? = nil) -> Failure {
    let place = section.isEmpty ? "" : section + ": "
    return .badData("\(source): line \(lineNumber): \(place)\(reason)", hint: hint)
  }

  static func excerpt(_ text: Bytes) -> String {
    text.count <= 40 ? text.string : text[0..<40].string + "…"
  }

  /// The runs between blanks.
  private struct Words {
    private let text: Bytes
    private var position = 0

    init(_ text: Bytes) { self.text = text }

    mutating func next() -> Bytes? {
      while position < text.count, text.base[position] == UInt8(ascii: " ") { position += 1 }
      guard position < text.count else { return nil }
      let start = position
      while position < text.count, text.base[position] != UInt8(ascii: " ") { position += 1 }
      return text[start..<position]
    }
  }
}
