// bench ab --before-after: what a switch was worth that has been made, by decisions as they were logged before and after
// it, of those that switched and of those that did not.
//
//     ───────── before ─────────┬┄┄ wash-out ┄┄┬────── after ──────▶
//                               ▲              ▲
//                           the switch      settled
//
// A wash-out lies behind the switch alone, where it takes its time: what was there before still has a hold, or not everybody
// is switched yet (Senn, "Cross-over Trials in Clinical Research", 2002; as the phase of implementation, Bernal, Cummins
// and Gasparrini, "Interrupted time series regression for the evaluation of public health interventions", 2017). Who
// suspects decisions from before it names an earlier switch. Control is left out for as long, or the periods would be of
// different days.

import Core
import Decisions
import Events
import Features
import Measure
import Replay

struct BeforeAfterPlan {
  let declared: BenchABSubject
  let subject: HistoryReplay.Subject
  /// What is decided where nothing is to be done; nil: no rules say it.
  let idle: String?
  /// Of the switch.
  let moment: Timestamp
  /// From when on decisions are those of after it; what was asked between the two counts on neither side.
  let settled: Timestamp
  let treated: Expression?
  /// As typed; nil: days alone are clusters.
  let entity: String?
  /// As typed.
  let segment: String?
  let loggedPath: String
  let seed: UInt64

  init(_ invocation: Invocation) throws(Failure) {
    let options = invocation.options
    guard let moment = try LogFlags.time(BenchAB.beforeAfter, options) else {
      preconditionFailure("the flag is there")
    }
    self.moment = moment
    settled = try BeforeAfterPlan.settled(moment, options)
    loggedPath = try BeforeAfterPlan.loggedPath(options)
    let project = try Project.require(invocation)
    let definition = try project.model(invocation, BenchAB.model)
    declared = try BenchABSubject(definition, project, invocation)
    idle = definition.decisions.last
    guard declared.values != nil || idle != nil else {
      throw .usage(
        "models.\(definition.name) has neither values nor rules, so nothing says what a decision was worth",
        hint: "values: { \(definition.name): [ { if: \"outcome\", value: 1 } ] }")
    }
    let scope = declared.schema.scope(of: declared.asking)
    func expression(_ flag: Flag, _ type: ValueType? = nil) throws(Failure) -> Expression? {
      try options.value(flag).map { (text) throws(Failure) in
        try BenchABPlan.expression(flag, text, options, scope, expecting: type)
      }
    }
    treated = try expression(BenchAB.treated, .bool)
    let cluster = try options.value(BenchAB.cluster)
    entity = cluster == "day" ? nil : cluster
    segment = try options.value(BenchAB.segmentBy)
    seed = try BenchAB.drawsBegin(options)
    subject = HistoryReplay.Subject(
      asking: declared.asking, outcome: declared.outcome,
      cluster: entity == nil ? nil : try expression(BenchAB.cluster),
      segment: try expression(BenchAB.segmentBy), keepsLines: declared.values?.readsMembers == true)
  }

  private static func settled(
    _ moment: Timestamp, _ options: Options
  ) throws(Failure) -> Timestamp {
    let settled = moment + (try options.span(BenchAB.washOut) ?? .zero)
    guard Timestamp.writable.contains(settled) else {
      throw .usage(
        "\(options.origin(BenchAB.washOut)): \(moment.rfc3339) and that much is behind the year 9999"
      )
    }
    return settled
  }

  /// Whether what was asked at that time is on neither side.
  func isWashedOut(_ time: Timestamp) -> Bool { time >= moment && time < settled }

  private static func loggedPath(_ options: Options) throws(Failure) -> String {
    let replayed = [
      BenchAB.arms, BenchAB.batchEvery, BenchAB.batchDecides, BenchAB.publishDelay,
      BenchAB.ingestDelay, BenchAB.decisions, BenchAB.measureLatency,
    ]
    for flag in replayed where options.isTyped(flag) {
      throw .usage(
        "--\(flag.name) is for a replay, and \(options.origin(BenchAB.beforeAfter)) replays nothing",
        hint: "it reads decisions as they were made: --\(BenchAB.logged.name) FILE")
    }
    guard let path = try options.value(BenchAB.logged) else {
      throw .usage(
        "\(options.origin(BenchAB.beforeAfter)): no decisions are named",
        hint: "--\(BenchAB.logged.name) decisions.ndjson, as score and serve write them")
    }
    return path
  }

  var name: String { declared.definition.name }
  var schema: EventSchema { declared.schema }
  var values: DecisionValues? { declared.values }

  /// By question, what its decision was worth; nil where that is not known.
  func worth(_ history: DecidedHistory) -> [Double?] {
    guard subject.outcome != nil else { return history.questions.map { _ in nil } }
    if let values { return history.values(values) }
    return history.rightGuesses(idle: idle ?? "")
  }

  /// What `value` counts.
  var unit: String { values == nil ? "right decisions" : "value" }
}

enum BeforeAfterRun {
  static func run(_ invocation: Invocation) throws(Failure) -> ExitStatus {
    let plan = try BeforeAfterPlan(invocation)
    let events = try BenchABHistory(
      plan.schema, loggedPath: plan.loggedPath, needsPropensity: false, invocation)
    let history = DecidedHistory(
      plan.subject, treated: plan.treated, logged: events.logged?.decisions ?? LoggedDecisions(),
      schema: plan.schema, trustsMarks: events.trustsMarks)
    try events.read { arrival in
      history.take(WaitingEvent(arrival), watermark: arrival.watermark)
    }
    history.finish()
    let unassigned = history.unassignedCount
    return try events.tell(
      BeforeAfterReport(plan, history, worth: plan.worth(history)), of: plan.declared,
      notes: unassigned == 0
        ? []
        : [
          "questions of which --\(BenchAB.treated.name) is neither true nor false are left out:"
            + " \(unassigned.grouped)"
        ])
  }
}
