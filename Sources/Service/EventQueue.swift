// Requests with events on their way from the loops to the one thread that takes them in, and their answers on the way
// back.
//
//     loop ─ offer ─┐                                      ┌─ LateReplies ─▶ loop
//     loop ─ offer ─┴─▶ EventQueue ─▶ EventTaker (one) ────┴─ LateReplies ─▶ loop
//
// The intake, the log and its syncs belong to that thread alone, so that a loop never waits for a disk, and one sync
// serves all requests that came while the last one ran. The queue is bounded in bytes: what does not fit is refused
// at once, and the client is told to come back.

public import Core
import HTTP
import Synchronization

public final class EventQueue: Sendable {
  private struct State: Sendable {
    var waiting: [EventRequest] = []
    var bytes = 0
    var isClosed = false
    var counts = EventCounts()
  }

  private let state = Mutex(State())
  private let bell: Doorbell
  private let bytesMax: Int

  /// - Parameter bytesMax: of bodies that wait; one alone may be larger.
  public init(bytesMax: Int = Limits.eventBytesWaitingMax) throws(Failure) {
    self.bytesMax = bytesMax
    bell = try Doorbell()
  }

  /// Takes a request, or says that there is no room.
  func offer(_ request: EventRequest) -> Bool {
    let isTaken = state.withLock { state in
      let isFull = !state.waiting.isEmpty && state.bytes + request.byteCount > bytesMax
      guard !isFull, !state.isClosed else {
        state.counts.turnedAway += 1
        return false
      }
      state.waiting.append(request)
      state.bytes += request.byteCount
      return true
    }
    if isTaken { bell.ring() }
    return isTaken
  }

  /// All that wait; empty when the time is over, nil once it is closed and nothing is left.
  ///
  /// - Parameter milliseconds: how long to wait for the first; -1: without end.
  func next(milliseconds: Int32) -> [EventRequest]? {
    if let taken = take() { return taken }
    bell.wait(milliseconds: milliseconds)
    return state.withLock({ $0.isClosed && $0.waiting.isEmpty }) ? nil : take() ?? []
  }

  private func take() -> [EventRequest]? {
    state.withLock { state in
      guard !state.waiting.isEmpty else { return nil }
      defer {
        state.waiting = []
        state.bytes = 0
      }
      return state.waiting
    }
  }

  /// Nothing more will come.
  public func close() {
    state.withLock { $0.isClosed = true }
    bell.ring()
  }

  func count(_ change: (inout EventCounts) -> Void) { state.withLock { change(&$0.counts) } }

  /// Events so far, by what became of them.
  public var totals: (accepted: Int, repeats: Int, rejected: Int) {
    state.withLock { ($0.counts.accepted, $0.counts.repeats, $0.counts.rejected) }
  }

  var counts: (counts: EventCounts, waiting: Int) {
    state.withLock { ($0.counts, $0.waiting.count) }
  }
}

/// What became of events.
struct EventCounts: Sendable {
  var accepted = 0
  var repeats = 0
  var rejected = 0
  /// Requests for which there was no room, and those that the log could not take.
  var turnedAway = 0
  var failed = 0
  /// From a request's last byte to its events being in the log and in the features.
  var taken = Buckets(Buckets.durations)
}
