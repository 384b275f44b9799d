import Core
import Testing

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
}
