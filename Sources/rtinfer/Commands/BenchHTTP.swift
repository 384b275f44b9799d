// bench http: requests at a rate, and how long each took from when it was due.

import Core
import HTTP
import Measure

enum BenchHTTP {
  static let summary = Flag(
    "summary", "One summary record with mergeable histograms in place of samples")
  static let json = Flag("json", "Print records also on a terminal")
  static let histogramFile = Flag(
    "hgrm", .file, "Write the latencies there as HdrHistogram's percentile text, in milliseconds")
  static let label = Flag("label", .text("NAME"), "Names the run in its summary")

  static let command = Command(
    name: "bench http",
    summary: "Send requests at a rate and measure each from when it was due",
    story: """
      Sends each line of a file as the body of a request to URL, from the first again when all are sent; without \
      a file, requests without a body. By default the loop is open: a schedule says when requests are due, whatever \
      the server does, and a request's latency begins when it was due (service_us: when it was sent). A run whose \
      generator was late itself is invalid, says so in its records, and ends with 5. With --concurrency \
      the loop is closed, and labelled so.

      On a pipe come sample records and at the end a summary that says how the run went; with --summary only that, \
      with histograms, which budget reads just as well and which merge by adding counts. On a terminal comes a page \
      to read. Latencies count replies of every status and what was given up at --timeout; errors are statuses \
      from 400 on and requests without a reply. Layers come from the reply's Server-Timing.

      URL is http://HOST:PORT/PATH, or http://unix:FILE:PATH for a socket that is a file. With --spawn it may be \
      only a path: a free port is chosen and told to the command as RTINFER_LISTEN.
      """,
    operands: .files,
    flags: [
      LoadFlags.rate, LoadFlags.duration, LoadFlags.warmup, LoadFlags.arrivals, LoadFlags.seed,
      LoadFlags.concurrency,
    ] + LoadFlags.target + [LoadFlags.lagMax, summary, json, histogramFile, PageFile.html, label],
    examples: [
      .init(
        "rtinfer bench http http://127.0.0.1:8080/decide/fraud rows.ndjson --rate 2000",
        "Two thousand requests a second for ten seconds."),
      .init(
        "rtinfer bench http --spawn ./start /decide/late rows.ndjson | rtinfer budget check",
        "Starts the server, measures, stops it, gives verdicts."),
    ],
    run: run)

  private static func run(_ invocation: Invocation) throws(Failure) -> ExitStatus {
    let options = invocation.options
    let operands = options.operands
    guard let url = operands.first, operands.count <= 2 else {
      throw .usage(
        operands.isEmpty ? "no URL is named" : "one URL and one file, got \(operands.count) words",
        hint: "rtinfer bench http http://127.0.0.1:8080/decide/fraud rows.ndjson")
    }
    let load = try LoadFlags.load(options)
    let target = try LoadTarget(url, file: operands.count > 1 ? operands[1] : nil, invocation)
    defer { target.stop() }
    let plan = LoadPlan(
      url: url, load: load, seed: try LoadFlags.seed(options),
      warmup: try options.span(LoadFlags.warmup) ?? .seconds(1),
      lagMax: try options.span(LoadFlags.lagMax), machine: .current(build: RTInfer.version))
    let run = LoadRun(plan, target.source, target.client, clock: invocation.clock)
    showProgress(of: run, invocation)
    let isForPeople = invocation.terminal.outputIsTerminal && !options.isOn(json)
    if isForPeople || options.isOn(summary) {
      try drive(run, plan, invocation)
    } else {
      try driveWritingSamples(run, plan, target.source, invocation)
    }
    if invocation.terminal.decorates { invocation.messages.raw("\r\u{1b}[2K") }
    return try report(run, plan, isForPeople: isForPeople, invocation)
  }

  // MARK: Driving

  /// Sends what the plan says.
  static func drive(_ run: LoadRun, _ plan: LoadPlan, _ invocation: Invocation) throws(Failure) {
    let options = invocation.options
    switch plan.load {
    case .closed(let concurrency):
      let length =
        try options.span(LoadFlags.duration, atLeast: TimeSpan(microseconds: 1_000)) ?? .seconds(10)
      try run.runClosed(concurrency, for: length)
    case .open(let arrivals, let stages):
      guard let shape = ArrivalSchedule.Shape(rawValue: arrivals) else {
        return try run.runOpen(
          try RecordedArrivals.schedule(arrivals, delayed: plan.warmup, invocation))
      }
      var all = stages
      if plan.warmup > .zero {
        all.insert(.init(rate: stages[0].rate, duration: plan.warmup), at: 0)
      }
      try run.runOpen(ArrivalSchedule(all, shape, seed: plan.seed))
    }
  }

  private static func driveWritingSamples(
    _ run: LoadRun, _ plan: LoadPlan, _ source: RequestSource, _ invocation: Invocation
  ) throws(Failure) {
    let writer = SampleWriter()
    let (epoch, output) = (run.epoch, invocation.output)
    let paths = source.hasSeveralPaths ? source.paths : nil
    let thread = try WorkerThread { writer.run(into: output, epoch: epoch, paths: paths) }
    run.onSample = { writer.add($0) }
    run.shouldStop = { _ in false }
    do throws(Failure) {
      try drive(run, plan, invocation)
    } catch {
      writer.close()
      thread.join()
      throw error
    }
    writer.close()
    thread.join()
    if let failure = writer.failure { throw failure }
  }

  private static func showProgress(of run: LoadRun, _ invocation: Invocation) {
    guard invocation.terminal.decorates, !invocation.messages.isQuiet else { return }
    run.onTick = { tally, begin, now in
      let line = LoadReport.liveLine(tally, since: begin, now: now)
      invocation.messages.raw("\r\u{1b}[2K\(line)")
    }
  }

  // MARK: Reporting

  private static func report(
    _ run: LoadRun, _ plan: LoadPlan, isForPeople: Bool, _ invocation: Invocation
  ) throws(Failure) -> ExitStatus {
    let (options, tally) = (invocation.options, run.tally)
    if let path = try options.value(histogramFile) {
      try Array(PercentileText.text(tally.latency).utf8).withBytes { (bytes) throws(Failure) in
        try OutputFile.write(bytes, to: path, in: invocation.files)
      }
    }
    try PageFile.write(invocation) { page in
      LoadPage.append(tally, plan, epoch: run.epoch, to: page)
    }
    let why = tally.invalidity(plan)
    if isForPeople {
      invocation.output.append(LoadReport.text(tally, plan, epoch: run.epoch))
    } else {
      tally.append(
        to: invocation.output, plan, started: run.started, epoch: run.epoch,
        holdsHistograms: options.isOn(summary), label: try options.value(label))
      if let why { invocation.messages.error("invalid run: \(why)") }
    }
    try invocation.output.flush()
    return why == nil ? .success : .inconclusive
  }
}
