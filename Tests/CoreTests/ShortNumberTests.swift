import Testing

@testable import Core

/// The eight-byte reading of numbers against the obvious one.
@Suite struct ShortNumberTests {
  private func describe(_ value: Scalar?) -> String {
    switch value {
    case .int(let number): "int \(number)"
    case .double(let number): "double \(number.bitPattern)"
    default: "none"
    }
  }

  private func check(_ text: String) {
    // What lies behind a number may look like more of it.
    for behind in ["12345678", ",\"e\":1.", "........"] {
      Array((text + behind).utf8).withBytes { bytes in
        let number = bytes[0..<text.utf8.count]
        let short = PlainTextProbe.shortNumber(number)
        #expect(describe(short) == describe(JSONNumber.scalar(number)), "\(text)")
      }
    }
  }

  @Test func equalsTheGeneralReading() {
    var random = SplitMix64(seed: 8)
    for count in 1...8 {
      for point in 0...count {
        for _ in 0..<400 {
          var digits = (0..<count).map { _ in String(Int.random(in: 0...9, using: &random)) }
          if Bool.random(using: &random) { digits[0] = "0" }
          // A point has a digit before it and behind it.
          if point > 0, point < count { digits.insert(".", at: point) }
          let text = digits.joined()
          if text.utf8.count <= 8 { check(text) }
          if text.utf8.count <= 7 { check("-" + text) }
        }
      }
    }
  }

  @Test(arguments: ["0", "-0", "0.0", "-0.0", "9", "-9", "99999999", "-9999999", "0.000001"])
  func readsTheEdges(_ text: String) { check(text) }

  @Test(arguments: ["1e5", "1E5", "-1e-5", "1.5e3", "0e0"])
  func leavesExponentsToOthers(_ text: String) {
    Array((text + "        ").utf8).withBytes { bytes in
      #expect(PlainTextProbe.shortNumber(bytes[0..<text.utf8.count]) == nil)
    }
  }

  /// Any short text, most of them nearly a number, as the loop over its bytes reads it.
  @Test func plainDecimalsAreThoseOfTheLoop() {
    var random = SplitMix64(seed: 31)
    let alphabet = Array("0001234567899..-e+ \"/:\u{7f}é".utf8) + [0, 0x80, 0xFF, 0x8A]
    var numbers = 0
    for _ in 0..<200_000 {
      let count = Int.random(in: 1...8, using: &random)
      var text = (0..<count).map { _ in
        Int.random(in: 0..<6, using: &random) > 0
          ? UInt8.random(in: 0x30...0x39, using: &random) : alphabet.randomElement(using: &random)!
      }
      if Bool.random(using: &random) { text[0] = UInt8(ascii: "-") }
      for behind in ["12345678", ".-......"] {
        (text + Array(behind.utf8)).withBytes { bytes in
          let found = PlainTextProbe.plainDecimal(bytes[0..<count])
          let expected = ColumnValue.plainDecimal(bytes[0..<count])
          #expect(found?.bitPattern == expected?.bitPattern, "\(text)")
          if found != nil { numbers += 1 }
        }
      }
    }
    #expect(numbers > 10_000)
  }

  @Test func separatorsAreThoseOfEachByte() {
    var random = SplitMix64(seed: 32)
    for _ in 0..<2_000 {
      let bytes = (0..<96).map { _ in Array(",,x\u{ac}\n\0".utf8).randomElement(using: &random)! }
      bytes.withBytes { bytes in
        let (wide, portable) = PlainTextProbe.separators(
          bytes, count: Int.random(in: 1...64, using: &random))
        #expect(wide == portable)
      }
    }
  }
}
