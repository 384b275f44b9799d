// A declared budget as clauses, and what is asked where none is declared.

import Core

extension Budget {
  /// The field's usual promise where a team has made none: a tenth of a second for nearly everyone.
  static let defaultTarget = TimeSpan(microseconds: 50_000)
  static let defaultErrors = 0.001
  static let defaultAvailability = 0.999

  /// Each layer at the total's percentile; errors and availability as declared, or the usual ones.
  public var clauses: [Clause] {
    var clauses = [latencyClause(.total, total)]
    for (index, name) in LayerTiming.names.enumerated() {
      guard let layer = Layer(rawValue: name), let bound = layers[layer] else { continue }
      clauses.append(latencyClause(.layer(index), bound))
    }
    return clauses + Budget.shareClauses(errors: errors, availability: availability)
  }

  private func latencyClause(_ subject: Clause.Subject, _ bound: TimeSpan) -> Clause {
    let prefix = subject == .total ? "" : "\(subject.name)."
    return Clause(
      .percentile(subject, percentile), isUpperBound: true,
      bound: Double(bound.microseconds) * 1e3,
      text: "\(prefix)p\(percentile.plain) < \(bound.description)")
  }

  /// Without a budget: twice the usual target is worth a warning, errors break.
  public static let defaultClauses: [Clause] =
    [
      Clause(
        .percentile(.total, 99), isUpperBound: true,
        bound: Double(defaultTarget.microseconds) * 2e3, text: "p99 < 100ms", isWarning: true)
    ] + shareClauses(errors: nil, availability: nil)

  private static func shareClauses(errors: Double?, availability: Double?) -> [Clause] {
    let (most, least) = (errors ?? defaultErrors, availability ?? defaultAvailability)
    return [
      Clause(.errors, isUpperBound: true, bound: most, text: "errors <= \(percent(most))"),
      Clause(
        .availability, isUpperBound: false, bound: least,
        text: "availability >= \(percent(least))"),
    ]
  }

  private static func percent(_ share: Double) -> String {
    "\(((share * 1e8).rounded() / 1e6).plain)%"
  }

  /// Share of errors that the budget allows.
  public var allowedErrors: Double { availability.map { 1 - $0 } ?? errors ?? Budget.defaultErrors }
}
