// materialize verify: every feature that was answered is computed anew from the events, in two ways, and compared.
//
//     logged = as of event                     equal: it does not matter when things came in
//     logged = as of ingest, not as of event   late: something came in after the question; no fault of the features
//     neither                                  mismatch: another definition, other events, or a bug
//
// Groupings of partial states depend on times alone, so the same events give the same bytes; the tolerance is for rows that
// something else has computed.

import Core
import Events
import Features

final class Verification {
  /// What came of one feature.
  fileprivate struct Tally {
    var rows = 0
    var equal = 0
    var bothNull = 0
    var late = 0
    var leftNull = 0
    var rightNull = 0
    var mismatch = 0
    var differences = 0
    var sumOfDifferences = 0.0
    var largest = 0.0
    /// The id of the first row that does not agree, as JSON.
    var example: [UInt8] = []
  }

  /// A row as it was logged.
  private struct Logged {
    let id: [UInt8]
    let type: Int
    /// By place in the type's plan; empty where the row does not have the feature.
    let values: [[UInt8]]
    /// By place: what has been computed.
    var event: [[UInt8]] = []
    var ingest: [[UInt8]] = []
  }

  private let invocation: Invocation
  private let schema: EventSchema
  private let features: FeatureDefinitions
  private let asking: [Int]
  private let tolerance: Double
  private let rejects: Rejects
  private let scratch = OutputBuffer(MemorySink())
  private var logged: [Logged] = []
  private var asked: [(row: AskedRow, line: [UInt8])] = []
  private var tallies: [String: Tally] = [:]
  private var read = 0

  init(
    _ invocation: Invocation, schema: EventSchema, features: FeatureDefinitions
  ) throws(Failure) {
    self.invocation = invocation
    self.schema = schema
    self.features = features
    // Whatever was answered can be verified, whoever asked.
    self.asking = Array(schema.types.indices)
    let text = try invocation.options.value(MaterializeCommand.tolerance) ?? "0"
    guard let tolerance = Double(text), (0..<1).contains(tolerance) else {
      throw .usage(
        "\(invocation.options.origin(MaterializeCommand.tolerance)): '\(text)' is no share from 0 to"
          + " below 1, as in 1e-9")
    }
    self.tolerance = tolerance
    self.rejects = try Rejects(invocation)
  }

  /// - Parameter path: of the features records.
  func run(logged path: String, events: [String]) throws(Failure) -> ExitStatus {
    let tables = try TableFiles(invocation, features, rejects)
    read += tables.rowsRead
    let runs = [AsOf.event, .ingest].map {
      PointInTime(features, schema, tables: tables.all, asking: asking, asOf: $0)
    }
    try readLogged(path, plans: runs[0].plans)
    guard !logged.isEmpty else {
      invocation.messages.error("\(path): no features records, so there is nothing to verify")
      return .inconclusive
    }
    try compute(runs, events)
    judge(runs[0].plans)
    try write()
    let status = try rejects.finish(total: read)
    if status != .success { return status }
    return tallies.values.contains { $0.mismatch > 0 } ? .verdictNo : .success
  }

  // MARK: The logged rows

  private func readLogged(_ path: String, plans: [RequestPlan?]) throws(Failure) {
    var plan = FieldPlan()
    let kind = plan.slot(["kind"])
    let (id, request) = (plan.slot(["id"]), plan.slot(["request"]))
    let (typeSlot, offset) = (plan.slot(["_rt", "type"]), plan.slot(["_rt", "offset"]))
    let slots = plans.map { $0!.answers.map { plan.slot(["features", $0.name]) } }
    let scanner = RecordScanner(plan)
    let decoder = EventDecoder(schema, trustsMarks: false)
    let reader = LineReader(try DescriptorSource.file(path))
    while let line = try reader.next() {
      read += 1
      do throws(BadRecord) {
        do throws(JSONError) { try scanner.scan(line.bytes) } catch {
          throw BadRecord("not JSON: \(error.description)")
        }
        guard scanner.raw(kind).kind == .string, scanner.text(kind) == Bytes("features"),
          scanner.raw(request).kind == .object
        else { throw BadRecord("no features record, which is what materialize writes") }
        let raw = scanner.raw(typeSlot)
        guard raw.kind == .string, let type = schema.index(of: scanner.text(typeSlot).string)
        else { throw BadRecord("its _rt.type names no event type of the project") }
        let event = try decoder.decode(scanner.raw(request).bytes, as: type)
        asked.append(
          (
            AskedRow(
              time: event.time, index: logged.count, type: type,
              offset: JSONNumber.integer(scanner.raw(offset).bytes), ingested: nil),
            scanner.raw(request).bytes.copy()
          ))
        logged.append(
          Logged(
            id: scanner.raw(id).literal.copy(), type: type,
            values: slots[type].map { scanner.raw($0).literal.copy() }))
      } catch {
        try rejects.add(
          error.reason, source: path, line: line.number, byte: line.offset, raw: line.bytes)
      }
    }
  }

  // MARK: Comparing

  private func compute(_ runs: [PointInTime], _ events: [String]) throws(Failure) {
    let intake = EventIntake(
      try LogReading.events(invocation, events), schema: schema, rejects: rejects,
      clock: invocation.clock,
      trustsMarks: true
    ) { () throws(Failure) in }
    for (run, asOf) in zip(runs, [AsOf.event, .ingest]) {
      for (row, line) in asked { run.add(row, line: line) }
      run.trustsMarks = intake.trustsMarks
      run.onAnswer = { [unowned self] row, _, values in
        let computed = zip(run.plans[row.type]!.answers, values).map { answer, value in
          scratch.rewind(to: 0)
          scratch.append(value, isDocument: answer.isDocument)
          return scratch.pending.copy()
        }
        switch asOf {
        case .event: logged[row.index].event = computed
        case .ingest: logged[row.index].ingest = computed
        }
      }
      run.begin()
    }
    let progress = Progress(invocation)
    while let arrival = try intake.next() {
      for run in runs { try run.take(arrival) }
      progress.advance()
    }
    for run in runs { run.finish() }
    progress.finish()
    read += intake.counts.read
  }

  private func judge(_ plans: [RequestPlan?]) {
    for row in logged {
      for (place, answer) in plans[row.type]!.answers.enumerated() where !row.values[place].isEmpty
      {
        var tally = tallies[answer.name] ?? Tally()
        row.values[place].withBytes { left in
          let isEqual = row.event[place].withBytes { left == $0 || isNear(left, $0) }
          row.ingest[place].withBytes { right in
            tally.take(left, right, isEqual: isEqual, isLate: left == right || isNear(left, right))
          }
        }
        if tally.mismatch > 0, tally.example.isEmpty { tally.example = row.id }
        tallies[answer.name] = tally
      }
    }
  }

  private func isNear(_ left: Bytes, _ right: Bytes) -> Bool {
    guard let one = JSONNumber.scalar(left)?.number, let other = JSONNumber.scalar(right)?.number
    else { return false }
    return abs(one - other) <= tolerance * max(abs(one), abs(other))
  }

  // MARK: Verdicts

  private func write() throws(Failure) {
    let output = invocation.output
    for name in features.names {
      guard let tally = tallies[name] else { continue }
      output.append("{\"kind\":\"verdict\",\"clause\":")
      output.appendQuoted(name)
      output.append(",\"verdict\":")
      output.appendQuoted(tally.mismatch > 0 ? "fail" : "pass")
      tally.append(to: output)
      if tally.mismatch > 0 {
        output.append(",\"why\":\"equal neither as of event nor as of ingest\",\"first\":")
        tally.example.withBytes { output.append($0) }
      }
      output.append(UInt8(ascii: "}"))
      try output.endRecord()
    }
    try output.flush()
  }
}

extension Verification.Tally {
  fileprivate mutating func take(_ left: Bytes, _ right: Bytes, isEqual: Bool, isLate: Bool) {
    rows += 1
    let null = Bytes("null")
    if isEqual {
      equal += 1
      if left == null { bothNull += 1 }
      return
    }
    if isLate {
      late += 1
      return
    }
    mismatch += 1
    if left == null { leftNull += 1 } else if right == null { rightNull += 1 }
    guard let one = JSONNumber.scalar(left)?.number, let other = JSONNumber.scalar(right)?.number
    else { return }
    differences += 1
    sumOfDifferences += abs(one - other)
    largest = max(largest, abs(one - other))
  }

  fileprivate func append(to output: OutputBuffer) {
    func append(_ name: StaticString, _ count: Int) {
      output.append(",\"")
      output.append(name)
      output.append("\":")
      output.append(Int64(count))
    }
    append("n", rows)
    append("equal", equal)
    append("both_null", bothNull)
    append("late", late)
    append("left_null", leftNull)
    append("right_null", rightNull)
    append("mismatch", mismatch)
    guard differences > 0 else { return }
    output.append(",\"largest\":")
    output.append(largest)
    output.append(",\"mean_difference\":")
    output.append(sumOfDifferences / Double(differences))
  }
}
