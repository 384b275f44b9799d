import Core
import Measure
import Testing

/// When bench search may stop: MLPerf's LoadGen says how many requests a percentile needs when so many were too slow
/// (early_stopping.cc, 99 % sure, no tolerance). Ranks from the binomial distribution must say the same.
@Suite struct EarlyStoppingTests {
  static let slow = [0, 1, 2, 5, 10]
  static let totals: [(percent: Double, needed: [Int])] = [
    (90, [44, 64, 81, 127, 197]), (95, [90, 130, 165, 259, 398]),
    (99, [459, 662, 838, 1_307, 2_010]), (99.9, [4_603, 6_636, 8_403, 13_105, 20_140]),
  ]

  /// Whether `count` requests, `slow` of them above the bound, prove the percentile.
  private func proves(_ count: Int, slow: Int, _ percent: Double) -> Bool {
    // One-sided: a hundredth in each tail.
    let ranks = QuantileInterval.ranks(of: count, percent / 100, confidence: 0.98)
    return ranks.high.map { $0 <= count - slow } ?? false
  }

  @Test(arguments: totals) func asManyRequestsAreNeededAsMLPerfAsksFor(
    _ percent: Double, _ needed: [Int]
  ) {
    for (slow, total) in zip(Self.slow, needed) {
      #expect(proves(total, slow: slow, percent), "p\(percent), \(slow) slow, \(total)")
      #expect(!proves(total - 1, slow: slow, percent), "p\(percent), \(slow) slow, \(total - 1)")
    }
  }

  /// The same through what a step of the search judges by.
  @Test func aStepIsDecidedByTheFirstRequestThatMayDecideIt() throws {
    func answer(_ count: Int) throws -> Verdict.Answer? {
      let clauses = try Clause.parse("p99 < 50ms", origin: "test")
      var evidence = BudgetEvidence(clauses, confidence: 0.98, allowedErrors: 0.001)
      for _ in 0..<count {
        var observation = BudgetEvidence.Observation()
        observation.latency = 1_000_000
        evidence.record(observation)
      }
      return evidence.verdicts().first?.answer
    }
    #expect(try answer(458) == .inconclusive)
    #expect(try answer(459) == .pass)
  }
}
