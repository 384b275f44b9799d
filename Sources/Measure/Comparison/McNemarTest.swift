// McNemar's test for two ways of deciding the same cases: only those count where one was right and the other wrong,
// and without a difference each of them falls to either side with chance one half ("Note on the sampling error of the
// difference between correlated proportions", 1947). The binomial tail is computed as it is, for any count.

import Core

public struct McNemarTest: Sendable, Equatable {
  /// Cases that only the first got right, and only the second.
  public let onlyFirst: Int
  public let onlySecond: Int

  public init(onlyFirst: Int, onlySecond: Int) {
    self.onlyFirst = onlyFirst
    self.onlySecond = onlySecond
  }

  /// The chance of a split at least as uneven, were there no difference; 1 where no case tells them apart.
  public var pValue: Double {
    let total = onlyFirst + onlySecond
    guard total > 0 else { return 1 }
    return min(
      1,
      2 * BinomialDistribution.lowerTail(min(onlyFirst, onlySecond), of: total, chance: 0.5))
  }
}
