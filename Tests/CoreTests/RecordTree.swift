// Records as trees and how they may be written: what the scanner's tests hold it against.

import Core
import TestSupport

/// A JSON value that keeps its members' order and its numbers' text.
indirect enum RecordTree {
  case word(String)
  case text(String)
  case array([RecordTree])
  case object([(name: String, value: RecordTree)])

  subscript(path: ArraySlice<String>) -> RecordTree? {
    guard let name = path.first else { return self }
    guard case .object(let members) = self, let last = members.last(where: { $0.name == name })
    else { return nil }
    return last.value[path.dropFirst()]
  }
}

/// Writes trees with spaces and escapes that a producer might use.
struct RecordWriter {
  var random: SplitMix64
  var text = ""

  mutating func tree(depth: Int) -> RecordTree {
    switch Int.random(in: 0..<(depth > 0 ? 8 : 4), using: &random) {
    case 0: return .word(["true", "false", "null"].randomElement(using: &random)!)
    case 1:
      return .word(["0", "-1", "2.5", "1e3", "-0.0", "123456789"].randomElement(using: &random)!)
    case 2, 3: return .text(string())
    case 4:
      return .array((0..<Int.random(in: 0..<3, using: &random)).map { _ in tree(depth: depth - 1) })
    default: return object(depth: depth)
    }
  }

  mutating func object(depth: Int) -> RecordTree {
    let names = ["a", "b", "c", "né", "q\"", "unknown"]
    return .object(
      (0..<Int.random(in: 0..<5, using: &random)).map { _ in
        (names.randomElement(using: &random)!, tree(depth: depth - 1))
      })
  }

  private mutating func string() -> String {
    let parts = ["", "x", "é", "😀", "\n", "\"", "\\", "a longer run of plain text", "\u{1}", "/"]
    return (0..<Int.random(in: 0..<5, using: &random)).map { _ in
      parts.randomElement(using: &random)!
    }
    .joined()
  }

  mutating func write(_ tree: RecordTree) {
    switch tree {
    case .word(let word): text += word
    case .text(let string): quote(string)
    case .array(let elements):
      text += "["
      for (index, element) in elements.enumerated() {
        if index > 0 { text += "," }
        blank()
        write(element)
      }
      text += "]"
    case .object(let members):
      text += "{"
      for (index, member) in members.enumerated() {
        if index > 0 { text += "," }
        blank()
        quote(member.name)
        blank()
        text += ":"
        blank()
        write(member.value)
        blank()
      }
      text += "}"
    }
  }

  private mutating func blank() {
    if Int.random(in: 0..<4, using: &random) == 0 {
      text += [" ", "\t", "  "].randomElement(using: &random)!
    }
  }

  /// Every scalar as itself where JSON allows it, or as an escape.
  private mutating func quote(_ string: String) {
    text += "\""
    for unit in string.unicodeScalars {
      let must = unit.value < 0x20 || unit == "\"" || unit == "\\"
      if must || Int.random(in: 0..<5, using: &random) == 0 {
        for code in String(unit).utf16 {
          let digits = String(code, radix: 16)
          text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        }
      } else {
        text.unicodeScalars.append(unit)
      }
    }
    text += "\""
  }
}
