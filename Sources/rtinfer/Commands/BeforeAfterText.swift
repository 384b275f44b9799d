// What bench ab --before-after finds, in plain words on one screen, and as a page.

import Core
import Measure
import Replay

extension BeforeAfterReport {
  var text: String {
    var text = "\(opening)\n\n\(sentence)\n"
    if found.whole.treated.change != nil {
      text += "\n\(BenchABReport.aligned(rows))\n"
      for line in notes { text += "  \(line)\n" }
    }
    if let segmentRows {
      let shown = segmentRows.prefix(9)
      text += "\n\(BenchABReport.aligned(Array(shown)))"
      if shown.count < segmentRows.count {
        text += "  and \(segmentRows.count - shown.count) more as records (--json)\n"
      }
    }
    if let assumption { text += "\n  \(assumption)\n" }
    return text
  }

  private func day(_ time: Timestamp) -> String { String(time.rfc3339.prefix(10)) }

  private var opening: String {
    var text = "\(plan.name): \(decided.grouped) decisions"
    if let first, let last { text += ", \(day(first)) to \(day(last))," }
    text += " before and after the switch at \(plan.moment.rfc3339);"
    text += " \(withOutcome.grouped) have an outcome"
    if let washOut { text += "; \(washOut)" }
    if asked > decided {
      text +=
        "; \((asked - decided).grouped) questions are left out for want of a logged decision"
        + " or of a side"
    }
    return text
  }

  /// What is on neither side; nil where nothing is to be.
  private var washOut: String? {
    guard plan.settled > plan.moment else { return nil }
    return "\(washedOut.grouped) from then to \(plan.settled.rfc3339) are left out as its wash-out"
  }

  private var what: String { plan.values == nil ? " right decisions" : "" }

  var sentence: String {
    let count = found.whole.treated.after.count
    guard answer != .inconclusive, let all = found.whole.interval.times(count),
      let effect = found.whole.effect
    else { return "It cannot be said whether the switch is worth anything: \(why)." }
    let range = "\(all.low.asAmount) to \(all.high.asAmount)"
    var rate = "\((effect * 1_000).asAmount) for 1,000 decisions"
    if let daysAfter { rate += ", \((effect * Double(count) / daysAfter).asAmount) a day" }
    guard answer == .pass else {
      return
        "It is not shown that the switch is worth anything: \(opener.lowercased()) the difference is"
        + "\n\(range)\(what) in all (95 %), \(rate), and \(why)."
    }
    return "\(opener) the switch has been worth \(range)\(what) in all (95 %):\n\(rate)."
  }

  private var opener: String { washOut == nil ? "Since then" : "Since its wash-out" }

  /// Means for 1,000 decisions, by group and period.
  var rows: [[String]] {
    var rows = [["\(plan.unit)/1,000", "before", "after", "change, 95 %"]]
    for isTreated in [true, false] {
      let own = periods.filter { $0.isTreated == isTreated }
      guard own.contains(where: { $0.decided > 0 }) else { continue }
      let group = isTreated ? found.whole.treated : found.whole.control
      rows.append(
        [own[0].group] + own.map { cell($0) } + [group.change.map { perThousand($0) } ?? "-"])
    }
    let name = found.whole.hasControl ? "the switch" : "time and switch"
    let effect = found.whole.toldEffect.map { "\(perThousand($0))\(ends(found.whole.interval))" }
    rows.append([name, "", "", effect ?? "-"])
    return rows
  }

  private func cell(_ period: Period) -> String {
    guard let mean = period.mean else { return "-" }
    return "\(perThousand(mean)) (of \(period.compared.grouped))"
  }

  private func perThousand(_ value: Double) -> String { (value * 1_000).asAmount }

  private func ends(_ interval: (low: Double, high: Double)?) -> String {
    interval.map { " (\(perThousand($0.low)) to \(perThousand($0.high)))" } ?? ""
  }

  /// What the period before says, and how long decisions took.
  var notes: [String] {
    var notes: [String] = []
    if let placebo = found.placebo {
      let place = "before the switch, halves cut at \(found.placeboCut.rfc3339)"
      switch found.trend {
      case .unknown:
        notes.append("\(place): too little to see whether treated and control changed alike")
      case .alike, .apart:
        notes.append(
          "\(place): treated less control changed by \(perThousand(placebo.effect ?? 0))"
            + "\(ends(placebo.interval)), \(found.trend == .alike ? "compatible" : "not compatible")"
            + " with zero")
      }
    }
    if periods.contains(where: { $0.delayMax > .zero }) {
      let waits = periods.filter { $0.decided > 0 }.map {
        "\($0.group) \($0.name) \($0.delayMedian.inWholeSeconds)"
      }
      notes.append("from question to decision, p50: \(waits.joined(separator: ", "))")
    }
    let late = periods.reduce(0) { $0 + $1.tooLate }
    if late > 0 {
      notes.append(
        "\(late.grouped) decisions came when the outcome was there already: they count as none")
    }
    return notes
  }

  /// A head, and a row for each segment with treated decisions.
  var segmentRows: [[String]]? {
    guard let by = plan.segment, !segments.isEmpty else { return nil }
    return [[by, "decisions", "control", "the switch in all, all 95 % together"]]
      + segments.map { names, segment in
        let count = segment.difference.treated.after.count
        var worth = "-"
        if obstacle == nil, segment.difference.hasControl {
          worth = "too little data"
          if let value = segment.worth, let all = segment.difference.interval.times(count) {
            worth = "\(value.asAmount) (\(all.low.asAmount) to \(all.high.asAmount))"
          }
        }
        return [
          names.count == 1 ? BenchABReport.plain(names[0]) : "\(names.count) others",
          count.grouped, segment.hasOwnControl ? "its own" : "all", worth,
        ]
      }
  }

  // MARK: The page

  func appendPage(to output: OutputBuffer) {
    Page.open(
      title: "\(plan.name): before and after \(plan.moment.rfc3339)", answer: answer.rawValue,
      heading: answer.rawValue, lead: sentence.replacing("\n", with: " "), to: output)
    var facts = [("model", plan.name), ("switch", plan.moment.rfc3339)]
    if let washOut { facts.append(("wash-out", washOut)) }
    if let first, let last { facts.append(("time", "\(day(first)) to \(day(last))")) }
    facts += [("decisions", decided.grouped), ("with an outcome", withOutcome.grouped)]
    Page.append(facts, to: output)
    if found.whole.treated.change != nil {
      BenchABReport.append(rows: rows, title: "Before and after", "periods", to: output)
      for note in notes { output.append("<p>\(note.escapedXML)</p>" as String) }
    }
    if let segmentRows {
      BenchABReport.append(
        rows: segmentRows, title: "Where it comes from", "segments", to: output)
    }
    let clusters = plan.entity.map { "days and over \($0), both at once" } ?? "days"
    Page.close(
      footer:
        "The switch is worth the change of those that switched less that of the others; intervals hold at 95 %, those"
        + " of segments all together, by a bootstrap over \(clusters)."
        + (assumption.map { " Here \($0)." } ?? ""), to: output)
  }
}
