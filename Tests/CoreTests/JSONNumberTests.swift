import Core
import Foundation
import Testing

@Suite struct JSONNumberTests {
  private func double(_ text: String) -> Double? {
    Array(text.utf8).withBytes { JSONNumber.double($0) }
  }
  private func float(_ text: String) -> Float? {
    Array(text.utf8).withBytes { JSONNumber.float($0) }
  }
  private func integer(_ text: String) -> Int64? {
    Array(text.utf8).withBytes { JSONNumber.integer($0) }
  }

  @Test func integersAreExact() {
    #expect(integer("9223372036854775807") == .max)
    #expect(integer("-9223372036854775808") == .min)
    #expect(integer("9223372036854775808") == nil)
    #expect(integer("-9223372036854775809") == nil)
    #expect(integer("10000000000000000000") == nil)
    #expect(integer("99999999999999999999") == nil)
    #expect(integer("1.0") == nil)
    #expect(integer("-") == nil)
  }

  /// A literal and what it is to expressions, printed again; nil where no double holds it.
  private static let literals: [(String, String?)] = [
    ("9223372036854775807", "int 9223372036854775807"),
    ("9223372036854775808", "uint 9223372036854775808"),
    ("18446744073709551615", "uint 18446744073709551615"),
    ("18446744073709551616", "double 1.8446744073709552e+19"),
    ("-9223372036854775808", "int -9223372036854775808"),
    ("-9223372036854775809", "double -9.223372036854776e+18"),
    ("12345678901234567", "int 12345678901234567"),
    ("123456789012345678901", "double 1.2345678901234568e+20"),
    ("9223372036854775808.0", "double 9.223372036854776e+18"),
    ("1844674407370955161e1", "double 1.8446744073709552e+19"),
    ("-0", "double -0.0"), ("0", "int 0"), ("-0.0", "double -0.0"), ("1E400", nil),
    ("-1E400", nil), ("1e-400", "double 0.0"), ("-1e-400", "double -0.0"),
    ("4.9406564584124654e-324", "double 5e-324"), ("2.4703282292062327e-324", "double 0.0"),
    ("2.4703282292062328e-324", "double 5e-324"),
    ("2.2250738585072011e-308", "double 2.225073858507201e-308"),
    ("0.00000000000000000000000000000000000001", "double 1e-38"),
  ]

  @Test(arguments: literals)
  func literalsHaveOneTypeAndPrintAsTheyAre(_ text: String, _ expected: String?) {
    let scalar = Array(text.utf8).withBytes { JSONNumber.scalar($0) }
    guard let scalar else {
      #expect(expected == nil)
      return
    }
    let output = OutputBuffer(MemorySink())
    output.append(scalar)
    let name =
      switch scalar {
      case .int: "int"
      case .uint: "uint"
      case .double: "double"
      default: "no number"
      }
    #expect("\(name) \(output.pending.string)" == expected)
  }

  /// Against the standard library, which has a type for each range and checks every digit for overflow.
  @Test func integersAreExactOnBothSidesOfEveryBound() {
    var random = SplitMix64(seed: 64)
    let bounds: [Int128] = [0, -1 << 63, 1 << 63, 1 << 64, 10_000_000_000_000_000_000]
    for bound in bounds {
      for step in -200...200 { agreesOnType("\(bound + Int128(step))") }
    }
    for _ in 0..<20_000 {
      let digits = Int.random(in: 17...21, using: &random)
      let text = (1..<digits).map { _ in String(Int.random(in: 0...9, using: &random)) }
      agreesOnType((Bool.random(using: &random) ? "-" : "") + "1" + text.joined())
    }
  }

  private func agreesOnType(_ text: String) {
    Array(text.utf8).withBytes { bytes in
      switch JSONNumber.scalar(bytes) {
      case .int(let value): #expect(Int64(text) == value)
      case .uint(let value): #expect(Int64(text) == nil && UInt64(text) == value)
      case .double(let value):
        #expect(Int64(text) == nil && UInt64(text) == nil && Double(text) == value, "\(text)")
      default: Issue.record("\(text) is a number")
      }
    }
  }

  @Test func minusZeroKeepsItsSign() {
    let scalar = Array("-0".utf8).withBytes { JSONNumber.scalar($0) }
    guard case .double(let value) = scalar else {
      Issue.record("expected a double")
      return
    }
    #expect(value.sign == .minus && value == 0)
  }

  @Test func beyondTheRangeIsNoNumber() {
    #expect(double("1e400") == nil)
    #expect(double("-1e400") == nil)
    #expect(double("1e-400") == 0)
    #expect(double("4.9e-324") == Double.leastNonzeroMagnitude)
    #expect(double("1.7976931348623157e308") == Double.greatestFiniteMagnitude)
    #expect(float("3.5e38") == nil)
  }

  /// Decimal strings that lie a hair from the middle of two doubles.
  @Test(arguments: [
    "9007199254740993", "9007199254740992.99999999999999999999999999",
    "0.500000000000000166533453693773481063544750213623046875",
    "2.2250738585072011e-308", "1.00000000000000011102230246251565404236316680908203125",
    "1.00000000000000011102230246251565404236316680908203124", "3.518437208883201171875e13",
    "62.5364939768271845828", "8.10109172351e-10", "1.50000000000000011102230246251565404",
    "104110013277974872254e-225",
  ])
  func roundsHardCasesLikeTheLibrary(_ text: String) {
    #expect(double(text)?.bitPattern == strtod(text, nil).bitPattern)
    #expect(float(text)?.bitPattern == strtof(text, nil).bitPattern)
  }

  /// RTINFER_LONG=1 tries ten million; otherwise enough to notice a slip.
  @Test func everyDoubleReadsBackAsItWasPrinted() {
    let count = ProcessInfo.processInfo.environment["RTINFER_LONG"] == "1" ? 10_000_000 : 50_000
    var random = SplitMix64(seed: 99)
    var wrong = 0
    for _ in 0..<count {
      let value = Double(bitPattern: random.next())
      guard value.isFinite else { continue }
      if double(value.description)?.bitPattern != value.bitPattern { wrong += 1 }
    }
    #expect(wrong == 0)
  }

  @Test func agreesWithTheLibraryOnRandomDecimals() {
    var random = SplitMix64(seed: 7)
    let long = ProcessInfo.processInfo.environment["RTINFER_LONG"] == "1"
    for _ in 0..<(long ? 5_000_000 : 20_000) {
      let digits = Int.random(in: 1...22, using: &random)
      var text = (0..<digits).map { _ in String(Int.random(in: 0...9, using: &random)) }.joined()
      text = String(text.drop { $0 == "0" })
      if text.isEmpty { text = "0" }
      if Bool.random(using: &random) {
        text += "." + String(UInt32.random(in: 0 ... .max, using: &random))
      }
      if Bool.random(using: &random) {
        text += "e" + String(Int.random(in: -345...315, using: &random))
      }
      let wide = strtod(text, nil)
      #expect(double(text)?.bitPattern == (wide.isFinite ? wide.bitPattern : nil), "\(text)")
      let narrow = strtof(text, nil)
      #expect(float(text)?.bitPattern == (narrow.isFinite ? narrow.bitPattern : nil), "\(text)")
    }
  }
}
