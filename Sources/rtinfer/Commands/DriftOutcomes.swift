// drift outcomes: were the answers right, and are they as right as they were?

import Core
import Decisions
import Events
import Features
import Measure
import Models

enum DriftOutcomes {
  static let decisions = Flag(
    "decisions", .file, "What score, serve or bench ab --decisions wrote: id, time and score")
  static let model = Flag(
    "model", .file, "Whose decisions, of the project's models, or models:/… for those of a version",
    default: "the only one")
  static let version = Flag(
    "version", .text("V"), "Only decisions of this version of the model")
  static let every = Flag(
    "every", .text("SPAN"), "The length of a cohort, aligned to the epoch", default: "1d")
  static let referenceUntil = Flag(
    "reference-until", .text("TIME"), "Hold against the cohorts that begin before this moment")
  static let reference = Flag(
    "reference", .file, "Hold against what registry evaluate measured of this version")
  static let measure = Flag(
    "judge-by", .choice(OutcomeMeasure.allCases.map(\.rawValue)), "The measure that decides",
    default: "auc, accuracy of more classes, rmse of numbers")
  static let worseBy = Flag(
    "worse-by", .text("X"), "The change for the worse from which on it is drift",
    default: "0.02 for auc, accuracy and brier, else none")
  static let coverage = Flag(
    "coverage", .text("S"), "The share of matured decisions that must have an outcome",
    default: "0.5")
  static let output = Flag(
    "verdicts-as", .choice(["auto", "table", "ndjson"]),
    "How verdicts are written; auto is a table on a terminal, else records", default: "auto")
  static let least = Flag(
    "least", .text("N"), "Outcomes that a cohort needs to be measured", default: "100")

  static let command = Command(
    name: "drift outcomes",
    summary: "Say how right a model's answers were over time, and whether that is less than before",
    story: """
      Joins decisions with the events that tell what turned out, as the project's outcomes declare it and as \
      materialize --training does, and measures each cohort (the decisions of a day, say) as registry evaluate \
      does, with 95 % intervals. A cohort is measured only when all its decisions have matured; how many of them \
      have an outcome is its coverage, and below --coverage it is not judged.

      Each cohort is held against a reference: what was measured of a registered version, the decisions before a \
      moment, or else the first cohort. The measure that decides has drifted if it became worse by at least \
      --worse-by and by more than chance explains (the interval of the change leaves 0 out, which one sound cohort in \
      40 does for the worse by chance, one in 25 where a class has only ten rows; with fewer an AUC has no interval); a \
      smaller change that is more than chance is worth watching. The newest cohort \
      that can be judged says what the verdict is.

      A decision is known by its id, or by whatever member the outcome joins by, at the top or among its inputs; of \
      several with the same one and time the first counts. For drift trigger the last record says auc_drop, \
      log_loss_rise and the like, coverage and new_labels. Ends with 0 (ok or watch), 1 (drift) or 5 (nothing can be judged).
      """,
    operands: .files,
    flags: [
      CommonFlags.project, decisions, model, version, every, reference, referenceUntil, measure,
      worseBy, coverage, least, RegistryEvaluate.thresholds, output,
      RegistryFlags.registry,
    ] + EventFlags.declared + CommonFlags.records,
    examples: [
      .init(
        "rtinfer drift outcomes --decisions decisions.ndjson arrived.ndjson",
        "How right, day by day, against the first day."),
      .init(
        "rtinfer drift outcomes --decisions decisions.ndjson --reference models:/late/3 arrived.ndjson",
        "As right as the version was when it was evaluated?"),
      .init(
        "rtinfer drift outcomes --decisions decisions.ndjson --every 1w --verdicts-as table arrived.ndjson",
        "By week, for people."),
    ],
    run: run)

  private static func run(_ invocation: Invocation) throws(Failure) -> ExitStatus {
    let options = invocation.options
    let plan = try OutcomePlan(invocation)
    let rejects = try Rejects(invocation)
    let history = DecisionHistory(
      plan.outcome, plan.definition, version: plan.version)
    try history.read(plan.decisionsPath, otherModels: plan.otherModels, rejects)
    let read = try observe(history, plan, rejects, invocation)
    let rules = try rules(options, history, plan)
    let report = try OutcomeReport(
      try history.rows(), scores: history.scores, rules, try chosenReference(invocation))
    try write(report, invocation)
    note(history, plan, invocation)
    let status = try rejects.finish(total: read)
    switch report.verdict {
    case .drift: return .verdictNo
    case .insufficient:
      invocation.messages.note(report.why)
      return .inconclusive
    case .ok, .watch: return status
    }
  }

  /// Lets the events tell; the number of records that were read in all.
  private static func observe(
    _ history: DecisionHistory, _ plan: OutcomePlan, _ rejects: Rejects, _ invocation: Invocation
  ) throws(Failure) -> Int {
    let intake = EventIntake(
      try invocation.inputs(), schema: plan.schema, rejects: rejects, clock: invocation.clock,
      trustsMarks: true
    ) { () throws(Failure) in }
    let progress = Progress(invocation)
    while let arrival = try intake.next() {
      history.collector.observe(
        type: arrival.event.type, arrival.decoder.scalars, at: arrival.event.time)
      progress.advance()
    }
    progress.finish()
    return intake.counts.read + history.read
  }

  private static func note(
    _ history: DecisionHistory, _ plan: OutcomePlan, _ invocation: Invocation
  ) {
    let messages = invocation.messages
    if history.repeats > 0 {
      messages.note("repeated decisions that are left out: \(history.repeats.grouped)")
    }
    if plan.outcome.dependsOnDecision == true {
      messages.note("what was decided may have changed what turned out: figures are of both")
    }
  }

  private static func write(
    _ report: OutcomeReport, _ invocation: Invocation
  ) throws(Failure) {
    let chosen = try invocation.options.value(output) ?? "auto"
    if chosen == "table" || chosen == "auto" && invocation.terminal.outputIsTerminal {
      invocation.output.append(report.table())
    } else {
      report.appendVerdicts(to: invocation.output)
    }
    try invocation.output.flush()
  }

  // MARK: Rules

  private static func rules(
    _ options: Options, _ history: DecisionHistory, _ plan: OutcomePlan
  ) throws(Failure) -> OutcomeRules {
    var rules = OutcomeRules(try plan.kind(history.width), width: history.width)
    if let name = try options.value(measure), let measure = OutcomeMeasure(rawValue: name) {
      guard measure.applies(to: rules.kind) else {
        let fitting = OutcomeMeasure.allCases.filter { $0.applies(to: rules.kind) }
        throw .usage(
          "\(options.origin(Self.measure)): \(name) is no measure of such answers",
          hint: fitting.map(\.rawValue).joined(separator: ", "))
      }
      rules.measure = measure
      rules.bound = measure.bound
    }
    rules.bound = try options.number(worseBy, in: 0...1e12) ?? rules.bound
    rules.every = try options.span(every, atLeast: .seconds(1)) ?? rules.every
    rules.coverage = try options.number(coverage, in: 0...1) ?? rules.coverage
    rules.least = try options.integer(least, in: 2...1_000_000_000) ?? rules.least
    rules.thresholds = try RegistryEvaluate.thresholds(options)
    return rules
  }

  private static func chosenReference(
    _ invocation: Invocation
  ) throws(Failure) -> OutcomeReference {
    let options = invocation.options
    let until = try options.value(referenceUntil)
    guard let name = try options.value(reference) else {
      guard let until else { return .first }
      guard let moment = Array(until.utf8).withBytes({ Timestamp(rfc3339: $0) }) else {
        throw .usage(
          "\(options.origin(referenceUntil)): '\(until)' is no time",
          hint: "2013-12-06T00:00:00Z")
      }
      return .until(moment)
    }
    guard until == nil else {
      throw .usage("--reference and --reference-until are both given: one of them decides")
    }
    let version = try RegistryFlags.view(invocation).state().version(try ModelURI(name))
    guard !version.metrics.isEmpty else {
      throw .usage(
        "\(options.origin(reference)): nothing was measured of \(name)",
        hint: "rtinfer registry evaluate measures it")
    }
    return .metrics(version.metrics, name: name)
  }
}
