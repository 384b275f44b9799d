// A made world whose value is known: what turns out depends on the decision, decisions were made by chance with known
// chances, and rather acted where acting is good. Counting matched outcomes alone is then wrong; IPW and SNIPW hold the
// truth as often as they say.

import Core
import Foundation
import Testing

@testable import Measure

@Suite struct OffPolicyValueTests {
  private static let isLong = ProcessInfo.processInfo.environment["RTINFER_LONG"] == "1"

  /// Somebody is worth x, uniform on 0 to 1, more or less by the mood of his day. Acting succeeds with chance x and brings
  /// 1, or costs 0.5; leaving brings 0.2. Who decided at the time acted with chance 0.1 + 0.8 x.
  private struct World {
    var weights: [[Double]] = [[], []]
    var rewards: [Double] = []
    var values: [Double] = []
    var clusters: [Int] = []
    /// The mean reward where the logged decision is the arm's.
    var naive: [Double] = []
    /// Arms act from these on.
    static let bounds = [0.2, 0.6]
    static let days = 40
    static let perDay = 25

    /// Of a question, by arm: acting from `bound` on is worth ∫ (1.5 x − 0.5) over [bound, 1], leaving 0.2 below it.
    static let truths = bounds.map { 0.75 * (1 - $0 * $0) - 0.5 * (1 - $0) + 0.2 * $0 }

    init(seed: UInt64) {
      var random = SplitMix64(seed: seed)
      var sums: [(reward: Double, count: Double)] = [(0, 0), (0, 0)]
      for day in 0..<World.days {
        let mood = Double.random(in: 0..<1, using: &random)
        for _ in 0..<World.perDay {
          // Uniform by itself, and alike within a day.
          let x = (mood + Double.random(in: 0..<0.3, using: &random)).truncatingRemainder(
            dividingBy: 1)
          let chance = 0.1 + 0.8 * x
          values.append(x)
          let acts = Double.random(in: 0..<1, using: &random) < chance
          let succeeds = Double.random(in: 0..<1, using: &random) < x
          rewards.append(acts ? (succeeds ? 1 : -0.5) : 0.2)
          clusters.append(day)
          for arm in 0..<2 {
            let matches = (x >= World.bounds[arm]) == acts
            weights[arm].append(matches ? 1 / (acts ? chance : 1 - chance) : 0)
            guard matches else { continue }
            sums[arm].reward += rewards.last!
            sums[arm].count += 1
          }
        }
      }
      naive = sums.map { $0.reward / $0.count }
    }
  }

  /// Of 2,000 worlds IPW misses in 86, SNIPW in 83 and the gain in 109.
  @Test func intervalsHoldTheTruthAndTheNaiveMeanDoesNot() throws {
    let worlds = Self.isLong ? 2_000 : 80
    let count = Double(World.days * World.perDay)
    var misses = [String: Int]()
    var (ipw, snipw, naive) = (0.0, 0.0, 0.0)
    for seed in 0..<worlds {
      let world = World(seed: UInt64(seed) + 1)
      let bootstrap = ClusterBootstrap(replicates: 250, seed: UInt64(seed))
      let arms = world.weights.map { weights in
        (
          weights: weights,
          sums: OffPolicyValue.clusterSums(weights, world.rewards, world.clusters)
        )
      }
      func note(_ name: String, _ interval: (low: Double, high: Double)?, _ truth: Double) {
        if interval!.low > truth || interval!.high < truth { misses[name, default: 0] += 1 }
      }
      let truth = World.truths[0]
      note("ipw", bootstrap.interval(ofSum: arms[0].sums.map(\.numerator)), truth * count)
      note("snipw", bootstrap.interval(ofRatio: arms[0].sums), truth)
      note(
        "gain", bootstrap.interval(ofRatio: arms[0].sums, less: arms[1].sums),
        truth - World.truths[1])
      ipw += arms[0].sums.reduce(0) { $0 + $1.numerator } / count
      let weight = arms[0].weights.reduce(0, +)
      snipw += arms[0].sums.reduce(0) { $0 + $1.numerator } / weight
      naive += world.naive[0]
    }
    // Four standard errors of 5 %, the coarseness of few draws, and that a ratio is normal only nearly.
    let spread = 4 * (0.05 * 0.95 * Double(worlds)).squareRoot() + 0.015 * Double(worlds)
    for name in ["ipw", "snipw", "gain"] {
      let missed = Double(misses[name] ?? 0)
      #expect(abs(missed - 0.05 * Double(worlds)) <= spread, "\(name): \(missed) of \(worlds)")
    }
    let truth = World.truths[0]
    #expect(abs(ipw / Double(worlds) - truth) < 0.01)
    #expect(abs(snipw / Double(worlds) - truth) < 0.01)
    #expect(abs(naive / Double(worlds) - truth) > 0.05, "\(naive / Double(worlds)) for \(truth)")
  }

  /// Who is below one half, and who above: acting from 0.2 on rather than from 0.6 on loses there and gains here. Above, arms
  /// differ in one of five questions, on fewer than half of the days: of 2,000 worlds the interval misses in 10.1 of 100 there
  /// and in 5.7 below, with 80 days in 7.1 and 6.1, with 200 in 6.5 and 5.6. The estimate is without bias in all.
  @Test func segmentsHoldTheirOwnTruth() throws {
    let worlds = Self.isLong ? 2_000 : 80
    // 1.5 x − 0.7 over [0.2, 0.5] and over [0.5, 0.6], for each of half of all.
    let truths = [-0.105, 0.025]
    for (segment, truth) in truths.enumerated() {
      var missed = 0
      var sum = 0.0
      for seed in 0..<worlds {
        let world = World(seed: UInt64(seed) + 1)
        let own = world.values.indices.filter { (world.values[$0] >= 0.5) == (segment == 1) }
        let arms = (0..<2).map { arm in
          own.map { (weight: world.weights[arm][$0], reward: world.rewards[$0]) }
        }
        let gain = try #require(
          OffPolicyValue.gain(
            arms[0], over: arms[1], clusters: own.map { world.clusters[$0] },
            bootstrap: ClusterBootstrap(replicates: 250, seed: UInt64(seed))))
        let interval = try #require(gain.interval)
        let due = truth * Double(own.count)
        missed += interval.low > due || interval.high < due ? 1 : 0
        sum += gain.value / Double(own.count)
      }
      let spread = 4 * (0.05 * 0.95 * Double(worlds)).squareRoot() + 0.015 * Double(worlds)
      let expected = [0.05, 0.1][segment] * Double(worlds)
      #expect(abs(Double(missed) - expected) <= spread, "\(segment): \(missed)")
      #expect(abs(sum / Double(worlds) - truth) < 0.01, "\(segment): \(sum / Double(worlds))")
    }
  }

  @Test func theGainOfSomeIsThatOfAllWhereTheyAreAll() throws {
    let world = World(seed: 4)
    let bootstrap = ClusterBootstrap(replicates: 200)
    let values = world.weights.map {
      OffPolicyValue(
        weights: $0, rewards: world.rewards, clusters: world.clusters, bootstrap: bootstrap)
    }
    let whole = try #require(values[0].gain(over: values[1], bootstrap: bootstrap))
    func gain(_ count: Int) -> (value: Double, interval: (low: Double, high: Double)?)? {
      let arms = world.weights.map { weights in
        (0..<count).map { (weight: weights[$0], reward: world.rewards[$0]) }
      }
      return OffPolicyValue.gain(
        arms[0], over: arms[1], clusters: Array(world.clusters.prefix(count)), bootstrap: bootstrap)
    }
    let all = try #require(gain(world.rewards.count))
    let (one, other) = (try #require(all.interval), try #require(whole.interval))
    #expect(abs(all.value - whole.value) < 1e-9)
    #expect(abs(one.low - other.low) < 1e-9 && abs(one.high - other.high) < 1e-9)
    // Of three days nothing is said.
    #expect(try #require(gain(75)).interval == nil && gain(0) == nil)
  }

  /// Chances may be as small as doubles are: the square of such a weight is beyond them.
  @Test func hugeWeightsSayAsMuchAsOthers() throws {
    let world = World(seed: 6)
    func gain(_ scale: Double) throws -> (low: Double, high: Double) {
      let arms = world.weights.map { weights in
        world.rewards.indices.map { (weight: weights[$0] * scale, reward: world.rewards[$0]) }
      }
      return try #require(
        OffPolicyValue.gain(
          arms[0], over: arms[1], clusters: world.clusters,
          bootstrap: ClusterBootstrap(replicates: 200))?.interval)
    }
    let (one, huge) = (try gain(1), try gain(0x1p600))
    #expect(abs(one.low - huge.low) < 1e-9 && abs(one.high - huge.high) < 1e-9)
  }

  @Test func figuresAreThoseOfTheFormulas() throws {
    // Two of each cluster match, with weights 2 and 4.
    var (weights, rewards, clusters) = ([Double](), [Double](), [Int]())
    for cluster in 0..<20 {
      weights += [2, 0, 4, 0]
      rewards += [1, 100, Double(cluster), 100]
      clusters += [cluster, cluster, cluster, cluster]
    }
    let value = OffPolicyValue(
      weights: weights, rewards: rewards, clusters: clusters,
      bootstrap: ClusterBootstrap(replicates: 400))
    #expect(value.count == 80 && value.matchedCount == 40 && value.weightMax == 4)
    // (20 · 6)² / (20 · 20)
    #expect(value.effectiveSampleSize == 36 && value.support == 1.5)
    // 2 + 4 c, c from 0 to 19: 40 + 4 · 190
    #expect(value.ipw == 800)
    #expect(abs(value.snipw! - 80 * 800 / 120) < 1e-9)
    let interval = try #require(value.ipwInterval)
    #expect(interval.low < 800 && interval.high > 800)
    // All clusters weigh the same, so the ratio's interval is the sum's.
    let ratio = try #require(value.snipwInterval)
    #expect(abs(ratio.low - interval.low * 80 / 120) < 1e-6)
    #expect(abs(ratio.high - interval.high * 80 / 120) < 1e-6)
    #expect(value.lack?.hasPrefix("its mean weight is 1.500 where 1 is due") == true)
  }

  @Test func aConstantMoreMovesSNIPWByJustThat() throws {
    let world = World(seed: 3)
    let bootstrap = ClusterBootstrap(replicates: 200)
    let values = world.weights.map {
      OffPolicyValue(
        weights: $0, rewards: world.rewards, clusters: world.clusters, bootstrap: bootstrap)
    }
    let raised = world.weights.map {
      OffPolicyValue(
        weights: $0, rewards: world.rewards.map { $0 + 7 }, clusters: world.clusters,
        bootstrap: bootstrap)
    }
    let count = Double(World.days * World.perDay)
    #expect(abs(raised[0].snipw! - values[0].snipw! - 7 * count) < 1e-6)
    let gain = try #require(values[0].gain(over: values[1], bootstrap: bootstrap))
    let raisedGain = try #require(raised[0].gain(over: raised[1], bootstrap: bootstrap))
    #expect(abs(gain.value - raisedGain.value) < 1e-6)
    #expect(abs(gain.interval!.low - raisedGain.interval!.low) < 1e-4)
    #expect(values[0].lack == nil && values[1].lack == nil)
  }

  /// Nobody ever acted below 0.5: what acting there would have brought is not known.
  @Test func missingSupportIsSeenInTheMeanWeight() throws {
    var random = SplitMix64(seed: 9)
    var (weights, clusters) = ([Double](), [Int]())
    for question in 0..<2_000 {
      let x = Double.random(in: 0..<1, using: &random)
      let chance = x < 0.5 ? 0 : 0.5
      let acts = Double.random(in: 0..<1, using: &random) < chance
      weights.append(acts ? 1 / chance : 0)
      clusters.append(question / 50)
    }
    let value = OffPolicyValue(
      weights: weights, rewards: weights.map { _ in 1 }, clusters: clusters,
      bootstrap: ClusterBootstrap(replicates: 200))
    #expect(abs(value.support - 0.5) < 0.06)
    #expect(value.lack?.contains("some of its decisions had no chance") == true)
  }

  @Test func aFewHeavyQuestionsSayLittle() throws {
    let weights = (0..<500).map { $0 % 100 == 0 ? 95.0 : $0 % 100 == 50 ? 5 : 0 }
    let value = OffPolicyValue(
      weights: weights, rewards: weights.map { _ in 1 }, clusters: (0..<500).map { $0 / 50 },
      bootstrap: ClusterBootstrap(replicates: 200))
    #expect(value.effectiveSampleSize < 10)
    #expect(
      value.lack?.contains("5.5 questions would, 30 are needed") == true, "\(value.lack ?? "")")
    let none = OffPolicyValue(
      weights: [0, 0, 0], rewards: [1, 1, 1], clusters: [0, 1, 2],
      bootstrap: ClusterBootstrap(replicates: 200))
    #expect(none.lack == "no logged decision is its own" && none.snipw == nil)
    #expect(none.ipwInterval == nil && none.snipwInterval == nil)
  }
}
