// budget compare: has it become slower than the baseline?

import Core
import Measure

enum BudgetCompare {
  static let baseline = Flag("baseline", .file, "What it is compared with: samples or a summary")
  static let tolerate = Flag(
    "tolerate", .text("P%"), "How much slower is not worth a failure", default: "5%")
  static let force = Flag("force", "Compare also what was measured on different machines")

  static let command = Command(
    name: "budget compare",
    summary: "Say whether requests have become slower than a baseline",
    story: """
      Reads the baseline and the head (samples, decisions, or the summaries of bench --summary, which make good \
      baseline files: they hold the machine they were made on) and gives four verdicts. p50, p95 and p99: fail where \
      the whole interval of the ratio head by baseline lies above 1 + --tolerate, pass where all of it lies below, \
      inconclusive between. slower: Mann and Whitney's test says that requests tend to take longer than the \
      baseline's and --tolerate on top. The four share one error, each is held at a quarter of it: a head that is slower by \
      no more than --tolerate fails in at most one of twenty comparisons at --confidence 95%, in one of a hundred at 99%. \
      One that is 15 % slower fails in 99 of 100 where 10,000 independent requests a side have exponential times; with \
      fewer, or slower by less, the answer may be inconclusive.

      Where both name their machine and these differ, nothing is compared (5), unless --force is said. Compare \
      runs of one machine made close together: bench compare takes them in turns. With --save the head becomes a \
      baseline file where all passes; where --baseline and --save name the same file and it is \
      not there yet, the head is kept and nothing compared.

      Ends with 1 when something fails, else with 5 when something is inconclusive, else with 0.
      """,
    operands: .files,
    flags: [
      baseline, tolerate, force, BaselineFile.save, BudgetCheck.confidence, BudgetCheck.format,
    ]
      + CommonFlags.records,
    examples: [
      .init("rtinfer budget compare --baseline base.ndjson head.ndjson", "Before and after."),
      .init(
        "rtinfer bench http http://127.0.0.1:8080/ | rtinfer budget compare --baseline base.ndjson",
        "Against what was kept."),
    ],
    run: run)

  /// One of the two that are compared.
  private struct Side {
    var latency = BatchedLatencies()
    var machine: String?
    var invalidity: String?
    var status = ExitStatus.success
  }

  private static func run(_ invocation: Invocation) throws(Failure) -> ExitStatus {
    let options = invocation.options
    guard let path = try options.value(baseline) else {
      throw .usage("--baseline is needed", hint: "--baseline base.ndjson")
    }
    guard path != "-" || !(options.operands.isEmpty || options.operands.contains("-")) else {
      throw .usage("--baseline and the run are both standard input; one of them must be a file")
    }
    guard let tolerated = Clause.share(try options.value(tolerate) ?? "5%") else {
      throw .usage("\(options.origin(tolerate)): not a share, as in 5%")
    }
    let confidence = try BudgetCheck.confidence(options)
    let keeper = try BaselineFile.recorder(options)
    if try isFirst(path, invocation) {
      let head = try read(options.operands, invocation, keeper)
      try BaselineFile.write(keeper, head.status, invocation)
      invocation.messages.note("there was no baseline yet: \(path) is one now")
      return head.status
    }
    let base = try read([path], invocation, nil)
    let head = try read(options.operands, invocation, keeper)
    let verdicts = verdicts(
      base, head, SlownessTest(tolerated: tolerated, confidence: confidence),
      isForced: options.isOn(force))
    try BudgetCheck.write(verdicts, budget: "not slower than \(path)", invocation)
    let status = verdicts.status
    try BaselineFile.write(keeper, status, invocation)
    if status != .success { return status }
    return base.status == .success ? head.status : base.status
  }

  /// The baseline is to be kept where none is yet.
  private static func isFirst(_ path: String, _ invocation: Invocation) throws(Failure) -> Bool {
    try invocation.options.value(BaselineFile.save) == path && !invocation.files.exists(path)
  }

  private static func read(
    _ files: [String], _ invocation: Invocation, _ keeper: BaselineRecorder?
  ) throws(Failure) -> Side {
    var side = Side()
    let records = BudgetRecords()
    records.onObservations = { observations in
      for observation in observations {
        keeper?.record(observation)
        if let latency = observation.latency { side.latency.record(latency) }
      }
    }
    records.onSummary = { summary in
      keeper?.record(summary)
      side.machine = summary.machine ?? side.machine
      side.invalidity = summary.invalidity ?? side.invalidity
      if summary.holdsHistograms, let latency = summary.latency { side.latency.merge(latency) }
    }
    side.status = try records.read(invocation, files)
    return side
  }

  // MARK: Verdicts

  private static func verdicts(
    _ base: Side, _ head: Side, _ comparison: SlownessTest, isForced: Bool
  ) -> [Verdict] {
    guard let why = obstacle(base, head, isForced: isForced) else {
      return comparison.verdicts(base: base.latency, head: head.latency)
    }
    return comparison.clauses.map {
      Verdict(
        $0, .inconclusive, value: nil, interval: nil, count: head.latency.all.count, why: why)
    }
  }

  private static func obstacle(_ base: Side, _ head: Side, isForced: Bool) -> String? {
    for (name, side) in [("baseline", base), ("head", head)] {
      if let why = side.invalidity { return "the \(name)'s run was invalid: \(why)" }
      if side.latency.all.count == 0 { return "the \(name) has no data" }
    }
    guard let one = base.machine, let other = head.machine, one != other, !isForced else {
      return nil
    }
    return "measured on different machines: \(one) and \(other) (--force compares all the same)"
  }
}
