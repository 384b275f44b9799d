// The system calls that listening and accepting need; what every connection needs is `StreamSocket`'s. None of them waits:
// what cannot be done now is said so, and the event loop comes back.

import Core

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

enum Socket {
  /// Tells the other side that nothing more will be sent.
  static func endOutput(_ descriptor: Int32) { shutdown(descriptor, Int32(SHUT_WR)) }

  enum Acceptance {
    case connection(Int32, ClientAddress)
    case none
    /// The process or the system has no descriptor left.
    case exhausted
  }

  static func accept(_ listener: Int32, isUnix: Bool) -> Acceptance {
    while true {
      var name = sockaddr_storage()
      let (descriptor, client) = withUnsafeMutableBytes(of: &name) { bytes in
        let name = bytes.assumingMemoryBound(to: sockaddr.self).baseAddress!
        var count = socklen_t(bytes.count)
        #if canImport(Glibc)
          let descriptor = Glibc.accept(listener, name, &count)
        #else
          let descriptor = Darwin.accept(listener, name, &count)
        #endif
        return (descriptor, isUnix ? .local : ClientAddress(name))
      }
      if descriptor >= 0 {
        makeNonBlocking(descriptor)
        if !isUnix { set(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY) }
        return .connection(descriptor, client)
      }
      switch errno {
      case EINTR, ECONNABORTED: continue
      case EMFILE, ENFILE, ENOBUFS, ENOMEM: return .exhausted
      default: return .none
      }
    }
  }

  static func makeNonBlocking(_ descriptor: Int32) {
    _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
    _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
  }

  private static func set(_ descriptor: Int32, _ level: Int32, _ option: Int32) {
    var on: Int32 = 1
    setsockopt(descriptor, level, option, &on, socklen_t(MemoryLayout<Int32>.size))
  }

  // MARK: Listening

  /// A socket that listens, never waiting.
  ///
  /// - Parameter sharesPort: several sockets may listen at the address, and the system spreads
  ///   connections over them (Linux).
  static func listen(at address: ListenAddress, sharesPort: Bool) throws(Failure) -> Int32 {
    #if canImport(Glibc)
      let stream = Int32(SOCK_STREAM.rawValue)
    #else
      let stream = SOCK_STREAM
    #endif
    let family =
      switch address {
      case .ipv4: AF_INET
      case .ipv6: AF_INET6
      case .unix: AF_UNIX
      }
    let descriptor = socket(family, stream, 0)
    guard descriptor >= 0 else { throw failed("socket", address) }
    makeNonBlocking(descriptor)
    if family != AF_UNIX { set(descriptor, SOL_SOCKET, SO_REUSEADDR) }
    if sharesPort { set(descriptor, SOL_SOCKET, SO_REUSEPORT) }
    guard try bind(descriptor, address) == 0 else {
      let failure = failed("bind", address)
      StreamSocket.close(descriptor)
      throw failure
    }
    guard startListening(descriptor, Limits.acceptBacklog) == 0 else {
      let failure = failed("listen", address)
      StreamSocket.close(descriptor)
      throw failure
    }
    return descriptor
  }

  private static func startListening(_ descriptor: Int32, _ backlog: Int32) -> Int32 {
    #if canImport(Glibc)
      Glibc.listen(descriptor, backlog)
    #else
      Darwin.listen(descriptor, backlog)
    #endif
  }

  private static func failed(_ call: String, _ address: ListenAddress) -> Failure {
    let number = errno
    let hint = number == EADDRINUSE ? "another process listens there; --listen names another" : nil
    return .inputOutput(
      "\(address.description): \(call): \(String(cString: strerror(number)))", hint: hint)
  }

  private static func bind(_ descriptor: Int32, _ address: ListenAddress) throws(Failure) -> Int32 {
    if case .unix(let path) = address { try removeAbandoned(path) }
    return address.withSocketAddress { name, count in
      #if canImport(Glibc)
        Glibc.bind(descriptor, name, count)
      #else
        Darwin.bind(descriptor, name, count)
      #endif
    }
  }

  /// A process that was killed leaves its socket's file behind. One that still answers is left alone, and so is
  /// any other kind of file.
  private static func removeAbandoned(_ path: String) throws(Failure) {
    var status = stat()
    guard lstat(path, &status) == 0 else { return }
    guard status.st_mode & S_IFMT == S_IFSOCK else {
      throw .inputOutput("unix:\(path): a file is there that is no socket")
    }
    guard !answers(path) else {
      throw .inputOutput("unix:\(path): another process listens there")
    }
    unlink(path)
  }

  private static func answers(_ path: String) -> Bool {
    #if canImport(Glibc)
      let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    #else
      let descriptor = socket(AF_UNIX, SOCK_STREAM, 0)
    #endif
    guard descriptor >= 0 else { return true }
    defer { StreamSocket.close(descriptor) }
    return ListenAddress.unix(path: path).withSocketAddress { connect(descriptor, $0, $1) == 0 }
  }

  /// The address with the port that the system has chosen where 0 was asked for.
  static func bound(_ descriptor: Int32, _ address: ListenAddress) -> ListenAddress {
    var storage = sockaddr_in6()
    var count = socklen_t(MemoryLayout<sockaddr_in6>.size)
    let port = withUnsafeMutableBytes(of: &storage) { bytes -> UInt16 in
      let name = bytes.assumingMemoryBound(to: sockaddr.self).baseAddress!
      guard getsockname(descriptor, name, &count) == 0 else { return 0 }
      // The port lies at the same place in both families.
      return UInt16(bigEndian: bytes.load(fromByteOffset: 2, as: UInt16.self))
    }
    return switch address {
    case .ipv4(let host, _): .ipv4(host: host, port: port)
    case .ipv6(let host, _): .ipv6(host: host, port: port)
    case .unix: address
    }
  }
}
