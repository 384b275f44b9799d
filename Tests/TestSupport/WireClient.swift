// An HTTP client of one connection that is kept alive: a request is sent, its reply is read.

import Core
import Foundation

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

public final class WireClient {
  public struct Reply: Sendable {
    public let status: Int
    public let head: String
    public let body: String

    public func field(_ name: String) -> String? {
      let prefix = "\(name.lowercased()): "
      let line = head.split(separator: "\r\n").first { $0.lowercased().hasPrefix(prefix) }
      return line.map { String($0.dropFirst(prefix.count)) }
    }
  }

  public struct Broken: Error { let what: String }

  private let descriptor: Int32
  private var buffer: [UInt8] = []

  /// - Parameter address: `127.0.0.1:PORT`.
  public init(_ address: String) throws {
    let port = UInt16(address.split(separator: ":").last ?? "") ?? 0
    #if canImport(Glibc)
      descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    #else
      descriptor = socket(AF_INET, SOCK_STREAM, 0)
    #endif
    var target = sockaddr_in()
    target.sin_family = sa_family_t(AF_INET)
    target.sin_port = port.bigEndian
    target.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    let status = withUnsafePointer(to: &target) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard status == 0 else { throw Broken(what: "connect \(address): \(errno)") }
    var patience = timeval(tv_sec: 30, tv_usec: 0)
    let size = socklen_t(MemoryLayout<timeval>.size)
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, size)
    var flag: Int32 = 1
    setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &flag, 4)
  }

  deinit { close(descriptor) }

  /// Sends a request with a body and reads its reply.
  public func post(
    _ path: String, _ body: String, _ type: String = "application/json", fields: [String] = []
  ) throws -> Reply {
    let lines =
      ["POST \(path) HTTP/1.1", "Host: a", "Content-Type: \(type)"] + fields
      + ["Content-Length: \(body.utf8.count)"]
    try send(lines.joined(separator: "\r\n") + "\r\n\r\n" + body)
    return try receive()
  }

  public func get(_ path: String) throws -> Reply {
    try send("GET \(path) HTTP/1.1\r\nHost: a\r\n\r\n")
    return try receive()
  }

  public func send(_ text: String) throws {
    let bytes = Array(text.utf8)
    var sent = 0
    while sent < bytes.count {
      let count = bytes[sent...].withUnsafeBytes {
        #if canImport(Glibc)
          Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
        #else
          Darwin.send(descriptor, $0.baseAddress, $0.count, 0)
        #endif
      }
      guard count > 0 else { throw Broken(what: "send: \(errno)") }
      sent += count
    }
  }

  public func receive() throws -> Reply {
    let separator = Array("\r\n\r\n".utf8)
    while buffer.firstRange(of: separator) == nil { try read() }
    let end = buffer.firstRange(of: separator)!.upperBound
    let head = String(decoding: buffer[..<(end - 4)], as: UTF8.self)
    let probe = Reply(status: 0, head: head, body: "")
    let count = Int(probe.field("content-length") ?? "") ?? 0
    while buffer.count < end + count { try read() }
    let body = String(decoding: buffer[end..<end + count], as: UTF8.self)
    buffer.removeFirst(end + count)
    let status = Int(head.split(separator: " ").dropFirst().first ?? "") ?? 0
    return Reply(status: status, head: head, body: body)
  }

  private func read() throws {
    var chunk = [UInt8](repeating: 0, count: 64 << 10)
    let count = recv(descriptor, &chunk, chunk.count, 0)
    guard count > 0 else { throw Broken(what: count == 0 ? "closed" : "recv: \(errno)") }
    buffer += chunk.prefix(count)
  }
}
