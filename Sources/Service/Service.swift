// What a loop does with its requests: each is led to its place, rows for the same model are gathered on its desk, and at
// the end of the turn each desk is judged in one call.
//
//     request ─route─▶ answered at once (health, metrics, pages, refusals)
//                 └──▶ desk of the model ── endTurn ──▶ judged together, answered one by one

public import Core
import Decisions
public import Features
public import HTTP
import Measure
import Models

public struct ServiceOptions: Sendable {
  /// What callers must show; nil: nothing.
  public var token: [UInt8]?
  /// Rows that are judged together at most.
  public var batchRowsMax = Limits.batchRowsDefault
  /// How long a request may wait for others; nothing: only for those that are ready with it.
  public var batchDelay = TimeSpan.zero
  /// Bytes of a body, once it is inflated.
  public var bodyBytesMax = Limits.requestBodyBytesMax
  /// How much one client may send; nil: as much as it likes.
  public var rates: ClientRates?
  /// A `sample` record for each request, but those of probes and scrapers.
  public var accessLog: LogWriter?
  /// Each decision's whole record.
  public var decisionLog: LogWriter?
  /// Where events go; nil: none are taken.
  public var events: EventQueue?
  /// What events have told; nil where nothing is kept of them here.
  public var liveState: LiveState?
  /// Loads and unloads models; nil where none are served.
  public var changes: ModelChanges?
  /// As the server names itself in v2 and on its page.
  public var version = ""

  public init() {}
}

public final class Service: RequestHandler {
  let options: ServiceOptions
  let catalog: Catalog
  let state: ServerState
  let meters: Meters
  let meter: LoopMeter
  let clock: any Clock
  private let batchDelay: UInt64

  private(set) var desks: [Desk] = []
  private var names = ByteTable()
  private var generation = -1
  /// Desks with rows on them.
  private var busy: [Desk] = []

  /// A reply's body and its further fields while they are written.
  let body = OutputBuffer(MemorySink(), capacity: 16 << 10)
  let fields = OutputBuffer(MemorySink(), capacity: 1 << 10)
  /// Texts of the request at hand whose escapes were resolved.
  let texts = TextScratch()
  /// A line of a log while it is written.
  let logLine = OutputBuffer(MemorySink(), capacity: 4 << 10)
  /// A reply's further fields and the trace's.
  let tracedFields = OutputBuffer(MemorySink(), capacity: 512)
  /// Names spans.
  var random = SplitMix64(seed: UInt64.random(in: 0 ... .max))

  /// Requests that another thread has to answer, by number.
  var lateCalls: [Int: Call] = [:]
  var nextLateCall = 0
  let lateReplies = LateReplies()

  public init(
    _ catalog: Catalog, _ options: ServiceOptions, state: ServerState, meters: Meters,
    clock: any Clock
  ) {
    self.catalog = catalog
    self.options = options
    self.state = state
    self.meters = meters
    self.clock = clock
    self.meter = meters.add()
    self.batchDelay = options.batchDelay.nanoseconds
    follow()
  }

  /// Takes up the catalog's models if they have changed.
  private func follow() {
    let current = catalog.generation
    guard current != generation, busy.isEmpty else { return }
    generation = current
    names = ByteTable()
    desks = catalog.models.map { Desk($0, meter: meter.model($0)) }
    for desk in desks {
      let isNew = Array(desk.served.name.utf8).withBytes { names.insert($0).isNew }
      precondition(isNew, "models have distinct names")
      desk.warmUp()
    }
  }

  /// The model's desk, by its name as it stands in a path.
  func desk(_ name: Bytes) -> Desk? {
    if let index = names.find(name) { return desks[index] }
    guard name.buffer.contains(UInt8(ascii: "%")), let decoded = name.percentDecoded else {
      return nil
    }
    return desks.first { $0.served.name == decoded }
  }

  // MARK: Requests

  public func handle(_ request: Request, _ connection: Connection) {
    let route = Route(request.path)
    let call = Call(request: request, connection: connection, route: route)
    guard route.kind.isProbe || isAllowed(request) else {
      return refuse(
        call, Refusal(.unauthorized, "a bearer token is needed"),
        fields: "WWW-Authenticate: Bearer\r\n")
    }
    guard route.kind != .none else {
      return refuse(call, Refusal(.notFound, "no such path: \(request.path.excerpt)"))
    }
    guard isMethod(request.method, of: route.kind) else {
      let allowed: StaticString =
        route.kind.takesPost ? "Allow: POST\r\n" : "Allow: GET, HEAD\r\n"
      return refuse(call, Refusal(.methodNotAllowed, "Method Not Allowed"), fields: allowed)
    }
    // What is only read, probes and metrics above all, is always told.
    if let rates = options.rates, route.kind.takesPost,
      let wait = rates.take(from: connection.client, now: request.arrived)
    {
      return refuse(call, rates, wait: wait)
    }
    do throws(Refusal) {
      try lead(route.kind.takesPost ? try call.decoded(bytesMax: options.bodyBytesMax) : call)
    } catch {
      let isCoding = error.status == .unsupportedMediaType
      refuse(call, error, fields: isCoding ? "Accept-Encoding: gzip, deflate\r\n" : "")
    }
  }

  private func isMethod(_ method: Method, of kind: Route.Kind) -> Bool {
    if kind.takesPost { return method == .post }
    return method == .get || method == .head
  }

  /// In a time that does not tell how much of a token is right.
  private func isAllowed(_ request: Request) -> Bool {
    guard let token = options.token else { return true }
    guard let sent = request.field(.authorization), sent.count == token.count + 7,
      sent[0..<7].equalsIgnoringCase("bearer ")
    else { return false }
    var difference: UInt8 = 0
    for index in token.indices { difference |= token[index] ^ sent[index + 7] }
    return difference == 0
  }

  private func lead(_ call: Call) throws(Refusal) {
    switch call.route.kind {
    case .decide: try decide(call)
    case .events: try takeEvents(call)
    case .features: try showFeatures(call)
    case .live: answer(call, json: "{\"live\":true}")
    case .ready:
      let isReady = state.stage == .serving
      answer(
        call, isReady ? .ok : .unavailable, json: isReady ? "{\"ready\":true}" : "{\"ready\":false}"
      )
    case .metrics:
      body.rewind(to: 0)
      _ = MetricsText(self, to: body)
      respond(call, .ok, .prometheus, body: body.pending)
    case .v1Models: v1Models(call)
    case .v1Model: try v1Model(call)
    case .v1Predict: try v1Predict(call)
    case .ping: ping(call)
    case .version: version(call)
    case .invocations: try invocations(call)
    case .page: livePage(call)
    case .none: preconditionFailure("a request without a way is refused before")
    case .v2Server, .v2Live, .v2Ready, .v2Model, .v2ModelReady, .v2Infer, .v2Stats, .v2Index,
      .v2Load, .v2Unload:
      try openInference(call)
    }
  }

  // MARK: Batches

  /// The rows of a ticket wait for the end of the turn, or go at once when the batch is full.
  func wait(_ ticket: Ticket, at desk: Desk) {
    precondition(ticket.rowCount > 0, "a ticket without rows would never be judged")
    if desk.tickets.isEmpty { busy.append(desk) }
    desk.take(ticket)
    meter.noteWaiting(1)
    if desk.rowCount >= options.batchRowsMax { judge(desk) }
  }

  public func endTurn(now: UInt64) -> UInt64? {
    answerLate()
    if catalog.generation != generation {
      // Who waits has come for the models that are here; the new ones are not kept waiting by them.
      while let desk = busy.first { judge(desk) }
    }
    var due: UInt64?
    var index = 0
    while index < busy.count {
      let desk = busy[index]
      let oldest = desk.tickets[0].times.arrived + batchDelay
      if batchDelay == 0 || oldest <= now {
        // Takes the desk out of the list.
        judge(desk)
      } else {
        due = min(due ?? .max, oldest)
        index += 1
      }
    }
    follow()
    return due
  }

  /// Judges what lies on the desk and answers it.
  func judge(_ desk: Desk) {
    busy.removeAll { $0 === desk }
    meter.noteWaiting(-desk.tickets.count)
    refuseLate(desk)
    guard desk.rowCount > 0 else { return desk.clear() }
    let start = clock.monotonicNanoseconds()
    desk.judge()
    let judged = clock.monotonicNanoseconds()
    for ticket in desk.tickets { conclude(ticket, at: desk, start: start, judged: judged) }
    desk.meter.update {
      $0.batches += 1
      $0.rows += desk.rowCount
      $0.batchRows.record(UInt64(desk.rowCount))
      $0.lastInference = clock.now().microseconds / 1_000
    }
    desk.clear()
  }

  /// Whoever has gone gets no answer, and whoever has waited too long gets none any more.
  private func refuseLate(_ desk: Desk) {
    let now = clock.monotonicNanoseconds()
    for ticket in desk.tickets {
      if ticket.connection.isGone {
        desk.meter.update { $0.dropped += 1 }
      } else if ticket.isLate(now) {
        desk.meter.update { $0.tooLate += 1 }
        let route = Route(ticket.request.path)
        refuse(
          Call(request: ticket.request, connection: ticket.connection, route: route),
          Refusal(.deadlinePassed, "the request's deadline passed while it waited"))
      }
    }
    desk.drop { $0.connection.isGone || $0.isLate(now) }
  }

  private func conclude(_ ticket: Ticket, at desk: Desk, start: UInt64, judged: UInt64) {
    switch ticket.purpose {
    case .decide(let seat, let kind, let detail):
      answerDecision(
        ticket, at: desk, decider: desk.seat(seat), kind, detail: detail, start: start,
        judged: judged)
    case .predict(let reply):
      answerPrediction(ticket, at: desk, reply, start: start, judged: judged)
    }
  }

  public func refused(_ status: Status) { meter.count(.none, status) }
}

/// A request with its way.
struct Call {
  let request: Request
  let connection: Connection
  let route: Route
}

extension Bytes {
  /// For a message, cut after 100 bytes.
  var excerpt: String { count <= 100 ? string : self[0..<100].string + "…" }
}
