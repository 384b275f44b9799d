// How a connection to a server begins, and how several are waited for; the rest is `StreamSocket`'s.

import Core

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

enum RedisSocket {
  /// Bytes of a socket's path, without the 0 behind it.
  static var pathBytesMax: Int { MemoryLayout.size(ofValue: sockaddr_un().sun_path) - 1 }

  /// Begins to connect.
  ///
  /// - Parameter address: a number where it is a host; see `StreamSocket.resolve`.
  /// - Returns: a descriptor, which is writable once it is known what became of it; nil where it is known at once
  ///   that there is no way.
  static func connect(to address: RedisNode) -> Int32? {
    switch address {
    case .unix(let path):
      var name = sockaddr_un()
      name.sun_family = sa_family_t(AF_UNIX)
      withUnsafeMutableBytes(of: &name.sun_path) { $0.copyBytes(from: path.utf8) }
      return connect(AF_UNIX, &name)
    case .host(let host, let port) where host.contains(":"):
      var name = sockaddr_in6()
      name.sin6_family = sa_family_t(AF_INET6)
      name.sin6_port = port.bigEndian
      guard inet_pton(AF_INET6, host, &name.sin6_addr) == 1 else { return nil }
      return connect(AF_INET6, &name)
    case .host(let host, let port):
      var name = sockaddr_in()
      name.sin_family = sa_family_t(AF_INET)
      name.sin_port = port.bigEndian
      guard inet_pton(AF_INET, host, &name.sin_addr) == 1 else { return nil }
      return connect(AF_INET, &name)
    }
  }

  private static func connect<Name>(_ family: Int32, _ name: inout Name) -> Int32? {
    #if canImport(Glibc)
      let descriptor = socket(family, Int32(SOCK_STREAM.rawValue), 0)
    #else
      let descriptor = socket(family, SOCK_STREAM, 0)
    #endif
    guard descriptor >= 0 else { return nil }
    _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
    _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    if family != AF_UNIX {
      var on: Int32 = 1
      setsockopt(
        descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
    }
    let count = socklen_t(MemoryLayout<Name>.size)
    let status = withUnsafeBytes(of: &name) { bytes in
      let address = bytes.assumingMemoryBound(to: sockaddr.self).baseAddress!
      #if canImport(Glibc)
        return Glibc.connect(descriptor, address, count)
      #else
        return Darwin.connect(descriptor, address, count)
      #endif
    }
    if status == 0 || errno == EINPROGRESS { return descriptor }
    let number = errno
    StreamSocket.close(descriptor)
    errno = number
    return nil
  }

  /// Waits until one of the connections has moved on.
  ///
  /// - Parameter nanoseconds: at most so long, to the next whole millisecond.
  static func wait(_ entries: inout [pollfd], nanoseconds: UInt64) {
    _ = poll(
      &entries, nfds_t(entries.count), Int32(min((nanoseconds + 999_999) / 1_000_000, 60_000)))
  }
}
