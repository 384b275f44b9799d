// What a server does with requests is not its affair: a handler is given them one by one, and told when all that
// were ready together have come, so that it may answer them together.

import Synchronization

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Has a loop take a turn, from any thread.
public final class LoopWaker: Sendable {
  /// -1 once the loop has ended.
  private let descriptor: Mutex<Int32>

  init(_ descriptor: Int32) { self.descriptor = Mutex(descriptor) }

  public func wake() {
    descriptor.withLock { descriptor in
      guard descriptor >= 0 else { return }
      var byte: UInt8 = 0
      // A full pipe wakes as well.
      _ = write(descriptor, &byte, 1)
    }
  }

  func retire() { descriptor.withLock { $0 = -1 } }
}

/// Used by one loop only, on its thread.
public protocol RequestHandler: AnyObject {
  /// Answers the request through its connection, now or in a later `endTurn`. The request is valid until it
  /// is answered.
  func handle(_ request: Request, _ connection: Connection)

  /// All requests that were ready have been handed over.
  ///
  /// - Parameter now: monotonic nanoseconds.
  /// - Returns: when it wants to be called again whatever happens; nil: when there is something.
  func endTurn(now: UInt64) -> UInt64?

  /// Called once, before any request: how to call the loop when an answer comes from another thread.
  func attach(_ waker: LoopWaker)

  /// A client was refused before it had a whole request.
  func refused(_ status: Status)
}

extension RequestHandler {
  /// For those that answer on the loop's own thread.
  public func attach(_ waker: LoopWaker) {}
}

/// What all loops of a server know together.
public final class ServerState: Sendable {
  public enum Stage: Int, Sendable {
    case serving
    /// Still serving, while whoever sends clients here learns to send them elsewhere.
    case withdrawing
    /// Finishing what was begun.
    case closing
  }

  private let stageNumber = Atomic<Int>(0)
  let closingDeadline = Atomic<UInt64>(.max)
  let open = Atomic<Int>(0)
  let accepted = Atomic<Int>(0)
  let turnedAway = Atomic<Int>(0)
  public let connectionsMax: Int

  init(connectionsMax: Int) { self.connectionsMax = connectionsMax }

  public var stage: Stage { Stage(rawValue: stageNumber.load(ordering: .relaxed))! }

  func enter(_ stage: Stage) { stageNumber.store(stage.rawValue, ordering: .relaxed) }

  /// Connections now.
  public var openConnections: Int { open.load(ordering: .relaxed) }
  /// Connections since the start, those turned away included.
  public var acceptedConnections: Int { accepted.load(ordering: .relaxed) }
  /// Connections that were answered 503 because there were too many.
  public var turnedAwayConnections: Int { turnedAway.load(ordering: .relaxed) }
}
