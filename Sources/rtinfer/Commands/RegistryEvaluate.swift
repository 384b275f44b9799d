// registry evaluate: how good a version is on rows whose outcome is known.

import Core
import Decisions
import Measure
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
      classifier with two classes: auc, log_loss, brier, bias (the mean score less the share of yes), ece \
      (calibration error over ten bins), and precision and \
      recall from each threshold on (precision_at_0_5); labels are 0 and 1, false and true, or the project's \
      labels. Of more classes: accuracy, log_loss, brier, macro_f1, and auc, the mean of each class against all \
      others; labels are classes from 0 or the project's labels. Of a regression: rmse, mae and bias (the mean error). Each has its 95 % interval as NAME_low and NAME_high; \
      rows is how many there were. Of scores that are no probabilities (margins) there is only \
      auc (accuracy of more classes). All of it is written to the log as the version's metrics, so that promote \
      --require can ask for it; what was known of these figures before and is not measured now is forgotten. Rows without an outcome are left out; a row that cannot be decided is an error.
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
    let width = declared.model.scoreCount
    guard scores.count == outcomes.count * width else {
      throw .badData(
        "\(path): \(scores.count / width) rows can be decided, \(outcomes.count) can be read")
    }
    let known = outcomes.indices.filter { outcomes[$0] != nil }
    guard !known.isEmpty else { throw .badData("\(path): no row has a '\(label)'") }
    if known.count < outcomes.count {
      let count = (outcomes.count - known.count).grouped
      invocation.messages.note("\(count) rows without a '\(label)' are left out")
    }
    let metrics = try EvaluationMetrics(
      AnswerKind(declared.model),
      scores: known.flatMap { scores[($0 * width)..<($0 * width + width)] },
      width: width, outcomes: known.map { outcomes[$0]! }
    ).measured(thresholds: try thresholds(options))
    let writer = try RegistryFlags.writer(invocation)
    try invocation.write(
      try writer.measure(
        model: operands[0], version: number, metrics: metrics, source: path,
        replacing: EvaluationMetrics.isName, author: try RegistryFlags.author(invocation)))
    return .success
  }

  static func thresholds(
    _ options: Options
  ) throws(Failure) -> [(text: String, value: Double)] {
    var found: [(text: String, value: Double)] = []
    for text in (try options.value(thresholds) ?? "0.5").split(separator: ",") {
      guard let threshold = Double(text), (0...1).contains(threshold) else {
        throw .usage("\(options.origin(thresholds)): '\(text)' is not a score from 0 to 1")
      }
      found.append((String(text), threshold))
    }
    return found
  }

  /// The scores of each row of the file, row after row.
  private static func scores(
    _ declared: DeclaredModel, _ path: String, _ invocation: Invocation
  ) throws(Failure) -> [Double] {
    let model = declared.model
    guard model.scoreCount == 1 || model.choosesAClass else {
      throw .usage(
        "evaluate measures a class or a number; this model has \(model.scoreCount) targets")
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
      scores += margins[..<model.scoreCount]
    }
    try run.score(LineReader(try DescriptorSource.file(path)), format: "auto")
    run.progress.finish()
    guard try rejects.finish(total: run.rows) == .success, rejects.count == 0 else {
      throw .badData("\(path): \(rejects.count.grouped) rows cannot be decided")
    }
    return scores
  }
}

extension AnswerKind {
  init(_ model: Model) {
    if !model.isClassifier {
      self = .number
    } else if model.classCount == 2, model.scoreCount <= 2 {
      self = .yesOrNo
    } else {
      self = .classes(model.classCount)
    }
  }
}
