// Where a difference comes from: the judged arm beside the first, segment by segment (`--segment-by`), as records and in words.

import Core
import Measure
import Replay

extension BenchABReport {
  /// Segments that a screen has room for.
  private static let shownMax = 8

  private var segmented: (arm: ArmComparison, by: String)? {
    guard let by = plan.segment, let arm = arms.first(where: { !$0.segments.isEmpty }) else {
      return nil
    }
    return (arm, by)
  }

  // MARK: Records

  func appendSegments(to output: OutputBuffer) {
    guard let (arm, by) = segmented else { return }
    for segment in arm.segments {
      output.append("{\"kind\":\"summary\",\"what\":\"segment\",\"model\":")
      output.appendQuoted(plan.name)
      output.append(",\"arm\":")
      output.appendQuoted(arm.arm.name)
      output.append(",\"by\":")
      output.appendQuoted(by)
      if segment.names.count == 1 {
        output.append(",\"segment\":\(segment.names[0])" as String)
      } else {
        output.append(",\"others\":\(segment.names.count)")
      }
      output.append(",\"decided\":\(segment.decidedCount),\"differing\":\(segment.flipCount)")
      output.append(",\"compared\":\(segment.gain.count),\"unit\":")
      output.appendQuoted(grossUnit)
      output.append(",\"value\":")
      output.append(isTold(arm) ? .double(segment.gain.difference) : .null)
      output.append(",\"interval\":")
      appendInterval(segment.gain, of: arm, to: output)
      if isLogged {
        output.append(",\"snipw\":")
        output.append(isTold(arm) ? segment.snipw.map { .double($0.value) } ?? .null : .null)
        output.append(",\"snipw_interval\":")
        output.append(interval: isTold(arm) ? segment.snipw?.interval : nil)
      }
      output.append(",\"share\":")
      output.append(share(of: segment, arm).map { .double($0) } ?? .null)
      output.append(",\"clusters\":\(segment.gain.clusterCount),\"clusters_differing\":")
      output.append(Int64(segment.gain.differingClusterCount))
      if isTold(arm), let lack = segment.gain.lack {
        output.append(",\"why\":")
        output.appendQuoted(lack)
      }
      output.append("}\n")
    }
  }

  /// Of the whole difference; nil where there is none to have a share of.
  private func share(of segment: ArmSegment, _ arm: ArmComparison) -> Double? {
    guard isTold(arm), let whole = arm.gain?.difference, whole != 0 else { return nil }
    return segment.gain.difference / whole
  }

  // MARK: In words

  /// Which segment most of it comes from, where that can be said of one.
  var segmentSentence: String? {
    guard let (arm, by) = segmented, isTold(arm) else { return nil }
    let known = arm.segments.filter { $0.names.count == 1 && differs($0) }
    guard let first = known.first, let interval = first.gain.interval else {
      return "Of no segment by \(by) alone can it be said that it differs from zero."
    }
    let part = share(of: first, arm).map { $0 > 0 ? ", \(($0 * 100).fixed(0)) % of it," : "" } ?? ""
    return
      "By \(by)\(plan.hasCosts ? ", before costs" : ""): \(amount(interval.low)) to \(amount(interval.high))\(part) at"
      + " \(BenchABReport.plain(first.names[0]))."
  }

  /// Whether zero is left out, with logged decisions by both estimators on the same side.
  private func differs(_ segment: ArmSegment) -> Bool {
    guard let gain = segment.gain.interval else { return false }
    guard isLogged else { return gain.low > 0 || gain.high < 0 }
    guard let snipw = segment.snipw?.interval else { return false }
    return gain.low > 0 && snipw.low > 0 || gain.high < 0 && snipw.high < 0
  }

  var segmentTable: String? {
    guard let rows = segmentRows else { return nil }
    let left = rows.count - 1 - BenchABReport.shownMax
    var text = BenchABReport.aligned(Array(rows.prefix(BenchABReport.shownMax + 1)))
    if left > 0 { text += "  and \(left) more, with smaller differences, as records (--json)\n" }
    return text
  }

  /// A head, and a row for each segment.
  var segmentRows: [[String]]? {
    guard let (arm, by) = segmented else { return nil }
    let head = [
      by, "questions", "otherwise",
      "gain in all\(plan.hasCosts ? " before costs" : ""), all 95 % together", "of it",
    ]
    return [head + (isLogged ? ["by SNIPW"] : [])]
      + arm.segments.map { cells($0, arm) }
  }

  private func cells(_ segment: ArmSegment, _ arm: ArmComparison) -> [String] {
    var gain = "-"
    if isTold(arms[1]) {
      let interval = segment.gain.interval.map { "\(amount($0.low)) to \(amount($0.high))" }
      gain = "\(amount(segment.gain.difference)) (\(interval ?? "too little data"))"
    }
    let others = Double(segment.flipCount) / Double(max(1, segment.decidedCount))
    let row = [
      segment.names.count == 1
        ? BenchABReport.plain(segment.names[0]) : "\(segment.names.count) others",
      segment.decidedCount.grouped, "\((others * 100).fixed(1)) %", gain,
      share(of: segment, arm).map { "\(($0 * 100).fixed(0)) %" } ?? "-",
    ]
    guard isLogged else { return row }
    guard isTold(arm), let snipw = segment.snipw else { return row + ["-"] }
    let ends = snipw.interval.map { "\(amount($0.low)) to \(amount($0.high))" }
    return row + ["\(amount(snipw.value)) (\(ends ?? "too little data"))"]
  }

  /// JSON as a reader calls it: texts without their quotes.
  static func plain(_ json: String) -> String {
    json.hasPrefix("\"") ? String(json.dropFirst().dropLast()) : json
  }

  /// A table whose first column stands left.
  static func aligned(_ rows: [[String]]) -> String {
    let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max()! }
    return rows.map { row in
      let line = row.indices.map { column in
        column == 0
          ? Help.padded(row[column], widths[column]) : row[column].leftPadded(widths[column])
      }
      return "  \(line.joined(separator: "  "))\n"
    }.joined()
  }
}
