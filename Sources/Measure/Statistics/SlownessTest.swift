// Has it become slower? Four clauses about two sets of latencies, which share one error: three percentiles' ratios by their
// intervals, and Mann and Whitney's test, which sees a small shift of all requests that no percentile shows for sure. Each asks whether the head is slower by more
// than is tolerated, not whether it is slower at all: with requests enough the smallest difference is sure.

import Core

public struct SlownessTest: Sendable {
  /// Of what is not worth a failure: 1.05 for five in a hundred.
  private let bound: Double
  /// Of each clause, so that all together are as sure as was asked for (Bonferroni).
  private let confidence: Double
  public let clauses: [Clause]
  private static let percents = [50.0, 95, 99]
  /// Below so many requests a side, what is not seen is not absent.
  private static let rankCountMin = 20

  /// - Parameters:
  ///   - tolerated: as in 0.05.
  ///   - confidence: of the four together, as in 0.95.
  public init(tolerated: Double, confidence: Double) {
    let bound = 1 + tolerated
    self.bound = bound
    let percents = SlownessTest.percents
    self.confidence = 1 - (1 - confidence) / Double(percents.count + 1)
    // Ratios and a chance: plain numbers.
    clauses =
      percents.map {
        Clause(
          .burn, isUpperBound: true, bound: bound, text: "p\($0.plain) ratio <= \(bound.plain)")
      } + [Clause(.burn, isUpperBound: false, bound: 0.5, text: "slower")]
  }

  /// In the order of `clauses`.
  public func verdicts(base: BatchedLatencies, head: BatchedLatencies) -> [Verdict] {
    zip(SlownessTest.percents, clauses).map { percent, clause in
      ratioVerdict(percent, clause, base, head)
    } + [rankVerdict(clauses[clauses.count - 1], base, head)]
  }

  private func ratioVerdict(
    _ percent: Double, _ clause: Clause, _ base: BatchedLatencies, _ head: BatchedLatencies
  ) -> Verdict {
    guard
      let ratio = LatencyComparison.ratio(percent, base: base, head: head, confidence: confidence)
    else {
      return Verdict(
        clause, .inconclusive, value: nil, interval: nil, count: head.all.count,
        why: "the percentile is 0 in one of them")
    }
    let answer: Verdict.Answer =
      ratio.low > clause.bound
      ? .fail : ratio.high.map { $0 <= clause.bound } ?? false ? .pass : .inconclusive
    let why = answer == .inconclusive ? "more requests would tell" : ""
    return Verdict(
      clause, answer, value: ratio.value, interval: (ratio.low, ratio.high),
      count: head.all.count, why: why)
  }

  private func rankVerdict(
    _ clause: Clause, _ base: BatchedLatencies, _ head: BatchedLatencies
  ) -> Verdict {
    let fewest = min(base.all.count, head.all.count)
    let test = LatencyComparison.rankTest(
      base: base, head: head, tolerated: bound, confidence: confidence)
    guard let test, fewest >= SlownessTest.rankCountMin else {
      return Verdict(
        clause, .inconclusive, value: test?.chance, interval: nil, count: fewest,
        why: "fewer than \(SlownessTest.rankCountMin) requests on one side")
    }
    let isSlower = test.slowerProbability < (1 - confidence) / 2
    let chance = (test.chance * 1e3).rounded() / 1e3
    return Verdict(
      clause, isSlower ? .fail : .pass, value: test.chance, interval: nil, count: head.all.count,
      why: "a request of the head takes longer than one of the baseline with a chance of"
        + " \(chance.plain); slower than tolerated: p \(((test.slowerProbability * 1e4).rounded() / 1e4).plain)"
    )
  }
}
