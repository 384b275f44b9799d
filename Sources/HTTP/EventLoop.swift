// One thread's connections. Each turn takes up what is ready, hands all whole requests over, lets the handler
// answer them together, and sends what it said:
//
//     wait ─▶ accept, read, parse ─▶ handler.endTurn ─▶ send ─▶ the next of each pipeline ─┐
//      ▲                                  ▲────────────────────────────────────────────────┘
//      └── nothing left to do
//
// Nothing here waits but the one wait, and nothing is shared with other loops but a few counters.

import Core
import Synchronization

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

final class EventLoop {
  /// A connection and its socket.
  private final class Link {
    let descriptor: Int32
    let connection: Connection
    var interest = Interest.read
    var saidEnd = false

    init(_ descriptor: Int32, _ connection: Connection) {
      self.descriptor = descriptor
      self.connection = connection
    }
  }

  private static let listenerToken = 0
  private static let wakeToken = 1
  private static let firstLinkToken = 2

  private let options: ServerOptions
  private let state: ServerState
  private let handler: any RequestHandler
  private let clock: any Clock
  private let poller: any Poller
  private let wakeReader: Int32
  private let wakeWriter: Int32
  let waker: LoopWaker
  private var listener: Int32?
  /// Held so that there is one to give up when none is left.
  private var spare: Int32

  private let outbox = Outbox()
  private let dateLine = DateLine()
  private var links: [Link?] = []
  private var freeSlots: [Int] = []
  /// Free from the next turn on: what this turn has yet to take up may still name them.
  private var freedSlots: [Int] = []
  private var linkCount = 0
  private var ready: [Readiness] = []
  private var answered: [Connection] = []
  private var handed = 0
  private var now: UInt64
  private var nextSweep: UInt64 = 0
  private var due: UInt64?

  /// - Parameter listener: a socket of its own, or one that it shares.
  init(
    _ options: ServerOptions, listener: Int32, state: ServerState, handler: any RequestHandler,
    clock: any Clock
  ) throws(Failure) {
    self.options = options
    self.state = state
    self.handler = handler
    self.clock = clock
    self.listener = listener
    poller = try makePoller(usesPoll: options.usesPoll)
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else {
      throw .inputOutput("pipe: \(String(cString: strerror(errno)))")
    }
    for end in ends { Socket.makeNonBlocking(end) }
    (wakeReader, wakeWriter) = (ends[0], ends[1])
    waker = LoopWaker(ends[1])
    spare = EventLoop.openSpare()
    now = clock.monotonicNanoseconds()
    try poller.add(listener, token: EventLoop.listenerToken, .read)
    try poller.add(wakeReader, token: EventLoop.wakeToken, .read)
    handler.attach(waker)
  }

  deinit {
    waker.retire()
    for descriptor in [wakeReader, wakeWriter, spare] where descriptor >= 0 {
      StreamSocket.close(descriptor)
    }
  }

  // MARK: Turns

  /// Serves until the server closes and every connection has ended, or its time is over.
  func run() {
    while !isOver { turn() }
    for link in links { if let link { close(link) } }
  }

  private var isOver: Bool {
    guard listener == nil else { return false }
    return linkCount == 0 || now >= state.closingDeadline.load(ordering: .relaxed)
  }

  private func turn() {
    poller.wait(milliseconds: patience(), into: &ready)
    now = clock.monotonicNanoseconds()
    dateLine.refresh(clock.now())
    freeSlots += freedSlots
    freedSlots.removeAll(keepingCapacity: true)
    followStage()
    for index in ready.indices { take(ready[index]) }
    settle()
    if now >= nextSweep { sweep() }
  }

  /// How long there is nothing to do.
  private func patience() -> Int32 {
    var until = linkCount > 0 || listener == nil ? nextSweep : .max
    if let due { until = min(until, due) }
    if until == .max { return -1 }
    // Rounded down: the last millisecond is waited for by looking again and again.
    return until <= now ? 0 : Int32(min((until - now) / 1_000_000, 60_000))
  }

  private func take(_ readiness: Readiness) {
    switch readiness.token {
    case EventLoop.listenerToken: acceptAll()
    case EventLoop.wakeToken: emptyWakePipe()
    default:
      guard let link = links[readiness.token - EventLoop.firstLinkToken] else { return }
      if readiness.canRead {
        read(link)
      } else if readiness.isBroken {
        close(link)
        return
      }
      if readiness.canWrite { send(link) }
      // A peer that is gone is reported for ever, even while its request is being answered.
      if readiness.isBroken, !link.connection.wantsInput { close(link) }
    }
  }

  private func emptyWakePipe() {
    var bytes = [UInt8](repeating: 0, count: 64)
    while read(wakeReader, &bytes) {}
  }

  /// Whether there was something to read.
  private func read(_ descriptor: Int32, _ bytes: inout [UInt8]) -> Bool {
    #if canImport(Glibc)
      Glibc.read(descriptor, &bytes, bytes.count) > 0
    #else
      Darwin.read(descriptor, &bytes, bytes.count) > 0
    #endif
  }

  private static func openSpare() -> Int32 {
    #if canImport(Glibc)
      Glibc.open("/dev/null", O_RDONLY | O_CLOEXEC)
    #else
      Darwin.open("/dev/null", O_RDONLY | O_CLOEXEC)
    #endif
  }

  // MARK: Connections

  private func acceptAll() {
    guard let listener else { return }
    for _ in 0..<Limits.acceptsPerTurn {
      switch Socket.accept(listener, isUnix: options.address.isUnix) {
      case .connection(let descriptor, let client): open(descriptor, client)
      case .none: return
      case .exhausted:
        // The client is told the truth by an end, not left waiting in a queue.
        StreamSocket.close(spare)
        if case .connection(let descriptor, _) = Socket.accept(listener, isUnix: true) {
          StreamSocket.close(descriptor)
          state.turnedAway.add(1, ordering: .relaxed)
        }
        spare = EventLoop.openSpare()
        return
      }
    }
  }

  private func open(_ descriptor: Int32, _ client: ClientAddress) {
    state.accepted.add(1, ordering: .relaxed)
    let isSurplus = state.open.add(1, ordering: .relaxed).oldValue >= state.connectionsMax
    let slot = freeSlots.popLast() ?? links.count
    if slot == links.count { links.append(nil) }
    let connection = Connection(
      slot: slot, outbox: outbox, dateLine: dateLine, bodyBytesMax: options.bodyBytesMax, now: now,
      client: client)
    let link = Link(descriptor, connection)
    do throws(Failure) {
      try poller.add(descriptor, token: slot + EventLoop.firstLinkToken, .read)
    } catch {
      state.open.subtract(1, ordering: .relaxed)
      freedSlots.append(slot)
      StreamSocket.close(descriptor)
      return
    }
    links[slot] = link
    linkCount += 1
    if isSurplus {
      state.turnedAway.add(1, ordering: .relaxed)
      connection.refuse(
        Refusal(.unavailable, "too many connections"), fields: Bytes("Retry-After: 1\r\n"))
    }
  }

  private func close(_ link: Link) {
    let slot = link.connection.slot
    guard links[slot] != nil else { return }
    link.connection.close()
    poller.remove(link.descriptor)
    StreamSocket.close(link.descriptor)
    links[slot] = nil
    freedSlots.append(slot)
    linkCount -= 1
    state.open.subtract(1, ordering: .relaxed)
  }

  private func read(_ link: Link) {
    let connection = link.connection
    guard connection.wantsInput else { return adjust(link) }
    let room = connection.room()
    switch StreamSocket.read(link.descriptor, room) {
    case .moved(0):
      connection.receivedEnd()
      // What was cut off is given up.
      pump(connection)
      if connection.mayClose { close(link) } else { adjust(link) }
    case .moved(let count):
      connection.received(count, now: now)
      pump(connection)
      if connection.mayClose { close(link) }
    case .notNow: break
    case .broken: close(link)
    }
  }

  /// Hands over the connection's next request, and further ones as long as they are answered at once.
  private func pump(_ connection: Connection) {
    while let request = connection.nextRequest() {
      handed += 1
      handler.handle(request, connection)
    }
  }

  // MARK: Answers

  /// Has everything answered that was handed over, and what lies behind it in pipelines.
  private func settle() {
    repeat {
      handed = 0
      due = handler.endTurn(now: now)
      outbox.take(into: &answered)
      for connection in answered {
        guard let link = links[connection.slot], link.connection === connection else { continue }
        send(link)
        if !connection.isGone { pump(connection) }
      }
      for status in outbox.refusals { handler.refused(status) }
      outbox.refusals.removeAll(keepingCapacity: true)
    } while handed > 0 || !outbox.isEmpty
  }

  private func send(_ link: Link) {
    let connection = link.connection
    // Its descriptor may be another's by now.
    guard !connection.isGone else { return }
    while case let bytes = connection.pendingOutput, !bytes.isEmpty {
      switch StreamSocket.write(link.descriptor, bytes) {
      case .moved(let count): connection.sent(count, now: now)
      case .notNow: return adjust(link)
      case .broken: return close(link)
      }
    }
    if connection.hasSaidGoodbye, !link.saidEnd {
      link.saidEnd = true
      Socket.endOutput(link.descriptor)
    }
    if connection.mayClose { close(link) } else { adjust(link) }
  }

  /// Asks to be told of what can be made use of.
  private func adjust(_ link: Link) {
    guard !link.connection.isGone else { return }
    var interest: Interest = link.connection.wantsInput ? .read : []
    if !link.connection.pendingOutput.isEmpty { interest.insert(.write) }
    guard interest != link.interest else { return }
    link.interest = interest
    poller.change(
      link.descriptor, token: link.connection.slot + EventLoop.firstLinkToken, interest)
  }

  // MARK: Time

  /// Looks for clients that take too long.
  private func sweep() {
    let isClosing = state.stage == .closing
    nextSweep = now + (isClosing ? options.timeouts.sweep / 10 : options.timeouts.sweep)
    for link in links {
      guard let link else { continue }
      let connection = link.connection
      if isClosing, connection.isIdle, now - connection.lastProgress > options.timeouts.parting {
        close(link)
        continue
      }
      switch connection.expiry(options.timeouts, now: now) {
      case .none: break
      case .close: close(link)
      case .refuse:
        connection.refuse(Refusal(.requestTimeout, "the request came too slowly"))
      }
    }
    if !outbox.isEmpty { settle() }
  }

  private func followStage() {
    switch state.stage {
    case .serving, .withdrawing: return
    case .closing:
      outbox.isDraining = true
      guard let listener else { return }
      // Whoever is already waiting is still served.
      acceptAll()
      poller.remove(listener)
      if options.ownsListener { StreamSocket.close(listener) }
      self.listener = nil
      nextSweep = now
    }
  }
}
