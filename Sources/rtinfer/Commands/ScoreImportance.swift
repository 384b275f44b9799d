// `score --importance`: what the model's own file says of its inputs. A table for people, a line of
// JSON for each input on a pipe.

import Core
import Decisions
import Measure
import Models

enum ScoreImportance {
  static func run(
    _ invocation: Invocation, _ models: [(definition: ModelDefinition, path: String)]
  ) throws(Failure) -> ExitStatus {
    if let first = invocation.options.operands.first {
      throw .usage(
        "--importance reads no rows, but '\(first)' is named",
        hint: "it is all in the model's file: rtinfer score --model model.json --importance")
    }
    let asTable = invocation.terminal.outputIsTerminal
    for (index, (definition, path)) in models.enumerated() {
      let model = try DeclaredModel.load(
        path, invocation.files, options: ModelOptions(iterations: .all))
      if asTable, index > 0 { invocation.output.append("\n") }
      append(
        try model.importance(source: path), of: model, name: definition.name, asTable: asTable,
        to: invocation.output)
    }
    try invocation.output.flush()
    return .success
  }

  /// Appends the importance of one model's inputs.
  private static func append(
    _ importance: Importance, of model: Model, name: String, asTable: Bool, to output: OutputBuffer
  ) {
    let names =
      model.inputNames.isEmpty ? (0..<model.inputCount).map { "f\($0)" } : model.inputNames
    guard asTable else { return appendRecords(importance, model, name, names, to: output) }
    output.append(table(importance, title: name, names))
  }

  private static func appendRecords(
    _ importance: Importance, _ model: Model, _ name: String, _ names: [String],
    to output: OutputBuffer
  ) {
    for input in importance.order {
      output.append("{\"kind\":\"importance\",\"model\":")
      output.appendQuoted(name)
      output.append(",\"input\":")
      output.appendQuoted(names[input])
      for measure in importance.measures {
        output.append(",\"\(measure.name)\":")
        let value = measure.values[input]
        if measure.isCount {
          output.append(Int64(value))
        } else if model.precision == .float32 {
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
