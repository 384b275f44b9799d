// What is written must be what JSON demands and read back as what it was.

import Core
import Foundation
import TestSupport
import Testing

@Suite struct OutputBufferTests {
  private func text(_ body: (OutputBuffer) throws -> Void) rethrows -> String {
    let output = OutputBuffer(MemorySink(), capacity: 1)
    try body(output)
    return output.pending.string
  }

  @Test func integersAreWrittenWhole() {
    let numbers: [Int64] = [0, 1, -1, 9, 10, -10, 99, 100, .max, .min, .max - 1, .min + 1]
    for number in numbers { #expect(text { $0.append(number) } == String(number)) }
    var power: UInt64 = 1
    for _ in 0..<20 {
      for number in [power - 1, power, power + 1] {
        #expect(text { $0.append(number) } == String(number))
      }
      power = power.multipliedReportingOverflow(by: 10).partialValue
    }
    #expect(text { $0.append(UInt64.max) } == "18446744073709551615")
  }

  @Test func randomIntegersAreWrittenWhole() {
    var random = SplitMix64(seed: 3)
    for _ in 0..<5_000 {
      let wide = random.next() >> UInt64.random(in: 0..<64, using: &random)
      #expect(text { $0.append(wide) } == String(wide))
      let signed = Int64(bitPattern: wide)
      #expect(text { $0.append(signed) } == String(signed))
    }
  }

  /// Bit patterns rather than values, so that every exponent has its turn.
  @Test func doublesReadBackBitForBitAndAreShortest() {
    var random = SplitMix64(seed: 5)
    let output = OutputBuffer(MemorySink())
    var wrong: [UInt64] = []
    for round in 0..<200_000 {
      let pattern = random.next()
      let value = Double(bitPattern: pattern)
      guard value.isFinite else { continue }
      output.rewind(to: 0)
      output.append(value)
      output.append(UInt8(0))
      let read = output.pending.base.withMemoryRebound(to: CChar.self, capacity: 32) {
        strtod($0, nil)
      }
      if read.bitPattern != pattern { wrong.append(pattern) }
      if round % 20 == 0, shortens(output.pending.string.dropLast(), pattern) {
        wrong.append(pattern)
      }
    }
    #expect(wrong.isEmpty, "\(wrong.prefix(5))")
  }

  private func expectTheLibrarysText(_ values: [Double]) {
    let output = OutputBuffer(MemorySink())
    var wrong: [Double] = []
    for value in values {
      output.rewind(to: 0)
      output.append(value)
      if output.pending.string != "\(value)" { wrong.append(value) }
    }
    #expect(wrong.isEmpty, "\(wrong.count): \(wrong.prefix(5))")
  }

  /// Amounts are written by a shorter way; the standard library's is its twin.
  @Test func amountsAreWrittenAsTheLibraryWritesThem() {
    var random = SplitMix64(seed: 6)
    var values: [Double] = [
      0, -0.0, 0.01, -0.01, 0.1, 5, -5, 1e13, 9_999_999_999_999.99, 1e15, 0.005,
    ]
    for _ in 0..<100_000 {
      let digits = Int64.random(in: -(1 << 50)...(1 << 50), using: &random)
      let shift = Int64.random(in: 0..<50, using: &random)
      values.append(Double(digits >> shift) / 100)
      values.append(Double(digits >> shift) / 1_000)
      values.append((Double(digits >> shift) / 100).nextUp)
    }
    expectTheLibrarysText(values)
  }

  /// Means, shares and rates as well: of two decimals that read back as the value, the nearer one.
  @Test func numbersOfOrdinarySizeAreWrittenAsTheLibraryWritesThem() {
    var random = SplitMix64(seed: 8)
    var values: [Double] = [
      1e-3, 0.001.nextDown, 0x1p50, 0x1p50.nextDown, 0x1p-9, 0.125, 1.0.nextUp, 1.0.nextDown,
      9.999999999999999, 0.3, 2.0 / 3, .leastNonzeroMagnitude, .greatestFiniteMagnitude, .pi, 1e22,
      1e23,
    ]
    for _ in 0..<200_000 {
      let (sum, count) = (Int.random(in: 0..<1 << 40, using: &random), random.next() % 999 + 1)
      values.append(Double(sum >> Int(random.next() % 40)) / 100 / Double(count))
      let exponent = UInt64.random(in: 1_010...1_077, using: &random)
      values.append(Double(bitPattern: random.next() >> 12 | exponent << 52))
      // Few digits, and what lies next to them.
      let short = Double(random.next() % 1_000_000) / 1_000_000
      values += [short, short.nextUp, short.nextDown, -short, Double(exponent) + short]
    }
    expectTheLibrarysText(values)
  }

  /// Short copies go other ways by their length.
  @Test func bytesOfEveryLengthAreAppendedWhole() {
    let text = Bytes(
      lasting: String((0..<100).map { Character(Unicode.Scalar(UInt8(33 + $0 % 90))) }))
    for count in 0...100 {
      let part = text[0..<count]
      let written = self.text {
        $0.append(part)
        $0.append(UInt8(ascii: "|"))
        $0.append(Stencil(part))
        $0.append(UInt8(ascii: "|"))
      }
      #expect(written == "\(part.string)|\(part.string)|")
    }
  }

  /// Whether one digit fewer would have done as well.
  private func shortens(_ text: Substring, _ pattern: UInt64) -> Bool {
    let digits = text.prefix { $0 != "e" }.filter(\.isNumber).drop { $0 == "0" }
    let significant = digits.reversed().drop { $0 == "0" }.count
    guard significant > 1 else { return false }
    let shorter = String(format: "%.\(significant - 2)e", Double(bitPattern: pattern))
    return Double(shorter)?.bitPattern == pattern
  }

  @Test func floatsReadBackBitForBit() {
    var random = SplitMix64(seed: 6)
    var wrong: [UInt32] = []
    for _ in 0..<20_000 {
      let pattern = UInt32(truncatingIfNeeded: random.next())
      let value = Float(bitPattern: pattern)
      guard value.isFinite else { continue }
      if Float(text { $0.append(value) })?.bitPattern != pattern { wrong.append(pattern) }
    }
    #expect(wrong.isEmpty, "\(wrong.prefix(5))")
    #expect(text { $0.append(Float(0.1)) } == "0.1")
  }

  @Test func numbersThatJSONLacksAreNull() {
    for value in [Double.nan, .infinity, -.infinity] {
      #expect(text { $0.append(value) } == "null")
      #expect(text { $0.append(Float(value)) } == "null")
    }
    #expect(text { $0.append(-0.0) } == "-0.0")
    #expect(text { $0.append(Double.leastNonzeroMagnitude) } == "5e-324")
  }

  @Test func everyCharacterIsQuotedSoThatJSONReadsItBack() throws {
    var scalars = (0..<0x180).compactMap(Unicode.Scalar.init).map { String(Character($0)) }
    scalars += ["\u{2028}", "😀", "a\"b\\c/d", "", "plain", "tail\n", "\u{0}\u{1}"]
    for scalar in scalars {
      let quoted = text { $0.appendQuoted(scalar) }
      #expect(quoted.utf8.allSatisfy { $0 >= 0x20 })
      let parsed = try JSONSerialization.jsonObject(with: Data("[\(quoted)]".utf8)) as? [String]
      #expect(parsed == [scalar], "\(quoted)")
    }
    #expect(
      text { $0.appendQuoted("\u{8}\t\n\u{c}\r\u{1f}\u{7f}") } == "\"\\b\\t\\n\\f\\r\\u001f\u{7f}\""
    )
  }

  @Test(arguments: [
    (0, "0.000"), (1, "0.001"), (999, "0.999"), (1_000, "1.000"), (12_345_678, "12345.678"),
  ])
  func microsecondsHaveThreeDecimals(_ nanoseconds: Int, _ expected: String) {
    #expect(text { $0.appendMicroseconds(nanoseconds: UInt64(nanoseconds)) } == expected)
  }

  @Test func scalarsAreJSONValues() {
    let scalars: [(Scalar, String)] = [
      (.null, "null"), (.bool(true), "true"), (.bool(false), "false"), (.int(-5), "-5"),
      (.double(2.5), "2.5"), (.text(Bytes("a\"b")), "\"a\\\"b\""),
      (.time(Timestamp("2013-01-05T10:15:00.5Z")), "\"2013-01-05T10:15:00.5Z\""),
    ]
    for (scalar, expected) in scalars { #expect(text { $0.append(scalar) } == expected) }
  }

  @Test func whatWasAppendedCanBeTakenBack() {
    let output = OutputBuffer(MemorySink())
    output.append("kept")
    let mark = output.count
    output.append("dropped")
    output.rewind(to: mark)
    output.append("!")
    #expect(output.pending.string == "kept!")
  }

  @Test func growsWithoutLosingABeat() {
    let sink = MemorySink()
    let output = OutputBuffer(sink, capacity: 1)
    var expected: [UInt8] = []
    for number in 0..<3_000 {
      output.append(Int64(number))
      output.append(UInt8(ascii: ","))
      expected += Array("\(number),")
    }
    #expect(output.pending.copy() == expected)
    #expect(sink.bytes.isEmpty)
  }

  @Test func writesWhenEnoughHasGathered() throws {
    let sink = MemorySink()
    let output = OutputBuffer(sink)
    let record = String(repeating: "x", count: 999)
    var records = 0
    while sink.bytes.isEmpty {
      output.append(record)
      try output.endRecord()
      records += 1
    }
    #expect(records == (Limits.writeBytes + 999) / 1_000)
    #expect(sink.bytes.count == records * 1_000 && output.count == 0)
    try output.flush()
    #expect(sink.bytes.count == records * 1_000)
  }

  @Test func aSinkThatFailsIsReportedAndNothingIsWrittenTwice() {
    let sink = FullSink(room: 5)
    let output = OutputBuffer(sink)
    output.append("12345")
    #expect(failure { () throws(Failure) in try output.flush() } == nil)
    output.append("6")
    #expect(failure { () throws(Failure) in try output.flush() }?.status == .inputOutput)
    #expect(failure { () throws(Failure) in try output.flush() } == nil)
    #expect(sink.bytes.text == "12345")
  }

  /// Texts are looked at eight bytes at a time; wherever a byte stands that needs an escape, it gets one.
  @Test func everyByteAtEveryPlaceIsEscapedAsAlone() {
    let output = OutputBuffer(MemorySink())
    for count in 0...25 {
      for place in 0..<max(count, 1) {
        for byte in (0...255).map(UInt8.init) {
          var bytes = (0..<count).map { UInt8(ascii: "a") + UInt8($0) }
          if count > 0 { bytes[place] = byte }
          output.rewind(to: 0)
          bytes.withBytes { output.appendQuoted($0) }
          let found = Array(UnsafeBufferPointer(start: output.pending.base, count: output.count))
          let expected = [UInt8(ascii: "\"")] + bytes.flatMap(Self.escaped) + [UInt8(ascii: "\"")]
          if found != expected { Issue.record("\(bytes)") }
        }
      }
    }
  }

  private static func escaped(_ byte: UInt8) -> [UInt8] {
    let short: [UInt8: String] = [
      0x08: "\\b", 0x09: "\\t", 0x0A: "\\n", 0x0C: "\\f", 0x0D: "\\r", 0x22: "\\\"", 0x5C: "\\\\",
    ]
    if let text = short[byte] { return Array(text.utf8) }
    guard byte < 0x20 else { return [byte] }
    let digits = String(byte, radix: 16)
    return Array(("\\u00" + (digits.count < 2 ? "0" : "") + digits).utf8)
  }
}
