// Whether a rate keeps a promise, decided in looks: after each stretch of requests the promise is judged as a budget is,
// and five looks at most share one error. Looking again at the same run until it says what one likes is how a test of
// 99 % becomes one of 95 %: each look therefore asks for more than the whole is to promise (Bonferroni's bound, the
// plainest way to spend an error over looks planned beforehand).
//
//     stretch ─▶ look: broken for sure ─▶ broken     each look: 0.5 % in each tail
//                      kept for sure   ─▶ kept       five looks: 2.5 %
//                      neither ─▶ stretch ─▶ look …  the fifth: broken

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

public struct RateTrial: Sendable {
  public static let looksMax = 5
  /// Of each look's intervals.
  static let confidence = 0.99
  private static let allowedErrors = 0.001
  /// More than so many requests in a stretch nobody waits for.
  private static let requestsMax = 1_000_000
  private var evidence: BudgetEvidence
  private var looks = 0

  public init(_ clauses: [Clause]) {
    evidence = BudgetEvidence(
      clauses, confidence: RateTrial.confidence, allowedErrors: RateTrial.allowedErrors)
  }

  /// Of one stretch: an eighth more than prove the strictest clause where none is slow or fails, in hundreds, 600 at least.
  /// A promise of 99.9 % needs ten times the requests that one of 99 % needs, however good the server is.
  ///
  /// - Returns: nil where that is more than a million.
  public static func requests(toProve clauses: [Clause]) -> Int? {
    let tail = (1 - confidence) / 2
    var most = 600.0
    for share in clauses.compactMap({ $0.allowedShare(errors: allowedErrors) }) where share < 1 {
      guard share > 0 else { return nil }
      let needed = (log(tail) / log1p(-share)).rounded(.up)
      most = max(most, (needed * 1.125 / 100).rounded(.up) * 100)
    }
    return most <= Double(requestsMax) ? Int(most) : nil
  }

  public mutating func record(_ observation: BudgetEvidence.Observation) {
    evidence.record(observation)
  }

  /// After a stretch.
  ///
  /// - Returns: nil where another stretch is needed.
  public mutating func look() -> RateSearch.Outcome? {
    precondition(looks < RateTrial.looksMax, "a look beyond those that the error is shared by")
    looks += 1
    let verdicts = evidence.verdicts()
    if verdicts.contains(where: { $0.answer == .fail }) { return .broken }
    if verdicts.allSatisfy({ $0.answer == .pass }) { return .kept }
    return looks == RateTrial.looksMax ? .broken : nil
  }
}
