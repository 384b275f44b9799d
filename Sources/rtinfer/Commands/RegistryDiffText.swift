// How differences between versions are printed.

import Core
import Measure

enum RegistryDiffText {
  /// As a record of kind `difference`.
  static func append(
    _ difference: RegistryDiff.Difference, _ model: String, _ numbers: (from: Int, to: Int),
    to output: OutputBuffer
  ) {
    output.append("{\"kind\":\"difference\",\"model\":")
    output.appendQuoted(model)
    output.append(",\"versions\":[")
    output.append(Int64(numbers.from))
    output.append(",")
    output.append(Int64(numbers.to))
    output.append("],\"what\":\"")
    output.append(difference.what)
    output.append("\",\"name\":")
    output.appendQuoted(difference.name)
    if let machine = difference.machine {
      output.append(",\"machine\":")
      output.appendQuoted(machine)
    }
    output.append(",\"from\":")
    append(difference.from, to: output)
    output.append(",\"to\":")
    append(difference.to, to: output)
    if case .number(let old)? = difference.from, case .number(let new)? = difference.to {
      output.append(",\"change\":")
      output.append(new - old)
    }
    output.append("}")
  }

  private static func append(
    _ value: RegistryDiff.Difference.Value?, to output: OutputBuffer
  ) {
    switch value {
    case .number(let number): output.append(number)
    case .text(let text): output.appendQuoted(text)
    case nil: output.append("null")
    }
  }

  // MARK: The table

  /// Texts such as digests and rules are cut to this.
  private static let textMax = 32

  static func table(_ differences: [RegistryDiff.Difference], _ title: String) -> String {
    guard !differences.isEmpty else { return "\(title): nothing differs\n" }
    var rows = [["what", "name", "from", "to", "change"]]
    for difference in differences {
      rows.append([
        difference.what.description,
        difference.machine.map { "\(difference.name) (\($0))" } ?? difference.name,
        shown(difference.from), shown(difference.to), change(difference),
      ])
    }
    let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max()! }
    var text = "\(title)\n"
    for row in rows {
      var line = "  \(Help.padded(row[0], widths[0]))  \(Help.padded(row[1], widths[1]))"
      for column in 2..<row.count { line += "  \(row[column].leftPadded(widths[column]))" }
      while line.last == " " { line.removeLast() }
      text += "\(line)\n"
    }
    return text
  }

  private static func shown(_ value: RegistryDiff.Difference.Value?) -> String {
    switch value {
    case .number(let number): RegistryTable.shown(number)
    case .text(let text): text.count > textMax ? "\(text.prefix(textMax - 1))…" : text
    case nil: "–"
    }
  }

  private static func change(_ difference: RegistryDiff.Difference) -> String {
    guard case .number(let old)? = difference.from, case .number(let new)? = difference.to else {
      return ""
    }
    return (new > old ? "+" : "") + RegistryTable.shown(new - old)
  }
}
