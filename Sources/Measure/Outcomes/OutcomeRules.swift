// When answers count as worse than they were, and which of them may be counted at all.

public import Core

/// What decides whether answers have become worse.
public enum OutcomeMeasure: String, Sendable, CaseIterable {
  case auc, accuracy
  case logLoss = "log_loss"
  case brier, rmse, mae

  /// Whether more of it is worse.
  var isLoss: Bool { self != .auc && self != .accuracy }

  /// The name of its change for the worse, as policies use it.
  public var changeName: String { rawValue + (isLoss ? "_rise" : "_drop") }

  /// A change for the worse that matters; nil where the unit is the data's own and nobody else can say.
  public var bound: Double? {
    switch self {
    case .auc, .accuracy, .brier: 0.02
    case .logLoss, .rmse, .mae: nil
    }
  }

  /// The one that decides where nothing else is said.
  public static func standard(_ kind: AnswerKind) -> OutcomeMeasure {
    switch kind {
    case .number: .rmse
    case .yesOrNo: .auc
    case .classes: .accuracy
    }
  }

  /// Whether it can be measured of such answers.
  public func applies(to kind: AnswerKind) -> Bool {
    switch (self, kind) {
    case (.rmse, .number), (.mae, .number): true
    case (_, .number), (.rmse, _), (.mae, _), (.accuracy, .yesOrNo): false
    default: true
    }
  }

  /// How much worse it is than the reference, from the metrics of both; nil where one has no such metric.
  func change(_ metrics: [String: Double], from reference: [String: Double]) -> Estimate? {
    guard let now = estimate(metrics), let before = estimate(reference) else { return nil }
    return isLoss ? now.difference(from: before) : before.difference(from: now)
  }

  private func estimate(_ metrics: [String: Double]) -> Estimate? {
    metrics[rawValue].map {
      Estimate($0, low: metrics["\(rawValue)_low"], high: metrics["\(rawValue)_high"])
    }
  }
}

public struct OutcomeRules: Sendable {
  public var kind: AnswerKind
  /// Scores of each decision.
  public var width: Int
  /// The length of a cohort, aligned to the epoch.
  public var every = TimeSpan.days(1)
  public var measure: OutcomeMeasure
  /// A change for the worse from which on it is drift; nil: it is only told.
  public var bound: Double?
  /// The share of matured decisions that must have an outcome.
  public var coverage = 0.5
  /// Outcomes that a cohort must have.
  public var least = 100
  public var thresholds: [(text: String, value: Double)] = [("0.5", 0.5)]

  public init(_ kind: AnswerKind, width: Int) {
    self.kind = kind
    self.width = width
    measure = .standard(kind)
    bound = measure.bound
  }
}

/// What a cohort is held against.
public enum OutcomeReference: Sendable {
  /// The first cohort that has what decides, with an interval.
  case first
  /// All cohorts that begin before this moment, taken together.
  case until(Timestamp)
  /// What was measured elsewhere, by the names of `EvaluationMetrics`.
  case metrics([String: Double], name: String)
}
