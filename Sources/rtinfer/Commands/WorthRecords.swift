// The verdicts of bench ab: what real-time is worth, as budget cost reads it. The summaries beside them are passed over.

import Core

final class WorthRecords {
  struct Verdict {
    /// Costs that the arms state are taken off already.
    let isNet: Bool
    /// Counted in the project's values, not in right decisions.
    let isMoney: Bool
    /// Of all decisions together; nil where it could not be said.
    let interval: ClosedRange<Double>?
    /// Decisions that were compared.
    let count: Int
    let why: String
    let assumption: String?
  }

  /// Of the arm that was judged.
  private(set) var verdict: Verdict?
  private let scanner: RecordScanner
  private let kind, what, clause, answer, interval, count, why, assumption: Int

  init() {
    var plan = FieldPlan()
    kind = plan.slot(["kind"])
    what = plan.slot(["what"])
    clause = plan.slot(["clause"])
    answer = plan.slot(["verdict"])
    interval = plan.slot(["interval"])
    count = plan.slot(["n"])
    why = plan.slot(["why"])
    assumption = plan.slot(["assuming"])
    scanner = RecordScanner(plan)
  }

  /// - Returns: why the line cannot be used; nil where it was.
  func take(_ line: Line) -> String? {
    do throws(JSONError) {
      try scanner.scan(line.bytes, padding: LineReader.padding)
      let (kind, what) = (scanner.raw(kind), scanner.raw(what))
      guard kind.kind == .string else { return "not a record of rtinfer: there is no 'kind'" }
      guard what.kind == .string,
        ["ab", "segment", "period"].contains(where: { what.bytes == $0 }),
        kind.bytes == "summary" || what.bytes == "ab" && kind.bytes == "verdict"
      else { return "a '\(kind.bytes.string)' record that bench ab did not make" }
      if kind.bytes == "verdict", verdict == nil { verdict = try read() }
      return nil
    } catch {
      return error.description
    }
  }

  private func read() throws(JSONError) -> Verdict {
    guard case .int(let decisions)? = scanner.scalar(count), decisions >= 0 else {
      throw JSONError("a verdict of bench ab without 'n'", at: 0)
    }
    return Verdict(
      isNet: text(clause)?.hasPrefix("net value of ") ?? false,
      isMoney: text(clause)?.hasPrefix("value of ") ?? false, interval: try range(),
      count: Int(decisions), why: text(why) ?? "", assumption: text(assumption))
  }

  private func text(_ slot: Int) -> String? {
    scanner.raw(slot).kind == .string ? scanner.text(slot).string : nil
  }

  private func range() throws(JSONError) -> ClosedRange<Double>? {
    let raw = scanner.raw(interval)
    // What could not be said has no interval that means anything.
    guard raw.kind == .array, text(answer) != "inconclusive" else { return nil }
    let parts = raw.bytes.string.dropFirst().dropLast().split(separator: ",").map {
      Double(String($0.drop { $0 == " " }))
    }
    guard parts.count == 2, let low = parts[0], let high = parts[1], low <= high else {
      throw JSONError("'interval' is not two ascending numbers", at: 0)
    }
    return low...high
  }
}
