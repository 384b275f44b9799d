// A stream with a known share of events out of order and a known lateness: what is reported is what was made, and
// the lateness that is suggested keeps what it says.

import Core
import TestSupport
import Testing

@testable import Events

@Suite struct LatenessStatisticsTests {
  /// One event a second; 15 % come later than they happened, by up to ten minutes, short delays more often.
  private struct Stream {
    /// Event times in order of arrival, in seconds.
    var times: [Int64] = []
    /// Of each, how far it came behind the latest one before it.
    var lags: [Int64] = []

    init(seed: UInt64, count: Int64) {
      var random = SplitMix64(seed: seed)
      var arrivals: [(arrival: Int64, time: Int64)] = []
      for time in 0..<count {
        let isLate = Double.random(in: 0..<1, using: &random) < 0.15
        let share = Double.random(in: 0..<1, using: &random)
        let delay = isLate ? 2 + Int64(600 * share * share * share) : 0
        arrivals.append((time + delay, time))
      }
      arrivals.sort { ($0.arrival, $0.time) < ($1.arrival, $1.time) }
      times = arrivals.map(\.time)
      var latest: Int64 = 0
      for time in times {
        latest = max(latest, time)
        lags.append(latest - time)
      }
    }

    /// By window, as many seconds long: events that are behind by no more than the lateness, and all.
    func windows(_ length: Int64, _ lateness: TimeSpan) -> [Int64: (accepted: Int, all: Int)] {
      var found: [Int64: (accepted: Int, all: Int)] = [:]
      for (time, lag) in zip(times, lags) {
        found[time / length, default: (0, 0)].all += 1
        if TimeSpan.seconds(lag) <= lateness { found[time / length]!.accepted += 1 }
      }
      return found
    }

    /// The share of events that are behind by no more.
    func kept(_ lateness: TimeSpan) -> Double {
      let kept = lags.count { TimeSpan.seconds($0) <= lateness }
      return Double(kept) / Double(lags.count)
    }
  }

  private func ingest(_ stream: Stream, _ lateness: TimeSpan) throws -> EventIntake {
    let run = try TestRun(["--max-rejects", "100%"])
    let start = Timestamp("2013-01-05T00:00:00Z")
    let text = stream.times.map { "{\"time\":\"\((start + .seconds($0)).rfc3339)\"}\n" }.joined()
    let intake = EventIntake(
      [ChunkedSource(text)], schema: EventSchema(anyType: EventType(name: "", lateness: lateness)),
      rejects: try Rejects(run.invocation), clock: ManualClock(start + .days(1_000)),
      trustsMarks: false, beforeWaiting: { () throws(Failure) in })
    intake.watchWindows(.seconds(60))
    while try intake.next() != nil {}
    return intake
  }

  @Test(arguments: 0..<4) func whatIsReportedIsTheTruthAndTheSuggestionHolds(_ seed: UInt64) throws
  {
    let stream = Stream(seed: seed, count: 20_000)
    let shareOutOfOrder = Double(stream.lags.count { $0 > 0 }) / 20_000
    #expect(shareOutOfOrder > 0.14 && shareOutOfOrder < 0.16)
    let first = try ingest(stream, .seconds(60))
    #expect(first.lateness.count == 20_000)
    #expect(first.lateness.shareOutOfOrder == shareOutOfOrder)
    #expect(abs(first.lateness.shareRefused - (1 - stream.kept(.seconds(60)))) < 1e-12)
    #expect(first.counts.accepted + first.lateness.refused == 20_000)
    for percent in [50.0, 99, 99.9, 100] {
      let suggested = first.lateness.lateness(keeping: percent)
      #expect(stream.kept(suggested) >= percent / 100, "\(percent): \(suggested)")
      // No more than a bucket and a rounding above what is needed.
      let less = TimeSpan(microseconds: suggested.microseconds * 30 / 32 - 1_000_000)
      #expect(stream.kept(less) < percent / 100 || less <= .zero, "\(percent): \(suggested)")
    }
    try expectTrueCompleteness(first, stream, .seconds(60), atLeast: 0.9)
    let suggested = first.lateness.lateness(keeping: 99.9)
    let second = try ingest(stream, suggested)
    #expect(Double(second.counts.accepted) / 20_000 >= 0.997)
    try expectTrueCompleteness(second, stream, suggested, atLeast: 0.997)
    let third = try ingest(stream, first.lateness.lateness(keeping: 100))
    #expect(third.counts.accepted == 20_000 && third.lateness.refused == 0)
  }

  /// What is told of each minute is what was in it when the watermark passed it, of all that came; and of all events so
  /// large a share was counted in its window.
  private func expectTrueCompleteness(
    _ intake: EventIntake, _ stream: Stream, _ lateness: TimeSpan, atLeast share: Double
  ) throws {
    let truth = stream.windows(60, lateness)
    let told = try #require(intake.lateness.windows).passed(intake.currentWatermark)
    let start = Timestamp("2013-01-05T00:00:00Z")
    #expect(told.count > 300)
    for window in told {
      let expected = truth[(window.start.microseconds - start.microseconds) / 60_000_000]
      #expect(window.accepted == expected?.accepted && window.events == expected?.all)
    }
    let counted = told.reduce(0) { $0 + $1.accepted }
    let all = told.reduce(0) { $0 + $1.events }
    #expect(Double(counted) / Double(all) >= share, "\(counted) of \(all)")
  }

  @Test func eventsInOrderAskForNone() throws {
    var lateness = LatenessStatistics()
    #expect(lateness.lateness(keeping: 99) == .zero && lateness.shareOutOfOrder == 0)
    for second in Int64(0)..<10 {
      lateness.record(Timestamp(microseconds: second), front: .distantPast)
      lateness.record(Timestamp(microseconds: second), front: Timestamp(microseconds: second))
    }
    #expect(lateness.lateness(keeping: 100) == .zero && lateness.outOfOrder == 0)
  }

  @Test func aLatenessIsWrittenAsPeopleWould() {
    for (microseconds, text) in [
      (1, "1ms"), (1_000, "1ms"), (1_001, "2ms"), (9_999_001, "10s"), (10_000_001, "11s"),
      (3_599_000_001, "1h"), (3_600_000_001, "1h1m"),
    ] as [(Int64, String)] {
      var lateness = LatenessStatistics()
      lateness.record(.init(microseconds: 0), front: .init(microseconds: microseconds))
      #expect(lateness.lateness(keeping: 100).description == text)
    }
  }
}
