// Where a Redis server is, and as whom one speaks to it:
//
//     redis://[user:password@]host[:port][,host[:port]…][/db][?cluster][&prefix=NAME]
//     unix://[user:password@]/path/to.sock[?db=N][&prefix=NAME]
//
// What stands in a user's name or password is percent-encoded where it must be. Several hosts are entrances to one
// cluster. The prefix begins every key, so that several projects can share a server.

import Core

struct RedisAddress: Sendable, Equatable {
  static let defaultPort: UInt16 = 6379
  static let hint =
    "as in redis://127.0.0.1:6379, redis://user:password@host/0, unix:///run/redis.sock,"
    + " redis://a,b,c?cluster"

  private(set) var nodes: [RedisNode] = []
  private(set) var user: String?
  private(set) var password: String?
  private(set) var database = 0
  private(set) var isCluster = false
  private(set) var prefix = "rtinfer"

  static func isAddress(_ text: String) -> Bool {
    ["redis://", "unix://", "rediss://", "valkey://"].contains { text.hasPrefix($0) }
  }

  /// - Parameter origin: of the text, for messages; these never show a password.
  init(_ text: String, origin: String) throws(Failure) {
    guard !text.hasPrefix("rediss://") else {
      throw .usage(
        "\(origin): TLS is not spoken here",
        hint:
          "let a tunnel such as stunnel end it, and name its socket, as in unix:///run/redis.sock"
      )
    }
    guard let scheme = text.firstRange(of: "://") else {
      throw .usage("\(origin): is no address", hint: RedisAddress.hint)
    }
    var rest = text[scheme.upperBound...]
    var query = Substring()
    if let mark = rest.firstIndex(of: "?") {
      query = rest[rest.index(after: mark)...]
      rest = rest[..<mark]
    }
    // Whatever is shown from here on is no part of a password.
    guard !query.contains("@") else {
      throw .usage(
        "\(origin): an @ stands behind the ?", hint: "in a user's name or password ? is written %3F"
      )
    }
    if let at = rest.lastIndex(of: "@") {
      try takeCredentials(rest[..<at], origin)
      rest = rest[rest.index(after: at)...]
    }
    if text.hasPrefix("unix://") {
      try takePath(rest, origin)
    } else {
      try takeHosts(rest, origin)
    }
    try takeOptions(query, origin)
    guard nodes.count == 1 || isCluster else {
      throw .usage(
        "\(origin): several hosts are named, and no cluster", hint: "as in redis://a,b,c?cluster")
    }
    guard !isCluster || database == 0 else {
      throw .usage("\(origin): a cluster has the database 0 only, not \(database)")
    }
  }

  /// Without the password, for messages.
  var description: String {
    let names = nodes.map(\.description).joined(separator: ",")
    if case .unix = nodes[0] { return "unix://\(names)" }
    return "redis://\(names)" + (database > 0 ? "/\(database)" : "") + (isCluster ? "?cluster" : "")
  }

  private mutating func takeCredentials(_ text: Substring, _ origin: String) throws(Failure) {
    let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2, let user = RedisAddress.decoded(parts[0]),
      let password = RedisAddress.decoded(parts[1]), !password.isEmpty
    else {
      throw .usage(
        "\(origin): before the @ stands no user:password", hint: "as in redis://user:password@host")
    }
    self.user = user.isEmpty ? nil : user
    self.password = password
  }

  private mutating func takePath(_ path: Substring, _ origin: String) throws(Failure) {
    guard path.hasPrefix("/"), path.utf8.count <= RedisSocket.pathBytesMax else {
      throw .usage(
        "\(origin): '\(path)' is no path from the root of at most \(RedisSocket.pathBytesMax) bytes",
        hint: "as in unix:///run/redis.sock")
    }
    nodes = [.unix(path: String(path))]
  }

  private mutating func takeHosts(_ text: Substring, _ origin: String) throws(Failure) {
    var hosts = text
    if let slash = text.firstIndex(of: "/") {
      hosts = text[..<slash]
      let number = text[text.index(after: slash)...]
      if !number.isEmpty { try takeDatabase(number, origin) }
    }
    for host in hosts.split(separator: ",", omittingEmptySubsequences: false) {
      nodes.append(try RedisAddress.node(host, origin))
    }
  }

  private static func node(_ text: Substring, _ origin: String) throws(Failure) -> RedisNode {
    var (host, port) = (text, defaultPort)
    let hasPort = text.hasPrefix("[") ? text.contains("]:") : text.contains(":")
    if hasPort, let colon = text.lastIndex(of: ":") {
      host = text[..<colon]
      guard let number = UInt16(text[text.index(after: colon)...]), number > 0 else {
        throw .usage("\(origin): '\(text[colon...].dropFirst())' is not a port", hint: hint)
      }
      port = number
    }
    if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
    guard !host.isEmpty, !host.utf8.contains(where: { $0 <= 0x20 }) else {
      throw .usage("\(origin): '\(text)' names no host", hint: hint)
    }
    return .host(String(host), port: port)
  }

  private mutating func takeDatabase(_ text: Substring, _ origin: String) throws(Failure) {
    guard let number = Int(text), (0...65_535).contains(number) else {
      throw .usage("\(origin): '\(text)' is no number of a database", hint: RedisAddress.hint)
    }
    database = number
  }

  private mutating func takeOptions(_ text: Substring, _ origin: String) throws(Failure) {
    for option in text.split(separator: "&") {
      let parts = option.split(separator: "=", maxSplits: 1)
      switch (parts[0], parts.count) {
      case ("cluster", 1): isCluster = true
      case ("db", 2): try takeDatabase(parts[1], origin)
      case ("prefix", 2):
        guard parts[1].utf8.count <= 64,
          parts[1].allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || "-_.:".contains($0)) })
        else {
          throw .usage(
            "\(origin): a prefix has up to 64 letters, digits, '-', '_', '.' and ':', not '\(parts[1])'"
          )
        }
        prefix = String(parts[1])
      default:
        throw .usage(
          "\(origin): '\(option)' is no option of an address",
          hint: "known: cluster, db=N, prefix=NAME"
        )
      }
    }
    if isCluster, case .unix = nodes[0] {
      throw .usage("\(origin): a cluster is reached by hosts, not by a socket's path")
    }
  }

  /// Nil where an escape is none.
  private static func decoded(_ text: Substring) -> String? {
    var bytes: [UInt8] = []
    var rest = text.utf8[...]
    while let byte = rest.popFirst() {
      guard byte == UInt8(ascii: "%") else {
        bytes.append(byte)
        continue
      }
      guard rest.count >= 2, let value = UInt8(String(Substring(rest.prefix(2))), radix: 16) else {
        return nil
      }
      bytes.append(value)
      rest = rest.dropFirst(2)
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
