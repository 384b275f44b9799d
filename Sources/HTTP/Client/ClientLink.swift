// One connection of a client: at most one request is on its way on it.
//
//     connecting ──▶ idle ──send──▶ busy ──reply──▶ idle …
//          └─ with its request already on it ─▶ busy

import Core

final class ClientLink {
  let descriptor: Int32
  let slot: Int
  var isConnecting = true
  /// Waits for writing too.
  var waitsToWrite = true
  /// The current request: its index and its bytes, which live as long as the pool's requests.
  private(set) var request = -1
  private(set) var token: UInt64 = 0
  private(set) var sentAt: UInt64 = 0
  private var outgoing = Bytes.empty
  private var written = 0

  private var parser = ResponseParser()
  private var buffer: UnsafeMutablePointer<UInt8>
  private var capacity = Limits.replyBufferBytes
  private var filled = 0

  init(_ descriptor: Int32, slot: Int) {
    self.descriptor = descriptor
    self.slot = slot
    buffer = .allocate(capacity: capacity)
  }

  deinit { buffer.deallocate() }

  var isBusy: Bool { request >= 0 }
  var status: Int { parser.status }
  var bodyBytes: Int { parser.bodyBytes }
  var keepsAlive: Bool { parser.keepsAlive }
  /// Valid until the next request.
  var serverTiming: Bytes {
    parser.serverTiming.isAbsent ? .empty : parser.serverTiming.bytes(UnsafePointer(buffer))
  }

  func begin(_ request: Int, _ bytes: Bytes, isHead: Bool, token: UInt64, now: UInt64) {
    (self.request, self.token, sentAt) = (request, token, now)
    (outgoing, written, filled) = (bytes, 0, 0)
    parser = ResponseParser(isToHead: isHead)
  }

  func finish() { request = -1 }

  /// Sends what the socket takes.
  ///
  /// - Returns: whether the request has gone whole, must wait, or never will.
  func write() -> StreamSocket.Transfer {
    while written < outgoing.count {
      let transfer = StreamSocket.write(descriptor, outgoing[written..<outgoing.count])
      guard case .moved(let count) = transfer else { return transfer }
      written += count
    }
    return .moved(0)
  }

  enum Progress: Equatable {
    case waiting, complete
    case failed(ExchangeFault)
  }

  /// Takes up what has come, without waiting.
  func read() -> Progress {
    while true {
      if filled == capacity { grow() }
      let room = UnsafeMutableRawBufferPointer(start: buffer + filled, count: capacity - filled)
      switch StreamSocket.read(descriptor, room) {
      case .notNow: return .waiting
      case .broken: return .failed(.closed)
      case .moved(0):
        guard isBusy else { return .failed(.closed) }
        return parser.end() == .complete ? .complete : .failed(.closed)
      case .moved(let count):
        guard isBusy else { return .failed(.malformed) }
        filled += count
        switch parser.parse(buffer, &filled) {
        case .complete: return .complete
        case .refused: return .failed(.malformed)
        case .needsMore: if count < room.count { return .waiting }
        }
      }
    }
  }

  /// Only a head can fill the buffer, and the parser bounds it.
  private func grow() {
    capacity *= 2
    buffer = buffer.moved(filled, toRoomFor: capacity)
  }
}
