// registry evaluate: how good a version is on rows whose outcome is known.

import Core
import Decisions
import Models

enum RegistryEvaluate {
  static let rows = Flag("rows", .file, "Labelled rows, a table or NDJSON")
  static let label = Flag("label", .text("NAME"), "The member or column with what turned out")
  static let thresholds = Flag(
    "thresholds", .text("T,…"), "Scores from which on precision and recall are asked",
    default: "0.5")

  static let command = Command(
    name: "registry evaluate",
    summary: "Measure a version on labelled rows, for gates",
    story: """
      Decides the rows as score would, by the version's own inputs, and compares with what turned out. Of a \
      classifier with two classes: auc, log_loss, brier, ece (calibration error over ten bins), and precision and \
      recall from each threshold on (precision_at_0_5); labels are 0 and 1, false and true, or the project's \
      labels. Of a regression: rmse and mae. Each has its 95 % interval as NAME_low and NAME_high, ece has none; \
      rows is how many there were. Of scores that are no probabilities (margins) there is only \
      auc. All of it is written to the log as the version's metrics, so that promote \
      --require can ask for it. Rows without an outcome are left out; a row that cannot be decided is an error.
      """,
    operands: .files,
    flags: [rows, label, thresholds] + CommonFlags.records + RegistryFlags.changes,
    examples: [
      .init(
        "rtinfer registry evaluate late_arrival latest --rows june.csv --label late",
        "Then: promote … --require 'auc_low > 0.7'.")
    ],
    run: run)

  private static func run(_ invocation: Invocation) throws(Failure) -> ExitStatus {
    let operands = try RegistryFlags.operands(invocation, ["NAME", "VERSION"])
    let options = invocation.options
    guard let path = try options.value(rows), let label = try options.value(label) else {
      throw .usage("--rows and --label are needed", hint: command.examples[0].line)
    }
    let state = try RegistryFlags.view(invocation).state()
    let number = try RegistryFlags.version(operands[1], of: operands[0], state).number
    let uri = ModelURI(model: operands[0], .version(number)).description
    let declared = try DeclaredModel(
      ModelDefinition(name: uri, uri: uri), nil, invocation)
    let scores = try scores(declared, path, invocation)
    let outcomes = try LabelledRows.labels(label, path, declared.definition.labels)
    guard scores.count == outcomes.count else {
      throw .badData("\(path): \(scores.count) rows can be decided, \(outcomes.count) can be read")
    }
    let known = outcomes.indices.filter { outcomes[$0] != nil }
    guard !known.isEmpty else { throw .badData("\(path): no row has a '\(label)'") }
    if known.count < outcomes.count {
      let count = (outcomes.count - known.count).grouped
      invocation.messages.note("\(count) rows without a '\(label)' are left out")
    }
    let metrics = try measure(
      declared.model, known.map { scores[$0] }, known.map { outcomes[$0]! }, options)
    let writer = try RegistryFlags.writer(invocation)
    try invocation.write(
      try writer.measure(
        model: operands[0], version: number, metrics: metrics, source: path,
        author: try RegistryFlags.author(invocation)))
    return .success
  }

  /// One score for each row of the file.
  private static func scores(
    _ declared: DeclaredModel, _ path: String, _ invocation: Invocation
  ) throws(Failure) -> [Double] {
    let model = declared.model
    guard model.scoreCount == 1 || model.classCount == 2 else {
      throw .usage(
        "evaluate measures a yes or no, or a number; this model has \(model.scoreCount) scores")
    }
    let rejects = try Rejects(invocation)
    var scores: [Double] = []
    let run = ScoreRun(
      invocation, judges: [try Judge(declared)], rejects: rejects, withMargin: false,
      tableSeparator: nil)
    var margins = [Double](repeating: 0, count: model.outputCount)
    run.onRow = { decider in
      margins.withUnsafeMutableBufferPointer {
        model.margins(decider.gathered, rowCount: 1, into: $0)
        model.transform($0)
      }
      scores.append(margins[model.scoreCount == 2 ? 1 : 0])
    }
    try run.score(LineReader(try DescriptorSource.file(path)), format: "auto")
    run.progress.finish()
    guard try rejects.finish(total: run.rows) == .success, rejects.count == 0 else {
      throw .badData("\(path): \(rejects.count.grouped) rows cannot be decided")
    }
    return scores
  }

  private static func measure(
    _ model: Model, _ scores: [Double], _ outcomes: [Double], _ options: Options
  ) throws(Failure) -> [String: Double] {
    var metrics = ["rows": Double(scores.count)]
    func set(_ name: String, _ estimate: Estimate?) {
      guard let estimate else { return }
      metrics[name] = estimate.value
      metrics["\(name)_low"] = estimate.low
      metrics["\(name)_high"] = estimate.high
    }
    guard model.isClassifier, model.classCount == 2 else {
      let measured = RegressionMetrics(predictions: scores, outcomes: outcomes)
      set("rmse", measured.rmse)
      set("mae", measured.mae)
      return metrics
    }
    guard outcomes.allSatisfy({ $0 == 0 || $0 == 1 }) else {
      let odd = outcomes.first { $0 != 0 && $0 != 1 }!
      throw .badData("\(odd) is not an outcome of a yes or no (0 or 1, false or true, or a label)")
    }
    let measured = ClassificationMetrics(scores: scores, outcomes: outcomes.map { $0 == 1 })
    set("auc", measured.auc)
    // Of margins only the order means something.
    guard scores.allSatisfy({ (0...1).contains($0) }) else { return metrics }
    set("log_loss", measured.logLoss)
    set("brier", measured.brier)
    set("ece", measured.calibrationError())
    for text in (try options.value(thresholds) ?? "0.5").split(separator: ",") {
      guard let threshold = Double(text), (0...1).contains(threshold) else {
        throw .usage("\(options.origin(thresholds)): '\(text)' is not a score from 0 to 1")
      }
      let name = String(text.map { $0 == "." || $0 == "-" ? "_" : $0 })
      set("precision_at_\(name)", measured.precision(at: threshold))
      set("recall_at_\(name)", measured.recall(at: threshold))
    }
    return metrics
  }
}

/// What turned out, by row.
enum LabelledRows {
  /// One value for each row, nil where it has none.
  ///
  /// - Parameter names: what classes are called; a text is one of them.
  static func labels(
    _ member: String, _ path: String, _ names: [String]
  ) throws(Failure) -> [Double?] {
    let reader = LineReader(try DescriptorSource.file(path))
    let isTable = [".csv", ".tsv"].contains { path.hasSuffix($0) }
    let first = isTable ? nil : try reader.peekByte()
    if first == UInt8(ascii: "{") { return try ofRecords(reader, member, names) }
    return try ofTable(
      CSVReader(reader, separator: UInt8(ascii: path.hasSuffix(".tsv") ? "\t" : ",")), member, names
    )
  }

  private static func ofTable(
    _ table: CSVReader, _ member: String, _ names: [String]
  ) throws(Failure) -> [Double?] {
    guard case .success(let header)? = try table.next() else { return [] }
    let columns = header.cells.map { $0.trimmed.string }
    guard let column = columns.firstIndex(of: member) else {
      throw .badData(
        "\(table.sourceName): no column '\(member)'",
        hint: Spelling.nearest(member, among: columns).map { "did you mean '\($0)'?" })
    }
    var labels: [Double?] = []
    while case .success(let row)? = try table.next() {
      labels.append(
        try value(row.cells[column].trimmed, names, "\(table.sourceName):\(row.line)"))
    }
    return labels
  }

  private static func ofRecords(
    _ reader: LineReader, _ member: String, _ names: [String]
  ) throws(Failure) -> [Double?] {
    var labels: [Double?] = []
    var isKnown = false
    while let line = try reader.next() {
      let place = "\(reader.source.name):\(line.number)"
      var text = Bytes.empty
      do throws(JSONError) {
        if let raw = try find(member, in: line.bytes) {
          isKnown = true
          if raw.kind != .null { text = raw.bytes }
        }
      } catch {
        throw .badData("\(place): \(error.description)")
      }
      labels.append(try value(text, names, place))
    }
    guard isKnown || labels.isEmpty else {
      throw .badData("\(reader.source.name): no row has a member '\(member)'")
    }
    return labels
  }

  /// A member of the row, or of the request in a features record.
  private static func find(_ member: String, in line: Bytes) throws(JSONError) -> JSONRaw? {
    var cursor = JSONCursor(line)
    try cursor.beginObject()
    var first = true
    var inner: JSONRaw?
    while let key = try cursor.nextKey(first: &first) {
      let raw = try cursor.rawValue()
      if key.bytes == member { return raw }
      if key.bytes == "request", raw.kind == .object { inner = try find(member, in: raw.bytes) }
    }
    return inner
  }

  private static func value(
    _ text: Bytes, _ names: [String], _ place: String
  ) throws(Failure) -> Double? {
    if text.isEmpty { return nil }
    if let number = JSONNumber.double(text) { return number }
    let word = text.string
    if let index = names.firstIndex(of: word) { return Double(index) }
    if word == "true" || word == "True" { return 1 }
    if word == "false" || word == "False" { return 0 }
    throw .badData(
      "\(place): '\(word)' is no outcome: a number, true or false"
        + (names.isEmpty ? "" : ", or one of \(names.joined(separator: ", "))"))
  }
}
