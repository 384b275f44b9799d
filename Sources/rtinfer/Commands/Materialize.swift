// materialize: events in, features out, as a stream of rows or as a training set.

import Core
import Decisions
import Events
import Features

enum MaterializeCommand {
  static let emit = Flag(
    "emit", .choice(["arrival", "watermark"]),
    "When to answer: at once with what is known, or when the watermark has passed",
    default: "arrival")
  static let requests = Flag(
    "for", .text("TYPE"), "The event type that asks for features",
    default: "every type that a model decides")
  static let training = Flag(
    "training", .file, "Make a training set for these rows instead of a stream: a spine of NDJSON")
  static let format = Flag(
    "format", .choice(["csv", "ndjson"]), "How the training set is written", default: "csv")

  static let asOf = Flag(
    "as-of", .choice(AsOf.allCases.map(\.rawValue)),
    "What a training row knows: all that had happened, or all that had come in",
    default: "event")

  static let table = Flag(
    "table", .text("[VIEW=]FILE,…"),
    "The rows of a view that draws from a table: CSV, TSV or NDJSON with entity, time and values")

  static let logged = Flag(
    "logged", .file, "For verify: the features records that were written")
  static let tolerance = Flag(
    "tolerance", .text("SHARE"),
    "For verify: how far numbers may lie apart, as a share of the larger",
    default: "0")
  /// Those of a stream that goes on.
  static let streaming = [
    LogReading.log, LogReading.consumer, LogReading.follow, ResumedOutput.flag,
  ]

  static let command = Command(
    name: "materialize",
    summary: "Keep features fresh from events, or build a training set",
    story: """
      Reads events (from ingest, or raw ones, which are then checked as ingest does) and applies the project's \
      feature views. Every event of a type that a model decides is answered with one features record: the \
      request, the entities it names and all their features as of just before its time. An event never counts \
      in its own features, nor does anything that happened at its time or after.

      On arrival (the default) a row says what was known when its event came, events of one time ordered by \
      their arrival. With --emit watermark rows wait until everything before them is in and do not depend on the \
      order of arrival; events of one time are ordered by their id. A training set is made in this second way.

      --training SPINE answers the rows of a file instead of the stream's own events: for each row its own \
      members, then the inputs of the models that decide its type, then every feature as view__feature, with \
      the values as of the row's time, then the outcome of every model as model__outcome, once the events reach \
      beyond its maturity. The events come from the files named, or stdin. --as-of ingest leaves out what came in \
      after a row was asked, as a stream would have: it needs events that ingest has marked, and takes the row's \
      own mark where it has one, else its time. --stale every=1h,publish=5m gives the features that a batch pipeline \
      would have served: as of the last run, at the multiples of an hour, whose features were published (five minutes \
      after its start) by the row's time; delay=10s is how long an event takes to come in before a run can see it.

      A view with a `table` in the project file is answered from values that were computed elsewhere, say each night: the \
      entity's newest row with a time up to the question's, if it is no older than the view's ttl. --table names the \
      file, as VIEW=FILE where the project has several such views. A table has no history of its coming in: as of ingest \
      its rows count from their time on, too.

      materialize verify --logged FEATURES EVENTS… computes every feature of the records again, as of event and as \
      of ingest, and gives a verdict on each: a value that is equal only as of ingest is late data, one that is \
      equal in neither way is a mismatch, and then the exit status is 1.

      --online FOLDER also keeps an online store fresh, from which score and serve take features while it is \
      written: after every few thousand events, and whenever no input is ready. It holds the state of windows, not \
      values, so that a count falls to zero when nothing happens. A later run goes on where the last one stopped, \
      however it ended, and leaves out events that ingest has marked and the store holds already. materialize get \
      VIEW KEY… prints one row, with its freshness; materialize stat a summary of each view. materialize backfill \
      --online FOLDER EVENTS… writes the store anew, as is needed after a view's definition has changed or the \
      machine went down; what is there serves until all events are in. materialize plan says, before anything runs, what \
      an entity of each view takes there (bytes of its row's head, of each tile and how many there are if something \
      happens in each, of each of its latest events, and of one that waits in a join; a run that has ended also leaves \
      all events that the lateness still lets others come before) and, with --online FOLDER, whether the folder's views are the project's: same, changed, added or \
      dropped. --online redis://HOST keeps the store on a \
      server of Redis or Valkey or a cluster of them, for several machines: rtinfer help online.

      --log takes the events from the durable log that ingest writes, with --online from where the store ends, so \
      that a run from cron does what has come in since the last one (--follow: and then waits for more). With \
      --consumer NAME the log's retention leaves what was not read yet. With --out FILE too, each event that asks \
      has exactly one row in FILE, however often runs are killed: score --out does the same for decisions. After a \
      power cut, materialize backfill --online FOLDER --log --consumer NAME --out FILE makes the store again as far \
      as it had been read, and cuts FILE back to that.
      """,
    operands: .files,
    flags: [
      CommonFlags.project, emit, requests, table, online, at, training, format, asOf, stale, logged,
      tolerance, ResumedOutput.flag,
    ]
      + LogReading.flags
      + EventFlags.declared
      + CommonFlags.records,
    examples: [
      .init(
        "rtinfer ingest *.ndjson | rtinfer materialize | rtinfer score", "The whole way, live."),
      .init(
        "rtinfer materialize --training spine.ndjson events.ndjson > training.csv",
        "The same features, point in time, for training."),
      .init(
        "rtinfer materialize --training spine.ndjson --stale every=1h events.ndjson > stale.csv",
        "As an hourly batch would have served them."),
      .init(
        "rtinfer materialize --table customers.csv events.ndjson",
        "With last night's table of customers."),
      .init(
        "rtinfer materialize verify --logged features.ndjson events.ndjson",
        "Were the features that the model saw the right ones?"),
      .init(
        "rtinfer materialize --for scheduled events.ndjson | jq .features",
        "What is known at each request."),
      .init(
        "rtinfer ingest events.ndjson | rtinfer materialize --online .rtinfer/online > rows.ndjson",
        "Keep an online store fresh."),
      .init(
        "rtinfer materialize --log --consumer nightly --online .rtinfer/online --out rows.ndjson",
        "From cron: what came into the log since the last run."),
      .init(
        "rtinfer materialize get origin_traffic JFK --online .rtinfer/online", "One row of it, now."
      ),
      .init(
        "rtinfer materialize plan --online .rtinfer/online",
        "What each view will take, and what the project file would change."),
    ],
    run: run)

  private static func run(_ invocation: Invocation) throws(Failure) -> ExitStatus {
    let options = invocation.options
    let project = try Project.require(invocation)
    let types = try project.eventTypes()
    guard !types.isEmpty else {
      throw .usage(
        "\(project.shownName): declares no events", hint: "rtinfer help project shows how")
    }
    let schema = try EventFlags.schema(invocation, project)
    let features = try project.features(schema)
    guard !features.names.isEmpty else {
      throw .usage(
        "\(project.shownName): declares no features", hint: "rtinfer help project shows how")
    }
    if options.operands.first == "verify" {
      return try verify(invocation, schema, features)
    }
    for flag in [logged, tolerance] where try options.value(flag) != nil {
      throw .usage("--\(flag.name) is for materialize verify")
    }
    switch options.operands.first {
    case "backfill": return try backfill(invocation, schema, features)
    case "get": return try get(invocation, schema, features)
    case "stat": return try stat(invocation, features)
    case "plan": return try plan(invocation, features)
    default: try refuse([at], for: "a stream; it is for materialize get", invocation)
    }
    let asking = try askingTypes(invocation, project, schema)
    if let spine = try options.value(training) {
      if try options.value(emit) != nil {
        throw .usage("--emit is for a stream; a training set is always as of event time")
      }
      try refuse([online, ResumedOutput.flag], for: "a training set", invocation)
      guard asking.count == 1 else {
        throw .usage(
          "several event types ask for decisions: say which the rows are with --for TYPE")
      }
      let set = try TrainingSet(
        invocation, project: project, schema: schema, features: features, type: asking[0])
      return try set.build(spine: spine)
    }
    if try options.value(format) != nil {
      throw .usage("--format is for --training; a stream is NDJSON")
    }
    try refuse([stale], for: "a stream; it is for --training", invocation)
    if try options.value(asOf) != nil {
      throw .usage(
        "--as-of is for --training; a stream answers as of ingest or, by watermark, of event")
    }
    let byWatermark = try options.value(emit) == "watermark"
    if try options.value(ResumedOutput.flag) != nil {
      // Events from elsewhere may be numbered anew, and would then be left out in silence.
      guard options.isTyped(LogReading.log) else {
        throw .usage("--out goes on by the log's offsets, so it needs --log")
      }
      guard !byWatermark else {
        throw .usage("--out holds rows by their events' offsets, so not with --emit watermark")
      }
    }
    var use = OnlineUse.none
    if try options.value(online) != nil {
      guard !byWatermark else {
        throw .usage("--online takes events as they come, so not with --emit watermark")
      }
      use = .kept(try store(invocation), invocation.clock)
    }
    let stream = try FeatureStream(
      invocation, schema: schema, features: features, asking: asking, online: use)
    return try stream.run(byWatermark: byWatermark)
  }

  private static func verify(
    _ invocation: Invocation, _ schema: EventSchema, _ features: FeatureDefinitions
  ) throws(Failure) -> ExitStatus {
    let options = invocation.options
    try refuse(
      [emit, requests, training, format, asOf, stale, online, at, ResumedOutput.flag],
      for: "verify", invocation)
    guard let path = try options.value(logged) else {
      throw .usage("verify needs the features records: name their file with --logged FILE")
    }
    let verification = try Verification(invocation, schema: schema, features: features)
    return try verification.run(logged: path, events: Array(options.operands.dropFirst()))
  }

  static func askingTypes(
    _ invocation: Invocation, _ project: Project, _ schema: EventSchema
  ) throws(Failure) -> [Int] {
    func index(_ name: String, _ origin: String) throws(Failure) -> Int {
      if let index = schema.index(of: name) { return index }
      let known = schema.types.map(\.name)
      throw .usage(
        "\(origin): no event type '\(name)' is declared",
        hint: Spelling.nearest(name, among: known).map { "did you mean '\($0)'?" }
          ?? "declared: \(known.joined(separator: ", "))")
    }
    if let name = try invocation.options.value(requests) {
      return [try index(name, invocation.options.origin(requests))]
    }
    var types: [Int] = []
    for model in try project.models() {
      guard let name = model.decides else { continue }
      let type = try index(name, "models.\(model.name).decides")
      if !types.contains(type) { types.append(type) }
    }
    // A store is kept fresh also while nobody asks.
    let keepsStore = try invocation.options.value(online) != nil
    guard !types.isEmpty || keepsStore else {
      throw .usage(
        "no model decides an event type, so nothing asks for features",
        hint: "say which events ask with --for TYPE")
    }
    return types
  }
}
