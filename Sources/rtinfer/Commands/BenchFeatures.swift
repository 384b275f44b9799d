// bench features: look-ups alone, in this process: requests are read once, and then their features are asked for again and
// again, of few entities that stay in the processor's caches (hot) and of all in a random order (cold).

import Core
import Decisions
import Events
import Features

enum BenchFeatures {
  static let hot = Flag(
    "hot", .text("N"), "Rows that are asked for over and over, the first of the file",
    default: "100")
  static let updates = Flag(
    "updates", .text("RATE"),
    "Rows that a second thread writes again each second meanwhile, as they are; for a folder",
    default: "0")
  static let at = Flag(
    "at", .text("TIME"), "Ask as of just before this time, in RFC 3339 or 'now'",
    default: "each row's own, else now")
  static let remember = Flag(
    "remember", .text("N"),
    "Finished rows that a reader of a folder remembers for each view, at most; 0 for none, else 4 or more",
    default: "\(Limits.onlineRememberedRows)")
  static let peers = Flag(
    "peers", "Measure a dict and SQLite in Python as well, with finished values; for a folder")
  static let seed = Flag("seed", .text("N"), "Of the order of cold rows", default: "1")

  static let command = Command(
    name: "bench features",
    summary: "Measure look-ups in an online store: hot rows and cold ones",
    story: """
      Reads requests (rows as serve takes them, of the event type that a model decides) and measures how long it takes to \
      find and finalise all features that such a request asks for, in every view that it names an entity of, \
      without reading the request and without the model. Hot: the first N rows of the file over and over, 10,000 \
      look-ups at least; cold: every row once, in a random order, which is cold where the file names many more \
      entities than the processor's caches hold. For each batch size the look-ups are made in calls of so many (of all, \
      where there are fewer), N times over after one time for warming up. Printed are microseconds a look-up, the \
      best and the median repeat, and the call's p50, p99 and p99.9 over all repeats, the reading of the clock \
      (some 25 ns a call) included. A table on a terminal, summary records on a pipe.

      \(InstructionCount.story)

      A reader of a folder remembers the rows that it has finished, as long as the store's row is the same and nothing \
      has come into a window or left one. `recalled` is the share of rows that were answered from there; with --remember 0 \
      every row is read and finished anew, hot ones too.

      With --updates a second thread writes rows of the store again meanwhile, as they are, so that the store says the same \
      before and after; it takes the writer's lock, so no materialize may be writing. Without it the store may be \
      written by another process, which is measured then.

      --peers then has the python3 that is found first look up the same rows in the same calls: in a dict of its own and \
      by its sqlite3, in memory. Both hold each entity's values as they were finished once, so they do less: nothing is \
      finished for a request's time, nobody else writes or reads, and a process that ends forgets. Their figures come behind \
      ours, with how many times longer their median takes (times_longer; less than 1: shorter). Of a server there is none: \
      its peers would need rows of their own on it.

      --online redis://… measures the way to a server and back, in one round trip a look-up. Views that did not answer \
      within --online-deadline are counted; a look-up with such is as slow as the deadline and no slower.
      """,
    operands: .files,
    flags: [
      CommonFlags.project, OnlineStore.flag, OnlineStore.deadline, MaterializeCommand.requests, at,
      hot, remember, updates, BenchModel.batch, BenchModel.repeats, peers, seed, BenchModel.json,
    ] + CommonFlags.records,
    examples: [
      .init("rtinfer bench features --online .rtinfer/online rows.ndjson", "The table."),
      .init(
        "rtinfer bench features --online .rtinfer/online --updates 100000 --batch 1 rows.ndjson",
        "While 100,000 rows a second are written."),
      .init(
        "rtinfer bench features --online redis://127.0.0.1 --batch 1 rows.ndjson | jq .call_p99_us",
        "The same rows from Redis."),
    ],
    run: run)

  private static func run(_ invocation: Invocation) throws(Failure) -> ExitStatus {
    let options = invocation.options
    guard let text = try options.value(OnlineStore.flag) else {
      throw .usage(
        "no online store is named",
        hint: "rtinfer bench features --online .rtinfer/online rows.ndjson")
    }
    let address = try OnlineAddress(
      text, origin: options.origin(OnlineStore.flag), in: invocation.files)
    let settings = try Settings(options, address)
    let project = try Project.require(invocation)
    let schema = EventSchema(types: try project.eventTypes())
    let features = try project.features(schema)
    let type = try askingType(invocation, project, schema)
    let reader = try OnlineReader(
      features, schema: schema, at: address, deadline: settings.deadline,
      remembered: settings.remembered, clock: invocation.clock)
    let (plan, paths) = reader.plan(requestsOf: type)
    let requests = FeatureRequests(
      plan, paths, schema.types[type], at: try time(invocation), invocation.clock)
    let status = try RecordLines.read(invocation, options.operands) { requests.take($0) }
    guard requests.count > 0 else { throw .badData("there is no row to ask for") }
    guard !plan.entityMembers.isEmpty else {
      throw .usage("a request of '\(schema.types[type].name)' names no entity of any view")
    }
    let writer = try settings.updates.map { (rate) throws(Failure) in
      try FeatureUpdates(features.views, address, perSecond: rate, invocation.clock)
    }
    let look = FeatureLookUps(reader, plan, requests, invocation)
    var results: [FeatureLookUps.Result] = []
    for isHot in [true, false] {
      let order = look.order(hot: isHot ? settings.hot : nil, seed: settings.seed)
      for size in settings.sizes {
        results.append(
          try look.measure(order, isHot: isHot, batch: size, repeats: settings.repeats))
      }
    }
    let updated = try writer?.finish()
    var figures: [FeaturePeer.Figure] = []
    if settings.hasPeers {
      var peer = FeaturePeer(features.views, plan, look, requests, invocation)
      figures = peer.measure(
        { look.order(hot: $0 ? settings.hot : nil, seed: settings.seed) }, beside: results)
    }
    let report = FeatureReport(
      store: address.name, features: plan.answers.count, rows: requests.count, updates: updated)
    if invocation.terminal.outputIsTerminal, !options.isOn(BenchModel.json) {
      invocation.output.append(report.table(results))
      invocation.output.append(FeaturePeer.table(figures))
    } else {
      for result in results { report.append(result, to: invocation.output) }
      for figure in figures { FeaturePeer.append(figure, address.name, to: invocation.output) }
    }
    try invocation.output.flush()
    return status
  }

  /// What the flags say of the measurement.
  private struct Settings {
    let hot: Int
    let remembered: Int
    let updates: Int?
    let sizes: [Int]
    let repeats: Int
    let seed: UInt64
    let deadline: TimeSpan
    let hasPeers: Bool

    init(_ options: Options, _ address: OnlineAddress) throws(Failure) {
      hot = try options.integer(BenchFeatures.hot, in: 1...1_000_000) ?? 100
      let some = try options.integer(BenchFeatures.remember, in: 0...1_000_000)
      guard some == nil || !address.isServer else {
        throw .usage(
          "\(options.origin(BenchFeatures.remember)): is for the folder of a store; rows of \(address.name)"
            + " are asked for each time")
      }
      remembered = some ?? Limits.onlineRememberedRows
      let rate = try options.integer(BenchFeatures.updates, in: 0...10_000_000) ?? 0
      guard rate == 0 || !address.isServer else {
        throw .usage(
          "\(options.origin(BenchFeatures.updates)): is for the folder of a store, not for \(address.name)",
          hint: "run materialize --online \(address.name) beside it")
      }
      updates = rate > 0 ? rate : nil
      sizes = try BenchModel.batchSizes(options)
      repeats = try options.integer(BenchModel.repeats, in: 1...1_000) ?? 7
      seed = UInt64(try options.integer(BenchFeatures.seed, in: 0...Int.max) ?? 1)
      let given = try options.span(OnlineStore.deadline, atLeast: TimeSpan(microseconds: 100))
      guard given == nil || address.isServer else {
        throw .usage(
          "\(options.origin(OnlineStore.deadline)): is for redis:// and unix://;"
            + " the folder \(address.name) answers at once")
      }
      deadline = given ?? .seconds(1)
      hasPeers = options.isOn(BenchFeatures.peers)
      guard !hasPeers || !address.isServer else {
        throw .usage(
          "\(options.origin(BenchFeatures.peers)): is for the folder of a store, not for \(address.name)",
          hint: "materialize --online FOLDER keeps one")
      }
    }
  }

  /// The one event type that asks.
  private static func askingType(
    _ invocation: Invocation, _ project: Project, _ schema: EventSchema
  ) throws(Failure) -> Int {
    let types = try MaterializeCommand.askingTypes(invocation, project, schema)
    guard types.count == 1 else {
      let names = types.map { schema.types[$0].name }
      throw .usage(
        types.isEmpty
          ? "no model decides an event type, so nothing asks for features"
          : "events of several types ask for features: \(names.joined(separator: ", "))",
        hint: "say which one the rows are with --for TYPE")
    }
    return types[0]
  }

  private static func time(_ invocation: Invocation) throws(Failure) -> Timestamp? {
    guard let text = try invocation.options.value(at) else { return nil }
    return try MaterializeCommand.time(text, origin: invocation.options.origin(at), invocation)
  }
}
