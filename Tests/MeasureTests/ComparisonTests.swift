// Comparisons against arithmetic, and how often they cry wolf.

import Core
import Foundation
import Testing

@testable import Measure

private let isLong = ProcessInfo.processInfo.environment["RTINFER_LONG"] == "1"
private let runs = isLong ? 10_000 : 60

@Suite struct ComparisonTests {
  private func data(
    _ random: inout SplitMix64, _ count: Int, scale: Double = 1
  ) -> BatchedLatencies {
    var data = BatchedLatencies()
    for _ in 0..<count {
      data.record(UInt64(-log(1 - Double.random(in: 0..<1, using: &random)) * scale * 1e6) + 1_000)
    }
    return data
  }

  @Test func theRankTestIsMannAndWhitneys() throws {
    var (base, head) = (BatchedLatencies(), BatchedLatencies())
    // U = 22.5 of 30 with one tie: by hand.
    for value in [1, 3, 5, 7, 9, 11] as [UInt64] { base.record(value) }
    for value in [4, 8, 9, 12, 13] as [UInt64] { head.record(value) }
    let test = try #require(
      LatencyComparison.rankTest(base: base, head: head, confidence: 0.95))
    #expect(abs(test.chance - 22.5 / 30) < 1e-12)
    let variance = 30.0 / 12 * (12 - 6.0 / 110)
    let z = (22.5 - 15) / variance.squareRoot()
    #expect(abs(test.slowerProbability - NormalDistribution.upperTail(z)) < 1e-12)
  }

  @Test func aFifthSlowerIsSeen() throws {
    var random = SplitMix64(seed: 5)
    let (base, head) = (data(&random, 20_000), data(&random, 20_000, scale: 1.2))
    for percent in [50.0, 95] {
      let ratio = try #require(
        LatencyComparison.ratio(percent, base: base, head: head, confidence: 0.95))
      #expect(ratio.low > 1.05 && ratio.low < ratio.value && ratio.value < ratio.high!)
      #expect(abs(ratio.value - 1.2) < 0.1 && ratio.high! < 1.4, "\(ratio)")
    }
    let test = try #require(LatencyComparison.rankTest(base: base, head: head, confidence: 0.95))
    // Two exponentials: the chance is 1.2/2.2.
    #expect(abs(test.chance - 1.2 / 2.2) < 0.01 && test.slowerProbability < 1e-6)
  }

  private let confidence = 0.95

  /// Times of a queue: a lag-one correlation, and a log-normal distribution.
  private func queue(
    _ random: inout SplitMix64, _ count: Int, correlation: Double
  ) -> BatchedLatencies {
    func normal() -> Double {
      let radius = (-2 * log(1 - Double.random(in: 0..<1, using: &random))).squareRoot()
      return radius * cos(2 * Double.pi * Double.random(in: 0..<1, using: &random))
    }
    var data = BatchedLatencies()
    let moves = (1 - correlation * correlation).squareRoot()
    var level = normal()
    for _ in 0..<count {
      data.record(UInt64(exp(level) * 1e6) + 1_000)
      level = correlation * level + moves * normal()
    }
    return data
  }

  private func share(
    tolerated: Double, failing: Bool,
    _ pair: (inout SplitMix64) -> (base: BatchedLatencies, head: BatchedLatencies)
  ) -> Double {
    var random = SplitMix64(seed: 6)
    let test = SlownessTest(tolerated: tolerated, confidence: confidence)
    var count = 0
    for _ in 0..<runs {
      let (base, head) = pair(&random)
      let fails = test.verdicts(base: base, head: head).contains { $0.answer == .fail }
      if fails == failing { count += 1 }
    }
    return Double(count) / Double(runs)
  }

  /// A share and four standard errors of a simulation's own.
  private func atMost(_ share: Double) -> Double {
    share + 4 * (share * (1 - share) / Double(runs)).squareRoot()
  }

  /// All four clauses together, as the help of budget compare states it.
  @Test func nothingChangedIsRarelySlower() {
    let alone = share(tolerated: 0, failing: true) { (data(&$0, 1_500), data(&$0, 1_500)) }
    #expect(alone <= atMost(0.05), "\(alone)")
    let queued = share(tolerated: 0, failing: true) {
      (queue(&$0, 10_000, correlation: 0.9), queue(&$0, 10_000, correlation: 0.9))
    }
    #expect(queued <= atMost(0.05), "\(queued)")
  }

  /// Slower by just what is tolerated is no failure either, however many requests there are.
  @Test func whatIsToleratedRarelyFails() {
    let alarms = share(tolerated: 0.05, failing: true) {
      (data(&$0, 20_000), data(&$0, 20_000, scale: 1.05))
    }
    #expect(alarms <= atMost(0.05), "\(alarms)")
  }

  @Test func aSeventhSlowerIsRarelyMissed() {
    let missed = share(tolerated: 0.05, failing: false) {
      (data(&$0, 10_000), data(&$0, 10_000, scale: 1.15))
    }
    #expect(missed <= atMost(0.01), "\(missed)")
  }

  @Test func pairsCancelADrift() throws {
    // B is 10 % slower while the machine becomes ten times slower.
    let pairs = (0..<6).map { round in
      let drift = log(Double(1 + round * 2))
      return (drift + log(1.1) + Double(round % 2) * 0.01) - drift
    }
    let ratio = try #require(LatencyComparison.paired(pairs, confidence: 0.95))
    #expect(ratio.low > 1.09 && ratio.high! < 1.12)
    #expect(LatencyComparison.paired([0.1], confidence: 0.95) == nil)
    // Student's interval of 0.1, 0.2, 0.3: 0.2 ± 4.3027 × 0.1/√3.
    let three = try #require(LatencyComparison.paired([0.1, 0.2, 0.3], confidence: 0.95))
    #expect(abs(log(three.high!) - (0.2 + 4.302653 * 0.1 / 3.0.squareRoot())) < 1e-6)
  }
}

@Suite struct RateSearchTests {
  /// Tries all rates against a server that keeps its promise up to `limit`.
  private func search(_ limit: Double, start: Double = 100, most: Double = 10_000) -> (
    RateSearch, [Double]
  ) {
    var search = RateSearch(start: start, rateMax: most, precision: 0.1)
    var tried: [Double] = []
    while let rate = search.rate, tried.count < 100 {
      tried.append(rate)
      search.tell(rate <= limit ? .kept : .broken)
    }
    return (search, tried)
  }

  @Test(arguments: [101.0, 333, 1_000, 4_321]) func findsTheLimitWithinItsPrecision(_ limit: Double)
    throws
  {
    let (search, tried) = search(limit)
    let (kept, broken) = (try #require(search.kept), try #require(search.broken))
    #expect(kept <= limit && broken > limit && broken / kept <= 1.1 + 1e-9)
    #expect(tried.last == kept && tried.count { $0 == kept } >= 2, "the answer is tried twice")
  }

  @Test func aLimitBelowTheStartIsFoundToo() throws {
    let (search, _) = search(30)
    let kept = try #require(search.kept)
    #expect(kept <= 30 && kept > 25)
    #expect(self.search(0.1).0.kept == nil, "no rate at all")
  }

  @Test func nothingBreaksUpToTheHighest() {
    let (search, tried) = search(.infinity, most: 1_000)
    #expect(search.kept == 1_000 && search.broken == nil)
    #expect(tried == [100, 200, 400, 800, 1_000, 1_000])
  }

  @Test func whatHoldsOnceAndNotTwiceDoesNotHold() throws {
    var search = RateSearch(start: 100, rateMax: 100, precision: 0.1)
    search.tell(.kept)
    #expect(search.rate == 100 && search.isConfirming)
    search.tell(.broken)
    #expect(search.kept == nil && search.rate == 50)
  }
}
