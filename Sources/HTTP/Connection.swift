// One client's connection as a state machine without a socket: bytes are put in, requests come out, replies are
// put in, bytes come out. The event loop does the reading and writing; the tests do it by hand.
//
//     reading ──request──▶ answering ──reply──▶ reading …      kept alive
//        │ refused            │ reply, and the client or we end it
//        ▼                    ▼
//     leaving: what is left is sent, then the client has a moment to notice (a socket that is closed with
//        │     unread bytes in it takes back what was sent)
//        ▼
//     closed
//
// One request at a time: the next of a pipeline is looked at when the one before it is answered, so that
// replies are in order by themselves, and a client that sends without reading is stopped by its own
// full socket.

public import Core

public final class Connection {
  enum Phase { case reading, answering, leaving, closed }

  private(set) var phase = Phase.reading
  private var storage: UnsafeMutablePointer<UInt8>?
  private var capacity = 0
  /// The first byte of the request that is being read or answered.
  private var start = 0
  private var filled = 0
  private var parser: RequestParser
  private var keepsAlive = true
  private var isHead = false
  private var saidContinue = false
  private(set) var inputEnded = false

  private var output = OutputBuffer(MemorySink(), capacity: 2 << 10)
  private var sent = 0
  private let dateLine: DateLine
  unowned let outbox: Outbox
  public let client: ClientAddress
  /// Its place in the loop's table.
  let slot: Int
  var isInOutbox = false

  /// Monotonic nanoseconds of the last byte in or out.
  private(set) var lastProgress: UInt64
  private var requestBegan: UInt64
  private var requestBytes = 0
  private var discarded = 0

  /// The connection is closed or the client has reset it: nobody waits for a reply.
  public var isGone: Bool { phase == .closed }

  init(
    slot: Int, outbox: Outbox, dateLine: DateLine, bodyBytesMax: Int, now: UInt64,
    client: ClientAddress = .local
  ) {
    self.slot = slot
    self.client = client
    self.outbox = outbox
    self.dateLine = dateLine
    self.parser = RequestParser(bodyBytesMax: bodyBytesMax)
    self.lastProgress = now
    self.requestBegan = now
  }

  deinit { storage?.deallocate() }

  // MARK: Bytes in

  /// Whether more bytes are of use now. One request is answered before the next is read.
  var wantsInput: Bool {
    switch phase {
    case .reading: !inputEnded && output.count - sent <= Limits.connectionOutputBytesMax
    case .leaving: !inputEnded
    case .answering, .closed: false
    }
  }

  /// Room for bytes to be read into; never empty.
  func room() -> UnsafeMutableRawBufferPointer {
    if start > 0, filled == capacity { moveDown() }
    if filled == capacity { grow() }
    return UnsafeMutableRawBufferPointer(start: storage! + filled, count: capacity - filled)
  }

  private func moveDown() {
    storage!.update(from: storage! + start, count: filled - start)
    filled -= start
    start = 0
  }

  private func grow() {
    let larger = max(Limits.connectionBufferBytes, capacity * 2, parser.wholeCount)
    let moved = UnsafeMutablePointer<UInt8>.allocate(capacity: larger + Request.padding)
    moved.initialize(repeating: 0, count: larger + Request.padding)
    if let storage { moved.update(from: storage, count: filled) }
    storage?.deallocate()
    storage = moved
    capacity = larger
  }

  /// So many bytes were read into the room.
  func received(_ count: Int, now: UInt64) {
    if phase == .leaving {
      discarded += count
      return
    }
    if parser.isUntouched, filled == start {
      requestBegan = now
      requestBytes = 0
    }
    requestBytes += count
    lastProgress = now
    filled += count
  }

  /// The client will send nothing more; it may still be reading.
  func receivedEnd() {
    inputEnded = true
    if phase == .reading, filled == start { leave() }
  }

  // MARK: Requests out

  /// The next request, once it is whole. What is no request is answered here.
  func nextRequest() -> Request? {
    guard phase == .reading, filled > start, let storage,
      output.count - sent <= Limits.connectionOutputBytesMax
    else { return nil }
    var count = filled - start
    let step = parser.parse(storage + start, &count)
    filled = start + count
    switch step {
    case .needsMore:
      if inputEnded {
        leave()
      } else {
        sayContinue()
      }
      return nil
    case .refused(let refusal):
      refuse(refusal)
      return nil
    case .complete:
      phase = .answering
      keepsAlive = parser.keepAlive ?? (parser.minorVersion == 1)
      isHead = parser.method == .head
      return request(storage + start)
    }
  }

  private func request(_ base: UnsafeMutablePointer<UInt8>) -> Request {
    let base = UnsafePointer(base)
    let body = Bytes(base: base + parser.bodyStart, count: parser.bodyEnd - parser.bodyStart)
    return Request(
      method: parser.method, target: parser.target.bytes(base), body: body, arrived: lastProgress,
      base: base, fields: parser.fields)
  }

  /// A client that waits to be asked for its body is asked.
  private func sayContinue() {
    guard parser.expectsContinue, parser.awaitsBody, !saidContinue, parser.minorVersion == 1,
      parser.bodyEnd == parser.bodyStart
    else { return }
    saidContinue = true
    output.append("HTTP/1.1 100 Continue\r\n\r\n")
    outbox.add(self)
  }

  // MARK: Replies in

  /// Answers the request.
  ///
  /// - Parameters:
  ///   - fields: whole lines with their ends, to stand beside those that every reply has.
  /// - Precondition: there is a request that is not answered yet.
  public func respond(
    _ status: Status, _ type: ContentType, fields: Bytes = .empty, body: Bytes
  ) {
    if isGone { return }
    precondition(phase == .answering, "a request is answered once")
    let closes = !keepsAlive || outbox.isDraining
    write(status, type, fields: fields, body: body, closes: closes)
    start += parser.consumed
    if start == filled {
      start = 0
      filled = 0
    }
    parser = RequestParser(bodyBytesMax: parser.bodyBytesMax)
    saidContinue = false
    requestBegan = lastProgress
    requestBytes = filled - start
    phase = .reading
    if closes || inputEnded && start == filled { leave() }
    outbox.add(self)
  }

  private func write(
    _ status: Status, _ type: ContentType, fields: Bytes, body: Bytes, closes: Bool
  ) {
    output.append("HTTP/1.1 ")
    output.append(status.line)
    output.append("\r\n")
    output.append(dateLine.line)
    output.append(type.line)
    output.append("Content-Length: ")
    output.append(UInt64(body.count))
    output.append("\r\n")
    if closes {
      output.append("Connection: close\r\n")
    } else if parser.minorVersion == 0 {
      output.append("Connection: keep-alive\r\n")
    }
    output.append(fields)
    output.append("\r\n")
    if !isHead { output.append(body) }
  }

  /// Answers what is no request, or comes too slowly, and ends the connection.
  func refuse(_ refusal: Refusal, fields: Bytes = .empty) {
    guard phase == .reading || phase == .answering else { return }
    isHead = false
    let text = OutputBuffer(MemorySink(), capacity: 256)
    text.append("{\"error\":")
    text.appendQuoted(refusal.reason)
    text.append("}")
    write(refusal.status, .json, fields: fields, body: text.pending, closes: true)
    outbox.noteRefusal(refusal.status)
    leave()
    outbox.add(self)
  }

  private func leave() {
    phase = .leaving
    // What has come behind the last request is of no use to anyone.
    start = 0
    filled = 0
  }

  /// Nothing more is read or sent.
  func close() { phase = .closed }

  // MARK: Bytes out

  /// What waits to be sent; valid until the next call of anything here.
  var pendingOutput: Bytes { output.pending[sent..<output.count] }

  func sent(_ count: Int, now: UInt64) {
    sent += count
    lastProgress = now
    guard sent == output.count else { return }
    sent = 0
    if output.count > Limits.connectionBufferKeptBytes {
      output = OutputBuffer(MemorySink(), capacity: 2 << 10)
    } else {
      output.rewind(to: 0)
    }
    giveBackRoom()
  }

  private func giveBackRoom() {
    if start == filled, phase == .reading, capacity > Limits.connectionBufferKeptBytes {
      releaseRoom()
    }
  }

  private func releaseRoom() {
    storage?.deallocate()
    storage = nil
    capacity = 0
    start = 0
    filled = 0
  }

  /// All is sent, and there is nothing to wait for but the client's leaving.
  var hasSaidGoodbye: Bool { phase == .leaving && pendingOutput.isEmpty }

  /// The client has left too, or sends on regardless.
  var mayClose: Bool {
    hasSaidGoodbye && (inputEnded || discarded > Limits.lingerBytesMax)
  }

  // MARK: Time

  /// Nothing of a next request has come.
  var isBetweenRequests: Bool { phase == .reading && parser.isUntouched && start == filled }

  /// Nothing is under way.
  var isIdle: Bool { isBetweenRequests && pendingOutput.isEmpty }

  enum Expiry { case none, close, refuse }

  /// What is to be done about a client that takes too long.
  func expiry(_ timeouts: Timeouts, now: UInt64) -> Expiry {
    let quiet = now &- min(now, lastProgress)
    if !pendingOutput.isEmpty { return quiet > timeouts.write ? .close : .none }
    switch phase {
    case .closed, .answering: return .none
    case .leaving: return quiet > timeouts.linger ? .close : .none
    case .reading:
      if isIdle {
        // An idle connection needs no buffer.
        if quiet > timeouts.linger, capacity > 0 { releaseRoom() }
        return quiet > timeouts.idle ? .close : .none
      }
      let allowed = timeouts.request + UInt64(requestBytes) * timeouts.nanosecondsPerByte
      return now &- requestBegan > allowed ? .refuse : .none
    }
  }
}

/// How long a client may take, in nanoseconds.
public struct Timeouts: Sendable {
  /// Between two requests.
  public var idle: UInt64 = 75_000_000_000
  /// For a request to come, from its first byte …
  public var request: UInt64 = 10_000_000_000
  /// … and for each of its bytes: 16 KiB a second are expected of everyone.
  public var nanosecondsPerByte: UInt64 = 1_000_000_000 / (16 << 10)
  /// Without taking up anything of a reply.
  public var write: UInt64 = 30_000_000_000
  /// To notice that the connection ends.
  public var linger: UInt64 = 1_000_000_000
  /// An idle connection's client, to send a request that it may have begun, when the server closes.
  public var parting: UInt64 = 100_000_000
  /// How often all of this is looked at.
  public var sweep: UInt64 = 500_000_000

  public init() {}
}

/// Which connections have something to send; shared by all of a loop.
final class Outbox {
  private(set) var connections: [Connection] = []
  /// Replies end their connections.
  var isDraining = false
  /// Counted by whoever runs the loop.
  var refusals: [Status] = []

  func add(_ connection: Connection) {
    guard !connection.isInOutbox else { return }
    connection.isInOutbox = true
    connections.append(connection)
  }

  func noteRefusal(_ status: Status) { refusals.append(status) }

  var isEmpty: Bool { connections.isEmpty }

  /// Exchanges its list for an empty one.
  func take(into list: inout [Connection]) {
    list.removeAll(keepingCapacity: true)
    swap(&list, &connections)
    for connection in list { connection.isInOutbox = false }
  }
}
