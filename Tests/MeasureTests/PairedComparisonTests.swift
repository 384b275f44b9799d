// Does the interval keep its promise? Where there is no effect it must leave out zero about once in twenty times, also
// with few clusters; where there is one, it must hold the truth.

import Core
import Foundation
import Measure
import Testing

@Suite struct PairedComparisonTests {
  /// Worlds to try: few by default.
  private static let worlds =
    ProcessInfo.processInfo.environment["RTINFER_LONG"] == "1" ? 4_000 : 300

  /// A normal variate by Box and Muller.
  private func normal(_ random: inout SplitMix64) -> Double {
    let radius = (-2 * log(Double.random(in: .ulpOfOne...1, using: &random))).squareRoot()
    return radius * cos(2 * .pi * Double.random(in: 0..<1, using: &random))
  }

  /// How often the interval leaves out the true sum, of clusters that have a mood of their own.
  private func misses(clusters: Int, effect: Double, seed: UInt64) -> Int {
    var random = SplitMix64(seed: seed)
    return (0..<Self.worlds).count { world in
      var (first, second, numbers) = ([Double](), [Double](), [Int]())
      for cluster in 0..<clusters {
        let mood = normal(&random)
        for _ in 0..<5 {
          let base = 10 * normal(&random)
          first.append(base + effect + mood + normal(&random))
          second.append(base)
          numbers.append(cluster)
        }
      }
      let comparison = PairedComparison(
        first, second, clusters: numbers,
        bootstrap: ClusterBootstrap(replicates: 400, seed: UInt64(world)))
      let truth = effect * Double(5 * clusters)
      let interval = comparison.interval!
      return truth < interval.low || truth > interval.high
    }
  }

  /// Of 4,000 worlds in 205 with seven clusters and in 234 with thirty.
  @Test(arguments: [7, 30], [0.0, 0.5]) func theIntervalMissesTheTruthOnceInTwenty(
    _ clusters: Int, _ effect: Double
  ) {
    let missed = misses(clusters: clusters, effect: effect, seed: UInt64(clusters))
    // Four standard errors of 5 %, and the coarseness of few draws.
    let spread = 4 * (0.05 * 0.95 * Double(Self.worlds)).squareRoot()
    let expected = 0.055 * Double(Self.worlds)
    #expect(abs(Double(missed) - expected) <= spread, "\(missed) of \(Self.worlds)")
  }

  /// What comparisons without an effect say could be detected is detected four times in five where it is there.
  @Test(arguments: [6, 8, 12, 30]) func theDetectableDifferenceIsDetectedFourTimesInFive(
    _ clusters: Int
  ) throws {
    var random = SplitMix64(seed: UInt64(clusters))
    func comparison(_ effect: Double, _ world: Int) -> PairedComparison {
      var (first, numbers) = ([Double](), [Int]())
      for cluster in 0..<clusters {
        let mood = normal(&random)
        for _ in 0..<5 {
          first.append(effect / Double(5 * clusters) + mood)
          numbers.append(cluster)
        }
      }
      return PairedComparison(
        first, first.map { _ in 0 }, clusters: numbers,
        bootstrap: ClusterBootstrap(replicates: 400, seed: UInt64(world)))
    }
    let told = (0..<Self.worlds).compactMap { comparison(0, $0).detectable }.sorted()
    let effect = told[told.count / 2]
    let share =
      Double((0..<Self.worlds).count { comparison(effect, $0).answer == .pass })
      / Double(Self.worlds)
    // Four standard errors, and that what is told is itself drawn.
    #expect(
      abs(share - 0.8) <= 0.03 + 4 * (0.8 * 0.2 / Double(Self.worlds)).squareRoot(), "\(share)")
    // With many clusters it is what the normal distribution says of 5 √clusters.
    if clusters == 30 {
      #expect(abs(effect / (5 * Double(30).squareRoot() * 2.8) - 1) < 0.1, "\(effect)")
    }
  }

  @Test func eventsThatHangTogetherDoNotCountAlone() throws {
    // 40 clusters of 50 equal differences: as good as 40 observations.
    var random = SplitMix64(seed: 3)
    var (first, clusters) = ([Double](), [Int]())
    for cluster in 0..<40 {
      let mood = normal(&random)
      for _ in 0..<50 {
        first.append(mood)
        clusters.append(cluster)
      }
    }
    let zeros = [Double](repeating: 0, count: first.count)
    func width(_ clusters: [Int]) throws -> Double {
      let comparison = PairedComparison(
        first, zeros, clusters: clusters, bootstrap: ClusterBootstrap(replicates: 500))
      let interval = try #require(comparison.interval)
      return interval.high - interval.low
    }
    let ratio = try width(clusters) / width(Array(first.indices))
    #expect(abs(ratio - Double(50).squareRoot()) < 1.5, "\(ratio)")
  }

  @Test func theSameSeedGivesTheSameInterval() throws {
    let sums = [3.0, -1, 4, 1, -5, 9, 2, 6]
    let one = try #require(ClusterBootstrap(seed: 7).interval(ofSum: sums))
    let again = try #require(ClusterBootstrap(seed: 7).interval(ofSum: sums))
    let other = try #require(ClusterBootstrap(seed: 8).interval(ofSum: sums))
    #expect(one == again)
    #expect(one != other)
    #expect(one.low < 19 && 19 < one.high)
  }

  @Test func clustersThatAllSayTheSameLeaveNoDoubt() throws {
    let interval = try #require(ClusterBootstrap().interval(ofSum: [2, 2, 2, 2, 2, 2]))
    #expect(interval.low == 12 && interval.high == 12)
    #expect(ClusterBootstrap().interval(ofSum: [2]) == nil)
  }

  @Test(arguments: [
    (units: 29, clusters: 29, differing: 29, lack: "too little data: 29 compared, 30 are needed"),
    (40, 5, 40, "too little data: 5 clusters, 6 are needed"),
    (40, 20, 3, "too little data: only 3 of 20 clusters differ at all, 6 are needed"),
    (40, 20, 6, nil),
    (40, 20, 0, nil),
  ])
  func tooLittleIsSaidToBeTooLittle(
    _ units: Int, _ clusters: Int, _ differing: Int, _ lack: String?
  ) {
    let numbers = (0..<units).map { $0 % clusters }
    let comparison = PairedComparison(
      (0..<units).map { $0 < differing ? 1 : 0 }, [Double](repeating: 0, count: units),
      clusters: numbers, bootstrap: ClusterBootstrap(replicates: 100))
    #expect(comparison.lack == lack)
    #expect((comparison.interval == nil) == (lack != nil))
    #expect(lack == nil || comparison.detectable == nil)
    #expect((comparison.answer == .inconclusive) == (lack != nil))
  }

  // MARK: McNemar

  /// Expected from scipy: binomtest(k, n).pvalue.
  @Test(arguments: [
    (0, 0, 1.0), (1, 0, 1.0), (6, 0, 0.03125), (0, 6, 0.03125), (9, 3, 0.14599609375),
    (12, 12, 1.0), (95, 98, 0.8855779994131156), (845, 521, 1.62997e-18),
  ])
  func mcNemarIsTheExactBinomialTest(_ one: Int, _ other: Int, _ expected: Double) {
    let p = McNemarTest(onlyFirst: one, onlySecond: other).pValue
    #expect(abs(p - expected) <= 1e-3 * expected, "\(p)")
  }
}
