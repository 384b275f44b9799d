// bench compare: two servers in one run, taken in turns, so that what the machine does meanwhile meets both alike.

import Core
import HTTP
import Measure

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

enum BenchCompare {
  static let rounds = Flag(
    "rounds", .text("N"), "Rounds of four stretches: A, B, B, A", default: "6")
  static let stretch = Flag("stretch", .text("DURATION"), "Length of a stretch", default: "1s")
  static let percentile = Flag(
    "percentile", .text("P"), "The percentile that is compared", default: "50")

  static let command = Command(
    name: "bench compare",
    summary: "Say which of two servers is faster, in one run",
    story: """
      Sends the same requests at the same rate to two URLs in turns (A, B, B, A, so that a drift of the machine \
      cancels), an open loop each. Each round gives one ratio of B's percentile by A's; from the rounds follow the \
      mean ratio and its interval (Student's, on logarithms). One of three answers: faster, slower, or cannot say. \
      Where both are alike, one of them is called faster in at most as many runs as --confidence leaves out, one of twenty. \
      Prints a verdict record whose value is the ratio. Ends with 0 when B is faster, 1 when it is slower, 5 when the \
      rounds cannot tell.
      """,
    operands: .files,
    flags: [
      LoadFlags.rate, rounds, stretch, percentile, LoadFlags.seed, LoadFlags.connections,
      LoadFlags.timeout, LoadFlags.noKeepAlive, LoadFlags.method, LoadFlags.header, LoadFlags.body,
      LoadFlags.requestLines, LoadFlags.lagMax, BudgetCheck.confidence,
    ],
    examples: [
      .init(
        "rtinfer bench compare http://127.0.0.1:8080/decide/a http://127.0.0.1:8081/decide/a r.ndjson",
        "The old build and the new, side by side.")
    ],
    run: run)

  private static func run(_ invocation: Invocation) throws(Failure) -> ExitStatus {
    let options = invocation.options
    let operands = options.operands
    guard operands.count == 2 || operands.count == 3 else {
      throw .usage("two URLs and at most one file of requests, got \(operands.count) words")
    }
    if operands.count == 2, invocation.files.exists(operands[1]) {
      throw .usage(
        "'\(operands[1])' is a file where the second URL is due",
        hint: "A's URL, B's URL, then the file")
    }
    let percent = try percentile(options)
    let share = try BudgetCheck.confidence(options)
    let count = try options.integer(rounds, in: 2...1_000) ?? 6
    let client = try LoadFlags.client(options)
    let file = operands.count > 2 ? operands[2] : nil
    let first = try RequestSource(
      try Endpoint(operands[0], origin: "A"), file: file, invocation)
    // Read once: the second gets the same requests at its own address.
    let second = try RequestSource(
      try Endpoint(operands[1], origin: "B"), file: file, invocation)
    let sides = [Side(operands[0], first), Side(operands[1], second)]
    var ratios: [Double] = []
    for round in 0..<count where Signals.drainStatus == nil {
      var logs = [0.0, 0.0]
      for (place, side) in [0, 1, 1, 0].enumerated() {
        let seed = try LoadFlags.seed(options) + UInt64(round * 4 + place)
        let tally = try measure(sides[side], client, seed: seed, invocation)
        guard let value = tally.latency.percentile(percent), value > 0 else {
          throw .inputOutput("\(sides[side].url): no request was answered")
        }
        logs[side] += log(Double(value)) / 2
      }
      ratios.append(logs[1] - logs[0])
    }
    return try report(ratios, percent, share, invocation)
  }

  private struct Side {
    let url: String
    let source: RequestSource

    init(_ url: String, _ source: RequestSource) {
      self.url = url
      self.source = source
    }
  }

  private static func percentile(_ options: Options) throws(Failure) -> Double {
    guard let text = try options.value(percentile) else { return 50 }
    guard let percent = Double(text), percent > 0, percent < 100 else {
      throw .usage("\(options.origin(percentile)): '\(text)' is not between 0 and 100")
    }
    return percent
  }

  private static func measure(
    _ side: Side, _ client: ClientOptions, seed: UInt64, _ invocation: Invocation
  ) throws(Failure) -> LoadTally {
    let options = invocation.options
    let length = try options.span(stretch, atLeast: TimeSpan(microseconds: 10_000)) ?? .seconds(1)
    let rate = try LoadFlags.stages(options)[0].rate
    let plan = LoadPlan(
      url: side.url,
      load: .open(arrivals: "poisson", stages: [.init(rate: rate, duration: length)]), seed: seed,
      warmup: TimeSpan(microseconds: length.microseconds / 5),
      lagMax: try options.span(LoadFlags.lagMax), machine: .current(build: RTInfer.version))
    let run = LoadRun(plan, side.source, client, clock: invocation.clock)
    try BenchHTTP.drive(run, plan, invocation)
    if let why = run.tally.invalidity(plan) {
      throw Failure(.inconclusive, "\(side.url): invalid run: \(why)")
    }
    return run.tally
  }

  private static func report(
    _ ratios: [Double], _ percent: Double, _ share: Double, _ invocation: Invocation
  ) throws(Failure) -> ExitStatus {
    guard let ratio = LatencyComparison.paired(ratios, confidence: share) else {
      throw Failure(.inconclusive, "fewer than two rounds were measured")
    }
    let isSlower = ratio.low > 1
    let isFaster = (ratio.high ?? .infinity) < 1
    let answer = isSlower ? "slower" : isFaster ? "faster" : "cannot say"
    let output = invocation.output
    output.append("{\"kind\":\"verdict\",\"clause\":")
    output.appendQuoted("B's p\(percent.plain) by A's <= 1")
    output.append(",\"verdict\":")
    output.append(isSlower ? "\"fail\"" : isFaster ? "\"pass\"" : "\"inconclusive\"")
    output.append(",\"answer\":")
    output.appendQuoted(answer)
    output.append(",\"value\":")
    output.append(rounded(ratio.value))
    output.append(",\"interval\":[")
    output.append(rounded(ratio.low))
    output.append(",")
    output.append(rounded(ratio.high ?? .nan))
    output.append("],\"n\":")
    output.append(Int64(ratios.count))
    output.append(",\"bound\":1,\"why\":")
    output.appendQuoted("\(ratios.count) rounds of A, B, B, A")
    output.append("}\n")
    try output.flush()
    return isSlower ? .verdictNo : isFaster ? .success : .inconclusive
  }

  private static func rounded(_ value: Double) -> Double { (value * 1e4).rounded() / 1e4 }
}
