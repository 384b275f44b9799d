// Verdicts as one page: the answer, the clauses with their intervals, and where the slow requests of each spend their time.

public import Core

extension VerdictReport {
  public static func appendPage(_ verdicts: [Verdict], budget: String, to output: OutputBuffer) {
    let answer: Verdict.Answer =
      switch verdicts.status {
      case .success: .pass
      case .verdictNo: .fail
      default: .inconclusive
      }
    let binding = verdicts.filter { !$0.isWarning }
    let kept = binding.count { $0.answer == .pass }
    Page.open(
      title: "Budget \(budget): \(answer.rawValue)", answer: answer.rawValue,
      heading: answer.rawValue,
      lead: "budget \(budget): \(kept) of \(binding.count) clauses are kept", to: output)
    output.append(
      "<div class=\"wide figures\"><table id=\"clauses\"><thead><tr><th></th><th>clause</th>")
    output.append("<th>value</th><th>interval</th><th>n</th><th>used</th></tr></thead><tbody>")
    for verdict in verdicts { appendRow(verdict, to: output) }
    output.append("</tbody></table></div>")
    for verdict in verdicts where verdict.answer != .pass && !verdict.why.isEmpty {
      output.append("<p>\(verdict.clause.escapedXML): \(verdict.why.escapedXML)</p>" as String)
    }
    output.append("<div class=\"pair\">")
    for verdict in verdicts { bars(verdict)?.append(to: output) }
    output.append("</div>")
    Page.close(
      footer: "A clause passes where the whole interval keeps its bound, fails where none of it"
        + " does, and is inconclusive between.", to: output)
  }

  private static func appendRow(_ verdict: Verdict, to output: OutputBuffer) {
    let word = mark(verdict)
    let colour = word == "warning" ? "watch" : word
    output.append("<tr><td><b class=\"\(colour)\">\(word)</b></td>" as String)
    output.append("<td>\(verdict.clause.escapedXML)</td>" as String)
    let exact = verdict.value.map { " data-value=\"\((($0 * 1e6).rounded() / 1e6).plain)\"" } ?? ""
    output.append("<td\(exact)>\(shown(verdict.value, verdict))</td>" as String)
    output.append("<td>\(shownInterval(verdict))</td><td>\(verdict.count.grouped)</td>" as String)
    let used = verdict.used.map { "\(($0 * 100).fixed(0)) %" } ?? ""
    output.append("<td>\(used)</td></tr>" as String)
  }

  /// Shares of the slowest requests' time as one bar, as if it were their whole value.
  private static func bars(_ verdict: Verdict) -> StackedBars? {
    guard let tail = verdict.tail, tail.count > 0, let value = verdict.value else { return nil }
    return StackedBars(
      title: "Where the slowest \(tail.count.grouped) of \(verdict.clause) spend their time",
      names: tail.shares.map(\.name),
      rows: [
        .init(name: "at the percentile", parts: tail.shares.map { $0.share * value * 1e3 })
      ])
  }
}
