// Readers and writers that remember the last time against those that remember nothing.

import TestSupport
import Testing

@testable import Core

@Suite struct TimestampTextTests {
  private static let texts = [
    "2013-01-05T10:15:00Z", "2013-01-05T10:15:00.5Z", "2013-01-05T10:15:00.123456Z",
    "2013-01-05T10:15:00.1234567Z", "2013-01-05T23:59:59.999999Z", "2013-01-05T24:00:00Z",
    "2013-01-05T10:60:00Z", "2013-01-05T10:15:60Z", "2013-01-05T10:15:61Z", "2013-01-05T10:15:00",
    "2013-01-05T10:15:00.Z", "2013-01-05T10:15:00.5", "2013-01-05T10:15:00.a5Z",
    "2013-01-05T10:15:00+01:00", "2013-01-05T10:15:00.5-11:30", "2013-01-05T10:15:00z",
    "2013-01-05 10:15:00Z", "2013-01-05t10:15:00Z", "2013-01-05T1x:15:00Z", "2013-01-05T10-15:00Z",
    "2013-01-05T10:15:0Z", "2013-01-05T10:15:000Z", "2013-01-05T10:15:00ZZ", "2013-01-06T00:00:00Z",
    "2013-02-29T00:00:00Z", "2012-02-29T00:00:00Z", "2012-02-29T12:00:00.25Z",
    "1969-12-31T23:59:59Z",
    "0000-01-01T00:00:00Z", "2013-13-05T10:15:00Z", "2013-01-05X10:15:00Z", "", "2013-01-05T",
  ]

  @Test func readingAgreesWithTheTwinWhateverCameBefore() {
    for first in Self.texts {
      for second in Self.texts {
        var reader = TimestampReader()
        for text in [first, second, first] {
          let bytes = Bytes(lasting: text)
          #expect(reader.read(bytes) == Timestamp(rfc3339: bytes), "\(text) after \(first)")
        }
      }
    }
  }

  @Test func damagedTimesAreReadAsTheTwinReadsThem() {
    var random = SplitMix64(seed: 3)
    var reader = TimestampReader()
    for _ in 0..<20_000 {
      var text = Array("2013-01-05T10:15:00.125Z".utf8)
      for _ in 0..<Int.random(in: 0...2, using: &random) {
        text[Int.random(in: 0..<text.count, using: &random)] = UInt8.random(
          in: 0x20...0x7A, using: &random)
      }
      let (found, expected) = text.withBytes { (reader.read($0), Timestamp(rfc3339: $0)) }
      #expect(found == expected, "\(String(decoding: text, as: UTF8.self))")
    }
  }

  @Test func writingAgreesWithTheTwinWhateverCameBefore() {
    var random = SplitMix64(seed: 5)
    var writer = TimestampWriter()
    var time: Int64 = 0
    let output = OutputBuffer(MemorySink())
    for round in 0..<20_000 {
      let step = [1, 999, 1_000, 999_999, 1_000_000, 86_400_000_000][round % 6]
      time += Int64.random(in: -Int64(step)...Int64(step), using: &random)
      if round % 1_000 == 0 {
        time = Int64.random(in: -70_000_000_000_000_000...400_000_000_000_000_000, using: &random)
      }
      output.rewind(to: 0)
      output.appendQuoted(Timestamp(microseconds: time), &writer)
      #expect(output.pending.string == "\"\(Timestamp(microseconds: time).rfc3339)\"", "\(time)")
    }
  }
}
