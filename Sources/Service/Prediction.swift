// What all the borrowed protocols have in common: rows of numbers in, the model's scores out, no rules. Each protocol
// reads rows onto the model's desk in its own manner and leaves a reply behind that writes the scores in its
// own manner; between the two lies the same batch that `/decide` uses.

import Core
import Decisions
import HTTP
import Models

/// How one protocol writes its scores.
protocol PredictionReply {
  /// Appends the body.
  func write(_ scores: Scores, to body: OutputBuffer)
  /// Its type.
  var type: ContentType { get }
  /// Further fields, whole lines; called after `write`.
  func appendFields(to fields: OutputBuffer)
}

extension PredictionReply {
  var type: ContentType { .json }
  func appendFields(to fields: OutputBuffer) {}
}

/// The scores of one request's rows, row after row.
struct Scores {
  let desk: Desk
  let firstRow: Int
  let rowCount: Int
  var model: Model { desk.model }

  /// Scores of a row.
  var width: Int { model.scoreCount }

  subscript(row: Int, output: Int) -> Double { desk.margins(ofRow: firstRow + row)[output] }

  /// Appends one score, in as few digits as tell it from its neighbours in the model's precision.
  func append(_ row: Int, _ output: Int, to body: OutputBuffer) {
    switch model.precision {
    case .float32: body.append(Float(self[row, output]))
    case .float64: body.append(self[row, output])
    }
  }

  /// Appends a row's scores: one as a number, several as an array.
  func appendRow(_ row: Int, to body: OutputBuffer) {
    guard width != 1 else { return append(row, 0, to: body) }
    body.append("[")
    for output in 0..<width {
      if output > 0 { body.append(",") }
      append(row, output, to: body)
    }
    body.append("]")
  }

  /// Appends all rows as an array.
  func appendRows(to body: OutputBuffer) {
    body.append("[")
    for row in 0..<rowCount {
      if row > 0 { body.append(",") }
      appendRow(row, to: body)
    }
    body.append("]")
  }
}

extension Service {
  /// Has the rows judged that were read onto the desk.
  ///
  /// - Parameter began: monotonic nanoseconds when their reading began.
  func predict(
    _ call: Call, rows: Int, at desk: Desk, began: UInt64, _ reply: any PredictionReply
  ) throws(Refusal) {
    let read = clock.monotonicNanoseconds()
    let deadline: UInt64?
    do throws(BadRecord) {
      deadline = try self.deadline(call.request)
    } catch {
      throw Refusal(.badRequest, error.reason)
    }
    let times = TicketTimes(arrived: call.request.arrived, began: began, read: read, gathered: read)
    let ticket = Ticket(
      request: call.request, connection: call.connection, purpose: .predict(reply),
      firstRow: desk.rowCount, rowCount: rows, times: times, deadline: deadline)
    guard rows > 0 else {
      // There is nothing to wait for.
      return answerPrediction(ticket, at: desk, reply, start: read, judged: read)
    }
    wait(ticket, at: desk)
  }

  func answerPrediction(
    _ ticket: Ticket, at desk: Desk, _ reply: any PredictionReply, start: UInt64, judged: UInt64
  ) {
    let resumed = clock.monotonicNanoseconds()
    for row in ticket.firstRow..<ticket.firstRow + ticket.rowCount {
      desk.model.transform(desk.margins(ofRow: row))
    }
    let concluded = clock.monotonicNanoseconds()
    body.rewind(to: 0)
    reply.write(
      Scores(desk: desk, firstRow: ticket.firstRow, rowCount: ticket.rowCount), to: body)
    let layers = LayerNanoseconds(
      ticket.times, start: start, judged: judged, resumed: resumed, concluded: concluded,
      encoded: clock.monotonicNanoseconds())
    writeTiming(layers)
    reply.appendFields(to: fields)
    meter.count(Route(ticket.request.path).kind, .ok)
    let trace = trace(ticket.request)
    send(
      ticket.connection, .ok, reply.type, fields: fields.pending, body: body.pending, trace)
    logAccess(ticket.request, .ok, layers, trace)
    desk.meter.update { counts in
      counts.succeeded += 1
      layers.record(&counts)
    }
  }

  /// Room for the rows of a request; refused where they are too many.
  func room(_ rows: Int, at desk: Desk) throws(Refusal) -> UnsafeMutableBufferPointer<Double> {
    guard rows <= Limits.requestRowsMax else {
      throw Refusal(.contentTooLarge, "more than \(Limits.requestRowsMax) rows in one request")
    }
    return desk.room(rows)
  }

  /// The desk of the model that the path names, in the version that it names.
  func servedDesk(_ route: Route) throws(Refusal) -> Desk {
    guard let desk = desk(route.model) else { throw unknownModel(route.model) }
    guard
      route.version.isEmpty || route.version == desk.served.wireVersion
        || route.version == desk.served.version
    else {
      throw Refusal(
        .notFound,
        "model '\(desk.served.name)' has no version '\(route.version.excerpt)'; it has \(desk.served.wireVersion)"
      )
    }
    return desk
  }
}

extension ServedModel {
  /// For protocols whose versions are numbers: a file without a registry has no history.
  var wireVersion: String { Int(version) == nil ? "1" : version }
}
