// Schedules, samples and tallies of a load run, without a network.

import Core
import Foundation
import Testing

@testable import Measure

@Suite struct ArrivalScheduleTests {
  private func all(_ schedule: ArrivalSchedule) -> [UInt64] {
    var schedule = schedule
    var times: [UInt64] = []
    while let time = schedule.next() { times.append(time) }
    return times
  }

  @Test func constantGapsAreEqual() {
    let times = all(
      ArrivalSchedule([.init(rate: 1_000, duration: .seconds(1))], .constant, seed: 1))
    #expect(times.count == 1_000 && times[0] == 0 && times[999] == 999_000_000)
  }

  @Test func poissonGapsAreExponential() {
    let stage = ArrivalSchedule.Stage(rate: 5_000, duration: .seconds(20))
    let times = all(ArrivalSchedule([stage], .poisson, seed: 7))
    #expect(abs(times.count - 100_000) < 1_600, "within five standard deviations")
    let gaps = zip(times.dropFirst(), times).map { Double($0 - $1) / 1e9 * 5_000 }
    let mean = gaps.reduce(0, +) / Double(gaps.count)
    let variance = gaps.map { ($0 - mean) * ($0 - mean) }.reduce(0, +) / Double(gaps.count)
    // An exponential's mean and deviation are equal; a share of 1/e lies above the mean.
    #expect(abs(mean - 1) < 0.02 && abs(variance - 1) < 0.05)
    #expect(abs(Double(gaps.count { $0 > 1 }) / Double(gaps.count) - 0.3679) < 0.01)
    #expect(all(ArrivalSchedule([stage], .poisson, seed: 7)) == times, "the seed decides")
    #expect(all(ArrivalSchedule([stage], .poisson, seed: 8)) != times)
  }

  @Test(arguments: ArrivalSchedule.Shape.allCases) func stagesFollowOneAnother(
    _ shape: ArrivalSchedule.Shape
  ) {
    let schedule = ArrivalSchedule(
      [.init(rate: 100, duration: .seconds(10)), .init(rate: 1_000, duration: .seconds(10))], shape,
      seed: 3)
    let times = all(schedule)
    let first = times.count { $0 < 10_000_000_000 }
    #expect(abs(first - 1_000) < 170 && abs(times.count - first - 10_000) < 510)
    #expect(zip(times.dropFirst(), times).allSatisfy { $0 >= $1 })
    #expect(schedule.lengthNanoseconds == 20_000_000_000 && times.last! < 20_000_000_000)
  }
}

@Suite struct LoadTallyTests {
  static func sample(
    _ due: UInt64, latency: UInt64, status: Int = 200, fault: String? = nil, timing: String = ""
  ) -> LoadSample {
    LoadSample(
      due: due, sent: due + 10, ended: due + latency, status: fault == nil ? status : 0,
      fault: fault,
      path: 0, layers: Array(timing.utf8).withBytes { LayerTiming(serverTiming: $0) })
  }

  static func plan(_ load: LoadPlan.Load, lagMax: TimeSpan? = nil) -> LoadPlan {
    LoadPlan(
      url: "http://a/", load: load, seed: 1, warmup: .zero, lagMax: lagMax,
      machine: Machine(processor: "p", cores: 2, kernel: "k", build: "b"))
  }

  static let open = LoadPlan.Load.open(
    arrivals: "poisson", stages: [.init(rate: 9, duration: .seconds(1))])

  @Test func warmUpDoesNotCountAndErrorsDo() {
    var tally = LoadTally(begin: 1_000)
    let early = tally.record(Self.sample(999, latency: 5_000_000))
    let first = tally.record(Self.sample(1_000, latency: 2_000_000))
    #expect(!early && first)
    tally.record(Self.sample(2_000, latency: 3_000_000, status: 503))
    tally.record(Self.sample(3_000, latency: 9_000_000, fault: "timeout"))
    tally.record(Self.sample(4_000, latency: 10, fault: "refused"))
    tally.finish()
    #expect(tally.requests == 4 && tally.errors == 3 && tally.warmupRequests == 1)
    // A refusal took no time that says anything; a request that was given up took as long at least.
    #expect(tally.latency.count == 3 && tally.latency.maximum == 9_000_000)
    #expect(tally.statuses == [200: 1, 503: 1] && tally.faults == ["timeout": 1, "refused": 1])
    #expect(tally.worst.map(\.latency) == [9_000_000, 3_000_000, 2_000_000])
  }

  @Test func secondsAreThoseOfTheReplies() {
    var tally = LoadTally(begin: 0)
    for index in 0..<30 {
      tally.record(Self.sample(UInt64(index) * 100_000_000, latency: UInt64(index + 1) * 1_000_000))
    }
    tally.finish()
    #expect(tally.seconds.map(\.count) == [10, 10, 10])
    #expect(tally.seconds.map(\.maximum) == [10_000_000, 20_000_000, 30_000_000])
  }

  @Test func aLateGeneratorMakesARunInvalid() throws {
    var tally = LoadTally(begin: 0)
    #expect(tally.invalidity(Self.plan(Self.open)) == "no request was sent")
    for _ in 0..<1_000 {
      tally.recordLag(2_000_000)
      tally.record(Self.sample(0, latency: 5_000_000))
    }
    #expect(try #require(tally.invalidity(Self.plan(Self.open))).contains("send lag p99 2.00 ms"))
    #expect(tally.invalidity(Self.plan(Self.open, lagMax: TimeSpan(microseconds: 3_000))) == nil)
    #expect(tally.invalidity(Self.plan(.closed(concurrency: 3))) == nil, "nothing is due")
    tally.unsent = 4
    #expect(tally.invalidity(Self.plan(.closed(concurrency: 3)))?.hasPrefix("4 requests") == true)
  }

  @Test func serverTimingIsReadByName() {
    func timing(_ text: String) -> LayerTiming {
      Array(text.utf8).withBytes { LayerTiming(serverTiming: $0) }
    }
    let whole = timing(
      "request;dur=0.0041, queue;dur=0, features;dur=1.25, inference;dur=3.1000,cache;dur=9")
    #expect(whole.isPresent)
    #expect((0..<6).map { whole.nanoseconds[$0] } == [4_100, 1_250_000, 3_100_000, 0, 0, 0])
    #expect(whole[3] == nil && whole[4] == nil && whole[5] == 0, "a zero was said of the last only")
    let written = OutputBuffer(MemorySink())
    timing("queue;dur=0, inference;dur=2").append(to: written)
    #expect(written.pending.string == #"{"inference":2000.000,"queue":0.000}"#)
    #expect(timing("inference; dur=2").nanoseconds[2] == 2_000_000)
    #expect(timing("inference;dur=1.00000049").nanoseconds[2] == 1_000_000)
    for text in [
      "", "db;dur=3", "inference", "inference;dur=x", "inference;dur=", "inference;desc=a", ",;,",
    ] {
      #expect(!timing(text).isPresent, "\(text)")
    }
  }

  @Test func histogramsComeBackFromTheirText() throws {
    var histogram = LatencyHistogram(bits: 10)
    for value in [0, 1, 1_023, 1_024, 5_000, 123_456_789, UInt64(1) << 50] {
      histogram.record(value)
    }
    let sink = MemorySink()
    let output = OutputBuffer(sink)
    histogram.append(to: output)
    try output.flush()
    let back = try sink.bytes.withBytes { try LatencyHistogram(json: $0) }
    #expect(
      back.count == histogram.count && back.sum == histogram.sum
        && back.maximum == histogram.maximum)
    for percent in [0.0, 20, 50, 80, 100] {
      #expect(back.percentile(percent) == histogram.percentile(percent))
    }
    for text in ["{}", "{\"bits\":10,\"buckets\":[[1]]}", "{\"bits\":99}", "[]"] {
      #expect(throws: JSONError.self) {
        try Array(text.utf8).withBytes { try LatencyHistogram(json: $0) }
      }
    }
  }

  @Test func percentileTextIsWhatPlottersRead() {
    var histogram = LatencyHistogram(bits: 10)
    for value in 1...1_000 { histogram.record(UInt64(value) * 1_000_000) }
    let lines = PercentileText.text(histogram).split(separator: "\n")
    #expect(
      lines[0].split(separator: " ") == ["Value", "Percentile", "TotalCount", "1/(1-Percentile)"])
    let rows = lines.dropFirst().filter { !$0.hasPrefix("#") }.map {
      $0.split(separator: " ").map { Double($0)! }
    }
    #expect(rows.count > 30 && rows.last!.prefix(3).elementsEqual([1_000, 1, 1_000]))
    for row in rows {
      #expect(abs(row[0] - row[2]) <= row[2] / 1_000 && abs(row[1] - row[2] / 1_000) < 1e-9)
    }
    #expect(zip(rows.dropFirst(), rows).allSatisfy { $0[1] > $1[1] })
  }
}

@Suite struct QuantileIntervalTests {
  /// Sample sizes below which there is no upper end, and ranks, as the order statistics' tables have them.
  @Test func ranksAreThoseOfTheBinomial() {
    #expect(QuantileInterval.ranks(of: 367, 0.99, confidence: 0.95).high == nil)
    #expect(QuantileInterval.ranks(of: 368, 0.99, confidence: 0.95).high == 368)
    #expect(QuantileInterval.ranks(of: 71, 0.95, confidence: 0.95).high == nil)
    #expect(QuantileInterval.ranks(of: 72, 0.95, confidence: 0.95).high == 72)
    #expect(QuantileInterval.ranks(of: 3_688, 0.999, confidence: 0.95).high == 3_688)
    let thousand = QuantileInterval.ranks(of: 1_000, 0.99, confidence: 0.95)
    #expect(1_001 - thousand.low == 18 && 1_001 - thousand.high! == 4)
    let many = QuantileInterval.ranks(of: 10_000, 0.99, confidence: 0.95)
    #expect(10_001 - many.low == 121 && 10_001 - many.high! == 81)
  }

  @Test func dependentSamplesKnowLess() {
    let plain = QuantileInterval.ranks(of: 10_000, 0.99, confidence: 0.95)
    let inflated = QuantileInterval.ranks(of: 10_000, 0.99, confidence: 0.95, inflation: 4)
    #expect(inflated.low < plain.low && inflated.high! > plain.high!)
    #expect(QuantileInterval.ranks(of: 1_000, 0.99, confidence: 0.95, inflation: 4).high == nil)
  }
}
