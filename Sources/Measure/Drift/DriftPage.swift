// The report as one page that needs nothing else: no script, no fonts, no network. The verdict stands first, then a
// table of all columns, then for each column the two distributions overlaid, its means over time where windows were
// kept, and the bins that moved most. About 2 KB a column.

public import Core

extension DriftReport {
  public func appendPage(to output: OutputBuffer) {
    output.append("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">")
    output.append("<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">")
    output.append(
      "<title>Drift: \(verdict.rawValue)</title><style>\(DriftPage.style)</style></head>")
    output.append("<body><header class=\"\(verdict.rawValue)\"><h1>\(verdict.rawValue)</h1><p>")
    output.append(why.escapedXML)
    output.append("</p></header><main><dl>")
    let facts: [(String, String)] = [
      ("records", currentRecords.grouped + DriftReport.shown(currentSpan)),
      ("against", referenceRecords.grouped + DriftReport.shown(referenceSpan)),
      ("columns", "\(columns.count)"),
      ("drift", "\(columns.filter { $0.verdict == .drift }.count)"),
      ("watch", "\(columns.filter { $0.verdict == .watch }.count)"),
      ("too little data", "\(columns.filter { $0.verdict == .insufficient }.count)"),
    ]
    for (name, value) in facts { output.append("<div><dt>\(name)</dt><dd>\(value)</dd></div>") }
    output.append("</dl>")
    appendSummary(to: output)
    for (index, column) in sorted.enumerated() { column.appendSection(index, to: output) }
    output.append("<footer>A column has drifted if its \(rules.measure.rawValue) is at least ")
    output.append("\(rules.driftAt.short) and its p-value, corrected over all columns, at most ")
    output.append("\(rules.level.short); from \(rules.watchAt.short) on it is worth watching. ")
    output.append("Grey is the reference, colour what is compared with it.</footer>")
    output.append("</main></body></html>\n")
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

  static let style = """
    :root{color-scheme:light dark;--bg:#fff;--fg:#1b1f24;--dim:#636c76;--line:#d5dae0;--old:#c3cad2;--new:#0b66c3;\
    --ok:#1a7f37;--watch:#9a6700;--drift:#cf222e;--insufficient:#636c76}\
    @media(prefers-color-scheme:dark){:root{--bg:#0f1318;--fg:#e3e8ee;--dim:#919aa5;--line:#2b323b;--old:#47505b;\
    --new:#58a6ff;--ok:#3fb950;--watch:#d29922;--drift:#ff7b72;--insufficient:#919aa5}}\
    *{box-sizing:border-box}body{margin:0;background:var(--bg);color:var(--fg);font:15px/1.5 system-ui,sans-serif;\
    overflow-wrap:anywhere}header{padding:20px 16px;border-top:8px solid var(--v);border-bottom:1px solid var(--line)}\
    header,main{max-width:980px;margin:0 auto}main{padding:0 16px}h1{margin:0;color:var(--v);font-size:30px}\
    header p{margin:4px 0 0}.ok{--v:var(--ok)}.watch{--v:var(--watch)}.drift{--v:var(--drift)}\
    .insufficient{--v:var(--insufficient)}b{color:var(--v)}h2{font-size:18px;margin:0}\
    h2 b{font-size:13px;margin-left:6px}dl{display:flex;flex-wrap:wrap;gap:8px 28px}dt{color:var(--dim);font-size:12px}\
    dd{margin:0}.wide{overflow-x:auto}table{border-collapse:collapse;font-size:14px}\
    th,td{padding:3px 14px 3px 0;text-align:left;border-bottom:1px solid var(--line);vertical-align:top}\
    th{color:var(--dim);font-weight:500}a{color:inherit}section{padding:18px 0;border-top:1px solid var(--line)}\
    section p{margin:2px 0}.dim,figcaption,footer{color:var(--dim);font-size:13px}\
    .pair{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(280px,100%),1fr));gap:14px 24px;margin-top:10px}\
    figure{margin:0;min-width:0}figcaption{display:flex;justify-content:space-between;gap:12px}\
    svg{width:100%;height:90px;display:block;border-bottom:1px solid var(--line)}svg{overflow:visible}\
    .old{fill:var(--old)}.new{fill:none;stroke:var(--new);stroke-width:1.6}\
    .oldline{fill:none;stroke:var(--dim);stroke-width:1.4}footer{padding:18px 0 40px}.wide{margin-bottom:24px}
    """
}
