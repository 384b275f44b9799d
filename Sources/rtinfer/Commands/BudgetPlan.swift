// budget plan: a budget and the replicas for it, from a target alone or from what was measured.

import Core
import Measure

enum BudgetPlan {
  static let target = Flag(
    "target", .text("SPAN"), "What the whole may take",
    default: "the least that what was measured fits into")
  static let percentile = Flag(
    "percentile", .text("P"), "Of requests that must keep it", default: "99")
  static let name = Flag(
    "name", .text("MODEL"), "Whose budget, in the section", default: "model")
  static let rate = Flag("rate", .text("N"), "Requests a second at the peak: plan its replicas")
  static let headroom = Flag(
    "headroom", .text("P%"), "On top of the peak", default: "30%")
  static let workers = Flag(
    "workers", .text("N"), "Requests that a replica works on at once", default: "1")
  static let service = Flag(
    "service", .text("SPAN"), "Mean work for a request, where it was not measured")
  static let variation = Flag(
    "variation", .text("X"),
    "The work's standard deviation by its mean: 0 constant, 1 exponential", default: "1")
  static let seed = Flag("seed", .text("N"), "Of the simulated queue", default: "1")
  static let format = Flag(
    "format", .choice(["table", "project", "ndjson"]), "How to say it",
    default: "a table on a terminal, else a project file")

  static let command = Command(
    name: "budget plan",
    summary: "Draw up a budget, and the replicas that a peak needs",
    story: """
      From --target alone the budget is the field's split of 50 ms, scaled: request 2, features 15, inference 20, \
      postprocess 3, response 2, buffer 8. From samples, decisions or a summary (files, - is stdin) each layer gets its \
      share of 84 % of the target by the upper end of its measured percentile; the buffer is for waiting, the way, and \
      what no layer counts. Prints a project file whose budget section budget check accepts, with the plan's reasons \
      as comments.

      With --rate also the replicas: a peak and its --headroom, divided among replicas of --workers each. What one takes \
      is the highest kept rate of a bench search among the records, else that of a queue (M/G/c: Poisson arrivals, \
      Erlang's C) with the measured work, the curve's best fit, or --service. A simulated queue of 200,000 requests \
      checks it, and asks for more replicas where the formula promises too much. Without any of these it says how \
      long the work may take.

      Ends with 1 when what was measured does not fit the target or no number of replicas keeps it, with 5 when too \
      little was measured to say.
      """,
    operands: .files,
    flags: [
      target, percentile, name, rate, headroom, workers, service, variation, seed,
      BudgetCheck.confidence, format,
    ] + CommonFlags.records,
    examples: [
      .init("rtinfer budget plan --target 50ms > rtinfer.json", "The field's split."),
      .init(
        "rtinfer budget plan --target 50ms --rate 5000 --workers 4 samples.ndjson",
        "From measured layers, with the replicas for 5,000 requests a second."),
      .init(
        "rtinfer budget plan --target 50ms --rate 5000 search.ndjson",
        "From the curve that bench search found."),
    ],
    run: run)

  private static func run(_ invocation: Invocation) throws(Failure) -> ExitStatus {
    let request = try BudgetPlanRequest(invocation.options)
    let inputs = try BudgetPlanInputs(invocation)
    guard let budget = inputs.budget(request) else {
      throw .usage(
        "no --target is given and nothing was measured",
        hint: "--target 50ms, or name records to plan from (- is stdin)")
    }
    let capacity = try inputs.capacity(request, target: budget.total)
    let report = BudgetPlanReport(name: request.name, budget: budget, capacity: capacity)
    let isTerminal = invocation.terminal.outputIsTerminal
    switch try invocation.options.value(format) ?? (isTerminal ? "table" : "project") {
    case "table": invocation.output.append(report.table)
    case "ndjson": report.append(to: invocation.output)
    default: invocation.output.append(report.project)
    }
    try invocation.output.flush()
    let status = report.status
    return status == .success ? inputs.readStatus : status
  }
}
