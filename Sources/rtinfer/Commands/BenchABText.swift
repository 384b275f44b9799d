// The verdict of bench ab in plain words, on one screen.

import Core
import Measure
import Replay

extension BenchABReport {
  var text: String {
    var text = opening + "\n"
    // One screen: of the other batches the table tells.
    text += "\n\(sentence(judgements[0]))\n"
    if let segmentSentence { text += "\(segmentSentence)\n" }
    text += "\n\(BenchABReport.aligned(armRows))"
    if let cellRows { text += "\n\(BenchABReport.aligned(cellRows))" }
    if let loggedRows { text += "\n\(BenchABReport.aligned(loggedRows))" }
    if let lines = details(arms[1]) { text += "\n\(lines)" }
    if let segmentTable { text += "\n\(segmentTable)" }
    if let assumption { text += "\n  \(assumption)\n" }
    return text
  }

  private var opening: String {
    var text = "\(plan.name): \(decided.grouped) questions"
    if let first, let last { text += ", \(day(first)) to \(day(last))," }
    text += " decided by \(arms.count) arms; \(withOutcome.grouped) have an outcome"
    if let delays = plan.delays {
      text +=
        "; events count \(delays.p99.inSeconds) late, as 99 in 100 of the log's"
        + " \(delays.count.grouped) came in by then"
    }
    let drawn = arms.compactMap(\.arm.drawnDelay)
    if let first = drawn.first, drawn.count == arms.count, drawn.allSatisfy({ $0 == first }) {
      text += "; events come in late by \(first.text)"
    }
    if asked > decided { text += "; \((asked - decided).grouped) could not be decided by each" }
    return text
  }

  func day(_ time: Timestamp) -> String { String(time.rfc3339.prefix(10)) }

  func sentence(_ judgement: Judgement) -> String {
    let gain = gain(judgement.arm)!
    let name = BenchABReport.spoken(judgement.arm.arm)
    let first = BenchABReport.spoken(arms[0].arm)
    let opener = first == "real-time" ? "Real-time" : first
    guard judgement.answer != .inconclusive, let interval = gain.interval else {
      return "It cannot be said whether \(first) is worth more than \(name): \(judgement.why)."
    }
    guard gain.differingCount > 0 || gain.difference != 0 else {
      return "\(opener) is worth no more than \(name): \(judgement.why)."
    }
    var rate = "\(amount(perThousand(gain.difference))) for 1,000 decisions"
    if let days { rate += ", \(amount(gain.difference / days)) a day" }
    let what = plan.values == nil ? " right decisions" : ""
    let net = plan.hasCosts ? " net of costs" : ""
    let whole = "\(range(interval))\(what)"
    var told = "\(whole)\(net)"
    var inAll = " in all"
    if let days, let share = monthsShare {
      told = "\(range((interval.low * share, interval.high * share)))\(what) a month\(net)"
      inAll = ""
      rate = "\(whole) in all, \(rate), as in these \(days.fixed(1)) days"
    }
    switch judgement.answer {
    case .pass:
      return "\(opener) is worth \(told) more than \(name)\(inAll.isEmpty ? "" : ",\(inAll)")"
        + " (95 %):\n\(rate)."
    default:
      return "It is not shown that \(first) is worth more than \(name): the difference is"
        + "\n\(told)\(inAll) (95 %), \(rate), and \(judgement.why)."
        + (gain.detectable.map { seen($0) } ?? "")
    }
  }

  private func range(_ ends: (low: Double, high: Double)) -> String {
    "\(amount(ends.low)) to \(amount(ends.high))"
  }

  private func seen(_ detectable: Double) -> String {
    let told = monthsShare.map { "\(amount(detectable * $0)) a month" }
    return "\nOne of \(told ?? "\(amount(detectable)) in all") would be seen four times in five."
  }

  /// As a sentence calls it.
  static func spoken(_ arm: ReplayArm) -> String {
    arm.name.hasPrefix("batch ") ? "a \(arm.name)" : arm.name
  }

  func amount(_ value: Double) -> String { value.asAmount }

  // MARK: Arms

  var armRows: [[String]] {
    var rows = [
      [
        "arm", "age p50", "otherwise", "AUC", "log loss", "\(unit)/1,000",
        "\(arms[0].arm.name)'s gain/1,000, 95 %", "kept",
      ]
    ]
    if plan.hasCosts { rows[0].insert("cost/1,000", at: 6) }
    if waits { rows[0].insert("waits p50", at: 2) }
    if plan.measuresLatency { rows[0].append("takes p50, p99 here") }
    for arm in arms { rows.append(cells(arm)) }
    return rows
  }

  private func cells(_ arm: ArmComparison) -> [String] {
    var difference = "-"
    if isTold(arm), let own = gain(arm) {
      difference = amount(perThousand(own.difference))
      if let interval = own.interval {
        difference +=
          " (\(amount(perThousand(interval.low))) to \(amount(perThousand(interval.high))))"
      }
    }
    var row = [arm.arm.name, arm.ageMedian.inWholeSeconds]
    if waits { row.append(arm.delayMedian.inSeconds) }
    row.append(arm.gain == nil ? "-" : share(arm.flipCount))
    row.append(arm.quality?.auc.map { $0.value.fixed(4) } ?? "-")
    row.append(arm.quality?.logLoss.map { $0.value.fixed(4) } ?? "-")
    row.append(isTold(arm) ? amount(perThousand(value(arm))) : "-")
    if plan.hasCosts { row.append(isTold(arm) ? amount(perThousand(arm.cost)) : "-") }
    row += [difference, kept(arm)]
    if plan.measuresLatency { row.append(took(arm)) }
    return row
  }

  private func took(_ arm: ArmComparison) -> String {
    guard let median = arm.took.percentile(50), let p99 = arm.took.percentile(99) else {
      return "-"
    }
    // Of fewer than a hundred the p99 is the longest of them.
    let tail = arm.took.count < 100 ? "-" : (Double(p99) / 1e3).fixed(1)
    return "\((Double(median) / 1e3).fixed(1)), \(tail) µs"
  }

  /// Whether any arm lets a question wait for its decision.
  private var waits: Bool { arms.contains(where: \.arm.waits) }

  /// How much of what real-time gains over the slowest batch this arm keeps: the curve of freshness, which is one only
  /// if freshness is all that arms differ in.
  private func kept(_ arm: ArmComparison) -> String {
    guard let slowest = curve.last else { return "-" }
    guard isTold(arm), isTold(slowest), arms.count > 2, let whole = gain(slowest)?.difference,
      whole > 0
    else {
      return "-"
    }
    return "\(((1 - (gain(arm)?.difference ?? 0) / whole) * 100).fixed(0)) %"
  }

  /// Value by how the model was trained and what it was told, where all four are there.
  var cellRows: [[String]]? {
    var rows = [["\(unit)/1,000", "served fresh", "served stale"]]
    for trained in ReplayArm.Freshness.allCases {
      var row = ["trained \(trained.rawValue)"]
      for served in ReplayArm.Freshness.allCases {
        let own = arms.filter { $0.arm.trained == trained && $0.arm.served == served }
        guard own.count == 1 else { return nil }
        row.append(isTold(own[0]) ? amount(perThousand(value(own[0]))) : "-")
      }
      rows.append(row)
    }
    return rows
  }

  /// By input and arm: in what share of questions it was stale, and by how much it was off on average.
  var inputRows: [[String]]? {
    let stale = arms.dropFirst()
    let names = arms[0].staleInputs.map(\.name)
    guard decided > 0, !names.isEmpty else { return nil }
    return [["input"] + stale.map(\.arm.name)]
      + names.map { name in
        [name]
          + stale.map { arm in
            guard let input = arm.staleInputs.first(where: { $0.name == name }) else { return "-" }
            let off = input.meanDifference.map { ", off by \($0.asAmount)" } ?? ""
            return "\((input.share * 100).fixed(1)) %" + (input.share > 0 ? off : "")
          }
      }
  }

  private func share(_ count: Int) -> String {
    "\((Double(count) / Double(max(1, decided)) * 100).fixed(1)) %"
  }

  /// Of the batch that is judged.
  func details(_ arm: ArmComparison) -> String? {
    guard decided > 0 else { return nil }
    var text = "  same ids (SRM): \(sameIDs(arm).rawValue)"
    if arm.onlyFirstCount + arm.onlyOwnCount > 0 {
      text += ", only \(arms[0].arm.name) could decide \(arm.onlyFirstCount.grouped) of"
      text += " \(asked.grouped), only \(arm.arm.name) \(arm.onlyOwnCount.grouped)"
    }
    text += "\n"
    let flips = arm.flips.prefix(4).map { "\($0.first) → \($0.other) \($0.count.grouped)" }
    if !flips.isEmpty {
      text += "  \(arms[0].arm.name) → \(arm.arm.name): \(flips.joined(separator: ", "))\n"
    }
    let stale = arm.staleInputs.filter { $0.share > 0 }.sorted { $0.share > $1.share }.prefix(4)
    if !stale.isEmpty {
      text += "  stale inputs: "
      text += stale.map { "\($0.name) \(($0.share * 100).fixed(0)) %" }.joined(separator: ", ")
      text += "; the score is off by \(arm.scoreDifference.mean.fixed(4)) on average,"
      text += " \(arm.scoreDifference.p99.fixed(3)) at p99\n"
    }
    if let gain = arm.aucGain {
      text += "  AUC of \(arms[0].arm.name) less that of \(arm.arm.name):"
      text += " \(gain.difference.value.fixed(4))"
      if let low = gain.difference.low, let high = gain.difference.high {
        text += " (\(low.fixed(4)) to \(high.fixed(4)), 95 %)"
      }
      text +=
        gain.pValue.map { ", DeLong p \(chance($0))\n" } ?? ", of too few to tell from chance\n"
    }
    if let test = arm.mcNemar {
      text +=
        "  right only in \(arms[0].arm.name) \(test.onlyFirst.grouped), only in \(arm.arm.name)"
      text += " \(test.onlySecond.grouped) (McNemar p \(chance(test.pValue)))\n"
    }
    if arm.tooLateCount > 0 {
      text +=
        "  \(arm.tooLateCount.grouped) decisions of \(arm.arm.name) came when the outcome was there"
      text += " already: they count as none\n"
    }
    for action in arms[0].quality?.actions ?? [] {
      guard let own = arm.quality?.actions.first(where: { $0.decision == action.decision }) else {
        continue
      }
      text += "  \(action.decision): precision \(percent(action.precision)) against"
      text += " \(percent(own.precision)), recall \(percent(action.recall)) against"
      text += " \(percent(own.recall))\n"
    }
    return text
  }

  private func chance(_ p: Double) -> String { p < 0.0001 ? "< 0.0001" : "= \(p.fixed(4))" }

  private func percent(_ share: Double?) -> String {
    share.map { "\(($0 * 100).fixed(1)) %" } ?? "-"
  }
}

extension TimeSpan {
  /// Below a second as it is, else whole.
  var inSeconds: String { microseconds < 1_000_000 ? description : inWholeSeconds }

  var inWholeSeconds: String {
    TimeSpan.seconds((microseconds + 500_000) / 1_000_000).description
  }
}

extension Double {
  /// In three digits or whole numbers.
  var asAmount: String {
    guard isFinite else { return self < 0 ? "-∞" : "∞" }
    guard magnitude < 1e15 else { return short }
    guard magnitude < 100 else { return Int(rounded()).grouped }
    return fixed(magnitude < 10 ? 2 : 1)
  }
}
