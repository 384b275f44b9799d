// How right answers were, by the time at which they were given. A cohort is measured once all its decisions have had the
// time to turn out: else those that end quickly would be judged first, and they are not like the others.
//
//     decided   ├── Monday ──┤├── Tuesday ──┤├── Wednesday ──┤
//     turned out     matures ────────▶│          matures ────────▶│ not yet: counted only
//
// Each is then held against a reference: worse is a change that matters and that chance does not explain (the 95 %
// interval of the change leaves 0 out). What the newest judged cohort shows is the verdict.

public import Core

/// A decision, and what is known of it.
public struct OutcomeRow: Sendable {
  public let time: Timestamp
  public let hasMatured: Bool
  /// A number; of classes the index, of a yes or no 1 or 0.
  public let outcome: Double?

  public init(time: Timestamp, hasMatured: Bool, outcome: Double?) {
    (self.time, self.hasMatured, self.outcome) = (time, hasMatured, outcome)
  }
}

/// The decisions of one window of time.
public struct OutcomeCohort: Sendable {
  public let start: Timestamp
  public let end: Timestamp
  public internal(set) var decisions = 0
  public internal(set) var matured = 0
  public internal(set) var labelled = 0
  public internal(set) var isReference = false
  /// Empty where it cannot be measured.
  public internal(set) var metrics: [String: Double] = [:]
  /// Changes for the worse, by `OutcomeMeasure`.
  public internal(set) var changes: [OutcomeMeasure: Estimate] = [:]
  public internal(set) var verdict = DriftVerdict.insufficient
  public internal(set) var why = ""

  /// The share of the matured decisions whose outcome is known; nil where none has matured.
  public var coverage: Double? { matured > 0 ? Double(labelled) / Double(matured) : nil }
}

public struct OutcomeReport: Sendable {
  public let rules: OutcomeRules
  /// By time.
  public private(set) var cohorts: [OutcomeCohort] = []
  public private(set) var referenceName = ""
  public private(set) var referenceMetrics: [String: Double] = [:]
  public private(set) var verdict = DriftVerdict.insufficient
  public private(set) var why = ""
  /// The cohort that decided.
  public private(set) var judged: OutcomeCohort?

  /// - Parameters:
  ///   - rows: in any order.
  ///   - scores: `rules.width` for each row, in the same order.
  /// - Throws: a data failure that names an outcome that cannot be.
  /// - Complexity: O(n log n).
  public init(
    _ rows: [OutcomeRow], scores: [Double], _ rules: OutcomeRules, _ reference: OutcomeReference
  ) throws(Failure) {
    self.rules = rules
    var members: [Timestamp: [Int]] = [:]
    for (index, row) in rows.enumerated() {
      members[row.time.roundedDown(to: rules.every), default: []].append(index)
    }
    let starts = members.keys.sorted()
    for start in starts {
      cohorts.append(try cohort(start, members[start]!, rows, scores))
    }
    try refer(to: reference, starts.map { members[$0]! }, rows, scores)
    for index in cohorts.indices { judge(&cohorts[index]) }
    conclude()
  }

  /// Outcomes that have become known since the reference.
  public var newLabels: Int {
    cohorts.filter { !$0.isReference }.reduce(0) { $0 + $1.labelled }
  }

  private func cohort(
    _ start: Timestamp, _ members: [Int], _ rows: [OutcomeRow], _ scores: [Double]
  ) throws(Failure) -> OutcomeCohort {
    var cohort = OutcomeCohort(start: start, end: start + rules.every)
    cohort.decisions = members.count
    cohort.matured = members.count { rows[$0].hasMatured }
    cohort.labelled = members.count { rows[$0].outcome != nil }
    if cohort.matured < cohort.decisions {
      cohort.why = "\((cohort.decisions - cohort.matured).grouped) decisions have not matured"
    } else if cohort.coverage ?? 0 < rules.coverage {
      cohort.why =
        "\((cohort.coverage ?? 0).percent) have an outcome, \(rules.coverage.percent) are needed"
    } else if cohort.labelled < rules.least {
      cohort.why = "\(cohort.labelled.grouped) outcomes, \(rules.least.grouped) are needed"
    } else {
      cohort.metrics = try metrics(members, rows, scores)
    }
    return cohort
  }

  private func metrics(
    _ members: [Int], _ rows: [OutcomeRow], _ scores: [Double]
  ) throws(Failure) -> [String: Double] {
    let known = members.filter { rows[$0].outcome != nil }
    guard !known.isEmpty else { return [:] }
    let width = rules.width
    return try EvaluationMetrics(
      rules.kind, scores: known.flatMap { scores[($0 * width)..<($0 * width + width)] },
      width: width, outcomes: known.map { rows[$0].outcome! }
    ).measured(thresholds: rules.thresholds)
  }

  /// What a metric needs before a change of it can be told from chance.
  private var intervalName: String { "\(rules.measure.rawValue)_low" }

  /// Why there is no interval.
  private var lack: String {
    rules.measure == .auc && rules.kind == .yesOrNo
      ? " (which takes \(ClassificationMetrics.leastOfEach) yes's and as many no's)" : ""
  }

  private mutating func refer(
    to reference: OutcomeReference, _ members: [[Int]], _ rows: [OutcomeRow], _ scores: [Double]
  ) throws(Failure) {
    switch reference {
    case .first:
      let name = intervalName
      guard
        let first = cohorts.firstIndex(where: { $0.metrics[name] != nil })
          ?? cohorts.firstIndex(where: { !$0.metrics.isEmpty })
      else { return }
      cohorts[first].isReference = true
      referenceMetrics = cohorts[first].metrics
      referenceName = "the cohort of \(DriftReport.text(cohorts[first].start))"
    case .until(let moment):
      for index in cohorts.indices { cohorts[index].isReference = cohorts[index].start < moment }
      // What cannot be measured by itself, for its coverage or for not having matured, is no reference either.
      let chosen = cohorts.indices.filter {
        cohorts[$0].isReference && cohorts[$0].matured == cohorts[$0].decisions
          && (cohorts[$0].coverage ?? 0) >= rules.coverage
      }
      let pooled = chosen.flatMap { members[$0] }
      // What a cohort must have, what it is held against must, too.
      if pooled.count(where: { rows[$0].outcome != nil }) >= rules.least {
        referenceMetrics = try metrics(pooled, rows, scores)
      }
      referenceName = "before \(DriftReport.text(moment))"
    case .metrics(let metrics, let name):
      (referenceMetrics, referenceName) = (metrics, name)
    }
  }

  private func judge(_ cohort: inout OutcomeCohort) {
    guard !cohort.metrics.isEmpty else { return }
    guard !cohort.isReference else {
      cohort.verdict = .ok
      cohort.why = "reference"
      return
    }
    for measure in OutcomeMeasure.allCases {
      cohort.changes[measure] = measure.change(cohort.metrics, from: referenceMetrics)
    }
    let name = rules.measure.changeName
    guard let change = cohort.changes[rules.measure], let low = change.low,
      change.value.isFinite, low.isFinite
    else {
      let isReference = referenceMetrics[intervalName] == nil
      let lack = isReference && referenceMetrics.isEmpty ? "" : lack
      cohort.why =
        "no \(rules.measure.rawValue) with an interval\(isReference ? " in the reference" : "")\(lack)"
      return
    }
    let said = "\(name) \(change.value.short)"
    if low <= 0 {
      cohort.verdict = .ok
      cohort.why = change.value > 0 ? "\(said), no more than chance explains" : ""
    } else if let bound = rules.bound, change.value >= bound {
      cohort.verdict = .drift
      cohort.why = "\(said), at or above \(bound.short)"
    } else {
      cohort.verdict = .watch
      cohort.why = rules.bound.map { "\(said), below \($0.short)" } ?? said
    }
  }

  private mutating func conclude() {
    judged = cohorts.last { !$0.isReference && $0.verdict != .insufficient }
    if let judged {
      verdict = judged.verdict
      why =
        "\(DriftReport.text(judged.start)): "
        + (judged.why.isEmpty ? "no worse than the reference" : judged.why)
    } else if referenceMetrics.isEmpty {
      let immature = cohorts.contains { $0.matured < $0.decisions }
      why =
        referenceName.isEmpty
        ? "no cohort can be measured\(immature ? " yet" : ""): \(cohorts.last?.why ?? "no decisions")"
        : "nothing \(referenceName) can be measured"
    } else {
      why = cohorts.last { !$0.isReference }?.why ?? "there is only the reference so far"
    }
  }
}
