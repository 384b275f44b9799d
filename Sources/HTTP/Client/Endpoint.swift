// Whom a client talks to, and for what: `http://127.0.0.1:8080/decide/fraud`, or nginx's form for sockets that are
// files, `http://unix:/run/rtinfer.sock:/decide/fraud`. A name is resolved once, before anything is measured.

public import Core

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

public struct Endpoint: Sendable {
  public let address: ListenAddress
  /// As the Host field says it.
  public let host: String
  /// Path and query; begins with a slash.
  public let path: String

  public init(address: ListenAddress, host: String, path: String) {
    self.address = address
    self.host = host
    self.path = path
  }

  /// - Parameter origin: of the text, for messages.
  public init(_ text: String, origin: String) throws(Failure) {
    guard !text.hasPrefix("https://") else {
      throw .usage(
        "\(origin): '\(text)': TLS is not spoken here",
        hint: "measure behind what ends it, as in http://127.0.0.1:8080/")
    }
    var rest = Substring(text)
    if rest.hasPrefix("http://") { rest = rest.dropFirst(7) }
    if let colon = rest.firstIndex(of: ":"), rest[colon...].hasPrefix("://"),
      rest[..<colon].allSatisfy(\.isLetter)
    {
      throw .usage("\(origin): '\(text)': only http is spoken here", hint: Endpoint.forms)
    }
    if rest.hasPrefix("unix:") {
      let parts = rest.dropFirst(5).split(separator: ":", maxSplits: 1)
      guard let file = parts.first else {
        throw .usage("\(origin): '\(text)' names no socket", hint: Endpoint.forms)
      }
      let path = parts.count > 1 ? String(parts[1]) : "/"
      guard path.hasPrefix("/") else {
        throw .usage("\(origin): '\(path)' is not a path", hint: Endpoint.forms)
      }
      self.init(
        address: try ListenAddress("unix:\(file)", origin: origin), host: "localhost", path: path)
      return
    }
    let slash = rest.firstIndex(of: "/") ?? rest.endIndex
    let authority = String(rest[..<slash])
    let path = slash == rest.endIndex ? "/" : String(rest[slash...])
    guard !authority.isEmpty, !authority.contains("@"), !path.utf8.contains(where: { $0 <= 0x20 })
    else { throw .usage("\(origin): '\(text)' is not an address", hint: Endpoint.forms) }
    self.init(
      address: try Endpoint.resolve(authority, origin), host: authority,
      path: String(path.prefix { $0 != "#" }))
  }

  private static let forms =
    "as in http://127.0.0.1:8080/decide/fraud or http://unix:/run/rtinfer.sock:/decide/fraud"

  private static func resolve(
    _ authority: String, _ origin: String
  ) throws(Failure) -> ListenAddress {
    let hasPort = !authority.hasSuffix("]") && authority.contains(":")
    let complete = hasPort ? authority : "\(authority):80"
    let colon = complete.lastIndex(of: ":")!
    let (name, port) = (String(complete[..<colon]), complete[complete.index(after: colon)...])
    guard UInt16(port) != nil else {
      throw .usage("\(origin): '\(port)' is not a port", hint: forms)
    }
    let isName = name.contains { $0.isLetter } && !name.hasPrefix("[") && name != "localhost"
    let number = isName ? try lookUp(name, origin) : name
    return try ListenAddress("\(number):\(port)", origin: origin)
  }

  /// The first address of a name.
  private static func lookUp(_ name: String, _ origin: String) throws(Failure) -> String {
    switch StreamSocket.resolve(name) {
    case .address(let number, let isIPv6): return isIPv6 ? "[\(number)]" : number
    case .unknown(let reason): throw .inputOutput("\(origin): '\(name)': \(reason)")
    }
  }
}

extension Endpoint {
  /// Whether somebody listens there; waits for a connection a tenth of a second at most.
  public var takesConnections: Bool {
    guard case .begun(let descriptor) = Socket.beginConnection(to: address) else { return false }
    defer { StreamSocket.close(descriptor) }
    var entry = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
    guard poll(&entry, 1, 100) == 1 else { return false }
    return (StreamSocket.fault(descriptor) == nil)
  }

  /// An address on this machine at which nobody listens now.
  public static func freeLoopback() throws(Failure) -> ListenAddress {
    let any = ListenAddress.ipv4(host: "127.0.0.1", port: 0)
    let descriptor = try Socket.listen(at: any, sharesPort: false)
    defer { StreamSocket.close(descriptor) }
    return Socket.bound(descriptor, any)
  }
}
