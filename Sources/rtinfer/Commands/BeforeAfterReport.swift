// What bench ab --before-after finds, as records: both periods of both groups, the verdict, and each segment. In words it
// is `BeforeAfterText`.

import Core
import Events
import Features
import Measure
import Replay

struct BeforeAfterReport: HistoryReport {
  /// One group in one period.
  struct Period {
    let isTreated: Bool
    let isAfter: Bool
    let decided: Int
    let compared: Int
    let tooLate: Int
    let mean: Double?
    let delayMedian: TimeSpan
    let delayMax: TimeSpan

    var group: String { isTreated ? "treated" : "control" }
    var name: String { isAfter ? "after" : "before" }
  }

  let plan: BeforeAfterPlan
  let found: BeforeAfter
  let periods: [Period]
  let segments: [(names: [String], segment: BeforeAfter.Segment)]
  let asked: Int
  let decided: Int
  let withOutcome: Int
  let compared: Int
  /// Those decided in the wash-out, which are on neither side.
  let washedOut: Int
  let first: Timestamp?
  let last: Timestamp?
  /// From when the switch had settled to the last treated question that is compared, in days; nil where that is no time.
  let daysAfter: Double?
  private let lackOfQuestions: String?

  /// - Parameter worth: by question; nil where it is not known.
  init(_ plan: BeforeAfterPlan, _ history: DecidedHistory, worth: [Double?]) {
    let known = worth.indices.filter {
      worth[$0] != nil && !plan.isWashedOut(history.questions[$0].time)
    }
    let questions = known.map { history.questions[$0] }
    var clusterings = [
      DifferenceInDifferences.Clustering(name: "day", numbers: questions.map(\.day))
    ]
    if let entity = plan.entity {
      clusterings.append(.init(name: entity, numbers: questions.map { $0.entity ?? 0 }))
    }
    found = BeforeAfter(
      zip(known, questions).map { index, question in
        .init(time: question.time, value: worth[index]!, isTreated: question.isTreated)
      }, switchedAt: plan.moment, clusterings,
      segments: plan.segment == nil ? [] : questions.map { $0.segment ?? 0 },
      bootstrap: ClusterBootstrap(seed: plan.seed))
    periods = [(true, false), (true, true), (false, false), (false, true)].map {
      BeforeAfterReport.period(plan, history, worth, isTreated: $0.0, isAfter: $0.1)
    }
    segments = found.segments.map { ($0.numbers.map(history.segmentName), $0) }
    self.plan = plan
    asked = history.askedCount
    decided = history.questions.count
    withOutcome = history.questions.indices.count { !history.outcome($0).isNull }
    compared = known.count
    washedOut = history.questions.count { plan.isWashedOut($0.time) }
    first = history.questions.first?.time
    last = history.questions.last?.time
    let span = questions.last { $0.isTreated }.map {
      $0.time.microseconds - plan.settled.microseconds
    }
    daysAfter = span.flatMap { $0 > 0 ? Double($0) / 86_400e6 : nil }
    lackOfQuestions = BeforeAfterReport.lack(plan, history)
  }

  private static func period(
    _ plan: BeforeAfterPlan, _ history: DecidedHistory, _ worth: [Double?], isTreated: Bool,
    isAfter: Bool
  ) -> Period {
    let own = history.questions.indices.filter {
      let question = history.questions[$0]
      return question.isTreated == isTreated
        && (isAfter ? question.time >= plan.settled : question.time < plan.moment)
    }
    let values = own.compactMap { worth[$0] }
    let delays = own.map { history.questions[$0].delay }.sorted()
    return Period(
      isTreated: isTreated, isAfter: isAfter, decided: own.count, compared: values.count,
      tooLate: own.count { history.isTooLate($0) },
      mean: values.isEmpty ? nil : values.reduce(0, +) / Double(values.count),
      delayMedian: delays.isEmpty ? .zero : delays[delays.count / 2], delayMax: delays.last ?? .zero
    )
  }

  // MARK: The verdict

  /// Why there are no questions to speak of.
  private static func lack(_ plan: BeforeAfterPlan, _ history: DecidedHistory) -> String? {
    guard let outcome = plan.subject.outcome else {
      return "no outcome is declared for \(plan.name), so nobody knows which decision was right"
    }
    if history.askedCount == 0 {
      return "no event of type '\(plan.schema.types[plan.subject.asking].name)' asks"
    }
    if history.unloggedCount == history.askedCount { return "no question has a logged decision" }
    if history.questions.isEmpty { return "of no question is it known whether it is treated" }
    if history.questions.indices.allSatisfy({ !history.hasMatured($0) }) {
      return "no outcome has matured (\(outcome.matures.description))"
    }
    return nil
  }

  /// Why nothing can be said.
  var obstacle: String? {
    if let lackOfQuestions { return lackOfQuestions }
    if withOutcome == 0 { return "no question has an outcome" }
    if compared == 0 {
      return plan.values == nil
        ? "the outcome is not true or false, and no values say what a decision is worth"
        : "no decision has a value"
    }
    guard found.whole.treated.change != nil else {
      let side = found.whole.treated.before.count == 0 ? before : since
      return "no treated decision that can be compared was made \(side)"
    }
    guard found.whole.hasControl else {
      return "not identified: \(lackOfControl)"
    }
    if let lack = found.whole.lack { return lack }
    guard found.trend == .apart, let interval = found.placebo?.interval else { return nil }
    return "not identified: treated and control were drifting apart before the switch already, by"
      + " \(interval.low.asAmount) to \(interval.high.asAmount) a decision between the halves of that"
      + " period"
  }

  private var before: String { "before \(plan.moment.rfc3339)" }
  private var since: String { "since \(plan.settled.rfc3339)" }

  private var lackOfControl: String {
    guard periods.contains(where: { !$0.isTreated && $0.decided > 0 }) else {
      return "there is no control group, so the change is that of time as well"
        + " (--\(BenchAB.treated.name) says who was switched; the others are the control)"
    }
    let control = found.whole.control
    let sides = [(before, control.before.count), (since, control.after.count)]
    let empty = sides.filter { $0.1 == 0 }.map(\.0).joined(separator: " or ")
    return "no control decision that can be compared was made \(empty),"
      + " so the change is that of time as well"
  }

  var answer: PairedComparison.Answer {
    guard obstacle == nil, let interval = found.whole.interval else { return .inconclusive }
    return interval.low > 0 ? .pass : .fail
  }

  var why: String {
    if let obstacle { return obstacle }
    guard let interval = found.whole.interval else { return "there is no interval" }
    if interval.low > 0 { return "the interval lies above zero" }
    return interval.high < 0 ? "the interval lies below zero" : "the interval holds zero"
  }

  var status: ExitStatus {
    switch answer {
    case .pass: .success
    case .fail: .verdictNo
    case .inconclusive: .inconclusive
    }
  }

  /// What holds only if it is granted.
  var assumption: String? {
    guard obstacle == nil else { return nil }
    var text =
      "taken for granted: without the switch treated would have changed as control did, and nothing"
      + " else was switched with it"
    if found.trend == .unknown {
      text += "; whether they changed alike before cannot be checked (\(found.placebo?.lack ?? ""))"
    }
    guard plan.entity == nil else { return text }
    return text + "; only decisions of one day hang together (--\(BenchAB.cluster.name) says more)"
  }

  // MARK: Records

  func append(to output: OutputBuffer) {
    for period in periods where period.decided > 0 { append(period, to: output) }
    appendVerdict(to: output)
    for (names, segment) in segments { append(segment, names, to: output) }
  }

  private func append(_ period: Period, to output: OutputBuffer) {
    output.append("{\"kind\":\"summary\",\"what\":\"period\",\"model\":")
    output.appendQuoted(plan.name)
    output.append(",\"group\":\"\(period.group)\",\"period\":\"\(period.name)\"" as String)
    output.append(",\"decided\":\(period.decided),\"compared\":\(period.compared)" as String)
    output.append(",\"too_late\":\(period.tooLate),\"delay_s\":{\"p50\":" as String)
    output.append(Double(period.delayMedian.microseconds) / 1e6)
    output.append(",\"max\":")
    output.append(Double(period.delayMax.microseconds) / 1e6)
    output.append("},\"unit\":")
    output.appendQuoted(plan.unit)
    output.append(",\"value_per_decision\":")
    output.append(period.mean.map { .double($0) } ?? .null)
    output.append("}\n")
  }

  private func appendVerdict(to output: OutputBuffer) {
    let whole = found.whole
    let count = whole.treated.after.count
    output.append("{\"kind\":\"verdict\",\"what\":\"ab\",\"clause\":")
    output.appendQuoted("\(plan.unit) of treated since the switch > \(plan.unit) without it")
    output.append(",\"switched\":")
    output.appendQuoted(plan.moment)
    if plan.settled > plan.moment {
      output.append(",\"wash_out\":{\"until\":")
      output.appendQuoted(plan.settled)
      output.append(",\"left_out\":\(washedOut)}" as String)
    }
    output.append(",\"verdict\":")
    output.appendQuoted(answer.rawValue)
    let isTold = obstacle == nil
    output.append(",\"value\":")
    output.append(isTold ? whole.effect.map { .double($0 * Double(count)) } ?? .null : .null)
    output.append(",\"interval\":")
    output.append(interval: isTold ? whole.interval.times(count) : nil)
    output.append(",\"n\":\(count),\"bound\":0,\"estimator\":" as String)
    output.appendQuoted(whole.hasControl ? "difference_in_differences" : "change")
    output.append(",\"per_decision\":")
    output.append(whole.toldEffect.map { .double($0) } ?? .null)
    output.append(",\"per_decision_interval\":")
    output.append(interval: whole.interval)
    appendClusters(to: output)
    appendPlacebo(to: output)
    output.append(",\"why\":")
    output.appendQuoted(why)
    if let assumption {
      output.append(",\"assuming\":")
      output.appendQuoted(assumption)
    }
    output.append("}\n")
  }

  private func appendClusters(to output: OutputBuffer) {
    output.append(",\"clusters\":{\"day\":\(found.whole.clusterCounts[0])" as String)
    if let entity = plan.entity {
      output.append(",")
      output.appendQuoted(entity)
      output.append(":\(found.whole.clusterCounts[1])" as String)
    }
    output.append("}")
  }

  private func appendPlacebo(to output: OutputBuffer) {
    guard let placebo = found.placebo else { return }
    output.append(",\"before\":{\"cut\":")
    output.appendQuoted(found.placeboCut)
    output.append(",\"per_decision\":")
    output.append(
      placebo.hasControl ? placebo.toldEffect.map { .double($0) } ?? .null : .null)
    output.append(",\"per_decision_interval\":")
    output.append(interval: placebo.hasControl ? placebo.interval : nil)
    output.append(",\"trend\":\"\(found.trend)\"}" as String)
  }

  private func append(
    _ segment: BeforeAfter.Segment, _ names: [String], to output: OutputBuffer
  ) {
    let difference = segment.difference
    let isTold = obstacle == nil && difference.hasControl
    output.append("{\"kind\":\"summary\",\"what\":\"segment\",\"model\":")
    output.appendQuoted(plan.name)
    output.append(",\"by\":")
    output.appendQuoted(plan.segment ?? "")
    if names.count == 1 {
      output.append(",\"segment\":\(names[0])" as String)
    } else {
      output.append(",\"others\":\(names.count)" as String)
    }
    output.append(",\"compared\":\(difference.treated.after.count),\"control\":" as String)
    output.appendQuoted(segment.hasOwnControl ? "segment" : "all")
    output.append(",\"unit\":")
    output.appendQuoted(plan.unit)
    output.append(",\"value\":")
    output.append(isTold ? segment.worth.map { .double($0) } ?? .null : .null)
    output.append(",\"interval\":")
    output.append(
      interval: isTold ? difference.interval.times(difference.treated.after.count) : nil)
    output.append(",\"per_decision\":")
    output.append(isTold ? difference.toldEffect.map { .double($0) } ?? .null : .null)
    output.append(",\"per_decision_interval\":")
    output.append(interval: isTold ? difference.interval : nil)
    if isTold, let lack = difference.lack {
      output.append(",\"why\":")
      output.appendQuoted(lack)
    }
    output.append("}\n")
  }
}

extension (low: Double, high: Double)? {
  /// Of so many decisions together.
  func times(_ count: Int) -> (low: Double, high: Double)? {
    map { ($0.low * Double(count), $0.high * Double(count)) }
  }
}
