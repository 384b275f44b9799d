// The decision as a row of a table (CSV or TSV, RFC 4180), for people who keep rows in tables. The columns are fixed
// by the model before the first row, so the table is one of one model:
//
//     id,time,score,label,decision,distance,origin_traffic__mean_delay_1h
//     UA1,2013-01-05T10:15:00Z,0.72,late,rebook,719,12.5

public import Core
import Models

extension Decider {
  /// The columns of `appendRow`: several outputs are numbered, inputs are named as columns of a training set are.
  public func columns(withMargin: Bool) -> [String] {
    func numbered(_ name: String, _ count: Int) -> [String] {
      count == 1 ? [name] : (0..<count).map { "\(name)_\($0)" }
    }
    var columns = ["id", "time"] + numbered("score", model.scoreCount)
    if withMargin { columns += numbered("margin", model.outputCount) }
    if !labels.isEmpty { columns.append("label") }
    if !decisions.isEmpty { columns.append("decision") }
    // An input may have the name of a column of ours.
    return columns
      + inputNames.map(FeatureName.column).map { columns.contains($0) ? "input__\($0)" : $0 }
  }

  /// Appends the last decision without a line end; what is missing is an empty cell.
  public func appendRow(on output: OutputBuffer, separator: UInt8, withMargin: Bool) {
    output.appendCell(scalars[marks.idSlot], separator: separator)
    output.append(separator)
    output.appendCell(scalars[marks.timeSlot], separator: separator)
    append(decision.scores, separator, to: output)
    if withMargin { append(decision.margins, separator, to: output) }
    if !labels.isEmpty {
      output.append(separator)
      if let label = decision.label, labels.indices.contains(label) {
        appendCell(labels[label], separator, to: output)
      }
    }
    if !decisions.isEmpty {
      output.append(separator)
      if let rule = decision.rule { appendCell(decisions[rule], separator, to: output) }
    }
    for value in decision.inputs {
      output.append(separator)
      output.appendCell(Decider.written(value), separator: separator)
    }
  }

  private func append(_ values: [Double], _ separator: UInt8, to output: OutputBuffer) {
    for value in values {
      output.append(separator)
      append(value, to: output)
    }
  }

  private func appendCell(_ text: String, _ separator: UInt8, to output: OutputBuffer) {
    var text = text
    text.withUTF8 { output.appendCell(Bytes($0), separator: separator) }
  }
}
