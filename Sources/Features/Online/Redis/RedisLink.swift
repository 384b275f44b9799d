// One connection to one server, which never waits: commands are appended, `advance` moves what can be moved, and answers
// lie ready in the order in which servers give them, which is that of the commands.
//
//     connecting ──writable──▶ open: AUTH, HELLO 3, SELECT, and at once behind them the first commands
//         └──────────┬────────────┘
//                    ▼
//                 failed: refused, closed, or no answer that makes sense; for good
//
// A server that knows no HELLO speaks the second version of the protocol, and the parser both. A caller that has waited
// long enough disowns what it asked for: the answers are dropped when they come, and the connection stays.

import Core

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

final class RedisLink {
  /// Why there is no connection.
  struct Fault: Equatable {
    let reason: String
    /// Whether trying again would end in the same way.
    let isFinal: Bool
  }

  /// What an awaited answer is.
  private enum Awaited {
    case authentication, greeting, selection
    /// Of `ASKING`, or one that came too late.
    case dropped
    case wanted(Int)
  }

  /// Answers that may be outstanding and unwanted before the connection is given up.
  private static let disownedMax = 100_000

  let node: RedisNode
  private let descriptor: Int32
  private var isConnecting = true
  private(set) var fault: Fault?
  /// Whether the server has ever answered.
  private(set) var wasOpen = false
  /// Whether anything has come since the owner has looked.
  var hasHeard = false
  /// When anything last came, or was asked; kept by the owner.
  var heard: UInt64 = 0
  private var output: [UInt8] = []
  private var sent = 0
  private var parser = RESPParser()
  private var awaited: [Awaited] = []
  private var taken = 0
  /// Of the commands by the numbers they were sent with, in order.
  var answers: [(number: Int, value: RESPValue)] = []
  private static let roomBytes = 64 << 10
  /// Bytes that are read before others have their turn, and the owner looks at the time.
  private static let turnBytes = 1 << 20
  private let room = UnsafeMutableRawBufferPointer.allocate(
    byteCount: RedisLink.roomBytes, alignment: 16)

  /// - Parameter number: the node by its number, where it is a host.
  init(_ node: RedisNode, at number: RedisNode, _ address: RedisAddress) {
    self.node = node
    if let descriptor = RedisSocket.connect(to: number) {
      self.descriptor = descriptor
    } else {
      descriptor = -1
      fault = Fault(reason: SystemError(errno, "connect").reason, isFinal: false)
    }
    if let password = address.password {
      append(
        RedisCommand(["AUTH", address.user, password].compactMap { $0.map { Array($0.utf8) } }),
        .authentication)
    }
    append(RedisCommand("HELLO", "3"), .greeting)
    if address.database > 0 {
      append(RedisCommand("SELECT", String(address.database)), .selection)
    }
  }

  deinit {
    if descriptor >= 0 { StreamSocket.close(descriptor) }
    room.deallocate()
  }

  /// - Parameter number: what the answer is known by.
  func send(_ command: RedisCommand, number: Int) { append(command, .wanted(number)) }

  /// Sends a command whose answer nobody needs.
  func sendDropping(_ command: RedisCommand) { append(command, .dropped) }

  private func append(_ command: RedisCommand, _ kind: Awaited) {
    output.append(contentsOf: command.wire)
    awaited.append(kind)
  }

  /// The numbers whose answers are still to come.
  var outstanding: [Int] {
    awaited[taken...].compactMap { if case .wanted(let number) = $0 { number } else { nil } }
  }

  /// Whether any answer is to come, wanted or not.
  var isAwaiting: Bool { taken < awaited.count }

  /// From now on nobody waits for any answer.
  func disown() {
    answers.removeAll(keepingCapacity: true)
    for index in taken..<awaited.count {
      if case .wanted = awaited[index] { awaited[index] = .dropped }
    }
    if awaited.count - taken > RedisLink.disownedMax {
      fault = Fault(reason: "has not answered for a long time", isFinal: false)
    }
  }

  /// What to wait for.
  var interest: pollfd {
    let wants = isConnecting || sent < output.count ? POLLIN | POLLOUT : POLLIN
    return pollfd(fd: descriptor, events: Int16(wants), revents: 0)
  }

  /// Moves what can be moved now.
  func advance(_ entry: pollfd) {
    guard fault == nil else { return }
    if isConnecting {
      guard Int32(entry.revents) & Int32(POLLOUT | POLLERR | POLLHUP) != 0 else { return }
      if let error = StreamSocket.fault(descriptor) { return fail(error.reason) }
      isConnecting = false
    }
    write()
    if Int32(entry.revents) & Int32(POLLIN | POLLERR | POLLHUP) != 0 { read() }
  }

  /// Sends what can be sent at once, before anything is waited for.
  func write() {
    guard fault == nil, !isConnecting else { return }
    while sent < output.count {
      let moved = output.withBytes { StreamSocket.write(descriptor, $0[sent..<$0.count]) }
      switch moved {
      case .moved(let count): sent += count
      case .notNow: return
      case .broken: return fail("the connection was closed")
      }
    }
    output.removeAll(keepingCapacity: output.count <= 1 << 20)
    sent = 0
  }

  private func read() {
    var left = RedisLink.turnBytes
    while fault == nil, left > 0 {
      switch StreamSocket.read(descriptor, room) {
      case .moved(0): return fail("the connection was closed")
      case .moved(let count):
        (wasOpen, hasHeard) = (true, true)
        left -= count
        parser.append(UnsafeRawBufferPointer(rebasing: room[..<count]))
        take()
        if count < room.count { return }
      case .notNow: return
      case .broken: return fail("the connection was closed")
      }
    }
  }

  private func take() {
    do throws(RESPRefusal) {
      while fault == nil, let value = try parser.next() {
        guard taken < awaited.count else { return fail("answers nobody asked for") }
        settle(awaited[taken], value)
        taken += 1
        if taken == awaited.count {
          awaited.removeAll(keepingCapacity: true)
          taken = 0
        }
      }
    } catch {
      fault = Fault(reason: "does not speak the protocol of Redis: \(error.reason)", isFinal: true)
    }
  }

  private func settle(_ kind: Awaited, _ value: RESPValue) {
    switch kind {
    case .wanted(let number): answers.append((number, value))
    case .dropped: break
    case .authentication, .selection:
      if case .error(let words) = value { fault = Fault(reason: words, isFinal: true) }
    case .greeting:
      if case .error(let words) = value { refuse(words) }
    }
  }

  /// Servers before Redis 6 do not know the greeting and are as well; but it is also the first to be answered where
  /// nothing will be.
  private func refuse(_ words: String) {
    if words.hasPrefix("NOAUTH") {
      fault = Fault(reason: "asks for a password, as in redis://user:password@host", isFinal: true)
    } else if words.hasPrefix("DENIED") || words.hasPrefix("ERR max number of clients") {
      fault = Fault(reason: String(words.prefix { $0 != "." }), isFinal: words.hasPrefix("DENIED"))
    }
  }

  private func fail(_ reason: String) { fault = Fault(reason: reason, isFinal: false) }
}
