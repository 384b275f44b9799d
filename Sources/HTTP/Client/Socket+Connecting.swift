// The client's half of the socket calls: none of them waits.

import Core

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

extension Socket {
  enum Connecting {
    /// Connected, or about to be: writable once it is known.
    case begun(Int32)
    case refused
    /// The process or the system has no descriptor or port left.
    case exhausted
  }

  static func beginConnection(to address: ListenAddress) -> Connecting {
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
    guard descriptor >= 0 else { return .exhausted }
    makeNonBlocking(descriptor)
    if family != AF_UNIX {
      var on: Int32 = 1
      setsockopt(
        descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
    }
    if attach(descriptor, address) == 0 || errno == EINPROGRESS { return .begun(descriptor) }
    let number = errno
    StreamSocket.close(descriptor)
    return number == EADDRNOTAVAIL || number == ENOBUFS ? .exhausted : .refused
  }

  private static func attach(_ descriptor: Int32, _ address: ListenAddress) -> Int32 {
    address.withSocketAddress { name, count in
      #if canImport(Glibc)
        Glibc.connect(descriptor, name, count)
      #else
        Darwin.connect(descriptor, name, count)
      #endif
    }
  }
}
