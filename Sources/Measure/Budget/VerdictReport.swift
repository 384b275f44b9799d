// Verdicts for people and for machines that are not ours: a table, JUnit's XML, GitHub's annotations and job summary.

import Core

public enum VerdictReport {
  // MARK: Table

  public static func table(_ verdicts: [Verdict], budget: String) -> String {
    var rows = [["", "clause", "value", "interval", "n", "used", "why"]]
    for verdict in verdicts {
      rows.append([
        mark(verdict), verdict.clause, shown(verdict.value, verdict), shownInterval(verdict),
        verdict.count.grouped, shownUse(verdict), verdict.why,
      ])
    }
    let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max()! }
    var text = "budget: \(budget)\n"
    for row in rows {
      var line = ""
      for (index, cell) in row.enumerated() { line += "  " + Help.padded(cell, widths[index]) }
      while line.last == " " { line.removeLast() }
      text += line + "\n"
    }
    for verdict in verdicts { text += tail(verdict).map { "\n  \($0)\n" } ?? "" }
    return text
  }

  static func mark(_ verdict: Verdict) -> String {
    if verdict.isWarning, verdict.answer == .fail { return "warning" }
    return verdict.answer.rawValue
  }

  static func shown(_ value: Double?, _ verdict: Verdict) -> String {
    guard let value else { return "unknown" }
    if verdict.unit == "us" { return LayerTimes.readable(UInt64((value * 1e3).rounded())) }
    return ((value * 1e6).rounded() / 1e6).plain
  }

  static func shownInterval(_ verdict: Verdict) -> String {
    guard let interval = verdict.interval else { return "" }
    return "\(shown(interval.low, verdict)) … \(shown(interval.high, verdict))"
  }

  /// How much of the budget is used.
  private static func shownUse(_ verdict: Verdict) -> String {
    verdict.used.map { "\(($0 * 100).fixed(0)) %" } ?? ""
  }

  /// "the slowest 1,200: features 62 %, …"
  private static func tail(_ verdict: Verdict) -> String? {
    guard let tail = verdict.tail, tail.count > 0 else { return nil }
    let shares = tail.shares.filter { $0.share >= 0.005 }.map {
      "\($0.name) \(($0.share * 100).fixed(0)) %"
    }
    return "where the slowest \(tail.count.grouped) of '\(verdict.clause)' spend their time: "
      + shares.joined(separator: ", ")
  }

  private static func sentence(_ verdict: Verdict) -> String {
    var text = "\(verdict.clause): \(verdict.answer.rawValue), \(shown(verdict.value, verdict))"
    if verdict.interval != nil { text += " (\(shownInterval(verdict)))" }
    text += ", n \(verdict.count)"
    return verdict.why.isEmpty ? text : "\(text): \(verdict.why)"
  }

  // MARK: JUnit

  /// One test case a clause. What cannot be said is an error, not a pass.
  public static func junit(_ verdicts: [Verdict], budget: String) -> String {
    let binding = verdicts.filter { !$0.isWarning }
    let failures = binding.count { $0.answer == .fail }
    let errors = binding.count { $0.answer == .inconclusive }
    var text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
    text += "<testsuites>\n  <testsuite name=\"\(escapedXML(budget))\" tests=\"\(verdicts.count)\""
    text += " failures=\"\(failures)\" errors=\"\(errors)\">\n"
    for verdict in verdicts {
      text += "    <testcase classname=\"budget\" name=\"\(escapedXML(verdict.clause))\">"
      let message = escapedXML(sentence(verdict))
      switch verdict.answer {
      case .fail where !verdict.isWarning: text += "<failure message=\"\(message)\"/>"
      case .inconclusive where !verdict.isWarning: text += "<error message=\"\(message)\"/>"
      default: text += "<system-out>\(message)</system-out>"
      }
      text += "</testcase>\n"
    }
    return text + "  </testsuite>\n</testsuites>\n"
  }

  private static func escapedXML(_ text: String) -> String {
    var result = ""
    for character in text {
      switch character {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      default: result.append(character)
      }
    }
    return result
  }

  // MARK: GitHub

  /// One annotation for all that broke and one for all warnings: GitHub shows ten of each a step and hides the rest.
  public static func github(_ verdicts: [Verdict], budget: String) -> String {
    let broken = verdicts.filter { !$0.isWarning && $0.answer != .pass }
    let warnings = verdicts.filter { $0.isWarning && $0.answer != .pass }
    var text = ""
    for (level, told) in [("error", broken), ("warning", warnings)] where !told.isEmpty {
      let message = told.map(sentence).joined(separator: "\n")
      text += "::\(level) title=\(escapedProperty("budget \(budget)"))::\(escapedData(message))\n"
    }
    if text.isEmpty { text = "::notice title=\(escapedProperty("budget \(budget)"))::kept\n" }
    return text
  }

  private static func escapedData(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "%": result += "%25"
      case "\r": result += "%0D"
      case "\n": result += "%0A"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }

  private static func escapedProperty(_ text: String) -> String {
    var result = ""
    for character in escapedData(text) {
      switch character {
      case ":": result += "%3A"
      case ",": result += "%2C"
      default: result.append(character)
      }
    }
    return result
  }

  /// For GITHUB_STEP_SUMMARY.
  public static func markdown(_ verdicts: [Verdict], budget: String) -> String {
    var text = "### Budget \(budget)\n\n| | clause | value | interval | n | used | why |\n"
    text += "|---|---|---|---|---|---|---|\n"
    for verdict in verdicts {
      let cells = [
        mark(verdict), "`\(verdict.clause)`", shown(verdict.value, verdict),
        shownInterval(verdict), verdict.count.grouped, shownUse(verdict), verdict.why,
      ]
      text += "| \(cells.joined(separator: " | ")) |\n"
    }
    for verdict in verdicts { text += tail(verdict).map { "\n\($0)\n" } ?? "" }
    return text
  }
}
