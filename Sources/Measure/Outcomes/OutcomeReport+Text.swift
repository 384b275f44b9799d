// What was found, for programs (a verdict a line) and for people (a table).

public import Core

extension OutcomeReport {
  // MARK: Records

  /// A verdict for each cohort, and one for the whole at the end.
  public func appendVerdicts(to output: OutputBuffer) {
    for cohort in cohorts {
      output.append("{\"kind\":\"verdict\",\"clause\":")
      output.appendQuoted("outcomes(\(DriftReport.text(cohort.start)))")
      output.append(",\"verdict\":")
      output.appendQuoted(cohort.verdict.rawValue)
      append(cohort, to: output)
      output.append(",\"metrics\":{")
      for (index, name) in cohort.metrics.keys.sorted().enumerated() {
        output.append(index > 0 ? ",\"\(name)\":" : "\"\(name)\":")
        output.append(cohort.metrics[name]!)
      }
      output.append("},\"why\":")
      output.appendQuoted(cohort.why)
      output.append("}\n")
    }
    output.append("{\"kind\":\"verdict\",\"clause\":\"outcomes\",\"verdict\":")
    output.appendQuoted(verdict.rawValue)
    output.append(",\"measure\":")
    output.appendQuoted(rules.measure.rawValue)
    output.append(",\"reference\":")
    output.appendQuoted(referenceName)
    number("reference_value", referenceMetrics[rules.measure.rawValue], to: output)
    number("value", judged?.metrics[rules.measure.rawValue], to: output)
    number("bound", rules.bound, to: output)
    if let judged { append(judged, to: output) }
    output.append(",\"n\":")
    output.append(Int64(judged?.labelled ?? 0))
    output.append(",\"new_labels\":")
    output.append(Int64(newLabels))
    output.append(",\"why\":")
    output.appendQuoted(why)
    output.append("}\n")
  }

  private func append(_ cohort: OutcomeCohort, to output: OutputBuffer) {
    output.append(",\"since\":")
    output.appendQuoted(cohort.start)
    output.append(",\"until\":")
    output.appendQuoted(cohort.end)
    for (name, count) in [
      ("decisions", cohort.decisions), ("matured", cohort.matured), ("labelled", cohort.labelled),
    ] {
      output.append(",\"\(name)\":")
      output.append(Int64(count))
    }
    number("coverage", cohort.coverage, to: output)
    for measure in OutcomeMeasure.allCases {
      guard let change = cohort.changes[measure] else { continue }
      number(measure.changeName, change.value, to: output)
      number("\(measure.changeName)_low", change.low, to: output)
      number("\(measure.changeName)_high", change.high, to: output)
    }
  }

  private func number(_ name: String, _ value: Double?, to output: OutputBuffer) {
    guard let value else { return }
    output.append(",\"\(name)\":")
    output.append(value)
  }

  // MARK: Table

  /// The metrics that are shown, of those that there are.
  private var shown: [String] {
    let known = Set(cohorts.flatMap(\.metrics.keys))
    let thresholds = rules.thresholds.flatMap { threshold in
      let name = String(threshold.text.map { $0 == "." || $0 == "-" ? "_" : $0 })
      return ["precision_at_\(name)", "recall_at_\(name)"]
    }
    return
      (["auc", "accuracy", "log_loss", "rmse", "mae", "bias", "ece", "macro_f1"] + thresholds)
      .filter(known.contains)
  }

  public func table() -> String {
    var text = "\(verdict.rawValue): \(why)\n"
    if !referenceName.isEmpty { text += "reference: \(referenceName)\n" }
    let names = shown
    let rows =
      [["since", "decisions", "coverage"] + names + ["verdict", "why"]]
      + cohorts.map { cohort in
        [
          DriftReport.text(cohort.start), cohort.decisions.grouped,
          cohort.coverage.map(\.percent) ?? "-",
        ] + names.map { OutcomeReport.shown($0, cohort.metrics) } + [
          cohort.verdict.rawValue, cohort.why,
        ]
      }
    let last = names.count + 4
    let widths = (0..<last).map { column in rows.reduce(0) { max($0, $1[column].count) } }
    text += "\n"
    for row in rows {
      var line = ""
      for (index, cell) in row.enumerated() {
        let padding =
          index < last ? String(repeating: " ", count: widths[index] - cell.count) : ""
        line += (index == 0 || index >= last - 1 ? cell + padding : padding + cell) + "  "
      }
      while line.last == " " { line.removeLast() }
      text += line + "\n"
    }
    return text
  }

  private static func shown(_ name: String, _ metrics: [String: Double]) -> String {
    guard let value = metrics[name] else { return "-" }
    guard let low = metrics["\(name)_low"], let high = metrics["\(name)_high"] else {
      return value.fixed(3)
    }
    return "\(value.fixed(3)) (\(low.fixed(3)) to \(high.fixed(3)))"
  }
}
