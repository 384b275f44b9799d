// What is said of a clause: pass, fail, or that the data cannot say.

public import Core

public struct Verdict: Sendable {
  public enum Answer: String, Sendable { case pass, fail, inconclusive }

  public let clause: String
  public let isWarning: Bool
  public let answer: Answer
  /// In the unit of the record: microseconds, a share, a factor, a rate, a count.
  public let value: Double?
  /// Where the true value lies; without an upper end where the data has none.
  public let interval: (low: Double, high: Double?)?
  public let count: Int
  public let bound: Double
  /// Microseconds, or nil for plain numbers.
  public let unit: String?
  public let why: String
  private let isUpperBound: Bool
  /// Of the slowest requests' time, by layer.
  public var tail: (count: Int, shares: [TailAttribution.Share])?

  public init(
    _ clause: Clause, _ answer: Answer, value: Double?, interval: (low: Double, high: Double?)?,
    count: Int, why: String
  ) {
    self.clause = clause.text
    self.isWarning = clause.isWarning
    self.answer = answer
    let scale = clause.isLatency ? 1e-3 : 1
    self.value = value.map { $0 * scale }
    self.interval = interval.map { ($0.low * scale, $0.high.map { $0 * scale }) }
    self.count = count
    self.bound = clause.bound * scale
    self.unit = clause.isLatency ? "us" : nil
    self.isUpperBound = clause.isUpperBound
    self.why = why
  }

  /// How much of the budget is used: the value by its bound. What must stay above a bound uses nothing up.
  public var used: Double? {
    guard let value, isUpperBound, bound > 0 else { return nil }
    return value / bound
  }

  public func append(to output: OutputBuffer, budget: String) {
    output.append("{\"kind\":\"verdict\",\"budget\":")
    output.appendQuoted(budget)
    output.append(",\"clause\":")
    output.appendQuoted(clause)
    output.append(",\"verdict\":")
    output.appendQuoted(answer.rawValue)
    if isWarning { output.append(",\"warning\":true") }
    output.append(",\"value\":")
    append(value, to: output)
    output.append(",\"interval\":")
    if let interval {
      output.append("[")
      append(interval.low, to: output)
      output.append(",")
      append(interval.high, to: output)
      output.append("]")
    } else {
      output.append("null")
    }
    output.append(",\"n\":")
    output.append(Int64(count))
    output.append(",\"bound\":")
    append(bound, to: output)
    if let unit {
      output.append(",\"unit\":")
      output.appendQuoted(unit)
    }
    output.append(",\"used\":")
    append(used, to: output)
    output.append(",\"why\":")
    output.appendQuoted(why)
    appendTail(to: output)
    output.append("}\n")
  }

  /// Rounded to what means something: a nanosecond, a millionth.
  private func append(_ value: Double?, to output: OutputBuffer) {
    guard let value else { return output.append("null") }
    let scale = unit == nil ? 1e6 : 1e3
    output.append((value * scale).rounded() / scale)
  }

  private func appendTail(to output: OutputBuffer) {
    guard let tail, tail.count > 0 else { return }
    output.append(",\"tail\":{\"n\":")
    output.append(Int64(tail.count))
    output.append(",\"shares\":{")
    for (index, share) in tail.shares.enumerated() {
      if index > 0 { output.append(",") }
      output.appendQuoted(share.name)
      output.append(":")
      output.append((share.share * 1e4).rounded() / 1e4)
    }
    output.append("}}")
  }
}

extension Array where Element == Verdict {
  /// The worst of those that are more than warnings. No verdict at all is none.
  public var status: ExitStatus {
    let binding = filter { !$0.isWarning }
    if binding.contains(where: { $0.answer == .fail }) { return .verdictNo }
    if isEmpty || binding.contains(where: { $0.answer == .inconclusive }) { return .inconclusive }
    return .success
  }
}
