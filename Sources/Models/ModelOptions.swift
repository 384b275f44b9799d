// What a loader may be told about a file, beside its bytes.

import Core

/// What a loader may be told about a file.
public struct ModelOptions: Sendable {
  /// Which boosting rounds predict.
  public enum Iterations: Sendable, Equatable {
    /// As the library that wrote the file would: up to the best round where scikit-learn's wrapper
    /// wrote it, else all. XGBoost's own `Booster.predict` takes all rounds even after early
    /// stopping.
    case automatic
    case all
    /// Up to the best round, that one included; a failure where the file names none.
    case best
    /// These rounds; a failure where there are none or the file has fewer.
    case range(Range<Int>)
  }

  public var iterations: Iterations

  public init(iterations: Iterations = .automatic) { self.iterations = iterations }
}

extension ModelOptions.Iterations {
  /// The rounds that predict, of `count`.
  ///
  /// - Parameters:
  ///   - best: the best round, where the file names one.
  ///   - takesBest: whether the library itself would stop there.
  func rounds(
    of count: Int, best: Int?, takesBest: Bool = false, source: String
  ) throws(Failure) -> Range<Int> {
    let upToBest = best.map { 0..<($0 >= 0 && $0 < count ? $0 + 1 : count) }
    switch self {
    case .all: return 0..<count
    case .automatic: return takesBest ? upToBest ?? 0..<count : 0..<count
    case .best:
      guard let upToBest else {
        throw .usage("\(source): the best iteration is asked for, but the file names none")
      }
      return upToBest
    case .range(let rounds):
      guard !rounds.isEmpty, rounds.lowerBound >= 0, rounds.upperBound <= count else {
        throw .usage(
          "\(source): iterations \(rounds.lowerBound)..<\(rounds.upperBound) are not some of "
            + "0..<\(count)")
      }
      return rounds
    }
  }
}
