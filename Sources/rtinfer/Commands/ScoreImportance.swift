// `score --importance`: what the model's own file says of its inputs. A table for people, a line of
// JSON for each input on a pipe. Of an ensemble each file says its own, since libraries measure in
// ways that cannot be added.

import Core
import Decisions
import Measure
import Models

enum ScoreImportance {
  static func run(
    _ invocation: Invocation, _ project: Project?,
    _ models: [(definition: ModelDefinition, path: String)]
  ) throws(Failure) -> ExitStatus {
    if let first = invocation.options.operands.first {
      throw .usage(
        "--importance reads no rows, but '\(first)' is named",
        hint: "it is all in the model's file: rtinfer score --model model.json --importance")
    }
    let scoring =
      [
        ScoreCommand.format, ScoreCommand.to, ScoreCommand.margin, ScoreCommand.contributions,
        ScoreCommand.explain, ScoreCommand.summary,
      ] + CommonFlags.records
    if let flag = scoring.first(where: invocation.options.isTyped) {
      throw .usage("--importance reads no rows, but --\(flag.name) is given")
    }
    let asTable = invocation.terminal.outputIsTerminal
    var texts = 0
    for (definition, path) in models {
      let declared = try DeclaredModel(
        definition, definition.isDeclared ? project : nil, invocation,
        options: ModelOptions(iterations: .all))
      var parts = [Part(model: definition.name, file: nil, declared.model, source: path)]
      if !declared.model.members.isEmpty {
        parts = declared.model.members.map { member in
          Part(
            model: definition.name, file: member.name, member.model,
            source: "\(path): \(member.name)")
        }
      }
      for part in parts {
        if asTable, texts > 0 { invocation.output.append("\n") }
        texts += 1
        try append(part, asTable: asTable, to: invocation.output)
      }
    }
    try invocation.output.flush()
    return .success
  }

  /// What has an importance of its own: a model, or one file of an ensemble.
  private struct Part {
    let name: String
    /// Nil where the model is one file.
    let file: String?
    let model: Model
    /// For messages.
    let source: String

    init(model name: String, file: String?, _ model: Model, source: String) {
      (self.name, self.file, self.model, self.source) = (name, file, model, source)
    }
  }

  /// Appends the importance of one model's inputs.
  private static func append(
    _ part: Part, asTable: Bool, to output: OutputBuffer
  ) throws(Failure) {
    let model = part.model
    let importance = try model.importance(source: part.source)
    let names =
      model.inputNames.isEmpty ? (0..<model.inputCount).map { "f\($0)" } : model.inputNames
    guard asTable else { return appendRecords(importance, part, names, to: output) }
    let title = part.file.map { "\(part.name): \($0)" } ?? part.name
    output.append(table(importance, title: title, names))
  }

  private static func appendRecords(
    _ importance: Importance, _ part: Part, _ names: [String], to output: OutputBuffer
  ) {
    for input in importance.order {
      output.append("{\"kind\":\"importance\",\"model\":")
      output.appendQuoted(part.name)
      if let file = part.file {
        output.append(",\"file\":")
        output.appendQuoted(file)
      }
      output.append(",\"input\":")
      output.appendQuoted(names[input])
      for measure in importance.measures {
        output.append(",\"\(measure.name)\":")
        let value = measure.values[input]
        if measure.isCount {
          output.append(Int64(value))
        } else if part.model.precision == .float32 {
          output.append(Float(value))
        } else {
          output.append(value)
        }
      }
      output.append("}\n")
    }
  }

  /// Names to the left, measures to the right, in columns as wide as they need.
  static func table(_ importance: Importance, title: String, _ names: [String]) -> String {
    var columns = [["input"] + importance.order.map { names[$0] }]
    for measure in importance.measures {
      let cells = importance.order.map { measure.values[$0].fixed(measure.isCount ? 0 : 4) }
      columns.append([measure.name] + cells)
    }
    let widths = columns.map { column in column.map(\.count).max() ?? 0 }
    var text = title + "\n"
    for row in columns[0].indices {
      text += "  " + Help.padded(columns[0][row], widths[0])
      for column in columns.indices.dropFirst() {
        text += "  " + columns[column][row].leftPadded(widths[column])
      }
      text += "\n"
    }
    return text
  }
}
