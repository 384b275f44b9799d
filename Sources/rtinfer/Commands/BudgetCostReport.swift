// What decisions cost and bring, as a table for people and as a summary and a verdict for machines.

import Core
import Measure

struct BudgetCostReport {
  let cost: DecisionCost
  /// What bench ab took for granted.
  let assumption: String?

  // MARK: Table

  var table: String {
    var rows: [(String, String)] = []
    for (name, range) in parts where range.upperBound > 0 {
      rows.append((name, money(range)))
    }
    rows.append(("a year, in all", money(cost.ownership)))
    rows.append(("a thousand decisions", money(cost.perThousand)))
    if let value = cost.value, let thousand = cost.inputs.value {
      rows.append(("value of a thousand", money(thousand)))
      rows.append(("value of a year", money(value)))
      rows.append(("value less cost", cost.net.map(money) ?? ""))
      if let share = cost.returnOnCost { rows.append(("return", percent(share))) }
      if cost.inputs.building.upperBound > 0 { rows.append(("pays back in", payback)) }
      rows.append(("even from", evenRate))
    }
    let width = rows.map(\.0.count).max() ?? 0
    var text = rows.map { "  \(Help.padded($0.0, width))  \($0.1)\n" }.joined()
    if let sentence { text += "\n  \(sentence)\n" }
    if let assumption { text += "  \(assumption)\n" }
    return text
  }

  private var parts: [(String, DecisionCost.Range)] {
    let build = cost.inputs.building
    let years = cost.inputs.years
    return [
      ("machines", cost.machines), ("storage", cost.storage), ("people", cost.people),
      ("building, by year", build.lowerBound / years...build.upperBound / years),
    ]
  }

  private var sentence: String? {
    switch cost.answer {
    case .pass: "it pays: the lowest value is above the highest cost"
    case .fail: "it does not pay: the highest value is not above the lowest cost"
    case .inconclusive: "it cannot be said whether it pays: the ranges of value and cost overlap"
    case nil: nil
    }
  }

  private func money(_ range: DecisionCost.Range) -> String {
    range.lowerBound == range.upperBound
      ? money(range.lowerBound) : "\(money(range.lowerBound)) … \(money(range.upperBound))"
  }

  /// Whole units from a thousand on, else three digits.
  private func money(_ value: Double) -> String {
    let size = abs(value)
    if size >= 1e15 { return value.plain }
    if size >= 1_000 { return (value < 0 ? "-" : "") + Int(size.rounded()).grouped }
    return value.fixed(size >= 10 ? 2 : size >= 0.1 ? 3 : 6)
  }

  private func percent(_ range: DecisionCost.Range) -> String {
    let ends = [range.lowerBound, range.upperBound].map { "\(($0 * 100).fixed(0)) %" }
    return ends[0] == ends[1] ? ends[0] : "\(ends[0]) … \(ends[1])"
  }

  private var payback: String {
    guard let payback = cost.payback else { return "" }
    guard let low = payback.low else { return "never" }
    guard let high = payback.high else { return "\(low.fixed(1)) months … never" }
    return low == high ? "\(low.fixed(1)) months" : "\(low.fixed(1)) … \(high.fixed(1)) months"
  }

  private var evenRate: String {
    guard let rate = cost.evenRate else { return "no rate: it is worth nothing" }
    guard let high = rate.high else { return "\(money(rate.low))/s … no rate" }
    return rate.low == high ? "\(money(high))/s" : "\(money(rate.low))/s … \(money(high))/s"
  }

  // MARK: Records

  func append(to output: OutputBuffer) {
    output.append("{\"kind\":\"summary\",\"what\":\"cost\",\"decisions_per_year\":")
    append(cost.decisionsPerYear, to: output)
    let ranges: [(String, DecisionCost.Range?)] = [
      ("machines", cost.machines), ("storage", cost.storage), ("people", cost.people),
      ("build", cost.inputs.building), ("running_per_year", cost.running),
      ("ownership_per_year", cost.ownership), ("per_1000", cost.perThousand),
      ("value_per_1000", cost.inputs.value), ("value_per_year", cost.value),
      ("net_per_year", cost.net), ("return", cost.returnOnCost),
    ]
    for (name, range) in ranges {
      guard let range else { continue }
      output.append(",\"\(name)\":" as String)
      append(range, to: output)
    }
    if cost.inputs.building.upperBound > 0, let payback = cost.payback {
      output.append(",\"payback_months\":")
      append(payback.low, payback.high, to: output)
    }
    if let even = cost.evenRate {
      output.append(",\"even_rate\":")
      append(even.low, even.high, to: output)
    }
    output.append("}\n")
    appendVerdict(to: output)
  }

  private func appendVerdict(to output: OutputBuffer) {
    guard let answer = cost.answer, let net = cost.net, let sentence else { return }
    output.append("{\"kind\":\"verdict\",\"what\":\"cost\",\"clause\":\"value > cost\"")
    output.append(",\"verdict\":")
    output.appendQuoted(answer.rawValue)
    output.append(",\"value\":")
    output.append(rounded((net.lowerBound + net.upperBound) / 2))
    output.append(",\"interval\":")
    append(net, to: output)
    output.append(",\"bound\":0,\"why\":")
    output.appendQuoted(sentence)
    if let assumption {
      output.append(",\"assuming\":")
      output.appendQuoted(assumption)
    }
    output.append("}\n")
  }

  private func append(_ range: DecisionCost.Range, to output: OutputBuffer) {
    append(range.lowerBound, range.upperBound, to: output)
  }

  private func append(_ low: Double?, _ high: Double?, to output: OutputBuffer) {
    output.append("[")
    output.append(low.map { .double(rounded($0)) } ?? .null)
    output.append(",")
    output.append(high.map { .double(rounded($0)) } ?? .null)
    output.append("]")
  }

  private func rounded(_ value: Double) -> Double {
    abs(value) < 1e9 ? (value * 1e6).rounded() / 1e6 : value
  }
}
