// Cohorts of decisions against the plain arithmetic: pairs counted one by one, sums over all rows.

import Core
import Foundation
import TestSupport
import Testing

@testable import Measure

@Suite struct OutcomeReportTests {
  private static let day = TimeSpan.days(1)
  private static let start = Timestamp(microseconds: 1_700_006_400_000_000)

  /// Decisions over days; a score tells as much of the outcome as `strength` of the day says.
  private struct History {
    var rows: [OutcomeRow] = []
    var scores: [Double] = []

    init(
      _ strengths: [Double], perDay: Int = 200, labelled: Double = 1, maturedDays: Int = .max,
      seed: UInt64 = 5
    ) {
      var random = SplitMix64(seed: seed)
      func unit() -> Double { Double(random.next() >> 11) / 9_007_199_254_740_992 }
      for (day, strength) in strengths.enumerated() {
        for index in 0..<perDay {
          let score = (unit() * 40).rounded() / 40
          let chance = strength * score + (1 - strength) * 0.5
          let outcome: Double? = unit() < labelled ? (unit() < chance ? 1 : 0) : nil
          let hasMatured = day < maturedDays
          let time =
            OutcomeReportTests.start
            + TimeSpan(microseconds: Int64(day) * 86_400_000_000 + Int64(index) * 60_000_000)
          rows.append(
            OutcomeRow(time: time, hasMatured: hasMatured, outcome: hasMatured ? outcome : nil))
          scores.append(score)
        }
      }
    }

    func report(
      _ reference: OutcomeReference = .first, _ change: (inout OutcomeRules) -> Void = { _ in }
    ) throws -> OutcomeReport {
      var rules = OutcomeRules(.yesOrNo, width: 1)
      change(&rules)
      return try OutcomeReport(rows, scores: scores, rules, reference)
    }

    /// A day's area under the curve, by counting pairs.
    func area(_ days: Range<Int>, perDay: Int = 200) -> Double {
      let known = (days.lowerBound * perDay..<days.upperBound * perDay)
        .filter { rows[$0].outcome != nil }
      let (yes, no) = (
        known.filter { rows[$0].outcome == 1 }, known.filter { rows[$0].outcome == 0 }
      )
      var wins = 0.0
      for one in yes {
        for other in no {
          wins += scores[one] > scores[other] ? 1 : scores[one] == scores[other] ? 0.5 : 0
        }
      }
      return wins / Double(yes.count * no.count)
    }
  }

  @Test func cohortsAreWhatPlainSumsGive() throws {
    let history = History([1, 1, 0.2], labelled: 0.8)
    let report = try history.report()
    #expect(report.cohorts.count == 3)
    for (day, cohort) in report.cohorts.enumerated() {
      let rows = (day * 200..<(day + 1) * 200)
      let known = rows.filter { history.rows[$0].outcome != nil }
      #expect(cohort.decisions == 200 && cohort.matured == 200 && cohort.labelled == known.count)
      #expect(cohort.coverage == Double(known.count) / 200)
      #expect(abs(cohort.metrics["auc"]! - history.area(day..<day + 1)) < 1e-12)
      let bias =
        known.reduce(0) { $0 + history.scores[$1] - history.rows[$1].outcome! }
        / Double(known.count)
      #expect(abs(cohort.metrics["bias"]! - bias) < 1e-12)
      let chosen = known.filter { history.scores[$0] >= 0.5 }
      let right = chosen.count { history.rows[$0].outcome == 1 }
      #expect(cohort.metrics["precision_at_0_5"] == Double(right) / Double(chosen.count))
    }
    #expect(report.newLabels == report.cohorts[1].labelled + report.cohorts[2].labelled)
  }

  @Test func orderDoesNotMatter() throws {
    let history = History([1, 0.5])
    var turned = history
    turned.rows.reverse()
    turned.scores.reverse()
    let (one, other) = (try history.report(), try turned.report())
    for (left, right) in zip(one.cohorts, other.cohorts) {
      #expect(abs(left.metrics["auc"]! - right.metrics["auc"]!) < 1e-12)
      #expect(left.verdict == right.verdict && left.start == right.start)
    }
  }

  @Test func whatFadesIsDriftAndWhatStaysIsNot() throws {
    let faded = try History([1, 1, 1, 0], perDay: 400).report()
    #expect(faded.cohorts.map(\.verdict)[3] == .drift)
    #expect(faded.verdict == .drift && faded.judged?.start == faded.cohorts[3].start)
    let change = try #require(faded.cohorts[3].changes[.auc])
    #expect(
      abs(change.value - (faded.cohorts[0].metrics["auc"]! - faded.cohorts[3].metrics["auc"]!))
        < 1e-12)
    #expect(change.low! > 0 && change.high! > change.value)
    // Below what matters, but more than chance.
    #expect(try History([1, 0], perDay: 400).report(.first) { $0.bound = 0.9 }.verdict == .watch)
  }

  /// One sound cohort in 40 looks worse than chance explains, and no more.
  @Test func falseAlarmsComeAtTheStatedRate() throws {
    var alarms = 0
    for seed in 1...400 {
      let report = try History([1, 1], perDay: 150, seed: UInt64(seed)).report { $0.bound = 0 }
      if report.verdict == .drift { alarms += 1 }
    }
    // 10 are expected; 3 to 20 is four standard deviations around.
    #expect((3...22).contains(alarms), "\(alarms) of 400")
  }

  @Test func onlyWhatHasMaturedIsMeasured() throws {
    let report = try History([1, 1, 1], maturedDays: 2).report()
    #expect(report.cohorts.map(\.metrics.isEmpty) == [false, false, true])
    #expect(report.cohorts[2].verdict == .insufficient && report.cohorts[2].coverage == nil)
    #expect(report.cohorts[2].why == "200 decisions have not matured")
    // The newest that can be judged decides.
    #expect(report.judged?.start == report.cohorts[1].start)
    #expect(try History([1, 1], maturedDays: 0).report().verdict == .insufficient)
    #expect(try History([1, 1], maturedDays: 1).report().verdict == .insufficient)
  }

  /// A cohort is not measured on the part of it that happens to have matured.
  @Test func aCohortMaturesAsAWhole() throws {
    var history = History([1, 1])
    history.rows[399] = OutcomeRow(time: history.rows[399].time, hasMatured: false, outcome: nil)
    let report = try history.report()
    #expect(report.cohorts[1].metrics.isEmpty && report.cohorts[1].labelled == 199)
  }

  @Test func tooFewOutcomesAreNotJudged() throws {
    let thin = try History([1, 1], labelled: 0.3).report()
    #expect(thin.cohorts.allSatisfy { $0.metrics.isEmpty && $0.why.contains("50.0 % are needed") })
    #expect(
      try !History([1, 1], labelled: 0.3).report {
        $0.coverage = 0.1
        $0.least = 20
      }
      .cohorts[1].metrics.isEmpty)
    let few = try History([1, 1], perDay: 50).report()
    #expect(few.verdict == .insufficient && few.cohorts[0].why == "50 outcomes, 100 are needed")
  }

  @Test func aReferencePeriodIsTakenTogether() throws {
    let history = History([1, 0.8, 0.2])
    let report = try history.report(.until(OutcomeReportTests.start + .days(2)))
    #expect(report.cohorts.map(\.isReference) == [true, true, false])
    #expect(abs(report.referenceMetrics["auc"]! - history.area(0..<2)) < 1e-12)
    #expect(report.newLabels == 200)
    let none = try history.report(.until(OutcomeReportTests.start))
    #expect(none.verdict == .insufficient && none.why.contains("can be measured"))
  }

  @Test func aVersionsMetricsAreAReference() throws {
    let history = History([0.2, 0.2])
    let good = ["auc": 0.9, "auc_low": 0.88, "auc_high": 0.92]
    let report = try history.report(.metrics(good, name: "models:/late/1"))
    #expect(report.cohorts.map(\.verdict) == [.drift, .drift])
    #expect(report.newLabels == 400)
    // A number without its interval cannot be told from chance.
    let bare = try history.report(.metrics(["auc": 0.9], name: "models:/late/1"))
    #expect(bare.verdict == .insufficient)
  }

  @Test func lossesAreWorseWhenTheyGrow() throws {
    let report = try History([1, 0], perDay: 400).report {
      $0.measure = .logLoss
      $0.bound = 0.01
    }
    let (before, now) = (report.cohorts[0].metrics, report.cohorts[1].metrics)
    #expect(
      abs(report.cohorts[1].changes[.logLoss]!.value - (now["log_loss"]! - before["log_loss"]!))
        < 1e-12)
    #expect(report.verdict == .drift && report.why.contains("log_loss_rise"))
  }

  @Test func numbersHaveErrors() throws {
    var history = History([1, 1])
    for index in history.rows.indices {
      let row = history.rows[index]
      let off = index < 200 ? 0.5 : 1.5
      history.rows[index] = OutcomeRow(
        time: row.time, hasMatured: true,
        outcome: history.scores[index] + (index % 2 == 0 ? off : -off * 0.9))
    }
    let report = try OutcomeReport(
      history.rows, scores: history.scores, OutcomeRules(.number, width: 1), .first)
    #expect(report.rules.measure == .rmse && report.rules.bound == nil)
    // Without a bound a rise is told, and no more.
    #expect(report.verdict == .watch)
    #expect(abs(report.cohorts[1].metrics["mae"]! - 1.5 * 0.95) < 1e-12)
    #expect(abs(report.cohorts[1].metrics["bias"]! + 1.5 * 0.05) < 1e-12)
  }

  @Test func moreClassesHaveAccuracy() throws {
    var history = History([1, 1])
    history.scores = history.rows.flatMap { row in
      row.outcome == 1 ? [0.2, 0.5, 0.3] : [0.2, 0.3, 0.5]
    }
    for index in history.rows.indices where index >= 200 {
      history.rows[index] = OutcomeRow(
        time: history.rows[index].time, hasMatured: true, outcome: Double(index % 3))
    }
    for index in 0..<200 {
      let row = history.rows[index]
      history.rows[index] = OutcomeRow(
        time: row.time, hasMatured: true, outcome: row.outcome == 1 ? 1 : 2)
    }
    let report = try OutcomeReport(
      history.rows, scores: history.scores, OutcomeRules(.classes(3), width: 3), .first)
    #expect(report.cohorts[0].metrics["accuracy"] == 1)
    #expect(report.verdict == .drift)
  }

  @Test func outcomesAreSignals() throws {
    let output = OutputBuffer(MemorySink())
    try History([1, 1, 0], perDay: 400).report().appendVerdicts(to: output)
    var signals = DriftSignals()
    for line in output.pending.string.split(separator: "\n") {
      try Array(line.utf8).withBytes { (bytes) throws(BadRecord) in
        try signals.add(bytes, padding: 0)
      }
    }
    #expect(signals.values["auc_drop"]! > 0.1)
    #expect(signals.values["n"] == 400 && signals.values["new_labels"] == 800)
    #expect(signals.values["coverage"] == 1)
  }
}
