// The report as one page that needs nothing else: no script, no fonts, no network. The verdict stands first, then a
// table of all columns, then for each column the two distributions overlaid, its means over time where windows were
// kept, and the bins that moved most. About 2 KB a column.

public import Core

extension DriftReport {
  public func appendPage(to output: OutputBuffer) {
    Page.open(
      title: "Drift: \(verdict.rawValue)", answer: verdict.rawValue, heading: verdict.rawValue,
      lead: why, to: output)
    let facts: [(String, String)] = [
      ("records", currentRecords.grouped + DriftReport.shown(currentSpan)),
      ("against", referenceRecords.grouped + DriftReport.shown(referenceSpan)),
      ("columns", "\(columns.count)"),
      ("drift", "\(columns.filter { $0.verdict == .drift }.count)"),
      ("watch", "\(columns.filter { $0.verdict == .watch }.count)"),
      ("too little data", "\(columns.filter { $0.verdict == .insufficient }.count)"),
    ]
    Page.append(facts, to: output)
    appendSummary(to: output)
    for (index, column) in sorted.enumerated() { column.appendSection(index, to: output) }
    Page.close(
      footer: "A column has drifted if its \(rules.measure.rawValue) is at least"
        + " \(rules.driftAt.short) and its p-value, corrected over all columns, at most"
        + " \(rules.level.short); from \(rules.watchAt.short) on it is worth watching."
        + " Grey is the reference, colour what is compared with it.", to: output)
  }

  private func appendSummary(to output: OutputBuffer) {
    let isWeighted = !rules.weights.isEmpty
    output.append(
      "<div class=\"wide\"><table><thead><tr><th>column</th><th>verdict</th><th>psi</th>")
    output.append("<th>ks</th><th>p</th>\(isWeighted ? "<th>weight</th>" : "")</tr></thead><tbody>")
    for (index, column) in sorted.enumerated() {
      output.append("<tr><td><a href=\"#c\(index)\">\(column.name.escapedXML)</a></td>")
      output.append(
        "<td><b class=\"\(column.verdict.rawValue)\">\(column.verdict.rawValue)</b></td>")
      let cells = [column.measures[.psi], column.measures[.ks], column.adjustedP]
      for cell in cells { output.append("<td>\(cell.map(\.short) ?? "–")</td>") }
      if isWeighted { output.append("<td>\(column.weight.short)</td>") }
      output.append("</tr>")
    }
    output.append("</tbody></table></div>")
  }
}

extension ColumnComparison {
  fileprivate func appendSection(_ index: Int, to output: OutputBuffer) {
    output.append("<section id=\"c\(index)\"><h2>\(name.escapedXML) ")
    output.append("<b class=\"\(verdict.rawValue)\">\(verdict.rawValue)</b></h2>")
    output.append("<p>\(why.escapedXML)</p>")
    var facts = ["\(type)", "\(currentCount.grouped) values, were \(referenceCount.grouped)"]
    if let old = referenceMoments, let new = currentMoments, old.count > 0, new.count > 0 {
      facts.append("mean \(new.mean.short), was \(old.mean.short)")
    }
    if currentMissing + referenceMissing > 0 {
      facts.append("missing \(currentMissing.percent), was \(referenceMissing.percent)")
    }
    output.append("<p class=\"dim\">\(facts.joined(separator: " · "))</p><div class=\"pair\">")
    appendShape(to: output)
    appendTimeline(to: output)
    appendBins(to: output)
    output.append("</div></section>")
  }

  /// The distributions: of numbers over their range, of categories the largest bins.
  private func appendShape(to output: OutputBuffer) {
    var reference: [Double] = []
    var current: [Double] = []
    var ends = ("", "")
    if let shape {
      (reference, current) = (shape.reference, shape.current)
      ends = (shape.low.short, shape.high.short)
    } else if bins.count > 1 {
      let shown = bins.sorted { $0.reference + $0.current > $1.reference + $1.current }.prefix(24)
      reference = shown.map { $0.reference / referenceBinned }
      current = shown.map { $0.current / currentBinned }
      ends = (shown.first?.name ?? "", shown.last?.name ?? "")
    }
    guard let top = (reference + current).max(), top > 0 else { return }
    output.append(
      "<figure><svg viewBox=\"0 0 320 90\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"distributions\">"
    )
    output.append("<path class=\"old\" d=\"\(DriftPage.steps(reference, top))\"/>")
    output.append("<path class=\"new\" d=\"\(DriftPage.steps(current, top))\"/></svg>")
    output.append("<figcaption><span>\(ends.0.escapedXML)</span><span>\(ends.1.escapedXML)</span>")
    output.append("</figcaption></figure>")
  }

  /// Means by window, the reference's before the others.
  private func appendTimeline(to output: OutputBuffer) {
    guard referenceWindows.count + currentWindows.count > 1 else { return }
    let all = referenceWindows + currentWindows
    let (low, high) = (all.map(\.mean).min()!, all.map(\.mean).max()!)
    let (first, last) = (all.map(\.start).min()!, all.map(\.start).max()!)
    guard high > low, last > first else { return }
    func line(_ windows: [(start: Int64, mean: Double)]) -> String {
      // No finer than the picture.
      let step = max(1, windows.count / 80)
      return stride(from: 0, to: windows.count, by: step).map { index in
        let x = 320 * Double(windows[index].start - first) / Double(last - first)
        let y = 86 - 82 * (windows[index].mean - low) / (high - low)
        return "\(x.fixed(1)),\(y.fixed(1))"
      }.joined(separator: " ")
    }
    output.append(
      "<figure><svg viewBox=\"0 0 320 90\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"means over time\">"
    )
    output.append("<polyline class=\"oldline\" points=\"\(line(referenceWindows))\"/>")
    output.append("<polyline class=\"new\" points=\"\(line(currentWindows))\"/></svg>")
    output.append("<figcaption><span>mean by window: \(low.short) to \(high.short)</span>")
    output.append("</figcaption></figure>")
  }

  private func appendBins(to output: OutputBuffer) {
    guard bins.count > 1 else { return }
    let parts = Divergence.stabilityParts(bins.map(\.reference), bins.map(\.current))
    let worst = bins.indices.sorted { parts[$0] > parts[$1] }.prefix(3)
    output.append("<table><thead><tr><th>most in</th><th>was</th><th>is</th></tr></thead><tbody>")
    for index in worst {
      output.append("<tr><td>\(bins[index].name.escapedXML)</td>")
      output.append("<td>\((bins[index].reference / referenceBinned).percent)</td>")
      output.append("<td>\((bins[index].current / currentBinned).percent)</td></tr>")
    }
    output.append("</tbody></table>")
  }
}

private enum DriftPage {
  /// An outline of bars 320 wide and 86 high.
  static func steps(_ shares: [Double], _ top: Double) -> String {
    let width = 320 / Double(shares.count)
    var path = "M0 90"
    for (index, share) in shares.enumerated() {
      path += "V\((90 - 86 * share / top).fixed(1))H\((width * Double(index + 1)).fixed(1))"
    }
    return path + "V90Z"
  }
}
