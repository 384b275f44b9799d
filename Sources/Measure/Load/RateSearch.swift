// The highest rate that keeps a promise: doubled until one does not, then halved in between on a logarithmic scale, until
// kept and broken lie close enough, and the answer is tried once more. Without I/O: it says which rate to try next and
// is told what came of it.
//
//     try 100 ✓  200 ✓  400 ✗  283 ✓  336 ✗  …  confirm 283

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

public struct RateSearch: Sendable {
  public enum Outcome: Sendable { case kept, broken }

  /// The highest that was kept; nil: none yet.
  public private(set) var kept: Double?
  /// The lowest that was broken.
  public private(set) var broken: Double?
  private let precision: Double
  private let rateMax: Double
  private var next: Double?
  private var isConfirmed = false
  /// Rates below the first that are tried when that is broken already.
  private static let halvingsMax = 3
  private var halvings = 0

  /// - Parameters:
  ///   - start: requests a second.
  ///   - precision: how far broken may lie above kept, as in 0.1.
  public init(start: Double, rateMax: Double, precision: Double) {
    precondition(start > 0 && start <= rateMax && precision > 0, "a range to search in")
    (self.rateMax, self.precision, next) = (rateMax, precision, start)
  }

  /// What to try now; nil when the answer is known.
  public var rate: Double? { next }
  /// The current rate was kept before, and nothing higher is left to try.
  public var isConfirming: Bool { next != nil && next == kept }

  public mutating func tell(_ outcome: Outcome) {
    guard let rate = next else { return }
    switch outcome {
    case .kept:
      if rate == kept { isConfirmed = true }
      kept = rate
    case .broken:
      broken = rate
      // What held once and not twice does not hold.
      if rate == kept { kept = nil }
    }
    next = choose(rate)
  }

  private mutating func choose(_ rate: Double) -> Double? {
    guard let broken else {
      // Nothing broke: twice as much, as far as is allowed.
      if rate < rateMax { return min(rate * 2, rateMax) }
      return isConfirmed ? nil : rate
    }
    guard let kept else {
      halvings += 1
      return halvings > RateSearch.halvingsMax ? nil : broken / 2
    }
    if broken / kept > 1 + precision { return (broken * kept).squareRoot() }
    return isConfirmed ? nil : kept
  }
}
