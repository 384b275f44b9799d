// bench pipeline: events to decisions in this process: what ingest, materialize and score do one after another, and what
// serve --events does for its callers, without pipes and sockets between them.
//
//     bytes in memory ─▶ intake ─▶ row ─▶ features: look up, let the event count ─▶ model ─▶ rules ─▶ record ─▶ nowhere
//                        └─ request ─┘    └────────── features ──────────────────┘ inference postprocess response
//
// Every pass begins with no features and replays all events. Passes come in pairs: one reads the clock only when it
// begins and ends, and says how many events a second there are; the other reads it between the layers.

import Core
import Decisions
import Events
import Features
import Measure
import Models

enum BenchPipeline {
  static let model = Flag(
    "model", .file, "The model that decides: one of the project, or models:/… for a version",
    default: "every one that decides an event type")
  static let batch = Flag(
    "batch", .text("ROWS,…"),
    "Events of a call, several sizes with commas; samples are of the first", default: "1,256")
  static let repeats = Flag(
    "repeats", .text("N"),
    "How often all events are replayed at each size, once without and once with the layers timed, after one time"
      + " for warming up",
    default: "5")
  static let peers = Flag(
    "peers", "Measure the model's own library in Python as well, behind a parser of JSON")
  static let decisions = Flag(
    "decisions", .file,
    "Write the decisions of the first pass there, as score writes them but for marks of ingest and the response's time"
  )

  static let command = Command(
    name: "bench pipeline",
    summary: "Measure events to decisions in one process, layer by layer",
    story: """
      Holds all events (as ingest takes them) in memory and replays them on one thread: each is parsed and checked, \
      answered with its features by the code of serve --events, decided and written as score writes it, and then counts in the features. The decisions are \
      those of ingest | materialize | score. Layers: request is reading, checking and taking up an event; features \
      looking up, and letting the event count; inference the model; postprocess labels and rules; response the \
      record's text. With a batch of several, the events of a call are judged together, and each waits for all of them.

      Every pass begins with nothing known, so an event comes once in a pass and finds what it would find in \
      life. At each size one pass warms up; then come N pairs of passes. One reads the clock only when it begins and ends: events a \
      second are its. The other reads it twice an event and four times a call: the layers and the latencies are its. Where a call \
      is one event, one reading (clock_ns) is in each layer and five in the total. Percentiles are over all passes, which repeat \
      the same events. Where the system counts instructions (see bench model --help) a last pass, which is not timed, \
      has those of an event by layer: instructions_per_event, without what reading the counter takes.

      Not in these figures: pipes, sockets, HTTP, the disk of --log and of --out (nothing is written anywhere), waiting \
      for others, other threads. One event is taken when the last is done, which is a closed loop of one client: what users see at a given rate is bench http's to say.

      --peers then has the python3 that is found first do what the middle of a service does for the first 100,000 decided \
      events: parse the event's JSON (orjson, else json), make a row for the model of finished features, let the model's own \
      library judge it (as bench model --peers does) and write the event with its margin as JSON. It is spared the rest: \
      windows, events that only tell, checks, rules. Its figures come last, with how many times longer a \
      decision takes it (times_longer) than it takes us without our layer of features, but with all events read and with the rules.

      On a pipe come sample records of the events that were decided (status 400: refused by a guard or by the model's \
      inputs), of a call of several one, since all waited for the same; then a summary of that run, and a summary of the pipeline for each size; \
      with --summary histograms in place of samples. budget check reads either. On a terminal comes a table.
      """,
    operands: .files,
    flags: [
      CommonFlags.project, RegistryFlags.registry, model, batch, repeats, peers, decisions,
      BenchHTTP.summary, BenchModel.json, MaterializeCommand.table,
    ] + EventFlags.declared + EventFlags.wrapped + [EventFlags.privateKey] + CommonFlags.records,
    examples: [
      .init("rtinfer bench pipeline scheduled.ndjson departed.ndjson arrived.ndjson", "The table."),
      .init(
        "rtinfer bench pipeline events.ndjson | rtinfer budget check",
        "Is each layer within its budget, waiting apart?"),
      .init(
        "rtinfer bench pipeline --batch 1,64,1024 --summary events.ndjson | tail -3",
        "What larger calls are worth."),
    ],
    run: run)

  private static func run(_ invocation: Invocation) throws(Failure) -> ExitStatus {
    let options = invocation.options
    let sizes = try BenchModel.batchSizes(options, batch, standard: [1, 256], max: 65_536)
    let repeats = try options.integer(repeats, in: 1...1_000) ?? 5
    let project = try Project.require(invocation)
    let models = try declaredModels(invocation, project)
    let rejects = try Rejects(invocation)
    let file = try options.value(decisions).map { (path) throws(Failure) in
      OutputBuffer(try OutputFile.sink(path))
    }
    let events = try HeldEvents(invocation)
    let pipeline = Pipeline(invocation, project, models, events)
    let isForPeople = invocation.terminal.outputIsTerminal && !options.isOn(BenchModel.json)
    let run = PipelineRun(
      pipeline,
      samples: isForPeople || options.isOn(BenchHTTP.summary) ? nil : invocation.output)
    var read = 0
    for (place, size) in sizes.enumerated() {
      // What is wrong with an event is said once.
      let isFirst = place == 0
      let counts = try run.warmUp(
        batch: size, rejects: isFirst ? rejects : Rejects.silent(), decisions: isFirst ? file : nil)
      if isFirst { read = counts }
      try run.measure(batch: size, repeats: repeats, isSampled: isFirst)
    }
    guard run.results[0].decided > 0 else {
      throw .badData(
        "none of \(run.results[0].events.grouped) events was decided",
        hint: "they are of other types than those that the models decide, or were refused")
    }
    let report = PipelineReport(models, run)
    let figures = options.isOn(peers) ? try peerFigures(models, project, run, invocation) : []
    if isForPeople {
      invocation.output.append(report.text)
      invocation.output.append(ModelPeer.table(figures, peerWork))
    } else {
      report.append(to: invocation.output, holdsHistograms: options.isOn(BenchHTTP.summary))
      for figure in figures {
        ModelPeer.append(figure, ("pipeline", models[0].definition.name), to: invocation.output)
      }
    }
    try invocation.output.flush()
    return try rejects.finish(total: read)
  }

  private static let peerRowsMax = 100_000
  private static let peerWork =
    "and JSON in Python, the same events, finished features, no rules"

  private static func peerFigures(
    _ models: [DeclaredModel], _ project: Project, _ run: PipelineRun, _ invocation: Invocation
  ) throws(Failure) -> [PeerFigure] {
    guard models.count == 1 else {
      PeerProcess.note("several models decide; --\(model.name) says which one", invocation)
      return []
    }
    let (events, rows) = try run.decided(atMost: peerRowsMax)
    let path = try DeclaredModel.path(models[0].definition, project, invocation)
    let count = rows.count / models[0].model.inputCount
    return ModelPeer.measure(
      models[0].model, path: path, rows, events: events.pending,
      beside: run.results.map { $0.own(decided: count) }, invocation)
  }

  private static func declaredModels(
    _ invocation: Invocation, _ project: Project
  ) throws(Failure) -> [DeclaredModel] {
    var definitions = try project.models().filter { $0.decides != nil }
    if try invocation.options.value(model) != nil {
      let chosen = try project.model(invocation, model)
      guard chosen.decides != nil else {
        throw .usage(
          "models.\(chosen.name) does not say which declared type of event it decides",
          hint: "decides: \"scheduled\", an event type of the project's events")
      }
      definitions = [chosen]
    }
    guard !definitions.isEmpty else {
      throw .usage(
        "no model of the project decides an event type, so no event leads to a decision",
        hint: "bench model measures a model alone")
    }
    guard !(try project.features(try EventFlags.schema(invocation, project)).names.isEmpty) else {
      throw .usage(
        "\(project.shownName): declares no features, so there is nothing between events and the model",
        hint: "bench model measures a model alone")
    }
    var declared: [DeclaredModel] = []
    for definition in definitions {
      declared.append(try DeclaredModel(definition, project, invocation))
    }
    return declared
  }
}
