// When a difference is drift: it must be larger than chance explains, and large enough to matter. The numbers of this
// file are the defaults; each can be said otherwise.

public enum DriftVerdict: String, Sendable, Comparable {
  case ok, insufficient, watch, drift

  private var rank: Int {
    switch self {
    case .ok: 0
    case .insufficient: 1
    case .watch: 2
    case .drift: 3
    }
  }

  public static func < (left: DriftVerdict, right: DriftVerdict) -> Bool { left.rank < right.rank }
}

/// What is measured between a column's two distributions.
public enum DriftMeasure: String, Sendable, CaseIterable {
  case psi, kl, js, hellinger, linf, ks, cvm, wasserstein
  case robustWasserstein = "wasserstein_robust"

  /// From here on a difference is worth watching, and from there on it is drift. PSI: the bands that the trade uses. The
  /// two Wasserstein distances are in standard deviations of the reference.
  public var bounds: (watch: Double, drift: Double)? {
    switch self {
    case .psi: (0.1, 0.25)
    case .kl: (0.05, 0.125)
    case .js, .hellinger: (0.1, 0.2)
    case .linf: (0.05, 0.1)
    case .ks: (0.1, 0.2)
    case .wasserstein, .robustWasserstein: (0.1, 0.3)
    // A sum that grows with the number of records: no bound says what matters.
    case .cvm: nil
    }
  }
}

public struct DriftRules: Sendable {
  public var measure = DriftMeasure.psi
  public var watchAt = 0.1
  public var driftAt = 0.25
  /// The share of false alarms among alarms, over all columns.
  public var level = 0.01
  /// Values that a column must have on both sides.
  public var least: Int64 = 30
  /// The share of columns, by weight, above which the whole has drifted.
  public var share = 0.0
  public var bins = 10
  /// The columns with a model's answers: their mean is held against its reference windows.
  public var predictions: Set<String> = ["score", "margin"]
  /// By column; one that is not named weighs nothing. Empty: all weigh the same.
  public var weights: [String: Double] = [:]

  /// Different numbers up to which each is a bin of its own.
  static let fewValues = 20
  /// A share of missing values that grew or shrank by so much.
  static let missingWatch = 0.02
  static let missingDrift = 0.1
  /// A share of values outside the reference's range, or in categories that it does not have.
  static let unseenWatch = 0.01
  /// The chance of so many unseen values where nothing has moved; far below the level, as the share that is to be
  /// expected is itself an estimate.
  static let unseenLevel = 0.0005
  /// Standard deviations of the reference's windows by which a prediction's mean may move.
  static let meanDeviations = 2.0
  /// Windows that a deviation can be told from.
  static let windowsMin = 3

  public init() {}

  public func weight(_ column: String) -> Double {
    weights.isEmpty ? 1 : weights[Profile.canonical(column)] ?? 0
  }
}
