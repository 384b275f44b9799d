// Listening sockets and the threads behind them: one loop a thread, each with a socket of its own where the system
// spreads connections over several at one port (Linux, TCP), else with one that they share.

public import Core
import Synchronization

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

public struct ServerOptions: Sendable {
  public var address: ListenAddress
  public var threads: Int
  public var connectionsMax = Limits.connectionsDefault
  public var bodyBytesMax = Limits.requestBodyBytesMax
  public var timeouts = Timeouts()
  /// Waits with poll even where there is epoll.
  public var usesPoll = false
  /// Each loop's listening socket is its own to close.
  var ownsListener = true

  public init(address: ListenAddress, threads: Int = 1) {
    self.address = address
    self.threads = threads
  }
}

public final class Server {
  public let state: ServerState
  /// Where it listens, with the port that the system has chosen where 0 was asked for.
  public let address: ListenAddress
  private var loops: [EventLoop] = []
  private var threads: [WorkerThread] = []
  private let clock: any Clock
  /// One that the loops share, to be closed when all have ended.
  private var sharedListener: Int32?

  /// Opens its sockets; clients can connect from now on, and wait.
  ///
  /// - Parameter makeHandler: makes one for each loop.
  public init(
    _ options: ServerOptions, clock: any Clock = SystemClock(),
    makeHandler: (ServerState) throws(Failure) -> any RequestHandler
  ) throws(Failure) {
    precondition(options.threads > 0, "a server has a thread")
    var options = options
    #if os(Linux)
      options.ownsListener = !options.address.isUnix
    #else
      options.ownsListener = false
    #endif
    self.clock = clock
    state = ServerState(connectionsMax: options.connectionsMax)
    let first = try Socket.listen(at: options.address, sharesPort: options.ownsListener)
    address = Socket.bound(first, options.address)
    if !options.ownsListener { sharedListener = first }
    for index in 0..<options.threads {
      let listener =
        index == 0 || !options.ownsListener
        ? first : try Socket.listen(at: address, sharesPort: true)
      loops.append(
        try EventLoop(
          options, listener: listener, state: state, handler: try makeHandler(state), clock: clock))
    }
  }

  /// Serves from now on, on threads of its own.
  public func start() throws(Failure) {
    for loop in loops { threads.append(try WorkerThread(loop.run)) }
  }

  /// Has every loop take a turn.
  public func wake() {
    for loop in loops { loop.waker.wake() }
  }

  /// Tells everyone who asks that it is not ready, and serves on.
  public func withdraw() {
    state.enter(.withdrawing)
    wake()
  }

  /// Takes no new clients, finishes what was begun, and returns when all connections have ended.
  ///
  /// - Parameter time: what is not finished by then is cut off.
  public func close(within time: TimeSpan) {
    let deadline = clock.monotonicNanoseconds() + time.nanoseconds
    state.closingDeadline.store(deadline, ordering: .relaxed)
    state.enter(.closing)
    wake()
    for thread in threads { thread.join() }
    threads = []
    if let sharedListener { StreamSocket.close(sharedListener) }
    sharedListener = nil
    if case .unix(let path) = address { unlink(path) }
  }
}
