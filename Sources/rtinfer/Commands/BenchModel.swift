// bench model: inference alone, in this process: rows are read once, turned into what the model takes, and then judged
// again and again, in calls of one row and of many.

import Core
import Decisions
import Measure
import Models

enum BenchModel {
  static let batch = Flag(
    "batch", .text("ROWS,…"), "Rows of a call, several sizes with commas",
    default: "1,16,256,100000")
  static let repeats = Flag(
    "repeats", .text("N"),
    "How often all rows are judged at each size, after one time for warming up",
    default: "7")
  static let threads = Flag(
    "threads", .text("N"), "Threads that a call of many rows may use", default: "1")
  static let peers = Flag(
    "peers", "Measure the library that the file is from as well, where Python has it")
  static let json = Flag("json", "Print records also on a terminal")

  static let command = Command(
    name: "bench model",
    summary: "Measure inference alone: single rows and batches",
    story: """
      Loads a model file (or the model of that name that the project declares, several files combined as they decide), reads rows (as score does: CSV, TSV or JSON lines) and measures how long the model takes \
      for them, without reading and writing: from the inputs as numbers to the margins, turning them into ranks \
      included. Calls of fewer than some two thousand rows stay on one thread, whatever --threads says. For each batch size all rows are judged in calls of so many (of all rows, where there \
      are fewer), N times over; rows differ from call to call. Printed are microseconds a row, the best and the \
      median repeat, the call's p50 and p99 over all repeats, and which kernel the model's trees are given and \
      why. A table on a terminal, summary records on a pipe.

      \(InstructionCount.story)

      --peers then has the library that the file is from judge the same rows in the same calls: xgboost, lightgbm, \
      catboost or onnxruntime of the python3 that is found first, its fastest documented call, with as many threads. Its figures come behind \
      ours, with how many times longer its median takes (times_longer) and the largest difference between its margins and \
      ours (of ONNX between scores). What a call costs in Python is in them. Inputs are given as numbers, so a model with categories that are texts \
      is refused by some. Where there is no such library, stderr says so, and nothing else changes.

      With --record the figures become metrics of a registered version, by the machine they were measured on: \
      p50_us and p99_us of calls of one row, and of each larger batch p50_us_of_256, p99_us_of_256 and \
      us_per_row_of_256 (the median); where they are counted also instructions and instructions_of_256.
      """,
    operands: .files,
    flags: [
      CommonFlags.project, RegistryFlags.registry, batch, repeats, threads, peers, json,
      ScoreCommand.format, RegistryRecord.record,
    ]
      + CommonFlags.records,
    examples: [
      .init("rtinfer bench model model.json rows.csv", "The table."),
      .init(
        "rtinfer bench model --batch 1 model.json rows.csv | jq .best_us_per_row",
        "What a single row costs."),
      .init("rtinfer bench model --peers model.json rows.csv", "Beside the model's own library."),
      .init(
        "rtinfer bench model --record models:/late/3 models:/late/3 rows.csv",
        "For promote … --require 'p99_us < 500'."),
    ],
    run: run)

  private static func run(_ invocation: Invocation) throws(Failure) -> ExitStatus {
    let options = invocation.options
    guard let path = options.operands.first else {
      throw .usage("no model file is named", hint: "rtinfer bench model model.json rows.csv")
    }
    let sizes = try batchSizes(options)
    let repeats = try options.integer(repeats, in: 1...1_000) ?? 7
    let threads = try options.integer(threads, in: 1...256) ?? 1
    let declared = try declaredModel(path, invocation)
    let model = declared.model
    let record = try RegistryRecord(invocation)
    try record?.check(model, path: path, invocation)
    let decider = try Decider(declared.definition, model: model, schema: declared.schema)
    let rejects = try Rejects(invocation)
    var rows: [Double] = []
    let run = ScoreRun(
      invocation, judges: [Judge(decider: decider, version: declared.version)], rejects: rejects,
      withMargin: false,
      tableSeparator: nil)
    run.onRow = { rows += $0.gathered }
    for source in try invocation.inputs(Array(options.operands.dropFirst())) {
      try run.score(LineReader(source), format: try options.value(ScoreCommand.format) ?? "auto")
    }
    run.progress.finish()
    guard !rows.isEmpty else { throw .badData("there is no row to measure with") }
    var results: [Result] = []
    for size in sizes {
      results.append(
        try measure(model, rows, batch: size, repeats: repeats, threads: threads, invocation))
    }
    var figures: [PeerFigure] = []
    if options.isOn(peers) {
      figures = ModelPeer.measure(
        model,
        path: try DeclaredModel.path(declared.definition, try Project.find(invocation), invocation),
        rows, beside: results.map { $0.own(threads: threads) }, invocation)
    }
    if invocation.terminal.outputIsTerminal, !options.isOn(json) {
      invocation.output.append(table(results, path, model, rows.count / model.inputCount))
      invocation.output.append(ModelPeer.table(figures))
    } else {
      for result in results { append(result, path, model, to: invocation.output) }
      for figure in figures { ModelPeer.append(figure, ("model", path), to: invocation.output) }
    }
    try invocation.output.flush()
    let status = try rejects.finish(total: run.rows)
    if let record, status == .success {
      try record.write(
        metrics(results), source: "bench model", machine: Machine.current(build: "").title,
        invocation)
    }
    return status
  }

  private static func metrics(_ results: [Result]) -> [String: Double] {
    var metrics: [String: Double] = [:]
    for result in results {
      let suffix = result.batch == 1 ? "" : "_of_\(result.batch)"
      metrics["p50_us\(suffix)"] = Double(result.calls.percentile(50) ?? 0) / 1e3
      metrics["p99_us\(suffix)"] = Double(result.calls.percentile(99) ?? 0) / 1e3
      if result.batch > 1 { metrics["us_per_row\(suffix)"] = result.median }
      if let count = result.instructions { metrics["instructions\(suffix)"] = count }
    }
    return metrics
  }

  /// Of a file, or of the project's model of that name where there is no such file.
  private static func declaredModel(
    _ named: String, _ invocation: Invocation
  ) throws(Failure) -> DeclaredModel {
    if !invocation.files.exists(named), let project = try Project.find(invocation),
      let definition = try project.models().first(where: { $0.name == named })
    {
      return try DeclaredModel(definition, project, invocation)
    }
    return try DeclaredModel(ModelDefinition(name: named, uri: named), nil, invocation)
  }

  /// The sizes of calls that a flag lists.
  static func batchSizes(
    _ options: Options, _ flag: Flag = batch, standard: [Int] = [1, 16, 256, 100_000],
    max: Int = .max
  ) throws(Failure) -> [Int] {
    guard let text = try options.value(flag) else { return standard }
    var sizes: [Int] = []
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      guard let size = Int(part), size > 0, size <= max else {
        let bound = max == .max ? "1 or more" : "1 to \(max.grouped)"
        throw .usage(
          "\(options.origin(flag)): '\(part)' is not a size, \(bound)",
          hint: "--batch 1,16,256")
      }
      sizes.append(size)
    }
    return sizes
  }

  // MARK: Measuring

  struct Result {
    let batch: Int
    let rows: Int
    let threads: Int
    /// Microseconds a row, one figure for each repeat, ascending.
    var repeats: [Double] = []
    var calls = LatencyHistogram()
    /// Of a call, on the average; nil where they are not counted.
    var instructions: Double?

    var median: Double { repeats[repeats.count / 2] }

    /// - Parameter threads: that a call may use.
    func own(threads: Int) -> OwnCalls {
      OwnCalls(
        batch: batch, rows: rows, threads: threads, repeats: repeats.count, median: median)
    }

    var figures: CallFigures {
      CallFigures(
        batch: batch, rows: rows, threads: threads, repeats: repeats.count, best: repeats[0],
        median: median, p50: calls.percentile(50) ?? 0, p99: calls.percentile(99) ?? 0)
    }
  }

  /// Judges all rows, `batch` at a time; rows that do not fill a last call are left out.
  static func measure(
    _ model: Model, _ rows: [Double], batch: Int, repeats: Int, threads: Int,
    _ invocation: Invocation
  ) throws(Failure) -> Result {
    let width = model.inputCount
    let batch = min(batch, rows.count / width)
    let calls = rows.count / width / batch
    var result = Result(
      batch: batch, rows: calls * batch, threads: model.threadsUsed(forRows: batch, of: threads))
    var margins = [Double](repeating: 0, count: batch * model.outputCount)
    let clock = invocation.clock
    try rows.withUnsafeBufferPointer { (rows) throws(Failure) in
      try margins.withUnsafeMutableBufferPointer { (margins) throws(Failure) in
        func judge(_ call: Int) throws(Failure) {
          try model.margins(
            UnsafeBufferPointer(rebasing: rows[(call * batch * width)...]), rowCount: batch,
            into: margins, threads: threads)
        }
        for pass in 0...repeats {
          let start = clock.monotonicNanoseconds()
          var before = start
          for call in 0..<calls {
            try judge(call)
            let now = clock.monotonicNanoseconds()
            if pass > 0 { result.calls.record(now - before) }
            before = now
          }
          // The first pass only warms up.
          if pass > 0 {
            result.repeats.append(Double(before - start) / 1e3 / Double(calls * batch))
          }
        }
        result.instructions = try InstructionCount.ofEach(calls, counting: invocation.counting) {
          (call) throws(Failure) in try judge(call)
        }
      }
    }
    result.repeats.sort()
    return result
  }

  // MARK: Printing

  /// What both tables and both kinds of record have.
  struct CallFigures {
    let batch: Int
    let rows: Int
    let threads: Int
    let repeats: Int
    /// Microseconds a row.
    let best: Double
    let median: Double
    /// Nanoseconds of a call.
    let p50: UInt64
    let p99: UInt64

    static let header = "  best us/row  median us/row   call p50 us   call p99 us"

    /// Under the header.
    var cells: String {
      let figures = [
        best.fixed(3), median.fixed(3), (Double(p50) / 1e3).fixed(1), (Double(p99) / 1e3).fixed(1),
      ]
      return figures.map { " " + $0.leftPadded(13) }.joined()
    }

    /// As members of a record.
    func append(to output: OutputBuffer) {
      for (name, count) in [
        ("batch", batch), ("rows", rows), ("threads", threads), ("repeats", repeats),
      ] {
        output.append(",\"\(name)\":")
        output.append(Int64(count))
      }
      output.append(",\"best_us_per_row\":")
      output.append(best)
      output.append(",\"median_us_per_row\":")
      output.append(median)
      output.append(",\"call_p50_us\":")
      output.appendMicroseconds(nanoseconds: p50)
      output.append(",\"call_p99_us\":")
      output.appendMicroseconds(nanoseconds: p99)
    }
  }

  private static func append(
    _ result: Result, _ path: String, _ model: Model, to output: OutputBuffer
  ) {
    let choice = model.kernel(forRows: result.batch)
    output.append("{\"kind\":\"summary\",\"what\":\"model\",\"model\":")
    output.appendQuoted(path)
    output.append(",\"format\":")
    output.appendQuoted(model.format)
    output.append(",\"trees\":")
    output.append(Int64(model.treeCount))
    output.append(",\"inputs\":")
    output.append(Int64(model.inputCount))
    result.figures.append(to: output)
    InstructionCount.append(result.instructions, to: output)
    output.append(",\"kernel\":")
    output.appendQuoted(choice.name)
    output.append(",\"why\":")
    output.appendQuoted(choice.why)
    output.append("}\n")
  }

  private static func table(
    _ results: [Result], _ path: String, _ model: Model, _ rows: Int
  ) -> String {
    let isCounted = results.contains { $0.instructions != nil }
    var text =
      "\(path): \(model.format), \(model.treeCount.grouped) trees of depth \(model.depth) at most,"
      + " \(model.inputCount) inputs; \(rows.grouped) rows\n\n"
      + "  batch   threads   \(CallFigures.header)\(isCounted ? InstructionCount.header : "")  kernel\n"
    var reasons: [(name: String, why: String)] = []
    for result in results {
      let choice = model.kernel(forRows: result.batch)
      if !reasons.contains(where: { $0.name == choice.name }) { reasons.append(choice) }
      text += "  \(Help.padded(result.batch.grouped, 8))"
      text += "\(result.threads)".leftPadded(9) + result.figures.cells
      if isCounted { text += InstructionCount.cell(result.instructions) }
      text += "  \(choice.name)\n"
    }
    text += "\n"
    for reason in reasons { text += "  \(reason.name): \(reason.why)\n" }
    return text + InstructionCount.lack
  }
}
