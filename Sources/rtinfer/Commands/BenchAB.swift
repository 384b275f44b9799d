// bench ab: what real-time is worth. History is replayed once, every question decided with features as of now and with
// those of the last scheduled run, and what came of it is compared.

import Core
import Decisions
import Events
import Features
import Measure
import Replay

enum BenchAB {
  static let model = Flag(
    "model", .file, "The model of the project whose decisions are compared, by its name",
    default: "the only one")
  static let batchEvery = Flag(
    "batch-every", .text("SPAN,…"),
    "Between two batch runs, an arm for each; the first one is judged", default: "1h")
  static let publishDelay = Flag(
    "publish-delay", .text("SPAN"), "From when a run starts to when its features are served",
    default: "0s")
  static let ingestDelay = Flag(
    "ingest-delay", .text("SPAN"), "From when an event happens to when it counts, in every arm",
    default: "0s")
  static let cluster = Flag(
    "cluster", .text("EXPRESSION"),
    "What makes questions hang together: day, or an expression over their members", default: "day")
  static let by = Flag(
    "by", .text("EXPRESSION"),
    "Say where the first batch's difference comes from, by an expression over the questions' members"
  )
  static let seed = Flag("seed", .text("N"), "Where the bootstrap's draws begin", default: "1")
  static let decisions = Flag(
    "decisions", .file, "Write every decision of every arm there, one JSON object a line")

  static let command = Command(
    name: "bench ab",
    summary: "Compare decisions in real time with those of a batch, on history",
    story: """
      Replays events (as ingest writes them, or plain) once, in the order of their time. Each event of the type that \
      the model decides is decided by every arm: real-time sees features as of the event, batch as of the last run \
      (at the multiples of its interval, UTC) that was published by then. Nobody sees what had not happened.

      Decisions are held against the project's outcomes and counted by its values (without any: 1 for a right guess \
      of the outcome, any decision but the last rule's being a guess that it is true). The difference is taken \
      question by question; its 95 % interval is a bootstrap over whole days, or whatever --cluster says. Prints a \
      verdict in words on a terminal, a summary record for each arm and a verdict for each batch on a pipe.

      Status 0: real-time is worth more than the first batch (the interval lies above zero); 1: that is not shown; \
      5: it cannot be said, for want of data or outcomes, or because outcomes depend on the decision \
      (depends_on_decision: true) and it was not left to chance which one was made.
      """,
    operands: .files,
    flags: [
      CommonFlags.project, model, batchEvery, publishDelay, ingestDelay, cluster, by, seed,
      decisions,
      BenchModel.json, EventFlags.type, EventFlags.typeMember,
    ] + CommonFlags.records,
    examples: [
      .init(
        "rtinfer bench ab scheduled.ndjson departed.ndjson arrived.ndjson --batch-every 1h",
        "What is real-time worth?"),
      .init(
        "rtinfer bench ab events.ndjson --model late_arrival --batch-every 1d,1h,15m,5m,1m",
        "How fresh is fresh enough."),
      .init(
        "rtinfer bench ab events.ndjson --batch-every 1h --by origin",
        "Where it is worth most: the airports beside each other."),
      .init(
        "rtinfer bench ab events.ndjson --batch-every 1d --publish-delay 2h --cluster tailnum",
        "Last night's features, ready at two; aircraft by aircraft."),
    ],
    run: run)

  private static func run(_ invocation: Invocation) throws(Failure) -> ExitStatus {
    let plan = try BenchABPlan(invocation)
    let rejects = try Rejects(invocation)
    let intake = EventIntake(
      try invocation.inputs(), schema: plan.schema, rejects: rejects, clock: invocation.clock,
      trustsMarks: true
    ) { () throws(Failure) in }
    let replay = HistoryReplay(
      plan.subject, arms: plan.arms, features: plan.features, schema: plan.schema,
      decider: plan.decider, rejects: rejects, trustsMarks: intake.trustsMarks)
    let changes = ChangeRefusal(plan.schema, plan.features.views)
    let progress = Progress(invocation)
    while let arrival = try intake.next() {
      try changes.check(arrival)
      try replay.take(WaitingEvent(arrival), watermark: arrival.watermark)
      progress.advance()
    }
    try replay.finish()
    progress.finish()
    let worth = plan.worth(replay)
    let report = BenchABReport(
      plan, replay,
      replay.comparisons(worth: worth, bootstrap: ClusterBootstrap(seed: plan.seed)),
      worth: worth)
    if let path = plan.decisionsPath {
      try BenchABDecisions.write(replay, worth, plan, to: path)
    }
    if invocation.terminal.outputIsTerminal, !invocation.options.isOn(BenchModel.json) {
      invocation.output.append(report.text)
    } else {
      report.append(to: invocation.output)
    }
    try invocation.output.flush()
    for note in plan.unusedValues { invocation.messages.note(note) }
    let rejected = try rejects.finish(total: intake.counts.read)
    // A verdict goes before bad records.
    return report.status == .success ? rejected : report.status
  }
}

/// What the command line and the project file come to.
struct BenchABPlan {
  let name: String
  let schema: EventSchema
  let features: FeatureDefinitions
  let decider: Decider
  let arms: [ReplayArm]
  let subject: HistoryReplay.Subject
  /// The declared outcome, whether or not it can be used.
  let outcome: Outcome?
  let values: DecisionValues?
  /// As typed.
  let cluster: String
  let segment: String?
  let seed: UInt64
  let decisionsPath: String?

  init(_ invocation: Invocation) throws(Failure) {
    let project = try Project.require(invocation)
    let options = invocation.options
    let definition = try project.model(options, BenchAB.model)
    let schema = try EventFlags.schema(invocation, project)
    guard let decides = definition.decides, let asking = schema.index(of: decides) else {
      throw .usage(
        "models.\(definition.name) does not say which declared type of event it decides",
        hint: "decides: \"scheduled\", an event type of the project's events")
    }
    outcome = try project.outcomes(of: asking, schema).first { $0.name == definition.name }
    values = try project.values(of: definition, asking: asking, outcome: outcome, schema)
    let declared = try DeclaredModel(definition, project, invocation)
    name = definition.name
    features = try project.features(schema)
    decider = try Decider(definition, model: declared.model, schema: declared.schema)
    guard !decider.decisions.isEmpty else {
      throw .usage(
        "models.\(definition.name) has no rules, so there are no decisions to compare",
        hint: "rules: [ { if: \"score >= 0.5\", decide: \"act\" }, { decide: \"leave\" } ]")
    }
    arms = try BenchABPlan.arms(options)
    cluster = try options.value(BenchAB.cluster) ?? "day"
    segment = try options.value(BenchAB.by)
    seed = UInt64(try options.integer(BenchAB.seed, in: 0...Int.max) ?? 1)
    decisionsPath = try options.value(BenchAB.decisions)
    let scope = schema.scope(of: asking)
    subject = HistoryReplay.Subject(
      asking: asking, outcome: outcome?.dependsOnDecision == true ? nil : outcome,
      cluster: cluster == "day"
        ? nil : try BenchABPlan.expression(BenchAB.cluster, cluster, options, scope),
      segment: try segment.map { (text) throws(Failure) in
        try BenchABPlan.expression(BenchAB.by, text, options, scope)
      },
      keepsLines: values?.readsMembers == true || decisionsPath != nil)
    self.schema = schema
  }

  private static func arms(_ options: Options) throws(Failure) -> [ReplayArm] {
    let publish = try options.span(BenchAB.publishDelay) ?? .zero
    let ingest = try options.span(BenchAB.ingestDelay) ?? .zero
    var arms = [ReplayArm.realTime(ingestDelay: ingest)]
    let text = try options.value(BenchAB.batchEvery) ?? "1h"
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      guard let interval = TimeSpan(String(part)), interval >= .seconds(1) else {
        throw .usage(
          "\(options.origin(BenchAB.batchEvery)): '\(part)' is not a duration of 1s or more"
            + " (\(TimeSpan.expectation))", hint: "--batch-every 1h, or --batch-every 1d,1h,5m")
      }
      let arm = ReplayArm.batch(every: interval, publishDelay: publish, ingestDelay: ingest)
      guard !arms.contains(where: { $0.interval == interval }) else {
        throw .usage("\(options.origin(BenchAB.batchEvery)): '\(part)' is there twice")
      }
      arms.append(arm)
    }
    return arms
  }

  private static func expression(
    _ flag: Flag, _ text: String, _ options: Options, _ scope: Scope
  ) throws(Failure) -> Expression {
    do throws(ExpressionError) {
      return try Expression(text, scope: scope)
    } catch {
      throw .usage("\(options.origin(flag)): \(error.description)")
    }
  }

  /// By arm and question, what decisions were worth; nil where that is not known.
  func worth(_ replay: HistoryReplay) -> [[Double?]] {
    guard let values, subject.outcome != nil else { return replay.rightGuesses() }
    return replay.values(values)
  }

  /// Values that no decision had: a misspelt decision looks like that.
  var unusedValues: [String] {
    guard let values, values.uses.contains(where: { $0 > 0 }) else { return [] }
    return values.uses.indices.filter { values.uses[$0] == 0 }.map {
      "values.\(name)[\($0)] never applied"
    }
  }
}
