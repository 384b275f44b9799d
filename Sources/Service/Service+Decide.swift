// POST /decide/{model}: a request in, a decision out, by the code that `score` runs over a line. With
// `Content-Type: application/x-ndjson` the body is many requests, a line each, and so is the reply.

import Core
import Decisions
import HTTP
import Models

extension Service {
  func decide(_ call: Call) throws(Refusal) {
    guard let desk = desk(call.route.model) else { throw unknownModel(call.route.model) }
    let body = call.request.body
    guard !body.isEmpty else {
      throw Refusal(.badRequest, "the body is empty; it holds what asks for the decision")
    }
    if call.request.isNDJSON { return try decideMany(call, at: desk) }
    let began = clock.monotonicNanoseconds()
    let seat = desk.tickets.count
    let decider = desk.seat(seat)
    do throws(BadRecord) {
      let kind = try decider.read(body, padding: Request.padding)
      try decider.check(kind)
      let read = clock.monotonicNanoseconds()
      try decider.gather(kind)
      _ = desk.room(1).update(fromContentsOf: decider.gathered)
      let times = TicketTimes(
        arrived: call.request.arrived, began: began, read: read,
        gathered: clock.monotonicNanoseconds())
      let ticket = Ticket(
        request: call.request, connection: call.connection,
        purpose: .decide(seat: seat, kind: kind, detail: call.request.asks("detail")),
        firstRow: desk.rowCount, rowCount: 1, times: times, deadline: try deadline(call.request))
      wait(ticket, at: desk)
    } catch {
      refuse(call, error, decider, at: desk)
    }
  }

  /// When the caller stops waiting, as it says itself.
  func deadline(_ request: Request) throws(BadRecord) -> UInt64? {
    guard let text = request.field(.requestTimeout) else { return nil }
    guard let milliseconds = JSONNumber.integer(text), milliseconds > 0,
      milliseconds <= 86_400_000
    else {
      throw BadRecord("X-Request-Timeout-Ms is no number of milliseconds from 1 to 86400000")
    }
    return request.arrived + UInt64(milliseconds) * 1_000_000
  }

  func unknownModel(_ name: Bytes) -> Refusal {
    let known = desks.map(\.served.name)
    let text = name.percentDecoded ?? name.string
    let nearest = Spelling.nearest(text, among: known).map { "; did you mean '\($0)'?" }
    return Refusal(.notFound, "no model '\(text.prefix(100))' is served\(nearest ?? "")")
  }

  /// 400, with everything that is wrong.
  func refuse(_ call: Call, _ reason: BadRecord, _ decider: Decider, at desk: Desk) {
    desk.meter.update { $0.failed += 1 }
    body.rewind(to: 0)
    body.append("{")
    appendFaults(decider.faults(call.request.body), or: reason)
    body.append("}")
    respond(call, .badRequest, .json, body: body.pending)
  }

  private func appendFaults(_ faults: [MemberFault], or reason: BadRecord) {
    let faults = faults.isEmpty ? [MemberFault(member: nil, reason: reason.reason)] : faults
    let more = faults.count > 1 ? " (and \(faults.count - 1) more faults)" : ""
    body.append("\"error\":")
    body.appendQuoted(faults[0].reason + more)
    body.append(",\"faults\":[")
    for (index, fault) in faults.prefix(Limits.faultsShownMax).enumerated() {
      if index > 0 { body.append(",") }
      body.append("{")
      if let member = fault.member {
        body.append("\"member\":")
        body.appendQuoted(member)
        body.append(",")
      }
      body.append("\"reason\":")
      body.appendQuoted(fault.reason)
      body.append("}")
    }
    body.append("]")
  }

  // MARK: Answers

  func answerDecision(
    _ ticket: Ticket, at desk: Desk, decider: Decider, _ kind: RowKind, detail: Bool,
    start: UInt64, judged: UInt64
  ) {
    let resumed = clock.monotonicNanoseconds()
    decider.take(margins: UnsafeBufferPointer(desk.margins(ofRow: ticket.firstRow)))
    decider.conclude(kind)
    let concluded = clock.monotonicNanoseconds()
    body.rewind(to: 0)
    var encoded: UInt64
    if detail {
      let earlier = decider.earlierLayers
      let times = ticket.times
      let marks = DecisionMarks(
        model: desk.served.name, version: desk.served.version,
        layers: [
          earlier.request + times.read - times.began,
          earlier.features + times.gathered - times.read, judged - start, concluded - resumed,
        ])
      decider.openRecord(on: body, kind, marks, withMargin: false)
      encoded = clock.monotonicNanoseconds()
      decider.closeRecord(on: body, responseNanoseconds: encoded - concluded)
    } else {
      decider.appendAnswer(to: body)
      encoded = clock.monotonicNanoseconds()
    }
    let layers = LayerNanoseconds(
      ticket.times, start: start, judged: judged, resumed: resumed, concluded: concluded,
      encoded: encoded)
    writeTiming(layers)
    meter.count(.decide, .ok)
    let trace = trace(ticket.request)
    send(ticket.connection, .ok, .json, fields: fields.pending, body: body.pending, trace)
    logAccess(ticket.request, .ok, layers, trace)
    logDecision(decider, kind, at: desk, layers, trace)
    let decision = decider.decision
    desk.meter.update { counts in
      counts.succeeded += 1
      counts.count(decision)
      layers.record(&counts)
    }
  }

  // MARK: Many

  /// One line of the body.
  private enum Outcome {
    case row(RowKind)
    case refused([MemberFault], BadRecord)
  }

  private func decideMany(_ call: Call, at desk: Desk) throws(Refusal) {
    let lines = try call.request.body.lines()
    // The seats are needed for the lines.
    if !desk.tickets.isEmpty { judge(desk) }
    let detail = call.request.asks("detail")
    let trace = trace(call.request)
    body.rewind(to: 0)
    var first = 0
    while first < lines.count {
      let group = lines[first..<min(first + options.batchRowsMax, lines.count)]
      decideTogether(group, firstLine: first + 1, detail: detail, at: desk, trace)
      first += group.count
    }
    respond(call, .ok, .ndjson, body: body.pending)
  }

  private func decideTogether(
    _ lines: ArraySlice<Bytes>, firstLine: Int, detail: Bool, at desk: Desk,
    _ trace: TraceContext?
  ) {
    let outcomes = lines.enumerated().map { place, line in read(line, at: desk, seat: place) }
    let start = clock.monotonicNanoseconds()
    desk.judge()
    let inference = clock.monotonicNanoseconds() - start
    var row = 0
    for (place, outcome) in outcomes.enumerated() {
      switch outcome {
      case .row(let kind):
        let decider = desk.seat(place)
        decider.take(margins: UnsafeBufferPointer(desk.margins(ofRow: row)))
        decider.conclude(kind)
        append(decider, kind, at: desk, detail: detail, inference: inference)
        desk.meter.update { $0.count(decider.decision) }
        logDecision(decider, kind, at: desk, LayerNanoseconds(inference: inference), trace)
        row += 1
      case .refused(let faults, let reason):
        body.append("{\"line\":")
        body.append(Int64(firstLine + place))
        body.append(",")
        appendFaults(faults, or: reason)
        body.append("}")
      }
      body.append("\n")
    }
    count(row, of: outcomes.count, at: desk)
    desk.clear()
  }

  private func read(_ line: Bytes, at desk: Desk, seat: Int) -> Outcome {
    let decider = desk.seat(seat)
    do throws(BadRecord) {
      let kind = try decider.read(line, padding: Request.padding)
      try decider.check(kind)
      try decider.gather(kind)
      _ = desk.room(1).update(fromContentsOf: decider.gathered)
      desk.takeRow()
      return .row(kind)
    } catch {
      return .refused(decider.faults(line), error)
    }
  }

  private func append(
    _ decider: Decider, _ kind: RowKind, at desk: Desk, detail: Bool, inference: UInt64
  ) {
    guard detail else { return decider.appendAnswer(to: body) }
    let earlier = decider.earlierLayers
    let marks = DecisionMarks(
      model: desk.served.name, version: desk.served.version,
      layers: [earlier.request, earlier.features, inference, 0])
    decider.openRecord(on: body, kind, marks, withMargin: false)
    decider.closeRecord(on: body, responseNanoseconds: 0)
  }

  private func count(_ rows: Int, of lines: Int, at desk: Desk) {
    desk.meter.update { counts in
      counts.succeeded += rows
      counts.failed += lines - rows
      guard rows > 0 else { return }
      counts.batches += 1
      counts.rows += rows
      counts.batchRows.record(UInt64(rows))
    }
  }
}

extension Request {
  /// Many records, a line each.
  var isNDJSON: Bool {
    guard let type = field(.contentType) else { return false }
    let name = type.split(at: UInt8(ascii: ";")).0.trimmed
    return name.equalsIgnoringCase("application/x-ndjson")
      || name.equalsIgnoringCase("application/ndjson")
      || name.equalsIgnoringCase("application/jsonl")
  }
}

extension Bytes {
  /// The lines that are not blank.
  func lines(keepsEmpty: Bool = false) throws(Refusal) -> [Bytes] {
    var lines: [Bytes] = []
    var rest = self
    while !rest.isEmpty {
      let (line, behind) = rest.split(at: UInt8(ascii: "\n"))
      rest = behind
      guard keepsEmpty || !line.trimmed.isEmpty else { continue }
      guard lines.count < Limits.requestRowsMax else {
        throw Refusal(.contentTooLarge, "more than \(Limits.requestRowsMax) rows in one request")
      }
      lines.append(line)
    }
    return lines
  }
}
