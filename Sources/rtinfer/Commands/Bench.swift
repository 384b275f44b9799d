// bench: measurements. What is measured is a verb of its own: `bench model`.

import Core

enum BenchCommand {
  static let command = Command(
    name: "bench",
    summary: "Measure how long a model takes",
    story: """
      Says what it measures by its verb. Every figure is of rows that differ from call to call, after a warm-up, over \
      several repeats; what varies between them is printed beside it.
      """,
    operands: .none,
    flags: [],
    examples: [
      .init("rtinfer bench model model.json rows.csv", "Inference alone: single rows and batches.")
    ],
    verbs: [BenchModel.command]
  ) { _ throws(Failure) in
    throw .usage("say what to measure", hint: "rtinfer bench model model.json rows.csv")
  }
}
