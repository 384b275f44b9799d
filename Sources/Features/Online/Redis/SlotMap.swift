// Which server of a cluster holds which slots, as `CLUSTER SLOTS` tells it, and what servers answer to a command that
// is not theirs:
//
//     MOVED 3999 10.0.0.2:6379    the slot is another's for good: the map is wrong there, and the command goes on
//     ASK 3999 10.0.0.2:6379      this key has moved ahead of its slot: this once, and behind `ASKING`
//     TRYAGAIN                    of the command's keys some have moved, some have not: later, to the same
//     CLUSTERDOWN, LOADING, MASTERDOWN, READONLY     nobody can answer now: later, and the map may be wrong

/// One server of a store.
enum RedisNode: Hashable, Sendable {
  case host(String, port: UInt16)
  case unix(path: String)

  var description: String {
    switch self {
    case .host(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    case .unix(let path): path
    }
  }

  /// `host:port` as a server says it; a host that is left out is that of who says it.
  init?(_ text: Substring, saidBy node: RedisNode) {
    guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...])
    else { return nil }
    guard let named = RedisNode(text[..<colon], port, saidBy: node) else { return nil }
    self = named
  }

  init?(_ host: Substring, _ port: UInt16, saidBy node: RedisNode) {
    if !host.isEmpty, host != "?" {
      self = .host(String(host), port: port)
    } else if case .host(let host, _) = node {
      self = .host(host, port: port)
    } else {
      return nil
    }
  }
}

/// What becomes of a command that was answered so.
enum Redirection: Equatable {
  case moved(slot: Int, to: RedisNode)
  case ask(RedisNode)
  /// Again in a while; the map may be wrong.
  case later(isMapSuspect: Bool)
  /// The server does not know the script.
  case noScript

  init?(_ error: String, saidBy node: RedisNode) {
    let words = error.split(separator: " ")
    switch words.first {
    case "MOVED":
      guard words.count >= 3, let slot = Int(words[1]), (0..<HashSlot.count).contains(slot),
        let target = RedisNode(words[2], saidBy: node)
      else { return nil }
      self = .moved(slot: slot, to: target)
    case "ASK":
      guard words.count >= 3, let target = RedisNode(words[2], saidBy: node) else { return nil }
      self = .ask(target)
    case "TRYAGAIN": self = .later(isMapSuspect: false)
    case "CLUSTERDOWN", "LOADING", "MASTERDOWN", "READONLY": self = .later(isMapSuspect: true)
    case "NOSCRIPT": self = .noScript
    default: return nil
    }
  }
}

struct SlotMap {
  private var owners: [Int16]
  private(set) var nodes: [RedisNode] = []

  /// Nil if the reply is none to `CLUSTER SLOTS`, or tells of no server.
  init?(_ reply: RESPValue, saidBy node: RedisNode) {
    guard case .list(let ranges) = reply else { return nil }
    owners = Array(repeating: -1, count: HashSlot.count)
    for range in ranges {
      guard case .list(let parts) = range, parts.count >= 3, case .integer(let first) = parts[0],
        case .integer(let last) = parts[1], first >= 0, first <= last, last < HashSlot.count,
        case .list(let master) = parts[2], master.count >= 2, case .integer(let number) = master[1],
        let port = UInt16(exactly: number)
      else { return nil }
      var host = Substring()
      if case .bytes(let bytes) = master[0] { host = Substring(decoding: bytes, as: UTF8.self) }
      guard let owner = RedisNode(host, port, saidBy: node) else { return nil }
      for slot in first...last { set(Int(slot), owner) }
    }
    guard !nodes.isEmpty else { return nil }
  }

  subscript(_ slot: Int) -> RedisNode? { owners[slot] < 0 ? nil : nodes[Int(owners[slot])] }

  mutating func set(_ slot: Int, _ node: RedisNode) {
    let index = nodes.firstIndex(of: node) ?? nodes.endIndex
    if index == nodes.endIndex {
      guard nodes.count < Int16.max else { return }
      nodes.append(node)
    }
    owners[slot] = Int16(index)
  }
}
