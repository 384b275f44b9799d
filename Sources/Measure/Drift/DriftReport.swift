// All columns compared, and what follows for the whole. The p-values of all columns are corrected together: among fifty
// columns of which none has moved, two or three are below 0.05 by chance alone.

public import Core

public struct DriftReport: Sendable {
  public internal(set) var columns: [ColumnComparison]
  public let rules: DriftRules
  public let referenceRecords: Int64
  public let currentRecords: Int64
  public let referenceSpan: (since: Timestamp, until: Timestamp)?
  public let currentSpan: (since: Timestamp, until: Timestamp)?
  public private(set) var verdict = DriftVerdict.ok
  public private(set) var why = ""

  public init(_ reference: Profile, _ current: Profile, _ rules: DriftRules) {
    self.rules = rules
    referenceRecords = reference.records
    currentRecords = current.records
    referenceSpan = DriftReport.span(reference)
    currentSpan = DriftReport.span(current)
    let added = current.columns.map(\.name).filter { reference[$0] == nil }
    columns = (reference.columns.map(\.name) + added).map {
      ColumnComparison($0, reference, current, rules)
    }
    adjust()
    for index in columns.indices { judge(&columns[index]) }
    conclude()
  }

  private static func span(_ profile: Profile) -> (since: Timestamp, until: Timestamp)? {
    guard let since = profile.since, let until = profile.until else { return nil }
    return (since, until)
  }

  private mutating func adjust() {
    let judged = columns.indices.filter { columns[$0].p != nil }
    let missing = columns.indices.filter { columns[$0].missingP != nil }
    let adjusted = FalseDiscovery.adjusted(
      judged.map { columns[$0].p! } + missing.map { columns[$0].missingP! })
    for (place, index) in judged.enumerated() { columns[index].adjustedP = adjusted[place] }
    for (place, index) in missing.enumerated() {
      findMissing(&columns[index], p: adjusted[judged.count + place])
    }
  }

  private func findMissing(_ column: inout ColumnComparison, p: Double) {
    let moved = abs(column.currentMissing - column.referenceMissing)
    guard p <= rules.level, moved >= DriftRules.missingWatch,
      column.findings.allSatisfy({ $0.code != .columnMissing })
    else { return }
    column.findings.append(
      DriftFinding(
        code: .missingValues, verdict: moved >= DriftRules.missingDrift ? .drift : .watch,
        why: "\(column.currentMissing.percent) are missing, were \(column.referenceMissing.percent)"
      ))
  }

  /// Larger than chance explains, and large enough to matter.
  private func judge(_ column: inout ColumnComparison) {
    if let p = column.adjustedP, let effect = column.effect {
      let measure = "\(rules.measure.rawValue) \(effect.short)"
      if p > rules.level {
        column.why = "no more than chance (p \(p.short))"
      } else if effect < rules.watchAt {
        column.why = "\(measure), below \(rules.watchAt.short)"
      } else {
        column.verdict = effect >= rules.driftAt ? .drift : .watch
        let bound = effect >= rules.driftAt ? rules.driftAt : rules.watchAt
        column.why = "\(measure), at or above \(bound.short)\(DriftReport.worst(column))"
      }
    }
    for finding in column.findings where finding.verdict > .ok {
      let isWorse = finding.verdict > column.verdict
      if isWorse { column.verdict = finding.verdict }
      let says = column.verdict == finding.verdict
      if isWorse || column.why.isEmpty {
        column.why = finding.why
      } else if says {
        column.why += "; \(finding.why)"
      }
    }
  }

  private static func worst(_ column: ColumnComparison) -> String {
    guard let bin = column.worst else { return "" }
    let before = bin.reference / column.referenceBinned
    let now = bin.current / column.currentBinned
    return "; most in \(bin.name): \(before.percent) → \(now.percent)"
  }

  private mutating func conclude() {
    let weight = columns.reduce(0) { $0 + $1.weight }
    let moved = columns.filter { $0.verdict == .drift }
    let share = weight > 0 ? moved.reduce(0) { $0 + $1.weight } / weight : 0
    let weighted = rules.weights.isEmpty ? "" : " by importance"
    let judged = columns.filter { $0.effect != nil }
    if !moved.isEmpty, share > rules.share {
      verdict = .drift
      why =
        "\(moved.count) of \(columns.count) columns have drifted, \(share.percent)\(weighted),"
        + " above \(rules.share.percent)"
    } else if judged.isEmpty, moved.isEmpty {
      verdict = .insufficient
      why = "no column has enough values to be compared"
    } else {
      let watched = columns.filter { $0.verdict >= .watch }
      verdict = watched.isEmpty ? .ok : .watch
      why =
        watched.isEmpty
        ? "none of \(judged.count) compared columns has moved"
        : "\(watched.count) of \(columns.count) columns are worth watching"
          + (moved.isEmpty ? "" : ", \(moved.count) have drifted (\(share.percent)\(weighted))")
    }
  }

  /// The one name of a column that may be written in two ways.
  public static func canonical(_ name: String) -> String { Profile.canonical(name) }

  /// The worst first.
  public var sorted: [ColumnComparison] {
    columns.indices.sorted { (left, right) in
      let (one, two) = (columns[left], columns[right])
      if one.verdict != two.verdict { return one.verdict > two.verdict }
      let (first, second) = (one.effect ?? -1, two.effect ?? -1)
      return first != second ? first > second : left < right
    }.map { columns[$0] }
  }
}
