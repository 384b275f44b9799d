// A plan as a table, as a project file with its reasons, and as a record.

import Core
import Measure

struct BudgetPlanReport {
  /// The longest mean work with which so many replicas keep the promise.
  struct Allowed {
    let replicas: Int
    let seconds: Double
  }

  enum Capacity {
    /// With the largest factor between the curve and its fit, where there is a curve.
    case planned(CapacityPlan, Double?)
    case impossible(CapacityPlan.Demand, String)
    /// Nothing says how long the work takes.
    case unknown(CapacityPlan.Demand, [Allowed])
  }

  let name: String
  let budget: PlannedBudget
  let capacity: Capacity?

  var status: ExitStatus {
    if budget.answer == .fail { return .verdictNo }
    switch capacity {
    case .impossible: return .verdictNo
    case .planned(let plan, nil) where plan.simulated.low > plan.demand.bound: return .verdictNo
    default: return budget.answer == .inconclusive ? .inconclusive : .success
    }
  }

  // MARK: Sentences

  private var sentences: [String] {
    var lines = [budget.why]
    if budget.count > 0 {
      lines = ["\(budget.answer.rawValue): \(budget.why) (\(budget.count.grouped) requests)"]
    }
    switch capacity {
    case nil: break
    case .planned(let plan, let factor): lines += sentences(plan, factor)
    case .impossible(let demand, let why): lines.append("\(asked(demand)): \(why)")
    case .unknown(let demand, let allowed):
      lines.append("\(asked(demand)): the work for one request may take, in the mean,")
      lines += allowed.map { "  \(shown($0.seconds)) with \(replicas($0.replicas))" }
    }
    return lines
  }

  private func sentences(_ plan: CapacityPlan, _ factor: Double?) -> [String] {
    let basis =
      plan.basis == .curve
      ? "as bench search found" : "by a queue with \(shown(plan.queue.service.mean)) of work"
    let busy = (plan.utilisation * 100).fixed(0)
    let (low, value) = (shown(plan.simulated.low), shown(plan.simulated.value))
    let high = plan.simulated.high.map { shown($0) } ?? "unknown"
    var lines = [
      "\(asked(plan.demand)): \(replicas(plan.replicas)), each takes \(plan.perReplica.fixed(0))/s"
    ]
    lines[0] += " \(basis)"
    lines.append("\(plan.ratePerReplica.fixed(0))/s a replica: \(busy) % busy")
    lines[1] += ", \(plan.inFlight.fixed(1)) requests under way in all at the peak"
    lines.append("p\(plan.demand.percent.plain) there: \(shown(plan.modelled)) by the model")
    lines[2] += ", \(value) simulated (\(low) … \(high))"
    if let factor {
      lines.append(
        "the model is a queue fitted to the curve: off by a factor of \(factor.fixed(2)) at most")
    }
    return lines
  }

  private func asked(_ demand: CapacityPlan.Demand) -> String {
    "\(demand.peak.plain)/s and \((demand.margin * 100).fixed(0)) % on top"
  }

  private func replicas(_ count: Int) -> String {
    count == 1 ? "1 replica" : "\(count.grouped) replicas"
  }

  private func shown(_ seconds: Double) -> String {
    seconds.isFinite ? LayerTimes.readable(UInt64((seconds * 1e9).rounded())) : "no end"
  }

  private func shown(microseconds: Double) -> String {
    LayerTimes.readable(UInt64((microseconds * 1e3).rounded()))
  }

  // MARK: For people and for the project

  var project: String { budget.section(name: name, notes: sentences) }

  var table: String {
    let percent = "p\(budget.percent.plain)"
    var rows = [["layer", percent, "measured", "interval"]]
    for line in budget.lines {
      rows.append(row(line.layer.rawValue, line.bound, line.measured))
    }
    rows.append(["buffer", budget.buffer.description, "", ""])
    rows.append(row("total", budget.total, budget.measured))
    let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max()! }
    var text = "budget plan: \(name)\n"
    for row in rows {
      var line = ""
      for (cell, width) in zip(row, widths) { line += "  " + Help.padded(cell, width) }
      while line.last == " " { line.removeLast() }
      text += line + "\n"
    }
    return text + "\n" + sentences.map { "  \($0)\n" }.joined()
  }

  private func row(
    _ name: String, _ bound: TimeSpan, _ measured: PlannedBudget.Measured?
  ) -> [String] {
    guard let measured else { return [name, bound.description, "", ""] }
    let high = measured.high.map { shown(microseconds: $0) } ?? "unknown"
    return [
      name, bound.description, shown(microseconds: measured.value),
      "\(shown(microseconds: measured.low)) … \(high)",
    ]
  }

  // MARK: Record

  func append(to output: OutputBuffer) {
    output.append("{\"kind\":\"summary\",\"what\":\"plan\",\"budget\":")
    output.appendQuoted(name)
    output.append(",\"answer\":")
    output.appendQuoted(budget.answer.rawValue)
    output.append(",\"why\":")
    output.appendQuoted(budget.why)
    output.append(",\"n\":\(budget.count),\"percentile\":" as String)
    output.append(budget.percent)
    output.append(",\"total_us\":\(budget.total.microseconds),\"layers_us\":{" as String)
    for (index, line) in budget.lines.enumerated() {
      if index > 0 { output.append(",") }
      output.append("\"\(line.layer.rawValue)\":\(line.bound.microseconds)" as String)
    }
    output.append("},\"buffer_us\":\(budget.buffer.microseconds)" as String)
    if let measured = budget.measured { append(measured, to: output) }
    if let capacity { append(capacity, to: output) }
    output.append("}\n")
  }

  private func append(_ measured: PlannedBudget.Measured, to output: OutputBuffer) {
    output.append(",\"measured_us\":{\"total\":")
    appendRange(measured, to: output)
    for line in budget.lines {
      guard let measured = line.measured else { continue }
      output.append(",\"\(line.layer.rawValue)\":" as String)
      appendRange(measured, to: output)
    }
    output.append("}")
  }

  private func appendRange(_ measured: PlannedBudget.Measured, to output: OutputBuffer) {
    output.append("{\"value\":")
    output.append(measured.value)
    output.append(",\"interval\":[")
    output.append(measured.low)
    output.append(",")
    output.append(measured.high.map { .double($0) } ?? .null)
    output.append("]}")
  }

  private func append(_ capacity: Capacity, to output: OutputBuffer) {
    switch capacity {
    case .planned(let plan, let factor):
      appendDemand(plan.demand, to: output)
      output.append(",\"replicas\":\(plan.replicas),\"basis\":\"\(plan.basis.rawValue)\"" as String)
      for (name, value) in [
        ("per_replica", plan.perReplica), ("rate_per_replica", plan.ratePerReplica),
        ("utilisation", plan.utilisation), ("in_flight", plan.inFlight),
        ("service_us", plan.queue.service.mean * 1e6), ("modelled_us", plan.modelled * 1e6),
        ("simulated_us", plan.simulated.value * 1e6),
      ] {
        output.append(",\"\(name)\":" as String)
        output.append(rounded(value))
      }
      output.append(",\"simulated_interval_us\":[")
      output.append(rounded(plan.simulated.low * 1e6))
      output.append(",")
      output.append(plan.simulated.high.map { .double(rounded($0 * 1e6)) } ?? .null)
      output.append("]")
      guard let factor else { return }
      output.append(",\"fit_off_by\":")
      output.append(rounded(factor))
    case .impossible(let demand, let why):
      appendDemand(demand, to: output)
      output.append(",\"replicas\":null,\"replicas_why\":")
      output.appendQuoted(why)
    case .unknown(let demand, let allowed):
      appendDemand(demand, to: output)
      output.append(",\"service_allowed_us\":{")
      for (index, entry) in allowed.enumerated() {
        output.append((index > 0 ? "," : "") + "\"\(entry.replicas)\":")
        output.append(rounded(entry.seconds * 1e6))
      }
      output.append("}")
    }
  }

  private func appendDemand(_ demand: CapacityPlan.Demand, to output: OutputBuffer) {
    output.append(",\"peak\":")
    output.append(demand.peak)
    output.append(",\"margin\":")
    output.append(demand.margin)
  }

  private func rounded(_ value: Double) -> Double {
    value.isFinite ? (value * 1e3).rounded() / 1e3 : .nan
  }
}
