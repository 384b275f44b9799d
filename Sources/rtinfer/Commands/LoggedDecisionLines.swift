// The file of --logged: a line for each decision that was made, with the chance that it had where arms are valued by it.
// The records of score and of serve are such lines, too: where no rule held, theirs have no decision.
//
//     {"id":"f1","decision":"rebook","propensity":0.25}
//     {"id":"f1","decision":"rebook","score":0.81,"decided":"2013-12-06T11:00:00Z"}

import Core
import Events
import Replay

struct LoggedDecisionLines {
  let decisions = LoggedDecisions()
  /// Lines.
  private(set) var count = 0
  private let scanner: RecordScanner
  private let id: Int
  private let decision: Int
  private let kind, score, decided: Int
  private let propensity: Int
  private let needsPropensity: Bool

  private init(needsPropensity: Bool) {
    self.needsPropensity = needsPropensity
    var plan = FieldPlan()
    kind = plan.slot(["kind"])
    score = plan.slot(["score"])
    decided = plan.slot(["decided"])
    id = plan.slot(["id"])
    decision = plan.slot(["decision"])
    propensity = plan.slot(["propensity"])
    scanner = RecordScanner(plan)
  }

  /// - Parameter needsPropensity: a line without one is rejected; else it is not read.
  static func read(
    _ path: String, needsPropensity: Bool, _ rejects: Rejects
  ) throws(Failure) -> LoggedDecisionLines {
    var lines = LoggedDecisionLines(needsPropensity: needsPropensity)
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
    let decision = try made()
    guard
      decisions.add(
        id: id, decision: decision, propensity: needsPropensity ? try chance() : 1,
        score: scanner.scalar(score)?.number, at: try time())
    else { throw BadRecord("a second decision for the id \(id.literal.string)") }
  }

  /// Nil: no rule held.
  private func made() throws(BadRecord) -> Bytes? {
    let raw = scanner.raw(decision)
    if raw.kind == .string { return scanner.text(decision) }
    guard raw.kind == .null, scanner.raw(kind).kind == .string, scanner.text(kind) == "decision"
    else { throw BadRecord("no 'decision', a string, that was made") }
    return nil
  }

  /// Nil: at once.
  private func time() throws(BadRecord) -> Timestamp? {
    guard scanner.raw(decided).kind != .null else { return nil }
    guard let time = scanner.scalar(decided).flatMap({ TimeUnit.rfc3339.timestamp($0) }) else {
      throw BadRecord("its 'decided' is no time (RFC 3339): \(scanner.raw(decided).excerpt)")
    }
    return time
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
