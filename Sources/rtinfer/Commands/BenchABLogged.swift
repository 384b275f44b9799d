// What bench ab says where outcomes depend on the decision, and arms are valued by decisions that were logged with their
// propensities.

import Core
import Measure
import Replay

extension ArmComparison {
  /// Why it cannot be valued by what was logged; nil where it can, or nothing is logged.
  var lack: String? { logged?.own.lack.map { "not identified: of \(arm.name) \($0)" } }
}

extension BenchABReport {
  var isLogged: Bool { plan.loggedPath != nil }

  /// Of the first arm less another; nil where there is none.
  func snipwInterval(_ arm: ArmComparison) -> (low: Double, high: Double)? {
    arm.logged?.gain?.interval.map { ($0.low - extraCost(arm), $0.high - extraCost(arm)) }
  }

  var loggedAssumption: String? {
    guard obstacle == nil else { return nil }
    let text = "taken for granted: the propensities are the chances by which decisions were chosen"
    guard decided > compared else { return text }
    return text
      + ", and the \((decided - compared).grouped) questions without an outcome, a value or a"
      + " logged decision are as the others"
  }

  // MARK: Records

  func appendLogged(_ arm: ArmComparison, to output: OutputBuffer) {
    guard let own = arm.logged?.own else { return }
    output.append(",\"logged\":{\"n\":\(own.count),\"matched\":\(own.matchedCount)" as String)
    output.append(",\"effective_sample_size\":")
    output.append(own.effectiveSampleSize)
    output.append(",\"weight_max\":")
    output.append(own.weightMax)
    output.append(",\"support\":")
    output.append(own.support)
    output.append(",\"support_interval\":")
    output.append(interval: own.supportInterval)
    output.append(",\"ipw\":")
    output.append(own.matchedCount > 0 ? .double(own.ipw) : .null)
    output.append(",\"ipw_interval\":")
    output.append(interval: own.ipwInterval)
    output.append(",\"snipw\":")
    output.append(own.snipw.map { .double($0) } ?? .null)
    output.append(",\"snipw_interval\":")
    output.append(interval: own.snipwInterval)
    output.append("}")
  }

  func appendLoggedGain(_ arm: ArmComparison, to output: OutputBuffer) {
    guard isLogged else { return }
    output.append(",\"estimator\":\"ipw\",\"snipw\":")
    let gain = isTold(arm) ? arm.logged?.gain : nil
    output.append(gain.map { .double($0.value - extraCost(arm)) } ?? .null)
    output.append(",\"snipw_interval\":")
    output.append(interval: gain == nil ? nil : snipwInterval(arm))
  }

  // MARK: Text

  /// How far each arm can be valued by what was logged, and to what it comes.
  var loggedRows: [[String]]? {
    guard isLogged, compared > 0 else { return nil }
    var rows = [
      [
        "by logged decisions", "its own", "effective", "largest weight", "support", "IPW/1,000",
        "SNIPW/1,000",
      ]
    ]
    for arm in arms {
      guard let own = arm.logged?.own else { continue }
      rows.append([
        arm.arm.name, "\(own.matchedCount.grouped) of \(own.count.grouped)",
        own.effectiveSampleSize.fixed(0), own.weightMax.fixed(1), own.support.fixed(3),
        amount(own.ipw, own.ipwInterval), own.snipw.map { amount($0, own.snipwInterval) } ?? "-",
      ])
    }
    return rows
  }

  private func amount(_ value: Double, _ interval: (low: Double, high: Double)?) -> String {
    var text = amount(perThousand(value))
    if let interval {
      text += " (\(amount(perThousand(interval.low))) to \(amount(perThousand(interval.high))))"
    }
    return text
  }
}
