// budget: verdicts on what was measured. What is asked is a verb of its own.

import Core

enum BudgetCommand {
  static let command = Command(
    name: "budget",
    summary: "Say whether measured latencies keep their budget",
    story: """
      Reads what bench, serve and score measured and says of each promise whether it is kept, broken, or whether \
      the data cannot tell: rtinfer budget check. Whether a change made it slower: rtinfer budget compare. \
      What to promise, and the replicas for a peak: rtinfer budget plan. What decisions cost, and whether their worth \
      pays for it: rtinfer budget cost. \
      Ends with 0 when all is kept, 1 when something is broken, 5 when nothing can be said.
      """,
    operands: .none,
    flags: [],
    examples: [
      .init(
        "rtinfer bench http http://127.0.0.1:8080/decide/fraud rows.ndjson | rtinfer budget check",
        "Measure and judge.")
    ],
    verbs: [BudgetCheck.command, BudgetCompare.command, BudgetPlan.command, BudgetCost.command]
  ) { _ throws(Failure) in
    throw .usage("say what is asked", hint: "rtinfer budget check samples.ndjson")
  }
}
