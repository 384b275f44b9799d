// The file of --logged: a line for each decision that was made, with the chance that it had.
//
//     {"id":"f1","decision":"rebook","propensity":0.25}

import Core
import Replay

struct LoggedDecisionLines {
  let decisions = LoggedDecisions()
  /// Lines.
  private(set) var count = 0
  private let scanner: RecordScanner
  private let id: Int
  private let decision: Int
  private let propensity: Int

  private init() {
    var plan = FieldPlan()
    id = plan.slot(["id"])
    decision = plan.slot(["decision"])
    propensity = plan.slot(["propensity"])
    scanner = RecordScanner(plan)
  }

  static func read(_ path: String, _ rejects: Rejects) throws(Failure) -> LoggedDecisionLines {
    var lines = LoggedDecisionLines()
    let reader = LineReader(try DescriptorSource.file(path))
    while let line = try reader.next() {
      lines.count += 1
      do throws(BadRecord) {
        if line.fault == .tooLong { throw BadRecord("longer than \(Limits.lineBytesMax) bytes") }
        try lines.take(line.bytes)
      } catch {
        try rejects.add(
          "logged decision: \(error.reason)", source: path, line: line.number, byte: line.offset,
          raw: line.bytes)
      }
    }
    return lines
  }

  private func take(_ line: Bytes) throws(BadRecord) {
    do throws(JSONError) {
      try scanner.scan(line, padding: LineReader.padding)
    } catch {
      throw BadRecord("not JSON: \(error.description)")
    }
    let id = scanner.raw(id)
    guard id.kind == .string || id.kind == .number else {
      throw BadRecord("no 'id', a string or a number, of the event that asked")
    }
    guard scanner.raw(decision).kind == .string else {
      throw BadRecord("no 'decision', a string, that was made")
    }
    let chance = try chance()
    guard decisions.add(id: id, decision: scanner.text(decision), propensity: chance) else {
      throw BadRecord("a second decision for the id \(id.literal.string)")
    }
  }

  private func chance() throws(BadRecord) -> Double {
    let raw = scanner.raw(propensity)
    guard raw.kind != .null else {
      throw BadRecord("no 'propensity', the chance with which the decision was chosen")
    }
    guard raw.kind == .number, let chance = scanner.scalar(propensity)?.number else {
      throw BadRecord("its 'propensity' is not a number: \(raw.excerpt)")
    }
    // Of the least doubles the reciprocal is none.
    guard chance > 0, chance <= 1, (1 / chance).isFinite else {
      throw BadRecord(
        "its 'propensity' is \(raw.bytes.string); what was decided had a chance above 0 and up to 1"
      )
    }
    return chance
  }
}
