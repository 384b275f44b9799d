// Whom a connection is with, as far as it tells clients apart: 16 bytes, compared and hashed at every request of a server
// that bounds them.
//
//     IPv4              the address, as IPv6 maps it: a socket for both families sees one client once
//     IPv6              its first 64 bits: the rest a host chooses for itself, and anew as often as it likes
//     unix socket       nothing: all of its clients are one

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

public struct ClientAddress: Hashable, Sendable {
  private let high: UInt64
  private let low: UInt64

  private init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }

  /// Anyone on a unix socket.
  public static let local = ClientAddress(high: 0, low: 0)

  /// What stands before an IPv4 address in the lower half of an IPv6 address.
  private static let mapped: UInt64 = 0xffff << 32

  /// - Parameter name: as the system tells it, with room for its whole family.
  init(_ name: UnsafePointer<sockaddr>) {
    let bytes = UnsafeRawPointer(name)
    switch Int32(name.pointee.sa_family) {
    case AF_INET:
      let address = UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: 4, as: UInt32.self))
      self.init(high: 0, low: ClientAddress.mapped | UInt64(address))
    case AF_INET6:
      let high = UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
      let low = UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 16, as: UInt64.self))
      let isMapped = high == 0 && low >> 32 == ClientAddress.mapped >> 32
      self.init(high: high, low: isMapped ? low : 0)
    default: self = .local
    }
  }
}
