// Two distributions as a picture needs them: shares over bins of equal width between the first and the last hundredth of
// both; what lies beyond is in the outermost bins.

import Core

public struct DriftShape: Sendable {
  public static let bins = 32
  public let low: Double
  public let high: Double
  public let reference: [Double]
  public let current: [Double]

  /// Nil where there is no width to divide.
  init?(_ reference: EdgeCounts, _ current: EdgeCounts) {
    guard let one = reference.quantile(0.01), let two = current.quantile(0.01),
      let three = reference.quantile(0.99), let four = current.quantile(0.99)
    else { return nil }
    (low, high) = (min(one, two), max(three, four))
    guard high > low, (high - low).isFinite else { return nil }
    let width = (high - low) / Double(DriftShape.bins)
    let places = (1..<DriftShape.bins).map { [low, width] in low + width * Double($0) }
    func shares(_ counts: EdgeCounts) -> [Double] {
      let total = Double(counts.total)
      let below = counts.cumulative(places) + [total]
      return zip(below, [0] + below).map { ($0 - $1) / total }
    }
    self.reference = shares(reference)
    self.current = shares(current)
  }
}
