// Where a server listens: `127.0.0.1:8080`, `[::1]:8080`, `localhost:8080`, or `unix:/run/rtinfer.sock`. Addresses
// are numbers: what a name would resolve to is not left to chance.

public import Core

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

public enum ListenAddress: Sendable, Equatable {
  case ipv4(host: String, port: UInt16)
  case ipv6(host: String, port: UInt16)
  case unix(path: String)

  /// - Parameter origin: the flag, for messages.
  public init(_ text: String, origin: String) throws(Failure) {
    if text.hasPrefix("unix:") {
      let path = String(text.dropFirst(5))
      let bytesMax = MemoryLayout.size(ofValue: sockaddr_un().sun_path) - 1
      guard !path.isEmpty, path.utf8.count <= bytesMax else {
        throw .usage("\(origin): a socket's path has 1 to \(bytesMax) bytes, got '\(path)'")
      }
      self = .unix(path: path)
      return
    }
    guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...])
    else {
      throw .usage(
        "\(origin): '\(text)' is not an address with a port",
        hint: "as in 127.0.0.1:8080, [::1]:8080 or unix:/run/rtinfer.sock")
    }
    var host = String(text[..<colon])
    if host == "localhost" { host = "127.0.0.1" }
    if host.hasPrefix("["), host.hasSuffix("]") {
      host = String(host.dropFirst().dropLast())
      var address = in6_addr()
      guard inet_pton(AF_INET6, host, &address) == 1 else {
        throw .usage("\(origin): '\(host)' is not an IPv6 address")
      }
      self = .ipv6(host: host, port: port)
      return
    }
    var address = in_addr()
    guard inet_pton(AF_INET, host, &address) == 1 else {
      throw .usage(
        "\(origin): '\(host)' is not an IP address",
        hint: "127.0.0.1 for this machine, 0.0.0.0 for everyone (with --token-file)")
    }
    self = .ipv4(host: host, port: port)
  }

  /// Whether only this machine can connect.
  public var isLoopback: Bool {
    switch self {
    case .ipv4(let host, _): host.hasPrefix("127.")
    case .ipv6(let host, _): host == "::1"
    case .unix: true
    }
  }

  public var isUnix: Bool {
    if case .unix = self { true } else { false }
  }

  /// As a client would write it.
  public var description: String {
    switch self {
    case .ipv4(let host, let port): "http://\(host):\(port)"
    case .ipv6(let host, let port): "http://[\(host)]:\(port)"
    case .unix(let path): "unix:\(path)"
    }
  }
}
