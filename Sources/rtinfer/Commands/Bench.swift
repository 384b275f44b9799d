// bench: measurements. What is measured is a verb of its own: `bench model`, `bench http`.

import Core

enum BenchCommand {
  static let command = Command(
    name: "bench",
    summary: "Measure how long a model or a server takes",
    story: """
      Says what it measures by its verb: a model alone (bench model), features alone (bench features), the whole way of an event in one process (bench pipeline), or a server \
      under load (bench http). Every \
      figure comes after a warm-up, with what varies printed beside it.
      """,
    operands: .none,
    flags: [],
    examples: [
      .init("rtinfer bench model model.json rows.csv", "Inference alone: single rows and batches."),
      .init(
        "rtinfer bench features --online .rtinfer/online rows.ndjson",
        "Rows of features from an online store."),
      .init(
        "rtinfer bench pipeline events.ndjson | rtinfer budget check",
        "Events to decisions in process, layer by layer."),
      .init(
        "rtinfer bench http http://127.0.0.1:8080/decide/fraud rows.ndjson --rate 2000",
        "A server, from when each request was due."),
      .init(
        "rtinfer bench ab events.ndjson --batch-every 1h", "What real-time is worth, on history."),
    ],
    verbs: [
      BenchModel.command, BenchFeatures.command, BenchPipeline.command, BenchHTTP.command,
      BenchSearch.command,
      BenchCompare.command,
      BenchAB.command,
    ]
  ) { _ throws(Failure) in
    throw .usage("say what to measure", hint: "rtinfer bench model model.json rows.csv")
  }
}
