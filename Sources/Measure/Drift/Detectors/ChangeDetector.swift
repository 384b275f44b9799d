// Detectors read a stream value by value and say when it has changed; none of them keeps the stream. One file each, and
// a line in the table below.

import Core

public enum Change: String, Sendable {
  case none, warning, change
}

public protocol ChangeDetector {
  /// Takes the next value in.
  mutating func add(_ value: Double) -> Change
  /// Values before the last reported change at which it seems to have begun; nil where a detector cannot say.
  var delay: Int? { get }
}

public enum DetectorKind: String, Sendable, CaseIterable {
  case adwin
  case pageHinkley = "page-hinkley"
  case cusum, ddm, eddm, kswin

  /// With the defaults of the literature, or so that a stream that does not change is called changed once in `runLength`
  /// values on average, or more rarely; nil where a detector has no such setting.
  ///
  /// - Parameter known: the stream's mean and standard deviation, where they need not be learned from its beginning.
  public func detector(
    runLength: Double? = nil, known: (mean: Double, deviation: Double)? = nil
  ) -> (any ChangeDetector)? {
    switch self {
    case .adwin:
      // Each look errs with a chance of delta at most, and every 32nd value is looked at.
      return ADWIN(delta: runLength.map { min(1, Double(ADWIN.clock) / $0) } ?? 0.002)
    case .pageHinkley:
      guard let runLength else { return PageHinkley() }
      return Standardized(
        PageHinkley(
          slack: CUSUM.slack, threshold: CUSUM.threshold(runLength: runLength), forgetting: 1),
        known)
    case .cusum:
      return Standardized(
        CUSUM(threshold: runLength.map { CUSUM.threshold(runLength: $0) } ?? 5), known)
    case .kswin: return KSWIN(level: runLength.map { 1 / $0 } ?? 0.005)
    case .ddm: return runLength == nil ? DDM() : nil
    case .eddm: return runLength == nil ? EDDM() : nil
    }
  }

  /// Takes errors (1) and right answers (0) only.
  public var isBinary: Bool { self == .ddm || self == .eddm }
}

/// Values in standard deviations from the mean. Where they are not known, both are those of all values since the last
/// change but the one at hand, from the hundredth on (a self-starting sum, D. Hawkins, 1987): a mean that is learned once
/// and then taken as known makes false alarms many times as frequent.
struct Standardized<Inner: ChangeDetector>: ChangeDetector {
  private var inner: Inner
  private let known: (mean: Double, deviation: Double)?
  private var moments = Moments2()
  private static var learned: Double { 100 }

  init(_ inner: Inner, _ known: (mean: Double, deviation: Double)?) {
    self.inner = inner
    self.known = known
  }

  var delay: Int? { inner.delay }

  mutating func add(_ value: Double) -> Change {
    if let known { return inner.add((value - known.mean) / known.deviation) }
    defer { moments.add(value) }
    guard moments.count >= Standardized.learned else { return .none }
    // The mean is itself uncertain.
    let deviation = ((moments.variance ?? 0) * (1 + 1 / moments.count)).squareRoot()
    let change = inner.add(
      deviation > 0 ? (value - moments.mean) / deviation : value == moments.mean ? 0 : 1e6)
    if change == .change { moments = Moments2() }
    return change
  }
}
