// The system calls that a connection to a server needs. None of them waits but the one that looks a name up.

import Core

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

enum RedisSocket {
  /// Bytes of a socket's path, without the 0 behind it.
  static var pathBytesMax: Int { MemoryLayout.size(ofValue: sockaddr_un().sun_path) - 1 }

  enum Transfer {
    case moved(Int)
    case notNow
    /// The other side has closed or reset the connection.
    case broken
  }

  /// Begins to connect.
  ///
  /// - Parameter address: a number where it is a host; see `number(of:)`.
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
    close(descriptor)
    errno = number
    return nil
  }

  /// Why a connection that is writable now has failed; nil where it has not.
  static func fault(_ descriptor: Int32) -> Int32? {
    var fault: Int32 = 0
    var count = socklen_t(MemoryLayout<Int32>.size)
    guard getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &fault, &count) == 0 else { return errno }
    return fault == 0 ? nil : fault
  }

  static func reason(_ number: Int32) -> String { String(cString: strerror(number)) }
  static var lastReason: String { reason(errno) }

  static func read(_ descriptor: Int32, _ room: UnsafeMutableRawBufferPointer) -> Transfer {
    while true {
      let count = recv(descriptor, room.baseAddress, room.count, 0)
      if count > 0 { return .moved(count) }
      if count == 0 { return .broken }
      if errno == EINTR { continue }
      return errno == EAGAIN ? .notNow : .broken
    }
  }

  static func write(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) -> Transfer {
    #if canImport(Glibc)
      let flags = Int32(MSG_NOSIGNAL)
    #else
      // SIGPIPE is ignored in the whole process.
      let flags: Int32 = 0
    #endif
    while true {
      let count = send(descriptor, bytes.baseAddress, bytes.count, flags)
      if count >= 0 { return .moved(count) }
      if errno == EINTR { continue }
      return errno == EAGAIN ? .notNow : .broken
    }
  }

  static func close(_ descriptor: Int32) {
    #if canImport(Glibc)
      _ = Glibc.close(descriptor)
    #else
      _ = Darwin.close(descriptor)
    #endif
  }

  /// Waits until one of the connections has moved on.
  ///
  /// - Parameter nanoseconds: at most so long, to the next whole millisecond.
  static func wait(_ entries: inout [pollfd], nanoseconds: UInt64) {
    _ = poll(
      &entries, nfds_t(entries.count), Int32(min((nanoseconds + 999_999) / 1_000_000, 60_000)))
  }

  /// The first address of a host as a number; nil where it has none.
  static func number(of host: String) -> String? {
    var hints = addrinfo()
    #if canImport(Glibc)
      hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    #else
      hints.ai_socktype = SOCK_STREAM
    #endif
    var found: UnsafeMutablePointer<addrinfo>?
    let status = getaddrinfo(host, nil, &hints, &found)
    defer { if found != nil { freeaddrinfo(found) } }
    guard status == 0, let first = found?.pointee else { return nil }
    var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
    getnameinfo(
      first.ai_addr, first.ai_addrlen, &text, socklen_t(text.count), nil, 0, NI_NUMERICHOST)
    return String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
  }
}
