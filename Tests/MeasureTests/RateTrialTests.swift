// How a rate is decided, and how often wrongly: what the help of bench search states. The simulations are small by default;
// RTINFER_LONG=1 makes them 10,000 trials each.

import Core
import Foundation
import Testing

@testable import Measure

private let isLong = ProcessInfo.processInfo.environment["RTINFER_LONG"] == "1"
private let trials = isLong ? 10_000 : 100

private func normal(_ random: inout SplitMix64) -> Double {
  let radius = (-2 * log(1 - Double.random(in: 0..<1, using: &random))).squareRoot()
  return radius * cos(2 * Double.pi * Double.random(in: 0..<1, using: &random))
}

@Suite struct RateTrialTests {
  private static let promise = "p99 < 50ms && errors < 1%"

  /// One trial of requests of which some are slow, and as many fail.
  ///
  /// - Parameter correlation: of neighbours' times.
  private func trial(
    slow share: Double, failing: Double = 0, correlation: Double = 0, _ random: inout SplitMix64
  ) throws -> RateSearch.Outcome {
    let clauses = try Clause.parse(Self.promise, origin: "test")
    var trial = RateTrial(clauses)
    let stretch = try #require(RateTrial.requests(toProve: clauses))
    let threshold = share > 0 ? NormalDistribution.quantile(1 - share) : .infinity
    let moves = (1 - correlation * correlation).squareRoot()
    var level = normal(&random)
    while true {
      for _ in 0..<stretch {
        var one = BudgetEvidence.Observation()
        one.latency = UInt64(max(1, 50e6 * exp(0.1 * (level - threshold))))
        one.isError = failing > 0 && Double.random(in: 0..<1, using: &random) < failing
        trial.record(one)
        level = correlation * level + moves * normal(&random)
      }
      if let answer = trial.look() { return answer }
    }
  }

  private func share(
    of answer: RateSearch.Outcome, slow: Double, failing: Double = 0, correlation: Double = 0
  ) throws -> Double {
    var random = SplitMix64(seed: 21)
    var count = 0
    for _ in 0..<trials
    where try trial(slow: slow, failing: failing, correlation: correlation, &random) == answer {
      count += 1
    }
    return Double(count) / Double(trials)
  }

  /// The share and four standard errors of a simulation's own.
  private func atMost(_ share: Double) -> Double {
    share + 4 * (share * (1 - share) / Double(trials)).squareRoot()
  }

  /// Five looks at one error: each at the whole's confidence would be wrong more than twice as often.
  @Test func aRateThatJustBreaksItsPromiseIsRarelyCalledKept() throws {
    let bySlow = try share(of: .kept, slow: 0.01)
    let byErrors = try share(of: .kept, slow: 0, failing: 0.01)
    #expect(bySlow <= atMost(0.025) && byErrors <= atMost(0.025), "\(bySlow), \(byErrors)")
  }

  /// Times that hang together, as in a queue: a stretch may happen to have none of the slow ones, and then nothing in it says
  /// that they come together. The answer of a search is tried twice.
  @Test func neighboursThatHangTogetherAreKeptMoreOften() throws {
    let kept = try share(of: .kept, slow: 0.01, correlation: 0.9)
    #expect(kept <= atMost(0.15), "\(kept)")
  }

  @Test func aRateWithRoomIsCalledKept() throws {
    let third = try share(of: .broken, slow: 0.01 / 3)
    let half = try share(of: .broken, slow: 0.005)
    #expect(third <= atMost(0.05) && half <= atMost(0.5), "\(third), \(half)")
    let thirdOfErrors = try share(of: .broken, slow: 0, failing: 0.01 / 3)
    #expect(thirdOfErrors <= atMost(0.05), "\(thirdOfErrors)")
    #expect(try share(of: .broken, slow: 0) == 0, "one stretch proves it")
  }

  /// A stretch of a rate at which nothing is slow decides; half of what is needed never would.
  @Test(arguments: [
    ("p50 < 1ms", 600), ("p99 < 50ms", 600), ("p99.9 < 50ms", 6_000), ("errors < 0.1%", 6_000),
    ("p99 < 50ms && availability > 99.9%", 6_000), ("mean < 1ms && max < 5ms", 600),
    ("burn < 0.5", 12_000), ("errors < 100%", 600),
  ]) func aStretchIsAsLongAsThePromiseNeeds(_ promise: String, _ requests: Int) throws {
    let clauses = try Clause.parse(promise, origin: "test")
    #expect(RateTrial.requests(toProve: clauses) == requests)
    var trial = RateTrial(clauses)
    for _ in 0..<requests {
      var one = BudgetEvidence.Observation()
      one.latency = 500_000
      trial.record(one)
    }
    #expect(trial.look() == .kept)
  }

  @Test func whatNoMillionProvesIsToldBeforehand() throws {
    for promise in ["errors <= 0%", "p99.9999 < 1s", "availability >= 100%"] {
      #expect(RateTrial.requests(toProve: try Clause.parse(promise, origin: "test")) == nil)
    }
  }
}
