// What every connection needs of the system, whoever is at the other end: a client of `serve`, the server that `bench`
// loads, or a Redis. The calls on a descriptor never wait: what cannot be done now is said so, and whoever asked
// comes back.

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

public enum StreamSocket {
  /// What a call that never waits has come to.
  public enum Transfer: Equatable, Sendable {
    /// So many bytes; none read means that the other side sends no more.
    case moved(Int)
    case notNow
    /// The connection was reset.
    case broken
  }

  /// Reads what is there, up to the room's size.
  public static func read(_ descriptor: Int32, _ room: UnsafeMutableRawBufferPointer) -> Transfer {
    while true {
      let count = recv(descriptor, room.baseAddress, room.count, 0)
      if count >= 0 { return .moved(count) }
      if errno == EINTR { continue }
      return errno == EAGAIN ? .notNow : .broken
    }
  }

  /// Writes as much as there is room for; nobody is killed by a reader that is gone.
  public static func write(_ descriptor: Int32, _ bytes: Bytes) -> Transfer {
    #if canImport(Glibc)
      let flags = Int32(MSG_NOSIGNAL)
    #else
      // SIGPIPE is ignored in the whole process.
      let flags: Int32 = 0
    #endif
    while true {
      let count = send(descriptor, bytes.base, bytes.count, flags)
      if count >= 0 { return .moved(count) }
      if errno == EINTR { continue }
      return errno == EAGAIN ? .notNow : .broken
    }
  }

  public static func close(_ descriptor: Int32) { Syscall.close(descriptor) }

  /// Why a connection that is writable now has failed; nil where it has not.
  public static func fault(_ descriptor: Int32) -> SystemError? {
    var fault: Int32 = 0
    var count = socklen_t(MemoryLayout<Int32>.size)
    guard getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &fault, &count) == 0 else {
      return SystemError(errno, "getsockopt")
    }
    return fault == 0 ? nil : SystemError(fault, "connect")
  }

  /// What a host's name stands for.
  public enum Resolution: Equatable, Sendable {
    /// The first of its addresses, as a number.
    case address(String, isIPv6: Bool)
    /// In the system's own words.
    case unknown(reason: String)
  }

  /// Looks a name up; waits for whoever knows it.
  public static func resolve(_ host: String) -> Resolution {
    var hints = addrinfo()
    #if canImport(Glibc)
      hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    #else
      hints.ai_socktype = SOCK_STREAM
    #endif
    var found: UnsafeMutablePointer<addrinfo>?
    let status = getaddrinfo(host, nil, &hints, &found)
    defer { if found != nil { freeaddrinfo(found) } }
    guard status == 0, let first = found?.pointee else {
      return .unknown(reason: String(cString: gai_strerror(status)))
    }
    var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
    getnameinfo(
      first.ai_addr, first.ai_addrlen, &text, socklen_t(text.count), nil, 0, NI_NUMERICHOST)
    let number = String(
      decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    return .address(number, isIPv6: first.ai_family == AF_INET6)
  }
}
