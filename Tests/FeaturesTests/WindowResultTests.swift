// The results of windows that Flink's documentation prints for its table of bids, and sessions against a twin.

import TestSupport
import Testing

@testable import Core
@testable import Features

@Suite struct WindowResultTests {
  private func time(_ clock: String) -> Timestamp { Timestamp("2020-04-15T\(clock):00Z") }

  /// The bids of the documentation: 08:05 4.00, 08:07 2.00, and so on.
  private func bids(_ window: String) throws -> FeatureStream {
    let stream = try FeatureStream("f: { sum: 'x', \(window) }")
    let bids = [
      ("08:05", 4.0), ("08:07", 2), ("08:09", 5), ("08:11", 3), ("08:13", 1), ("08:17", 6),
    ]
    for (clock, price) in bids {
      try stream.apply(TestEvent(time: time(clock), key: "a", x: price))
    }
    return stream
  }

  private func results(_ window: String, at clocks: [String]) throws -> [String] {
    let stream = try bids(window)
    return try clocks.map { try stream.ask("a", at: time($0))[0] }
  }

  @Test func tumblingWindows() throws {
    #expect(
      try results("tumbling: '10m'", at: ["08:09", "08:10", "08:15", "08:20", "08:30"])
        == ["null", "11.0", "11.0", "10.0", "null"])
  }

  @Test func hoppingWindows() throws {
    #expect(
      try results("window: '10m', every: '5m'", at: ["08:10", "08:15", "08:20", "08:25"])
        == ["11.0", "15.0", "10.0", "6.0"])
  }

  @Test func cumulativeWindows() throws {
    #expect(
      try results(
        "cumulative: '10m', every: '2m'",
        at: ["08:06", "08:08", "08:10", "08:12", "08:14", "08:16", "08:18", "08:20"])
        == ["4.0", "6.0", "11.0", "3.0", "4.0", "4.0", "10.0", "10.0"])
    #expect(
      try results("cumulative: '10m'", at: ["08:07", "08:10", "08:11", "08:12"])
        == ["4.0", "11.0", "null", "3.0"])
  }

  /// In the documentation's order of arrival, which is not the order of time.
  @Test func sessions() throws {
    let stream = try FeatureStream("f: { sum: 'x', session: '5m' }")
    let bids = [
      ("08:07", 4.0, "A"), ("08:06", 2, "A"), ("08:09", 5, "B"), ("08:08", 3, "A"),
      ("08:17", 1, "B"),
    ]
    for (clock, price, item) in bids {
      try stream.apply(TestEvent(time: time(clock), key: item, x: price))
    }
    #expect(try stream.ask("A", at: time("08:12")) == ["9.0"])
    #expect(try stream.ask("B", at: time("08:13")) == ["5.0"])
    #expect(try stream.ask("B", at: time("08:18")) == ["1.0"])
    #expect(try stream.ask("B", at: time("08:17")) == ["null"])
  }

  /// Exactly the gap apart is one session, a microsecond more is two; an event that comes late joins two sessions.
  @Test func sessionsMergeInclusively() throws {
    let stream = try FeatureStream("n: { count: '*', session: '5m' }")
    let tick = TimeSpan(microseconds: 1)
    try stream.apply(TestEvent(time: time("08:00"), key: "a"))
    try stream.apply(TestEvent(time: time("08:10"), key: "a"))
    #expect(try stream.ask("a", at: time("08:05")) == ["1.0"])
    #expect(try stream.ask("a", at: time("08:05") + tick) == ["0.0"])
    #expect(try stream.ask("a", at: time("08:12")) == ["1.0"])
    try stream.apply(TestEvent(time: time("08:05"), key: "a"))
    #expect(try stream.ask("a", at: time("08:12")) == ["3.0"])
    try stream.apply(TestEvent(time: time("08:15") + tick, key: "a"))
    #expect(try stream.ask("a", at: time("08:16")) == ["1.0"])
  }

  @Test(arguments: [3, 40, 200] as [Int64]) func sessionsAgreeWithAScan(_ late: Int64) throws {
    var random = SplitMix64(seed: UInt64(late))
    let stream = try FeatureStream(
      "n: { count: '*', session: '9s' }, l: { sum: 'x', session: '4s' }")
    var rows: [(second: Int64, x: Double)] = []
    var latest: Int64 = 0
    for _ in 0..<600 {
      latest += Int64.random(in: 0...8, using: &random)
      let second = latest - Int64.random(in: 0...late, using: &random)
      rows.append((second, Double(Int.random(in: -9...9, using: &random))))
      try stream.apply(
        TestEvent(time: Timestamp(microseconds: second * 1_000_000), key: "a", x: rows.last!.x),
        watermark: Timestamp(microseconds: (latest - late) * 1_000_000))
      let asked = latest + Int64.random(in: -late...10, using: &random)
      let before = rows.filter { $0.second < asked }.sorted { $0.second < $1.second }
      func session(_ gap: Int64) -> [Double] {
        var (next, values) = (asked, [Double]())
        for row in before.reversed() {
          guard next - row.second <= gap else { break }
          (next, values) = (row.second, values + [row.x])
        }
        return values
      }
      let sum = session(4).isEmpty ? "null" : "\(session(4).reduce(0, +))"
      #expect(
        try stream.ask("a", at: Timestamp(microseconds: asked * 1_000_000))
          == ["\(Double(session(9).count))", sum])
    }
  }

  // MARK: Rates, ratios, times

  @Test func ratesAreOfTheTrueLength() throws {
    #expect(try results("window: '10m', every: 'exact'", at: ["08:15"]) == ["15.0"])
    let stream = try FeatureStream(
      """
      n: { rate: '*', per: '1m', window: '10m', every: 'exact' },
      h: { rate: 'x', per: '1m', window: '10m', every: '5m' },
      t: { time_since_last: '*' }, u: { time_since_last: 'x', window: '5m', every: 'exact' },
      r: { ratio: [{ sum: 'x' }, { count: '*' }], window: '10m', every: 'exact' }
      """)
    #expect(try stream.ask("a", at: time("08:12")) == ["0.0", "0.0", "null", "null", "null"])
    try stream.apply(TestEvent(time: time("08:04"), key: "a", x: 6))
    try stream.apply(TestEvent(time: time("08:07"), key: "a"))
    // The window with the hop covers 08:00 to 08:12.
    #expect(try stream.ask("a", at: time("08:12")) == ["0.2", "0.5", "300.0", "null", "3.0"])
    #expect(
      try stream.ask("a", at: time("08:09")) == ["0.2", "\(6.0 / 14)", "120.0", "300.0", "3.0"])
  }
}
