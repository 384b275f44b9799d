// Many connections to one server, on one thread: requests go out as soon as they are given, on the connection that was
// used last (it is the warmest), or on a new one while there may be more. Whoever drives it decides when; between
// two of its moments `turn` waits for replies and tells the observer of each.
//
//     send ─▶ idle connection, or a new one ─▶ turn: read, parse ─▶ observer.ended
//
// Per request: one send, a share of one epoll_wait, one recv.

public import Core

public struct ClientOptions: Sendable {
  public var connectionsMax = Limits.clientConnectionsDefault
  public var keepsAlive = true
  /// After which a request is given up.
  public var timeout = TimeSpan.seconds(10)
  public var usesPoll = false

  public init() {}
}

public final class ClientPool {
  private let address: ListenAddress
  private let requests: [OutgoingRequest]
  /// The requests' bytes, at addresses that stay.
  private let arena: [Bytes]
  private let options: ClientOptions
  private let timeoutNanoseconds: UInt64
  private let clock: any Clock
  private let poller: any Poller
  private unowned let observer: any ExchangeObserver

  private var links: [ClientLink?] = []
  private var freeSlots: [Int] = []
  /// Free from the next turn on: what this turn has yet to take up may still name them.
  private var freedSlots: [Int] = []
  private var idle: [ClientLink] = []
  private var linkCount = 0
  private var ready: [Readiness] = []
  private var nextSweep: UInt64 = 0
  /// Requests on their way.
  public private(set) var busy = 0
  /// Connections that were made.
  public private(set) var opened = 0

  /// - Parameter observer: outlives the pool.
  public init(
    _ address: ListenAddress, _ requests: [OutgoingRequest], _ options: ClientOptions,
    observer: any ExchangeObserver, clock: any Clock
  ) throws(Failure) {
    precondition(!requests.isEmpty, "there is something to send")
    self.address = address
    self.requests = requests
    self.arena = requests.map { request in
      let memory = UnsafeMutablePointer<UInt8>.allocate(capacity: request.bytes.count)
      memory.update(from: request.bytes, count: request.bytes.count)
      return Bytes(base: UnsafePointer(memory), count: request.bytes.count)
    }
    self.options = options
    self.timeoutNanoseconds = options.timeout.nanoseconds
    self.observer = observer
    self.clock = clock
    poller = try makePoller(usesPoll: options.usesPoll)
  }

  deinit {
    for link in links { if let link { StreamSocket.close(link.descriptor) } }
    for bytes in arena { UnsafeMutablePointer(mutating: bytes.base).deallocate() }
  }

  /// A request given now would go out now.
  public var hasRoom: Bool { busy < options.connectionsMax }

  // MARK: Sending

  /// Sends request number `request`; its end is told to the observer in this call or in a later turn.
  ///
  /// - Precondition: `hasRoom`.
  public func send(_ request: Int, token: UInt64) throws(Failure) {
    precondition(hasRoom, "there is room for the request")
    busy += 1
    let now = clock.monotonicNanoseconds()
    guard let link = idle.popLast() else { return try sendOnNew(request, token, now) }
    link.begin(
      request, arena[request], isHead: requests[request].isHead, token: token, now: now)
    write(link)
  }

  private func sendOnNew(_ request: Int, _ token: UInt64, _ now: UInt64) throws(Failure) {
    switch Socket.beginConnection(to: address) {
    case .begun(let descriptor):
      let slot = freeSlots.popLast() ?? links.count
      let link = ClientLink(descriptor, slot: slot)
      if slot == links.count { links.append(link) } else { links[slot] = link }
      linkCount += 1
      opened += 1
      try poller.add(descriptor, token: slot, [.read, .write])
      link.begin(
        request, arena[request], isHead: requests[request].isHead, token: token, now: now)
    case .refused, .exhausted:
      busy -= 1
      observer.ended(
        Exchange(
          token: token, request: request, sent: now, ended: clock.monotonicNanoseconds(),
          status: 0, fault: .refused, bodyBytes: 0),
        serverTiming: .empty)
    }
  }

  private func write(_ link: ClientLink) {
    switch link.write() {
    case .moved:
      if link.waitsToWrite {
        link.waitsToWrite = false
        poller.change(link.descriptor, token: link.slot, .read)
      }
    case .notNow:
      if !link.waitsToWrite {
        link.waitsToWrite = true
        poller.change(link.descriptor, token: link.slot, [.read, .write])
      }
    case .broken: end(link, .closed)
    }
  }

  // MARK: Turns

  /// Takes up what has come, waiting for it until the moment `deadline` at most.
  public func turn(until deadline: UInt64) {
    let before = clock.monotonicNanoseconds()
    let wait = deadline > before ? min(deadline - before, sweepNanoseconds) : 0
    poller.wait(nanoseconds: wait, into: &ready)
    freeSlots += freedSlots
    freedSlots.removeAll(keepingCapacity: true)
    for index in ready.indices { take(ready[index]) }
    let now = clock.monotonicNanoseconds()
    if now >= nextSweep { sweep(now) }
  }

  private func take(_ readiness: Readiness) {
    guard let link = links[readiness.token] else { return }
    if link.isConnecting {
      guard readiness.canWrite || readiness.isBroken else { return }
      guard StreamSocket.fault(link.descriptor) == nil else { return end(link, .refused) }
      link.isConnecting = false
    }
    if readiness.canWrite, link.isBusy { write(link) }
    guard links[readiness.token] === link, readiness.canRead || readiness.isBroken else { return }
    switch link.read() {
    case .waiting: return
    case .complete: complete(link)
    case .failed(let fault): end(link, fault)
    }
  }

  private func complete(_ link: ClientLink) {
    let timing = link.serverTiming
    let exchange = exchange(link, nil)
    link.finish()
    busy -= 1
    if link.keepsAlive, options.keepsAlive { idle.append(link) } else { close(link) }
    observer.ended(exchange, serverTiming: timing)
  }

  /// A connection that can carry nothing more, and the request on it.
  private func end(_ link: ClientLink, _ fault: ExchangeFault) {
    guard link.isBusy else {
      idle.removeAll { $0 === link }
      return close(link)
    }
    let exchange = exchange(link, fault)
    link.finish()
    busy -= 1
    close(link)
    observer.ended(exchange, serverTiming: .empty)
  }

  private func exchange(_ link: ClientLink, _ fault: ExchangeFault?) -> Exchange {
    Exchange(
      token: link.token, request: link.request, sent: link.sentAt,
      ended: clock.monotonicNanoseconds(), status: fault == nil ? link.status : 0, fault: fault,
      bodyBytes: link.bodyBytes)
  }

  private func close(_ link: ClientLink) {
    poller.remove(link.descriptor)
    StreamSocket.close(link.descriptor)
    links[link.slot] = nil
    freedSlots.append(link.slot)
    linkCount -= 1
  }

  // MARK: Giving up

  private var sweepNanoseconds: UInt64 { max(1_000_000, min(timeoutNanoseconds / 20, 50_000_000)) }

  private func sweep(_ now: UInt64) {
    nextSweep = now + sweepNanoseconds
    for link in links {
      guard let link, link.isBusy, now - min(now, link.sentAt) >= timeoutNanoseconds else {
        continue
      }
      end(link, .timeout)
    }
  }

  /// Gives up what is on its way.
  public func abandon() {
    for link in links { if let link, link.isBusy { end(link, .timeout) } }
  }
}
