// The verdict of bench ab as one page: the answer, value against freshness as a curve, the arms side by side, where the
// difference comes from, and how the judged arm differs from the first.

import Core
import Measure
import Replay

extension BenchABReport {
  func appendPage(to output: OutputBuffer) {
    let judgement = judgements[0]
    Page.open(
      title: "\(plan.name): \(arms[0].arm.name) against \(judgement.arm.arm.name)",
      answer: judgement.answer.rawValue, heading: judgement.answer.rawValue,
      lead: sentence(judgement).replacing("\n", with: " "), to: output)
    Page.append(facts, to: output)
    if let segmentSentence { output.append("<p>\(segmentSentence.escapedXML)</p>" as String) }
    if let valueChart, let flipChart {
      output.append("<div class=\"pair\">")
      valueChart.append(to: output)
      flipChart.append(to: output)
      output.append("</div>")
    }
    BenchABReport.append(rows: armRows, title: "Arms", "arms", to: output)
    if let cells = cellRows {
      BenchABReport.append(rows: cells, title: "Trained and served", "cells", to: output)
    }
    if let rows = loggedRows {
      BenchABReport.append(rows: rows, title: "By logged decisions", "logged", to: output)
    }
    if let rows = inputRows {
      BenchABReport.append(rows: rows, title: "Stale inputs", "inputs", to: output)
    }
    if let rows = segmentRows {
      BenchABReport.append(
        rows: rows, title: "Where the difference comes from", "segments", to: output)
    }
    if let lines = details(arms[1]) {
      output.append("<section><h2>Beside \(arms[0].arm.name.escapedXML)</h2>" as String)
      for line in lines.split(separator: "\n") {
        output.append("<p>\(String(line.drop { $0 == " " }).escapedXML)</p>" as String)
      }
      output.append("</section>")
    }
    Page.close(
      footer:
        "Gains are those of \(arms[0].arm.name) over an arm, on the same questions; intervals hold at 95 %, those"
        + " of segments all together, by a bootstrap over \(plan.cluster == "day" ? "days" : plan.cluster)."
        + (assumption.map { " Here \($0)." } ?? ""), to: output)
  }

  private var facts: [(String, String)] {
    var facts = [
      ("model", plan.name), ("questions", decided.grouped),
      ("with an outcome", withOutcome.grouped),
      ("arms", "\(arms.count)"),
    ]
    if let first, let last { facts.insert(("time", "\(day(first)) to \(day(last))"), at: 1) }
    if asked > decided { facts.append(("not decided by each", (asked - decided).grouped)) }
    if let gain = judgements[0].arm.gain, obstacle == nil {
      facts.append(("clusters", gain.clusterCount.grouped))
    }
    return facts
  }

  // MARK: The curve

  /// Value for 1,000 decisions against the interval of the batches; nil for fewer than two of them.
  private var valueChart: PageChart? {
    let curve = curve
    guard obstacle == nil, curve.allSatisfy(isTold), curve.count > 1 else { return nil }
    let seconds = curve.map { Double($0.arm.runs!.interval!.microseconds) / 1e6 }
    let x = PageChart.Axis.spans("from one run to the next", seconds)
    let top = perThousand(value(arms[0]))
    func points(_ value: (ArmComparison) -> Double?) -> [(x: Double, y: Double)] {
      zip(seconds, curve).compactMap { second, arm in
        guard let value = value(arm), value.isFinite else { return nil }
        return (second, perThousand(value))
      }
    }
    let values = points { self.value($0) }
    // What a batch is worth beside real-time is known as well as the difference is.
    let lows = points { arm in gain(arm)?.interval.map { self.value(arms[0]) - $0.high } }
    let highs = points { arm in gain(arm)?.interval.map { self.value(arms[0]) - $0.low } }
    let levels = [values, lows, highs].flatMap { $0.map { $0.y } }
    return PageChart(
      title: "\(unit) for 1,000 decisions, by freshness", x: x, y: .around(unit, levels + [top]),
      series: [
        .init(
          name: arms[0].arm.name, colour: 3, shape: .line,
          points: [(seconds[0], top), (seconds[seconds.count - 1], top)]),
        .init(name: "batch", colour: 0, shape: .line, points: values),
        .init(name: "batch", colour: 0, shape: .marks, points: values),
        .init(name: "95 %, low", colour: 5, shape: .line, points: lows),
        .init(name: "95 %, high", colour: 5, shape: .line, points: highs),
      ])
  }

  /// The share of questions that are decided otherwise, against the interval of the batches; nil for fewer than two.
  private var flipChart: PageChart? {
    let curve = curve
    guard curve.count > 1 else { return nil }
    let points = curve.map { arm in
      (
        x: Double(arm.arm.runs!.interval!.microseconds) / 1e6,
        y: Double(arm.flipCount) / Double(max(1, decided)) * 100
      )
    }
    return PageChart(
      title: "Decided otherwise than in real time, by freshness",
      x: .spans("from one run to the next", points.map { $0.x }),
      y: .around("share", [0] + points.map { $0.y }, unit: " %"),
      series: [
        .init(name: "batch", colour: 0, shape: .line, points: points),
        .init(name: "batch", colour: 0, shape: .marks, points: points),
      ])
  }

  // MARK: Tables

  static func append(rows: [[String]], title: String, _ id: String, to output: OutputBuffer) {
    output.append("<section><h2>\(title.escapedXML)</h2><div class=\"wide figures\">" as String)
    output.append("<table id=\"\(id)\"><thead><tr>" as String)
    for name in rows[0] { output.append("<th>\(name.escapedXML)</th>" as String) }
    output.append("</tr></thead><tbody>")
    for row in rows.dropFirst() {
      output.append("<tr>")
      for cell in row { output.append("<td>\(cell.escapedXML)</td>" as String) }
      output.append("</tr>")
    }
    output.append("</tbody></table></div></section>")
  }
}
