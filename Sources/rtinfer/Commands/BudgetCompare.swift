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
      inconclusive between. slower: Mann and Whitney's test says that requests tend to take longer, and the p50 by more \
      than --tolerate. The four share one error: each is held at a quarter of it, so that with nothing changed and \
      --tolerate 0% one of a hundred comparisons at --confidence 99%, five at 95%, fail at most.

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
      base, head, tolerated, confidence, isForced: options.isOn(force))
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
    _ base: Side, _ head: Side, _ tolerated: Double, _ confidence: Double, isForced: Bool
  ) -> [Verdict] {
    let bound = 1 + tolerated
    let percents = [50.0, 95, 99]
    let each = 1 - (1 - confidence) / Double(percents.count + 1)
    let clauses =
      percents.map { clause("p\($0.plain) ratio <= \(bound.plain)", bound) }
      + [Clause(.burn, isUpperBound: false, bound: 0.5, text: "slower")]
    if let why = obstacle(base, head, isForced: isForced) {
      return clauses.map {
        Verdict(
          $0, .inconclusive, value: nil, interval: nil, count: head.latency.all.count, why: why)
      }
    }
    var verdicts = zip(percents, clauses).map { percent, clause in
      ratioVerdict(percent, clause, base, head, each)
    }
    verdicts.append(rankVerdict(clauses[3], base, head, bound, each))
    return verdicts
  }

  /// A ratio or a chance as a clause: plain numbers.
  private static func clause(_ text: String, _ bound: Double) -> Clause {
    Clause(.burn, isUpperBound: true, bound: bound, text: text)
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

  private static func ratioVerdict(
    _ percent: Double, _ clause: Clause, _ base: Side, _ head: Side, _ confidence: Double
  ) -> Verdict {
    guard
      let ratio = LatencyComparison.ratio(
        percent, base: base.latency, head: head.latency, confidence: confidence)
    else {
      return Verdict(
        clause, .inconclusive, value: nil, interval: nil, count: head.latency.all.count,
        why: "the percentile is 0 in one of them")
    }
    let answer: Verdict.Answer =
      ratio.low > clause.bound
      ? .fail : ratio.high.map { $0 <= clause.bound } ?? false ? .pass : .inconclusive
    let why = answer == .inconclusive ? "more requests would tell" : ""
    return Verdict(
      clause, answer, value: ratio.value, interval: (ratio.low, ratio.high),
      count: head.latency.all.count, why: why)
  }

  /// Below so many requests a side, what is not seen is not absent.
  private static let rankCountMin = 20

  private static func rankVerdict(
    _ clause: Clause, _ base: Side, _ head: Side, _ bound: Double, _ confidence: Double
  ) -> Verdict {
    let fewest = min(base.latency.all.count, head.latency.all.count)
    let test = LatencyComparison.rankTest(
      base: base.latency, head: head.latency, confidence: confidence)
    guard let test, fewest >= rankCountMin else {
      return Verdict(
        clause, .inconclusive, value: test?.chance, interval: nil, count: fewest,
        why: "fewer than \(rankCountMin) requests on one side")
    }
    let before = Double(base.latency.all.percentile(50)!)
    let after = Double(head.latency.all.percentile(50)!)
    let isSlower = test.slowerProbability < (1 - confidence) / 2 && after > before * bound
    let chance = (test.chance * 1e3).rounded() / 1e3
    return Verdict(
      clause, isSlower ? .fail : .pass, value: test.chance, interval: nil,
      count: head.latency.all.count,
      why: "a request of the head takes longer than one of the baseline with a chance of"
        + " \(chance.plain); p \(((test.slowerProbability * 1e4).rounded() / 1e4).plain)")
  }
}
