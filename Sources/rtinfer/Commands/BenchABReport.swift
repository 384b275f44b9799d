// The verdict of bench ab: which way it goes and why, with all figures as records. In words it is `BenchABText`.

import Core
import Decisions
import Events
import Features
import Measure
import Replay

struct BenchABReport: HistoryReport {
  let plan: BenchABPlan
  let arms: [ArmComparison]
  /// Questions that every arm decided, and those that were asked.
  let decided: Int
  let asked: Int
  /// Those whose outcome is known, and among them those whose worth is.
  let withOutcome: Int
  let compared: Int
  /// Those of which no outcome can be known yet.
  let immature: Int
  let first: Timestamp?
  let last: Timestamp?
  /// Event time from the first question that is compared to the last, in days; nil where that is no time.
  let days: Double?
  /// Questions with a logged decision.
  let loggedCount: Int

  init(
    _ plan: BenchABPlan, _ replay: HistoryReplay, _ arms: [ArmComparison], worth: [[Double?]],
    weights: [[Double?]]?
  ) {
    let compared = replay.times.indices.filter { question in
      worth.allSatisfy { $0[question] != nil } && (weights.map { $0[0][question] != nil } ?? true)
    }
    loggedCount = weights?[0].count { $0 != nil } ?? 0
    self.plan = plan
    self.arms = arms
    self.compared = compared.count
    let span = compared.first.map {
      replay.times[compared.last!].microseconds - replay.times[$0].microseconds
    }
    days = span.flatMap { $0 > 0 ? Double($0) / 86_400e6 : nil }
    decided = replay.times.count
    asked = replay.askedCount
    withOutcome = replay.times.indices.count { !replay.outcome($0).isNull }
    immature = replay.times.indices.count { !replay.hasMatured($0) }
    first = replay.times.first
    last = replay.times.last
  }

  // MARK: The verdict

  /// Whether the first arm is worth more than another, and why that is said.
  struct Judgement {
    let arm: ArmComparison
    let answer: PairedComparison.Answer
    let why: String
  }

  var judgements: [Judgement] { arms.dropFirst().map(judgement) }

  /// That of the second arm.
  var status: ExitStatus {
    switch judgements[0].answer {
    case .pass: .success
    case .fail: .verdictNo
    case .inconclusive: .inconclusive
    }
  }

  private func judgement(_ arm: ArmComparison) -> Judgement {
    let gain = gain(arm)!
    if let obstacle = obstacle ?? gain.lack ?? arm.lack {
      return Judgement(arm: arm, answer: .inconclusive, why: obstacle)
    }
    guard gain.differingCount > 0 || gain.difference != 0 else {
      return Judgement(arm: arm, answer: .fail, why: "no decision was worth more or less")
    }
    switch gain.answer {
    case .pass where !(snipwInterval(arm).map { $0.low > 0 } ?? true):
      return Judgement(
        arm: arm, answer: .fail, why: "the interval of IPW lies above zero, that of SNIPW does not")
    case .pass: return Judgement(arm: arm, answer: .pass, why: "the interval lies above zero")
    case .fail where gain.interval!.high < 0:
      return Judgement(arm: arm, answer: .fail, why: "the interval lies below zero")
    default: return Judgement(arm: arm, answer: .fail, why: "the interval holds zero")
    }
  }

  /// Why nothing can be said of any arm.
  var obstacle: String? {
    guard let outcome = plan.outcome else {
      return "no outcome is declared for \(plan.name), so nobody knows which decision was right"
    }
    if outcome.dependsOnDecision == true, plan.loggedPath == nil {
      return "not identified: outcomes depend on the decision, and the events do not say with what"
        + " chance it was made (--logged FILE would)"
    }
    if asked == 0 {
      return "no event of type '\(plan.schema.types[plan.subject.asking].name)' asks"
    }
    if decided == 0 { return "no question could be decided by every arm" }
    if withOutcome == 0 {
      return immature == decided
        ? "no outcome has matured (\(outcome.matures.description))" : "no question has an outcome"
    }
    if compared == 0, isLogged, loggedCount == 0 {
      return "not identified: no question has a logged decision with its propensity"
    }
    if compared == 0 {
      return plan.values == nil
        ? "the outcome is not true or false, and no values say what a decision is worth"
        : "no decision has a value"
    }
    return arms[0].lack
  }

  /// Whether what an arm is worth is told.
  func isTold(_ arm: ArmComparison) -> Bool { obstacle == nil && arm.lack == nil }

  /// What holds only if it is granted; nil where the project says it.
  var assumption: String? {
    if isLogged { return loggedAssumption }
    guard let outcome = plan.outcome, outcome.dependsOnDecision == nil, obstacle == nil else {
      return nil
    }
    return "taken for granted: what turns out does not depend on what is decided (if it does, this"
      + " is not identified without logged chances; say which with outcomes.\(plan.name)"
      + ".depends_on_decision)"
  }

  /// What `value` counts.
  var unit: String { plan.hasCosts ? "net value" : grossUnit }

  /// What it counts before costs.
  var grossUnit: String { plan.values == nil ? "right decisions" : "value" }

  /// What an arm was worth, net of its cost.
  func value(_ arm: ArmComparison) -> Double { arm.value - arm.cost }

  /// The first arm against another, net of both costs; nil for the first itself.
  func gain(_ arm: ArmComparison) -> PairedComparison? { arm.gain?.less(extraCost(arm)) }

  /// What the first arm costs more than another.
  func extraCost(_ arm: ArmComparison) -> Double { arms[0].cost - arm.cost }

  /// The batches that differ from the first arm in nothing but how fresh features are, the quickest first; none if
  /// another kind of arm is among them. Those whose runs are now so far apart, now so have no place in it.
  var curve: [ArmComparison] {
    let first = arms[0].arm
    let batches = arms.dropFirst().filter { arm in
      arm.arm.model == first.model && !arm.arm.isRealTime
        && arm.arm.decidesAtRun == arms[1].arm.decidesAtRun
        && arm.arm.isDelayed(like: arms[1].arm)
    }
    guard first.isRealTime, batches.count == arms.count - 1 else { return [] }
    return batches.filter { $0.arm.runs?.interval != nil }
      .sorted { $0.arm.runs!.interval! < $1.arm.runs!.interval! }
  }

  /// From so many days on a history says what a month is worth: no day of the week is missing in it.
  static let daysOfHistoryMin = 7.0

  /// By how much what is true of the whole history is to be multiplied for a month; nil where it is too short.
  var monthsShare: Double? {
    guard let days, days >= BenchABReport.daysOfHistoryMin else { return nil }
    return ReplayArm.Cost.daysOfMonth / days
  }

  func perThousand(_ value: Double) -> Double { value / Double(max(1, compared)) * 1_000 }

  // MARK: Records

  func append(to output: OutputBuffer) {
    for arm in arms { appendSummary(arm, to: output) }
    for judgement in judgements { appendVerdict(judgement, to: output) }
    appendSegments(to: output)
  }

  private func appendSummary(_ arm: ArmComparison, to output: OutputBuffer) {
    output.append("{\"kind\":\"summary\",\"what\":\"ab\",\"model\":")
    output.appendQuoted(plan.models[arm.arm.model])
    output.append(",\"arm\":")
    output.appendQuoted(arm.arm.name)
    if let trained = arm.arm.trained {
      output.append(",\"trained\":")
      output.appendQuoted(trained.rawValue)
      output.append(",\"served\":")
      output.appendQuoted(arm.arm.served.rawValue)
    }
    output.append(",\"from\":")
    output.append(first.map { .time($0) } ?? .null)
    output.append(",\"to\":")
    output.append(last.map { .time($0) } ?? .null)
    for (name, count) in [
      ("asked", asked), ("refused", arm.refusedCount), ("decided", decided),
      ("with_outcome", withOutcome), ("compared", compared), ("too_late", arm.tooLateCount),
      ("differing", arm.flipCount),
    ] {
      output.append(",\"\(name)\":")
      output.append(Int64(count))
    }
    output.append(",\"flips\":[")
    for (index, flip) in arm.flips.enumerated() {
      output.append(index > 0 ? ",{\"first\":" : "{\"first\":")
      output.appendQuoted(flip.first)
      output.append(",\"arm\":")
      output.appendQuoted(flip.other)
      output.append(",\"n\":\(flip.count)}")
    }
    output.append("]")
    appendTimes(arm, to: output)
    output.append(",\"score_difference\":{\"mean\":")
    output.append(arm.scoreDifference.mean)
    output.append(",\"p99\":")
    output.append(arm.scoreDifference.p99)
    output.append(",\"max\":")
    output.append(arm.scoreDifference.max)
    output.append("}")
    appendStaleness(arm, to: output)
    appendQuality(arm.quality, to: output)
    appendLogged(arm, to: output)
    output.append(",\"unit\":")
    output.appendQuoted(unit)
    output.append(",\"value\":")
    output.append(isTold(arm) ? .double(value(arm)) : .null)
    output.append(",\"value_per_1000\":")
    output.append(isTold(arm) ? .double(perThousand(value(arm))) : .null)
    if plan.hasCosts {
      output.append(",\"gross_value\":")
      output.append(isTold(arm) ? .double(arm.value) : .null)
      output.append(",\"cost\":")
      output.append(arm.cost)
    }
    output.append("}\n")
  }

  /// How old features were, and how long decisions took.
  private func appendTimes(_ arm: ArmComparison, to output: OutputBuffer) {
    output.append(",\"age_s\":{\"p50\":")
    output.append(Double(arm.ageMedian.microseconds) / 1e6)
    output.append(",\"max\":")
    output.append(Double(arm.ageMax.microseconds) / 1e6)
    if let delays = plan.delays(arm.arm) {
      output.append("},\"ingest_delay_s\":{\"p50\":")
      output.append(Double(delays.median.microseconds) / 1e6)
      output.append(",\"p99\":")
      output.append(Double(delays.p99.microseconds) / 1e6)
    }
    output.append("},\"delay_s\":{\"p50\":")
    output.append(Double(arm.delayMedian.microseconds) / 1e6)
    output.append(",\"max\":")
    output.append(Double(arm.delayMax.microseconds) / 1e6)
    output.append("}")
    guard plan.measuresLatency else { return }
    // On this machine; never among what two runs must have in common.
    output.append(",\"measured_us\":{\"p50\":")
    output.append(arm.took.percentile(50).map { .double(Double($0) / 1e3) } ?? .null)
    output.append(",\"p99\":")
    output.append(arm.took.percentile(99).map { .double(Double($0) / 1e3) } ?? .null)
    output.append(",\"n\":\(arm.took.count)}")
  }

  /// Of each input, those that were never stale included.
  private func appendStaleness(_ arm: ArmComparison, to output: OutputBuffer) {
    output.append(",\"stale_inputs\":{")
    for (index, input) in arm.staleInputs.enumerated() {
      if index > 0 { output.append(",") }
      output.appendQuoted(input.name)
      output.append(":{\"share\":")
      output.append(input.share)
      output.append(",\"mean_difference\":")
      output.append(input.meanDifference.map { .double($0) } ?? .null)
      output.append("}")
    }
    output.append("}")
  }

  private func appendQuality(_ quality: ArmQuality?, to output: OutputBuffer) {
    guard let quality else { return }
    for (name, estimate) in [
      ("auc", quality.auc), ("log_loss", quality.logLoss), ("brier", quality.brier),
    ] {
      guard let estimate else { continue }
      output.append(",\"\(name)\":")
      output.append(estimate.value)
      output.append(",\"\(name)_interval\":[")
      output.append(estimate.low.map { .double($0) } ?? .null)
      output.append(",")
      output.append(estimate.high.map { .double($0) } ?? .null)
      output.append("]")
    }
    output.append(",\"by_decision\":[")
    for (index, action) in quality.actions.enumerated() {
      output.append(index > 0 ? ",{\"decision\":" : "{\"decision\":")
      output.appendQuoted(action.decision)
      output.append(",\"n\":\(action.count),\"precision\":")
      output.append(action.precision.map { .double($0) } ?? .null)
      output.append(",\"recall\":")
      output.append(action.recall.map { .double($0) } ?? .null)
      output.append("}")
    }
    output.append("]")
  }

  private func appendVerdict(_ judgement: Judgement, to output: OutputBuffer) {
    let gain = gain(judgement.arm)!
    output.append("{\"kind\":\"verdict\",\"what\":\"ab\",\"clause\":")
    output.appendQuoted("\(unit) of \(arms[0].arm.name) > \(unit) of \(judgement.arm.arm.name)")
    appendCells(judgement.arm.arm, to: output)
    output.append(",\"verdict\":")
    output.appendQuoted(judgement.answer.rawValue)
    output.append(",\"value\":")
    output.append(isTold(judgement.arm) ? .double(gain.difference) : .null)
    output.append(",\"interval\":")
    appendInterval(gain, of: judgement.arm, to: output)
    appendMonth(gain, of: judgement.arm, to: output)
    output.append(",\"detectable\":")
    output.append(isTold(judgement.arm) ? gain.detectable.map { .double($0) } ?? .null : .null)
    output.append(",\"n\":\(gain.count),\"bound\":0,\"differing\":\(gain.differingCount)")
    output.append(",\"cluster\":")
    output.appendQuoted(plan.cluster)
    output.append(",\"clusters\":\(gain.clusterCount),\"clusters_differing\":")
    output.append(Int64(gain.differingClusterCount))
    if let test = judgement.arm.mcNemar {
      output.append(",\"only_first_right\":\(test.onlyFirst),\"only_arm_right\":")
      output.append(Int64(test.onlySecond))
      output.append(",\"mcnemar_p\":")
      output.append(test.pValue)
    }
    appendAUC(judgement.arm.aucGain, to: output)
    appendLoggedGain(judgement.arm, to: output)
    appendSameIDs(judgement.arm, to: output)
    output.append(",\"why\":")
    output.appendQuoted(judgement.why)
    if let assumption {
      output.append(",\"assuming\":")
      output.appendQuoted(assumption)
    }
    output.append("}\n")
  }

  /// Of a thousand questions so many may be decided by one arm only before the check of ids fails.
  static let unlikeIDsMax = 1

  /// Whether the first arm and another decided the same questions: of a comparison in pairs what the check for a sample
  /// ratio mismatch (SRM) is of one between groups.
  func sameIDs(_ arm: ArmComparison) -> PairedComparison.Answer {
    let unlike = arm.onlyFirstCount + arm.onlyOwnCount
    guard decided + unlike > 0 else { return .inconclusive }
    return unlike * 1_000 <= asked * BenchABReport.unlikeIDsMax ? .pass : .fail
  }

  private func appendSameIDs(_ arm: ArmComparison, to output: OutputBuffer) {
    output.append(",\"same_ids\":{\"check\":")
    output.appendQuoted(sameIDs(arm).rawValue)
    output.append(",\"only_first\":\(arm.onlyFirstCount),\"only_arm\":\(arm.onlyOwnCount)}")
  }

  private func appendMonth(
    _ gain: PairedComparison, of arm: ArmComparison, to output: OutputBuffer
  ) {
    output.append(",\"per_month\":")
    guard let monthsShare, isTold(arm) else { return output.append("null") }
    output.append("{\"value\":")
    output.append(gain.difference * monthsShare)
    output.append(",\"interval\":")
    output.append(interval: gain.interval.map { ($0.low * monthsShare, $0.high * monthsShare) })
    output.append("}")
  }

  /// How much larger the first arm's AUC is.
  private func appendAUC(_ gain: PairedAUC?, to output: OutputBuffer) {
    guard let gain else { return }
    output.append(",\"auc_difference\":")
    output.append(gain.difference.value)
    output.append(",\"auc_difference_interval\":[")
    output.append(gain.difference.low.map { .double($0) } ?? .null)
    output.append(",")
    output.append(gain.difference.high.map { .double($0) } ?? .null)
    output.append("],\"auc_p\":")
    output.append(gain.pValue.map { .double($0) } ?? .null)
  }

  /// Of the two by two, the cells that are compared, where both arms say how their models were trained.
  private func appendCells(_ arm: ReplayArm, to output: OutputBuffer) {
    guard let first = arms[0].arm.cell, let own = arm.cell else { return }
    output.append(",\"cells\":[")
    output.appendQuoted(first)
    output.append(",")
    output.appendQuoted(own)
    output.append("]")
  }

  func appendInterval(
    _ gain: PairedComparison, of arm: ArmComparison, to output: OutputBuffer
  ) {
    output.append(interval: isTold(arm) ? gain.interval : nil)
  }
}

extension ReplayArm {
  var isRealTime: Bool { runs == nil }

  /// Where it stands in the two by two; nil where nobody has said how its model was trained.
  var cell: String? { trained.map { "trained \($0.rawValue), served \(served.rawValue)" } }
}

extension OutputBuffer {
  /// Its two ends; an end that is infinite is written as null.
  func append(interval: (low: Double, high: Double)?) {
    guard let interval else { return append("null") }
    append("[")
    append(interval.low)
    append(",")
    append(interval.high)
    append("]")
  }
}
