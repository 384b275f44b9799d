// RFC 3339 in and out, and the arithmetic of times at both ends of the line.

import Core
import TestSupport
import Testing

@Suite struct TimestampTests {
  private func parse(_ text: String) -> Int64? {
    Timestamp(rfc3339: Bytes(lasting: text))?.microseconds
  }

  private static let accepted: [(String, Int64)] = [
    ("1970-01-01T00:00:00Z", 0), ("1970-01-01t00:00:00z", 0), ("1970-01-01 00:00:00Z", 0),
    ("1970-01-01T00:00:00.5Z", 500_000), ("1970-01-01T00:00:00.000001Z", 1),
    ("1970-01-01T00:00:00.1234567899Z", 123_456), ("1970-01-01T00:00:00.0000009Z", 0),
    ("1969-12-31T23:59:59.999999Z", -1), ("1970-01-01T01:00:00+01:00", 0),
    ("1969-12-31T18:30:00-05:30", 0), ("1970-01-01T00:00:00-00:00", 0),
    ("1970-01-01T00:00:00.25+00:01", -59_750_000), ("1970-01-02T00:00:00+23:59", 60_000_000),
    ("2013-01-05T10:15:00Z", 1_357_380_900_000_000),
    ("2016-12-31T23:59:60Z", 1_483_228_800_000_000),
    ("2000-02-29T00:00:00Z", 951_782_400_000_000), ("2024-02-29T23:59:59Z", 1_709_251_199_000_000),
    ("0001-01-01T00:00:00Z", -62_135_596_800_000_000),
    ("9999-12-31T23:59:59.999999Z", 253_402_300_799_999_999),
  ]

  @Test(arguments: accepted) func reads(_ text: String, _ microseconds: Int64) {
    #expect(parse(text) == microseconds)
  }

  @Test(arguments: [
    "", "2013", "2013-01-05", "2013-01-05T10:15Z", "2013-01-05T10:15:00", "2013-01-05T10:15:00.",
    "2013-01-05T10:15:00.Z",
    "2013-01-05T10:15:00.5", "2013-13-05T10:15:00Z", "2013-00-05T10:15:00Z", "2013-01-00T10:15:00Z",
    "2013-01-32T10:15:00Z",
    "2013-02-29T10:15:00Z", "1900-02-29T00:00:00Z", "2013-04-31T00:00:00Z", "2013-01-05T24:00:00Z",
    "2013-01-05T10:60:00Z",
    "2013-01-05T10:15:61Z", "2013-01-05T10:15:00ZZ", "2013-01-05T10:15:00Z ",
    " 2013-01-05T10:15:00Z", "2013-01-05X10:15:00Z",
    "2013/01/05T10:15:00Z", "2013-1-05T10:15:000Z", "2013-01-05T10:15:00+0100",
    "2013-01-05T10:15:00+24:00",
    "2013-01-05T10:15:00+01:60", "2013-01-05T10:15:00+1:00", "2013-01-05T10:15:00+01:0",
    "2013-01-05T10:15:00+01:000",
    "２013-01-05T10:15:00Z", "2013-01-05T10-15-00Z", "+2013-01-05T10:15:00Z", "2013-01-05T1a:15:00Z",
    "2013-01-05T10:15:00,5Z",
  ])
  func refuses(_ text: String) { #expect(parse(text) == nil) }

  @Test func whatIsWrittenIsReadBack() {
    var random = SplitMix64(seed: 9)
    let years =
      Timestamp("0001-01-01T00:00:00Z")
      .microseconds...Timestamp("9999-12-31T23:59:59Z").microseconds
    var wrong: [Int64] = []
    for round in 0..<50_000 {
      var number = Int64.random(in: years, using: &random)
      // Whole seconds and milliseconds have shorter forms.
      if round % 3 == 0 { number = number / 1_000_000 * 1_000_000 }
      if round % 3 == 1 { number = number / 1_000 * 1_000 }
      if parse(Timestamp(microseconds: number).rfc3339) != number { wrong.append(number) }
    }
    #expect(wrong.isEmpty, "\(wrong.prefix(5))")
  }

  @Test(
    arguments: [
      ("2013-01-05T10:15:00Z", nil), ("2013-01-05T10:15:00.100000Z", "2013-01-05T10:15:00.1Z"),
      ("2013-01-05T10:15:00.000010Z", "2013-01-05T10:15:00.00001Z"),
      ("1969-12-31T23:59:59.999999Z", nil),
      ("2013-01-05t10:15:00+01:00", "2013-01-05T09:15:00Z"), ("0000-01-01T00:00:00Z", nil),
    ])
  func writesUTCWithTheDecimalsThatItHas(_ text: String, _ expected: String?) {
    #expect(Timestamp(text).rfc3339 == expected ?? text)
    let output = OutputBuffer(MemorySink(), capacity: 1)
    output.appendQuoted(Timestamp(text))
    #expect(output.pending.string == "\"\(expected ?? text)\"")
  }

  @Test func theEndsOfTimeCanBeWritten() {
    #expect(Timestamp.distantFuture.rfc3339 == "294247-01-10T04:00:54.775807Z")
    #expect(Timestamp.distantPast.rfc3339 == "-290308-12-21T19:59:05.224192Z")
  }

  // MARK: Arithmetic

  @Test func roundingDownGoesTowardsThePast() {
    let hop = TimeSpan(microseconds: 10)
    for number in Int64(-35)...35 {
      let start = Timestamp(microseconds: number).roundedDown(to: hop).microseconds
      #expect(start <= number && number < start + 10 && start % 10 == 0)
    }
    #expect(
      Timestamp("1969-12-31T23:59:59Z").roundedDown(to: .days(1))
        == Timestamp("1969-12-31T00:00:00Z"))
    #expect(Timestamp.distantPast.roundedDown(to: hop) == .distantPast)
    #expect(Timestamp.distantFuture.roundedDown(to: hop) == .distantFuture)
    #expect(Timestamp(microseconds: .min + 3).roundedDown(to: .days(1)) == .distantPast)
  }

  @Test func theDistantPastAndFutureMeanNoBound() {
    let day = TimeSpan.days(1)
    for span in [day, TimeSpan(microseconds: -5), TimeSpan(microseconds: .max), .zero] {
      for end in [Timestamp.distantPast, .distantFuture] {
        #expect(end - span == end && end + span == end)
      }
    }
    let near = Timestamp(microseconds: .min + 5)
    #expect(
      near - day == .distantPast
        && near + day == Timestamp(microseconds: .min + 5 + day.microseconds))
    let late = Timestamp(microseconds: .max - 5)
    #expect(
      late + day == .distantFuture
        && late - day == Timestamp(microseconds: .max - 5 - day.microseconds))
    #expect(near + TimeSpan(microseconds: -10) == .distantPast)
    #expect(late - TimeSpan(microseconds: -10) == .distantFuture)
  }

  // MARK: Spans

  @Test(
    arguments: [
      ("90s", 90_000_000), ("5m", 300_000_000), ("1h30m", 5_400_000_000), ("1.5d", 129_600_000_000),
      ("250ms", 250_000),
      ("1us", 1), ("2w", 1_209_600_000_000), ("0s", 0), (".5s", 500_000),
      ("1d1h1m1s1ms1us", 90_061_001_001),
      ("1m1m", 120_000_000), ("0.4us", 0),
    ] as [(String, Int64)])
  func readsSpans(_ text: String, _ microseconds: Int64) {
    #expect(TimeSpan(text)?.microseconds == microseconds)
  }

  @Test(arguments: [
    "", "5", "m", "5 m", " 5m", "5m ", "-5m", "5M", "5min", "1e3s", "1..5s", ".s", "5m5", "1h-5m",
    "inf", "nans",
    "99999999999999999999w", "1000000000000001ms", "5µs", "٥m",
  ])
  func refusesWhatIsNoSpan(_ text: String) { #expect(TimeSpan(text) == nil) }

  @Test func spansAreReadBack() {
    var random = SplitMix64(seed: 10)
    for _ in 0..<5_000 {
      // Below 2^53 every microsecond has a double of its own.
      let number =
        Int64.random(in: 0..<1 << 53, using: &random) >> Int64.random(in: 0..<53, using: &random)
      let span = TimeSpan(microseconds: number)
      #expect(TimeSpan(span.description) == span, "\(span.description)")
    }
    #expect(TimeSpan(microseconds: -5_400_000_000).description == "-1h30m")
    #expect(TimeSpan.days(14).description == "14d" && TimeSpan.zero.description == "0s")
    #expect(TimeSpan(microseconds: .min).description.hasPrefix("-106751991d"))
  }

  @Test func spansWithoutEndAreMomentsThatAClockCanTell() {
    #expect(TimeSpan(microseconds: 7).nanoseconds == 7_000)
    #expect(TimeSpan(microseconds: -7).nanoseconds == 0)
    for span in [TimeSpan.days(300_000), .days(106_000_000), TimeSpan(microseconds: .max)] {
      #expect(span.nanoseconds == 1 << 62)
    }
    #expect(TimeSpan(microseconds: .min).nanoseconds == 0)
  }
}
