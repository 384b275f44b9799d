// What was found, for programs (a verdict a line) and for people (a table).

public import Core

extension DriftReport {
  // MARK: Records

  /// A verdict for each column, and one for the whole at the end.
  public func appendVerdicts(to output: OutputBuffer) {
    for column in columns {
      column.append(to: output, rules)
      output.append("\n")
    }
    output.append("{\"kind\":\"verdict\",\"clause\":\"drift\",\"verdict\":")
    output.appendQuoted(verdict.rawValue)
    let counts: [(String, Int64)] = [
      ("reference_n", referenceRecords), ("n", currentRecords), ("columns", Int64(columns.count)),
      ("drifted", Int64(columns.filter { $0.verdict == .drift }.count)),
      ("watched", Int64(columns.filter { $0.verdict == .watch }.count)),
      ("insufficient", Int64(columns.filter { $0.verdict == .insufficient }.count)),
    ]
    for (name, count) in counts {
      output.append(",\"\(name)\":")
      output.append(count)
    }
    if let currentSpan {
      output.append(",\"since\":")
      output.appendQuoted(currentSpan.since)
      output.append(",\"until\":")
      output.appendQuoted(currentSpan.until)
    }
    output.append(",\"why\":")
    output.appendQuoted(why)
    output.append("}\n")
  }

  // MARK: Table

  public func table() -> String {
    var text = "\(verdict.rawValue): \(why)\n"
    text += "\(currentRecords.grouped) records\(DriftReport.shown(currentSpan)) against "
    text += "\(referenceRecords.grouped)\(DriftReport.shown(referenceSpan))\n\n"
    let rows =
      [["column", "type", "verdict", "psi", "ks", "p", "reference", "current", "why"]]
      + sorted.map(row)
    let widths = (0..<8).map { column in rows.reduce(0) { max($0, $1[column].count) } }
    for row in rows {
      var line = ""
      for (index, cell) in row.enumerated() {
        guard index < 8 else {
          line += cell
          continue
        }
        let padding = String(repeating: " ", count: widths[index] - cell.count)
        line += (index < 3 ? cell + padding : padding + cell) + "  "
      }
      while line.last == " " { line.removeLast() }
      text += line + "\n"
    }
    return text
  }

  private func row(_ column: ColumnComparison) -> [String] {
    func shown(_ value: Double?) -> String { value.map(\.short) ?? "-" }
    return [
      column.name, column.type, column.verdict.rawValue, shown(column.measures[.psi]),
      shown(column.measures[.ks]), shown(column.adjustedP),
      shown(column.referenceMoments.flatMap { $0.count > 0 ? $0.mean : nil }),
      shown(column.currentMoments.flatMap { $0.count > 0 ? $0.mean : nil }), column.why,
    ]
  }

  static func shown(_ span: (since: Timestamp, until: Timestamp)?) -> String {
    guard let span else { return "" }
    return " (\(text(span.since)) to \(text(span.until)))"
  }

  static func text(_ time: Timestamp) -> String {
    let output = OutputBuffer(MemorySink())
    output.append(time)
    return output.pending.string
  }

  // MARK: JUnit

  /// A test suite with a case for each column: drift fails, too little data is skipped.
  public func junit() -> String {
    let failures = columns.filter { $0.verdict == .drift }.count
    let skipped = columns.filter { $0.verdict == .insufficient }.count
    var text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
    text +=
      "<testsuite name=\"drift\" tests=\"\(columns.count)\" failures=\"\(failures)\""
      + " skipped=\"\(skipped)\">\n"
    for column in columns {
      text += "  <testcase classname=\"drift\" name=\"\(column.name.escapedXML)\""
      switch column.verdict {
      case .drift: text += "><failure message=\"\(column.why.escapedXML)\"/></testcase>\n"
      case .insufficient: text += "><skipped message=\"\(column.why.escapedXML)\"/></testcase>\n"
      case .ok, .watch:
        text +=
          column.why.isEmpty
          ? "/>\n" : "><system-out>\(column.why.escapedXML)</system-out></testcase>\n"
      }
    }
    return text + "</testsuite>\n"
  }
}

extension Int64 {
  var grouped: String { Int(self).grouped }
}

extension String {
  /// With what XML and HTML give a meaning to replaced, and control characters left out.
  public var escapedXML: String {
    var result = ""
    for scalar in unicodeScalars {
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      default: if scalar.value >= 0x20 || scalar == "\n" { result.unicodeScalars.append(scalar) }
      }
    }
    return result
  }
}

extension ColumnComparison {
  func append(to output: OutputBuffer, _ rules: DriftRules) {
    output.append("{\"kind\":\"verdict\",\"clause\":")
    output.appendQuoted("drift(\(name))")
    text("column", name)
    text("type", type)
    text("verdict", verdict.rawValue)
    output.append(",\"reference_n\":")
    output.append(referenceCount)
    output.append(",\"n\":")
    output.append(currentCount)
    if let effect {
      text("measure", rules.measure.rawValue)
      number("value", effect)
      number("bound", rules.driftAt)
    }
    number("p", p)
    number("p_adjusted", adjustedP)
    for measure in DriftMeasure.allCases { number(measure.rawValue, measures[measure]) }
    number("wasserstein_distance", wasserstein)
    number("chi2", chiSquared?.statistic)
    number("chi2_p", chiSquared?.p)
    number("ks_p", kolmogorovSmirnov?.p)
    number("cvm_p", cramerVonMises?.p)
    number("reference_mean", referenceMoments.flatMap { $0.count > 0 ? $0.mean : nil })
    number("mean", currentMoments.flatMap { $0.count > 0 ? $0.mean : nil })
    number("reference_missing", referenceMissing)
    number("missing", currentMissing)
    appendWorst(to: output)
    if !findings.isEmpty {
      output.append(",\"findings\":[")
      for (index, finding) in findings.enumerated() {
        output.append(index > 0 ? ",{\"code\":" : "{\"code\":")
        output.appendQuoted(finding.code.rawValue)
        text("verdict", finding.verdict.rawValue)
        text("why", finding.why)
        output.append("}")
      }
      output.append("]")
    }
    text("why", why)
    output.append("}")

    func text(_ name: String, _ value: String) {
      output.append(",\"\(name)\":")
      output.appendQuoted(value)
    }
    func number(_ name: String, _ value: Double?) {
      guard let value else { return }
      output.append(",\"\(name)\":")
      output.append(value)
    }
  }

  private func appendWorst(to output: OutputBuffer) {
    guard let worst else { return }
    output.append(",\"worst\":{\"bin\":")
    output.appendQuoted(worst.name)
    output.append(",\"reference\":")
    output.append(worst.reference / referenceBinned)
    output.append(",\"current\":")
    output.append(worst.current / currentBinned)
    output.append("}")
  }
}
