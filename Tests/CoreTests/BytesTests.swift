import Core
import TestSupport
import Testing

@Suite struct BytesTests {
  private static let words = ["", "a", "b", "ab", "abc", "bc", "\u{0}", "é", "abcabc", "aab", "ba"]

  /// The twins are the array's own operations.
  @Test func comparesAsArraysDo() {
    for left in Self.words {
      for right in Self.words {
        let (one, other) = (Bytes(lasting: left), Bytes(lasting: right))
        let (first, second) = (Array(left), Array(right))
        #expect((one == other) == (first == second))
        #expect((one == right) == (left == right))
        #expect((one < other) == first.lexicographicallyPrecedes(second))
        #expect(one.starts(with: other) == first.starts(with: second))
        #expect(one.ends(with: other) == first.reversed().starts(with: second.reversed()))
        let isPart = left.contains(right) || right.isEmpty
        #expect(one.contains(other) == isPart, "'\(left)' contains '\(right)'")
      }
    }
  }

  /// Longer ones are compared in words, of which the last two may overlap.
  @Test func oneByteMakesADifferenceAtEveryPlace() {
    for count in 1...40 {
      let bytes = (0..<count).map { UInt8($0) }
      for place in 0..<count {
        var other = bytes
        other[place] ^= 0x40
        let isEqual = bytes.withBytes { bytes in other.withBytes { $0 == bytes } }
        #expect(!isEqual, "byte \(place) of \(count)")
      }
      #expect(bytes.withBytes { left in bytes.withBytes { $0 == left } })
    }
  }

  @Test(
    arguments: [
      ("", ""), (" ", ""), (" \t\r\n", ""), ("a", "a"), (" a b\n", "a b"),
      ("\u{b}a\u{c}", "\u{b}a\u{c}"),
      ("\u{a0}a", "\u{a0}a"),
    ])
  func trimsWhatJSONCallsBlank(_ text: String, _ expected: String) {
    #expect(Bytes(lasting: text).trimmed.string == expected)
  }

  @Test func slicesAndCopies() {
    let bytes = Bytes(lasting: "abcdef")
    #expect(bytes[2..<4].string == "cd" && bytes[0..<0].isEmpty && bytes[6..<6].isEmpty)
    #expect(bytes[1] == UInt8(ascii: "b"))
    #expect(bytes.copy() == Array("abcdef"))
    #expect(bytes == "abcdef" && Bytes("abc") == bytes[0..<3])
    #expect([UInt8]().withBytes { $0.isEmpty && $0.copy().isEmpty })
  }

  @Test func bytesThatAreNotUTF8BecomeReplacementCharacters() {
    #expect([0x61, 0xFF, 0x62].withBytes { $0.string } == "a\u{fffd}b")
  }
}
