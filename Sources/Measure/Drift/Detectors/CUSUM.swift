// Cumulative sums, upward and downward (E. Page, 1954), of values in standard deviations from a mean: what is beyond the
// slack adds up, what is within it takes off, and nothing falls below zero. With a slack of half a deviation it is the
// fastest there is for a shift of one.

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

struct CUSUM: ChangeDetector {
  static let slack = 0.5

  private let threshold: Double
  private var up = 0.0
  private var down = 0.0
  private var sinceUp = 0
  private var sinceDown = 0
  private(set) var delay: Int?

  init(threshold: Double = 5) { self.threshold = threshold }

  mutating func add(_ value: Double) -> Change {
    up = max(0, up + value - CUSUM.slack)
    down = max(0, down - value - CUSUM.slack)
    sinceUp = up > 0 ? sinceUp + 1 : 0
    sinceDown = down > 0 ? sinceDown + 1 : 0
    guard max(up, down) > threshold else { return .none }
    delay = up > threshold ? sinceUp : sinceDown
    (up, down, sinceUp, sinceDown) = (0, 0, 0, 0)
    return .change
  }

  /// The threshold at which normal values that do not change are called changed once in so many, after D. Siegmund's
  /// approximation (1985).
  static func threshold(runLength: Double) -> Double {
    func length(_ threshold: Double) -> Double {
      let width = 2 * slack * (threshold + 1.166)
      // Both sides alarm.
      return (exp(width) - width - 1) / (2 * slack * slack) / 2
    }
    var (low, high) = (0.0, 100.0)
    for _ in 0..<60 {
      let middle = (low + high) / 2
      if length(middle) < runLength { low = middle } else { high = middle }
    }
    return high
  }
}
