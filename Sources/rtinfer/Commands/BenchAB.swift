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
    "model", .file,
    "Whose decisions are compared: a model of the project, or models:/… for a version",
    default: "the only one")
  static let batchEvery = Flag(
    "batch-every", .text("SPAN,…|CRON;…"),
    "When batches run: so long apart, or by a line of cron in UTC; an arm for each, the first is judged",
    default: "1h")
  static let publishDelay = Flag(
    "publish-delay", .text("SPAN"), "From when a run starts to when its features are served",
    default: "0s")
  static let ingestDelay = Flag(
    "ingest-delay", .text("SPAN|p50=SPAN,p99=SPAN|log"),
    "From when an event happens to when it counts, in every arm: for all the same, for each its own by these percentiles, or as late as 99 in 100 of the log's were ingested",
    default: "0s")
  static let log = Flag(
    LogReading.log.name, .optionalFolder, "Take the events from the durable log",
    default: "files or stdin; without DIR, log in the state folder")
  static let batchDecides = Flag(
    "batch-decides", "A batch decides only at its run: every question waits for the next one")
  static let arms = Flag(
    "arms", .text("LIST|FILE"),
    "Any arms at all, in place of real-time and batches: a list of objects, or a file that holds it"
  )
  static let cluster = Flag(
    "cluster", .text("EXPRESSION"),
    "What makes questions hang together: day, or an expression over their members", default: "day")
  static let segmentBy = Flag(
    "segment-by", .text("EXPRESSION"),
    "Say where the judged arm's difference comes from, by an expression over the questions' members"
  )
  static let logged = Flag(
    "logged", .file,
    "Decisions as they were made: id, decision and propensity, the chance with which it was chosen")
  static let beforeAfter = Flag(
    "before-after", .text("TIME"),
    "Replay nothing: compare decisions of --logged from before a switch with those after it")
  static let treated = Flag(
    "treated", .text("EXPRESSION"),
    "With --before-after: the questions whose decisions were switched; the others are the control",
    default: "all, and there is no control")
  static let washOut = Flag(
    "wash-out", .text("SPAN"),
    "With --before-after: leave out of both groups what was asked within SPAN behind the switch",
    default: "0s")
  static let seed = Flag(
    "seed", .text("N"), "Where draws begin: the bootstrap's, and those of ingest delays",
    default: "1")
  static func drawsBegin(_ options: Options) throws(Failure) -> UInt64 {
    UInt64(try options.integer(seed, in: 0...Int.max) ?? 1)
  }

  static let measureLatency = Flag(
    "measure-latency",
    "Time one decision in \(HistoryReplay.measuredEvery) of each arm on this machine: features, score and rules"
  )
  static let decisions = Flag(
    "decisions", .file, "Write every decision of every arm there, one JSON object a line")

  static let command = Command(
    name: "bench ab",
    summary: "Compare decisions in real time with those of a batch, on history",
    story: """
      Replays events (as ingest writes them, or plain) once, in the order of their time. Each event of the type that \
      the model decides is decided by every arm: real-time sees features as of the event, batch as of the last run \
      (at the multiples of its interval, UTC, or by a line of cron) that was published by then. Nobody sees what had not happened. \
      With --batch-decides a question waits for the next run, and a decision that comes when the outcome is there \
      already counts as none (delay, in values: the seconds that it took).

      A line of cron is of minute, hour, day of month, month and day of week, in UTC: *, values, lists, ranges and steps, \
      names of months and days, or @hourly, @daily, @weekly, @monthly, @yearly. Where both rules for days are written \
      out, one is enough; where either begins with *, both must hold (as in Vixie cron). Spans have commas between; \
      a line has its own, so around it stand semicolons: '1d,1h;0 2 * * *;*/5 9-17 * * mon-fri'. Runs that are not \
      equally far apart have no place in the curve of freshness.

      --arms compares whatever else: two models, the same with other rules, real-time with later events. An arm is an \
      object of name, every (a span or a line of cron), publish, lateness (as --ingest-delay, but for log), batch_decides, model (one of the project's, for the same events), \
      trained (fresh or stale), latency (how long it takes to answer, as bench http measured it) and cost (per_decision, per_month), which is taken off its value; the first is what the others are compared with, the second is judged. A model that \
      was trained on fresh features is handicapped by stale ones: the honest comparison is two by two, with a second \
      model from materialize --training --stale.

      With --ingest-delay p50=200ms,p99=3s each event comes in after a delay of its own, and an arm knows what had come in \
      when it looked. The logarithm of the delay runs straight from one percentile to the next over the normal score of its \
      share (of two, that is the log-normal distribution through both), up to ten times the last. It is drawn from \
      --seed and the event's type, id and time, so every arm sees the event come in at the same moment.

      Decisions are held against the project's outcomes and counted by its values (without any: 1 for a right guess \
      of the outcome, any decision but the last rule's being a guess that it is true). The difference is taken \
      question by question; its 95 % interval is a bootstrap over whole days, or whatever --cluster says. \
      From 7 days of questions on it is told for a month (of 30.4375 days), too. Prints a \
      verdict in words on a terminal, a summary record for each arm and a verdict for each but the first on a pipe.

      Where what turns out depends on what is decided (depends_on_decision: true), only outcomes of the decisions that \
      were made are known, and no arm can be valued by them alone. With --logged FILE each arm is: FILE has a line for every question, \
      with the id of its event, the decision that was made then, and its propensity, above 0 and up to 1. Each question \
      whose logged decision is the arm's counts 1/propensity times (IPW), or as much by its share of all weights (SNIPW); \
      told are both, their intervals, how many questions the weights are worth (effective sample size), the largest weight, and the mean weight, which is \
      1 where every decision of the arm had a chance (its support). A difference is shown only where both intervals lie above zero; \
      where weights say no more than 30 questions would, or support is lacking, nothing is said.

      Who has switched already looks back: --before-after TIME reads decisions as they were made (--logged: id and decision, as \
      score and serve write them; score where values read it; decided, the time at which it was there, where that was \
      later) and compares those of questions from before the switch with those after it. What --treated is true of was switched; of the \
      others time alone is learned, and the switch is worth the change of the treated less that of the control (difference in differences). \
      With --wash-out SPAN what was asked within SPAN behind the switch, while it took its time, is left out of both groups. \
      The interval is a bootstrap over days and, with --cluster, over what that says, both at once. Between the halves of the period before \
      nothing was switched: where the same estimate is not compatible with zero there, treated and control were drifting apart already, and nothing is said. \
      Without a control a change is told, which is that of time as well, and nothing is said of the switch.

      AUCs of two arms are compared by DeLong's test for scores of the same questions, which count as independent.

      Status 0: the first arm (real-time) is worth more than the second (the first batch), or what was switched than without the switch: the interval lies above \
      zero; 1: that is not shown; 5: it cannot be said, for want of data or outcomes, or because outcomes depend on the decision \
      (depends_on_decision: true) and it was not left to chance which one was made, or --logged does not say with what chance; \
      with --before-after also for want of a control, or because treated and control were drifting apart.
      """,
    operands: .files,
    flags: [
      CommonFlags.project, RegistryFlags.registry, model, batchEvery, publishDelay, ingestDelay,
      batchDecides, arms,
      cluster, measureLatency,
      segmentBy, logged, beforeAfter, treated, washOut, seed, decisions, log, LogFlags.state,
      PageFile.html, BenchModel.json, EventFlags.type, EventFlags.typeMember,
    ] + CommonFlags.records,
    examples: [
      .init(
        "rtinfer bench ab scheduled.ndjson departed.ndjson arrived.ndjson --batch-every 1h",
        "What is real-time worth?"),
      .init(
        "rtinfer bench ab events.ndjson --model late_arrival --batch-every 1d,1h,15m,5m,1m",
        "How fresh is fresh enough."),
      .init(
        "rtinfer bench ab events.ndjson --batch-every 1d,6h,1h,15m,1m --segment-by origin --html worth.html",
        "The same as a page: the curve, the arms and the airports."),
      .init(
        "rtinfer bench ab events.ndjson --batch-every 1h --segment-by origin",
        "Where it is worth most: the airports beside each other."),
      .init(
        "rtinfer bench ab events.ndjson --batch-every 1d --publish-delay 2h --cluster tailnum",
        "Last night's features, ready at two; aircraft by aircraft."),
      .init(
        "rtinfer bench ab events.ndjson --batch-every '0 2 * * *' --publish-delay 40m",
        "A nightly run at two, UTC, whose features are served at twenty to three."),
      .init(
        "rtinfer bench ab events.ndjson --batch-every 1h --batch-decides",
        "Who asks at ten past hears at the full hour: what the waiting costs."),
      .init(
        "rtinfer bench ab --log --ingest-delay log --batch-every 1h",
        "The durable log's history, in which events count as late as they came."),
      .init(
        "rtinfer bench ab events.ndjson --batch-every 15m,1m --ingest-delay p50=200ms,p99=3s",
        "Events come in late, each by a delay of its own."),
      .init(
        "rtinfer bench ab events.ndjson --batch-every 1h --logged decided.ndjson",
        "Outcomes depend on the decision, and chance had a part in each."),
      .init(
        "rtinfer bench ab --log --before-after 2013-12-08 --treated \"origin == 'JFK'\" --logged made.ndjson",
        "What the switch was worth, by decisions of before and after."),
      .init(
        "rtinfer bench ab events.ndjson --arms '[{\"name\":\"new\",\"model\":\"b\"},{\"name\":\"old\",\"model\":\"a\"}]'",
        "Two models on the same history; outcome and values are those of the first."),
    ],
    run: run)

  private static func run(_ invocation: Invocation) throws(Failure) -> ExitStatus {
    if try invocation.options.value(beforeAfter) != nil {
      return try BeforeAfterRun.run(invocation)
    }
    for flag in [treated, washOut] where invocation.options.isTyped(flag) {
      throw .usage(
        "--\(flag.name) is for --\(beforeAfter.name)",
        hint: "--\(beforeAfter.name) TIME says when they were switched")
    }
    let plan = try BenchABPlan(invocation)
    let events = try BenchABHistory(
      plan.schema, loggedPath: plan.loggedPath, needsPropensity: true, invocation)
    let replay = HistoryReplay(
      plan.subject, arms: plan.arms, deciders: plan.deciders, features: plan.features,
      schema: plan.schema, rejects: events.rejects, trustsMarks: events.trustsMarks,
      measuringWith: invocation.options.isOn(measureLatency) ? invocation.clock : nil)
    let changes = ChangeRefusal(plan.schema, plan.features.views)
    try events.read { (arrival) throws(Failure) in
      try changes.check(arrival)
      try replay.take(WaitingEvent(arrival), watermark: arrival.watermark)
    }
    try replay.finish()
    let worth = plan.worth(replay)
    let weights = events.logged.map { replay.weights($0.decisions) }
    let report = BenchABReport(
      plan, replay,
      replay.comparisons(
        worth: worth, weights: weights, bootstrap: ClusterBootstrap(seed: plan.seed)),
      worth: worth, weights: weights)
    if let path = plan.decisionsPath {
      // Of another decision than the one that was made nobody knows what it was worth.
      let known = weights.map { HistoryReplay.matching(worth, $0) } ?? worth
      try BenchABDecisions.write(replay, known, plan, to: path)
    }
    return try events.tell(report, of: plan.declared)
  }
}
