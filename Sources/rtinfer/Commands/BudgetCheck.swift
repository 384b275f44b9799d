// budget check: each clause of a budget, held against what was measured.

import Core
import Measure

enum BudgetCheck {
  static let budget = Flag(
    "budget", .text("CLAUSES"), "As in 'p99 < 50ms && errors < 0.1%'",
    default: "the project's budget, else errors and availability")
  static let budgetOf = Flag(
    "budget-of", .text("MODEL"), "Whose budget, where the project declares several")
  static let confidence = Flag(
    "confidence", .text("P%"), "Of each interval", default: "95%")
  static let format = Flag(
    "format", .choice(["table", "ndjson", "junit", "github"]), "How to say it",
    default: "a table on a terminal, else ndjson")

  static let command = Command(
    name: "budget check",
    summary: "Hold measured requests against a budget",
    story: """
      Reads sample, decision and summary records and gives each clause of a budget a verdict: pass where the whole \
      interval around the measured value keeps the bound, fail where none of it does, inconclusive between. \
      Intervals of percentiles come from order statistics, whatever the distribution, and are wider where \
      neighbours in the stream hang together (batch means); a summary has no order, and its requests are taken as \
      independent. At 95 % a promise that is just kept is called broken, and one just broken is called kept, in \
      at most 2.5 % of runs.

      Clauses, joined with &&: pN, max and mean of the latency, of service, or of a layer (features.p99 < 15ms); \
      errors and availability as shares; burn (the share of errors by the allowed one), rate, count. With \
      'over 10s' every such stretch must keep it. A metric that is not known is an error, one that no record \
      has is inconclusive: no data is never a pass. Layers are request, features, inference, postprocess, response, \
      queue.

      Without --budget the project's is taken; without a project errors <= 0.1% and availability >= 99.9% bind, and \
      p99 < 100ms is a warning. Percentiles count replies of every status and requests that were given up, at \
      the time they had waited. A run that was invalid gives no verdict. With --record what a run of bench http measured \
      becomes metrics of a registered version, whatever the verdict: request_p50_us, request_p95_us, request_p99_us, as \
      far as there are requests enough, and request_errors.

      Ends with 1 when a clause is broken, else with 5 when one is inconclusive, else with 0. With --format github \
      a table is appended to $GITHUB_STEP_SUMMARY.
      """,
    operands: .files,
    flags: [
      CommonFlags.project, budget, budgetOf, confidence, format, PageFile.html, BaselineFile.save,
    ] + RegistryRecord.flags + CommonFlags.records,
    examples: [
      .init(
        "rtinfer bench http http://127.0.0.1:8080/decide/fraud rows.ndjson | rtinfer budget check",
        "The project's budget."),
      .init(
        "rtinfer budget check --budget 'p99 < 50ms && features.p99 < 15ms' samples.ndjson",
        "Clauses of one's own."),
      .init(
        "rtinfer budget check --record models:/late/3 samples.ndjson",
        "For promote … --require 'request_p99_us < 50000'."),
      .init("rtinfer budget check --format junit samples.ndjson > budget.xml", "For a CI job."),
    ],
    run: run)

  private static func run(_ invocation: Invocation) throws(Failure) -> ExitStatus {
    let chosen = try clauses(invocation)
    let share = try confidence(invocation.options)
    var evidence = BudgetEvidence(
      chosen.clauses, confidence: share, allowedErrors: chosen.allowedErrors)
    let records = BudgetRecords()
    let record = try RegistryRecord(invocation)
    let keeper = try BaselineFile.recorder(invocation.options, for: record)
    records.onObservations = { observations in
      evidence.record(contentsOf: observations)
      if let keeper { observations.forEach(keeper.record) }
    }
    records.onSummary = { summary in
      keeper?.record(summary)
      evidence.note(invalid: summary.invalidity, isClosedLoop: summary.isClosedLoop)
      guard summary.holdsHistograms, let latency = summary.latency else { return }
      evidence.merge(
        requests: summary.requests, errors: summary.errors, seconds: summary.seconds,
        latency: latency, service: summary.service, layers: summary.layers)
    }
    let readStatus = try records.read(invocation, invocation.options.operands)
    if evidence.isClosedLoop {
      invocation.messages.note(
        "measured in a closed loop: a slow server was asked less, so these percentiles are kinder than"
          + " what users see at a given rate")
    }
    let verdicts = evidence.verdicts()
    try write(verdicts, budget: chosen.name, invocation)
    try PageFile.write(invocation) { page in
      VerdictReport.appendPage(verdicts, budget: chosen.name, to: page)
    }
    let status = verdicts.status
    try BaselineFile.write(keeper, status, invocation)
    if readStatus == .success { try BaselineFile.write(keeper, to: record, invocation) }
    if evidence.count == 0 { invocation.messages.error("there is no request to judge") }
    return status == .success ? readStatus : status
  }

  // MARK: What is promised

  private struct Chosen {
    let name: String
    let clauses: [Clause]
    let allowedErrors: Double
  }

  private static func clauses(_ invocation: Invocation) throws(Failure) -> Chosen {
    let options = invocation.options
    let project = try Project.find(invocation)
    let declared = try project?.budgets() ?? []
    let own = try declaredBudget(declared, options)
    let allowed = own?.allowedErrors ?? 0.001
    if let text = try options.value(budget) {
      let clauses = try Clause.parse(text, origin: options.origin(budget))
      return Chosen(name: own?.name ?? "given", clauses: clauses, allowedErrors: allowed)
    }
    guard let own else {
      return Chosen(name: "default", clauses: Budget.defaultClauses, allowedErrors: allowed)
    }
    return Chosen(name: own.name, clauses: own.clauses, allowedErrors: allowed)
  }

  private static func declaredBudget(
    _ budgets: [Budget], _ options: Options
  ) throws(Failure) -> Budget? {
    let names = budgets.map(\.name)
    if let name = try options.value(budgetOf) {
      guard let found = budgets.first(where: { $0.name == name }) else {
        throw .usage(
          "\(options.origin(budgetOf)): the project declares no budget for '\(name)'",
          hint: Spelling.nearest(name, among: names).map { "did you mean '\($0)'?" })
      }
      return found
    }
    guard budgets.count > 1, try options.value(budget) == nil else { return budgets.first }
    throw .usage(
      "the project declares several budgets: \(names.joined(separator: ", "))",
      hint: "--budget-of \(names[0])")
  }

  static func confidence(_ options: Options) throws(Failure) -> Double {
    guard let text = try options.value(confidence) else { return 0.95 }
    guard let share = Clause.share(text), share >= 0.5, share <= 0.9999 else {
      throw .usage("\(options.origin(confidence)): '\(text)' is not a share from 50% to 99.99%")
    }
    return share
  }

  // MARK: What is said

  static func write(
    _ verdicts: [Verdict], budget: String, _ invocation: Invocation
  ) throws(Failure) {
    let format =
      try invocation.options.value(format)
      ?? (invocation.terminal.outputIsTerminal ? "table" : "ndjson")
    switch format {
    case "table": invocation.output.append(VerdictReport.table(verdicts, budget: budget))
    case "junit": invocation.output.append(VerdictReport.junit(verdicts, budget: budget))
    case "github":
      invocation.output.append(VerdictReport.github(verdicts, budget: budget))
      if let path = invocation.environment["GITHUB_STEP_SUMMARY"], !path.isEmpty {
        try append(VerdictReport.markdown(verdicts, budget: budget), to: path, invocation)
      }
    default: for verdict in verdicts { verdict.append(to: invocation.output, budget: budget) }
    }
    try invocation.output.flush()
  }

  private static func append(
    _ text: String, to path: String, _ invocation: Invocation
  ) throws(Failure) {
    do throws(SystemError) {
      let file = try invocation.files.open(path, .append)
      try Array(text.utf8).withBytes { (bytes) throws(SystemError) in try file.write(bytes) }
    } catch {
      throw .inputOutput("\(path): \(error.call): \(error.reason)")
    }
  }
}
