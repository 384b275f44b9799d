// An address as the system's calls take it: a structure of its family, and how many bytes that has.

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

extension ListenAddress {
  /// Lends the structure for one call.
  func withSocketAddress<Result>(
    _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
  ) -> Result {
    switch self {
    case .ipv4(let host, let port):
      var name = sockaddr_in()
      name.sin_family = sa_family_t(AF_INET)
      name.sin_port = port.bigEndian
      inet_pton(AF_INET, host, &name.sin_addr)
      return lend(&name, body)
    case .ipv6(let host, let port):
      var name = sockaddr_in6()
      name.sin6_family = sa_family_t(AF_INET6)
      name.sin6_port = port.bigEndian
      inet_pton(AF_INET6, host, &name.sin6_addr)
      return lend(&name, body)
    case .unix(let path):
      var name = sockaddr_un()
      name.sun_family = sa_family_t(AF_UNIX)
      withUnsafeMutableBytes(of: &name.sun_path) { $0.copyBytes(from: path.utf8) }
      return lend(&name, body)
    }
  }

  private func lend<Name, Result>(
    _ name: inout Name, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
  ) -> Result {
    withUnsafeBytes(of: &name) { bytes in
      body(
        bytes.assumingMemoryBound(to: sockaddr.self).baseAddress!,
        socklen_t(MemoryLayout<Name>.size))
    }
  }
}
