// A client of bytes: it sends what a test says and reads what comes, and nothing more.

import Core
import Foundation
import TestSupport

@testable import HTTP

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Answers each path with itself, a moment later where it says so.
final class EchoHandler: RequestHandler {
  private var waiting: [(Request, Connection)] = []
  private var turns = 0

  func handle(_ request: Request, _ connection: Connection) {
    if request.path == "/now" { return connection.respond(.ok, .json, body: Bytes("now")) }
    waiting.append((request, connection))
  }

  func endTurn(now: UInt64) -> UInt64? {
    turns += 1
    // Sees a request that has come to wait again a little later.
    if let (request, _) = waiting.first, request.path == "/later",
      now - request.arrived < 20_000_000
    {
      return request.arrived + 20_000_000
    }
    for (request, connection) in waiting {
      if request.path == "/large" {
        let body = [UInt8](repeating: 0x78, count: 8 << 20)
        body.withBytes { connection.respond(.ok, .text, body: $0) }
      } else {
        let body = request.body.isEmpty ? request.path : request.body
        connection.respond(.ok, .text, body: body)
      }
    }
    waiting.removeAll(keepingCapacity: true)
    return nil
  }

  func refused(_ status: Status) {}
}

final class Client {
  let descriptor: Int32

  init(_ address: ListenAddress) {
    #if canImport(Glibc)
      let stream = Int32(SOCK_STREAM.rawValue)
    #else
      let stream = SOCK_STREAM
    #endif
    switch address {
    case .ipv4(_, let port):
      descriptor = socket(AF_INET, stream, 0)
      var name = sockaddr_in()
      name.sin_family = sa_family_t(AF_INET)
      name.sin_port = port.bigEndian
      inet_pton(AF_INET, "127.0.0.1", &name.sin_addr)
      connect(&name)
    case .unix(let path):
      descriptor = socket(AF_UNIX, stream, 0)
      var name = sockaddr_un()
      name.sun_family = sa_family_t(AF_UNIX)
      withUnsafeMutableBytes(of: &name.sun_path) { $0.copyBytes(from: path.utf8) }
      connect(&name)
    case .ipv6: preconditionFailure("not needed in tests")
    }
    var patience = timeval(tv_sec: 10, tv_usec: 0)
    setsockopt(
      descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
  }

  deinit { close() }

  private var isClosed = false

  func close() {
    if !isClosed { StreamSocket.close(descriptor) }
    isClosed = true
  }

  private func connect<Address>(_ address: inout Address) {
    let count = socklen_t(MemoryLayout<Address>.size)
    let status = withUnsafeBytes(of: &address) { bytes in
      let name = bytes.assumingMemoryBound(to: sockaddr.self).baseAddress!
      #if canImport(Glibc)
        return Glibc.connect(descriptor, name, count)
      #else
        return Darwin.connect(descriptor, name, count)
      #endif
    }
    precondition(status == 0, "a test's server can be reached")
  }

  func send(_ text: String) {
    Array(text.utf8).withBytes { bytes in
      var rest = bytes
      while !rest.isEmpty, case .moved(let count) = StreamSocket.write(descriptor, rest) {
        rest = rest[count..<rest.count]
      }
    }
  }

  func endOutput() { Socket.endOutput(descriptor) }

  /// Closes with unread data thrown away, as a process that was killed does.
  func reset() {
    var option = linger(l_onoff: 1, l_linger: 0)
    setsockopt(
      descriptor, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
    close()
  }

  /// What comes until the text contains `part` so many times, the end, or ten seconds.
  func receive(until part: String? = nil, count: Int = 1) -> String {
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let text = String(decoding: bytes, as: UTF8.self)
      if let part, text.components(separatedBy: part).count > count { return text }
      let room = buffer.withUnsafeMutableBytes { StreamSocket.read(descriptor, $0) }
      guard case .moved(let read) = room, read > 0 else { return text }
      bytes += buffer[..<read]
    }
  }

  /// Whether the server has ended the connection within ten seconds.
  var hasEnded: Bool {
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      switch buffer.withUnsafeMutableBytes({ StreamSocket.read(descriptor, $0) }) {
      case .moved(0), .broken: return true
      case .moved: continue
      case .notNow: return false
      }
    }
  }
}
