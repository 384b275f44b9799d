// bench search: the highest rate that a server sustains within a promise.

import Core
import HTTP
import Measure

enum BenchSearch {
  static let slo = Flag("slo", .text("CLAUSES"), "The promise, as in 'p99 < 50ms && errors < 0.1%'")
  static let first = Flag(
    "start-rate", .text("N"), "The first rate to try, a second", default: "100")
  static let upTo = Flag("up-to", .text("N"), "The highest rate to try", default: "100000")
  static let precision = Flag(
    "precision", .text("P%"), "How close the highest kept and the lowest broken rate must come",
    default: "10%")
  static let json = Flag("json", "Print records also on a terminal")

  static let command = Command(
    name: "bench search",
    summary: "Find the highest rate that a server sustains within a promise",
    story: """
      Tries rates in an open loop with Poisson arrivals: doubles until the promise is broken (or halves, three times, \
      where the first is), then bisects, and tries \
      the answer once more. Each rate is tried in stretches of a second or of as many requests as the strictest clause \
      needs, whichever is longer: 600 for p99, 6,000 for p99.9 or errors < 0.1%.

      After each stretch the promise is judged as budget check does, at a confidence of 99 %, five times at most, which \
      share one error: a rate that just breaks a clause is called kept in at most 2.5 % of trials, where neighbours hang \
      together strongly (a correlation of 0.9) in at most 15 %, which both trials of the answer are in 2.5 %. What five \
      looks cannot decide counts as broken, so the answer errs towards the lower rate: one that keeps a clause is called \
      broken in at most 5 % of trials where a third of the allowed share is slow (or fails), in up to half where half of it is.

      Prints a summary record for each rate (what: step: the curve of latency against rate) and a verdict whose \
      value is the answer. Ends with 1 when no rate keeps the promise, with 5 when the generator is the limit.
      """,
    operands: .files,
    flags: [slo, first, upTo, precision, LoadFlags.seed] + LoadFlags.target + [
      LoadFlags.lagMax, PageFile.html, json,
    ],
    examples: [
      .init(
        "rtinfer bench search --slo 'p99 < 50ms' http://127.0.0.1:8080/decide/fraud rows.ndjson",
        "How much it takes.")
    ],
    run: run)

  private static func run(_ invocation: Invocation) throws(Failure) -> ExitStatus {
    let options = invocation.options
    guard let promise = try options.value(slo) else {
      throw .usage("--slo is needed: the promise", hint: "--slo 'p99 < 50ms && errors < 0.1%'")
    }
    let clauses = try Clause.parse(promise, origin: options.origin(slo))
    guard let requests = RateTrial.requests(toProve: clauses) else {
      throw .usage(
        "\(options.origin(slo)): a million requests cannot prove '\(promise)'",
        hint: "allow a larger share, as in errors < 0.1%, or p99.9 for p99.9999")
    }
    let operands = options.operands
    guard let url = operands.first, operands.count <= 2 else {
      throw .usage("one URL and at most one file of requests are named")
    }
    let start = Double(try options.integer(first, in: 1...1_000_000) ?? 100)
    let most = Double(try options.integer(upTo, in: 1...1_000_000) ?? 100_000)
    guard start <= most else {
      throw .usage("--start-rate \(start.plain) is above --up-to \(most.plain)")
    }
    guard let close = Clause.share(try options.value(precision) ?? "10%"), close > 0 else {
      throw .usage("\(options.origin(precision)): not a share above 0")
    }
    let target = try LoadTarget(url, file: operands.count > 1 ? operands[1] : nil, invocation)
    defer { target.stop() }
    var search = RateSearch(start: start, rateMax: most, precision: close)
    var curve = Curve(invocation)
    var tried: [SearchPage.Step] = []
    var isLimited = false
    while let rate = search.rate, Signals.drainStatus == nil {
      let step = try trial(rate, requests, RateTrial(clauses), target, url, invocation)
      try curve.append(step, isConfirming: search.isConfirming)
      tried.append(step.shown(isConfirming: search.isConfirming))
      if let why = step.invalidity {
        invocation.messages.error("the generator is the limit at \(rate.fixed(0))/s: \(why)")
        isLimited = true
        break
      }
      search.tell(step.isKept ? .kept : .broken)
    }
    try curve.finish(search, promise, isLimited: isLimited)
    try PageFile.write(invocation) { page in
      SearchPage.append(
        tried, url: url, promise: promise, kept: search.kept, isLimited: isLimited,
        machine: .current(build: RTInfer.version), to: page)
    }
    if isLimited { return .inconclusive }
    return search.kept == nil ? .verdictNo : .success
  }

  struct Step {
    let rate: Double
    var isKept = false
    var invalidity: String?
    var latency = BatchedLatencies()
    var requests = 0
    var errors = 0

    var answer: String { invalidity != nil ? "invalid" : isKept ? "kept" : "broken" }

    func shown(isConfirming: Bool) -> SearchPage.Step {
      SearchPage.Step(
        rate: rate, answer: answer, isConfirming: isConfirming, p50: latency.all.percentile(50),
        p99: latency.all.percentile(99), requests: requests, errors: errors)
    }
  }

  /// One rate, looked at up to five times.
  private static func trial(
    _ rate: Double, _ requests: Int, _ fresh: RateTrial, _ target: LoadTarget, _ url: String,
    _ invocation: Invocation
  ) throws(Failure) -> Step {
    var step = Step(rate: rate)
    var trial = fresh
    let seconds = max(1, (Double(requests) / rate).rounded(.up))
    let stage = ArrivalSchedule.Stage(
      rate: rate, duration: TimeSpan(microseconds: Int64(seconds * 1e6)))
    for look in 0..<RateTrial.looksMax where Signals.drainStatus == nil {
      let plan = LoadPlan(
        url: url, load: .open(arrivals: "poisson", stages: [stage]),
        seed: try LoadFlags.seed(invocation.options) + UInt64(look), warmup: .seconds(1),
        lagMax: try invocation.options.span(LoadFlags.lagMax),
        machine: .current(build: RTInfer.version))
      let run = LoadRun(plan, target.source, target.client, clock: invocation.clock)
      run.onSample = { sample in
        trial.record(BudgetEvidence.Observation(sample, epoch: run.epoch))
        if sample.hasLatency { step.latency.record(sample.latency) }
      }
      // A second's worth of requests that wait for a connection: it is not keeping up.
      run.shouldStop = { Double($0.waitedForConnection) > rate }
      try BenchHTTP.drive(run, plan, invocation)
      run.onSample = nil
      step.requests += run.tally.requests
      step.errors += run.tally.errors
      if Double(run.tally.waitedForConnection) > rate { return step }
      if let why = run.tally.invalidity(plan) {
        step.invalidity = why
        return step
      }
      guard let answer = trial.look() else { continue }
      step.isKept = answer == .kept
      return step
    }
    return step
  }

  // MARK: The curve

  private struct Curve {
    private let invocation: Invocation
    private let isForPeople: Bool

    init(_ invocation: Invocation) {
      self.invocation = invocation
      isForPeople =
        invocation.terminal.outputIsTerminal && !invocation.options.isOn(BenchSearch.json)
      if isForPeople {
        invocation.output.append("      rate/s  promise       p50       p99  errors  requests\n")
      }
    }

    mutating func append(_ step: Step, isConfirming: Bool) throws(Failure) {
      let output = invocation.output
      let (p50, p99) = (step.latency.all.percentile(50), step.latency.all.percentile(99))
      let answer = step.answer
      if isForPeople {
        let shown = [p50, p99].map { $0.map(LayerTimes.readable) ?? "unknown" }
        output.append(
          step.rate.fixed(0).leftPadded(12) + "  " + Help.padded(answer, 8)
            + shown.map { $0.leftPadded(10) }.joined() + step.errors.grouped.leftPadded(8)
            + step.requests.grouped.leftPadded(10) + "\n" as String)
      } else {
        output.append("{\"kind\":\"summary\",\"what\":\"step\",\"rate\":")
        output.append((step.rate * 1e3).rounded() / 1e3)
        output.append(",\"answer\":")
        output.appendQuoted(answer)
        if isConfirming { output.append(",\"confirming\":true") }
        output.append(",\"requests\":")
        output.append(Int64(step.requests))
        output.append(",\"errors\":")
        output.append(Int64(step.errors))
        for (name, value) in [("p50_us", p50), ("p99_us", p99)] {
          output.append(",\"\(name)\":" as String)
          if let value {
            output.appendMicroseconds(nanoseconds: value)
          } else {
            output.append("null")
          }
        }
        output.append("}\n")
      }
      try output.flush()
    }

    func finish(_ search: RateSearch, _ promise: String, isLimited: Bool) throws(Failure) {
      let output = invocation.output
      if isForPeople {
        let kept = search.kept.map { "\($0.fixed(0))/s" } ?? "no rate"
        let broken = search.broken.map { ", broken at \($0.fixed(0))/s" } ?? ""
        output.append("\n  '\(promise)' is kept at \(kept)\(broken)\n" as String)
      } else {
        let answer = isLimited ? "inconclusive" : search.kept == nil ? "fail" : "pass"
        output.append("{\"kind\":\"verdict\",\"clause\":")
        output.appendQuoted(promise)
        output.append(",\"verdict\":")
        output.appendQuoted(answer)
        output.append(",\"value\":")
        output.append(search.kept ?? .nan)
        output.append(",\"interval\":[")
        output.append(search.kept ?? 0)
        output.append(",")
        output.append(search.broken ?? .nan)
        output.append("],\"unit\":\"requests/s\",\"why\":")
        output.appendQuoted(
          isLimited ? "the generator is the limit" : "the highest rate that keeps the promise")
        output.append("}\n")
      }
      try output.flush()
    }
  }
}

extension BudgetEvidence.Observation {
  init(_ sample: LoadSample, epoch: Timestamp) {
    self.init()
    if sample.hasLatency { (latency, service) = (sample.latency, sample.service) }
    isError = sample.isError
    due = epoch + TimeSpan(microseconds: Int64(sample.due / 1_000))
    layers = sample.layers
  }
}
