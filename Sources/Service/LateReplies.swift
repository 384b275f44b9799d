// Answers that come from other threads. A loop hands work over and goes on; what has become of it waits here for the
// loop, which is called and sends it in its next turn.

import Core
public import HTTP
import Synchronization

final class LateReplies: Sendable {
  struct Reply: Sendable {
    /// The loop's own number for what was asked.
    let number: Int
    let status: Status
    let body: [UInt8]
  }

  private let replies = Mutex<[Reply]>([])
  private let waker = Mutex<LoopWaker?>(nil)

  func attach(_ waker: LoopWaker) { self.waker.withLock { $0 = waker } }

  func add(_ reply: Reply) { replies.withLock { $0.append(reply) } }

  func wake() { waker.withLock { $0 }?.wake() }

  func take() -> [Reply] {
    replies.withLock { replies in
      defer { if !replies.isEmpty { replies = [] } }
      return replies
    }
  }
}

extension Service {
  /// Keeps a request under the next number until its answer comes.
  func answerLater(_ call: Call) {
    lateCalls[nextLateCall] = call
    nextLateCall += 1
    meter.noteWaiting(1)
  }

  /// Sends the answers that have come.
  func answerLate() {
    guard !lateCalls.isEmpty else { return }
    for reply in lateReplies.take() {
      guard let call = lateCalls.removeValue(forKey: reply.number) else { continue }
      meter.noteWaiting(-1)
      guard !call.connection.isGone else { continue }
      let fields: StaticString = reply.status == .unavailable ? "Retry-After: 1\r\n" : ""
      reply.body.withBytes {
        respond(call, reply.status, .json, fields: Bytes(fields), body: $0)
      }
    }
  }

  public func attach(_ waker: LoopWaker) { lateReplies.attach(waker) }
}
