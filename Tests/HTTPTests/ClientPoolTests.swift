// The client against the server, over real sockets.

import Core
import Foundation
import TestSupport
import Testing

@testable import HTTP

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

private final class Ends: ExchangeObserver {
  var exchanges: [Exchange] = []
  func ended(_ exchange: Exchange, serverTiming: Bytes) { exchanges.append(exchange) }
}

@Suite struct ClientPoolTests {
  private static func request(
    _ path: String, body: String = "", keepsAlive: Bool = true
  ) -> OutgoingRequest {
    OutgoingRequest(
      method: body.isEmpty ? "GET" : "POST", path: path, host: "h", fields: [],
      body: Array(body.utf8), keepsAlive: keepsAlive)
  }

  /// Everything that came of the requests, each sent once.
  private static func exchange(
    _ address: ListenAddress, _ requests: [OutgoingRequest], connections: Int = 4,
    timeout: TimeSpan = .seconds(10), keepsAlive: Bool = true, usesPoll: Bool = false
  ) throws -> (exchanges: [Exchange], opened: Int) {
    let ends = Ends()
    var options = ClientOptions()
    (options.connectionsMax, options.timeout) = (connections, timeout)
    (options.keepsAlive, options.usesPoll) = (keepsAlive, usesPoll)
    let clock = SystemClock()
    let pool = try ClientPool(address, requests, options, observer: ends, clock: clock)
    var given = 0
    let deadline = Date(timeIntervalSinceNow: 20)
    while ends.exchanges.count < requests.count, Date() < deadline {
      while given < requests.count, pool.hasRoom {
        try pool.send(given, token: UInt64(given) + 100)
        given += 1
      }
      pool.turn(until: clock.monotonicNanoseconds() + 5_000_000)
    }
    return (ends.exchanges, pool.opened)
  }

  private static func withServer(
    _ address: ListenAddress = .ipv4(host: "127.0.0.1", port: 0),
    _ body: (ListenAddress) throws -> Void
  ) throws {
    var options = ServerOptions(address: address)
    options.threads = 1
    let server = try Server(options) { (_) throws(Failure) in EchoHandler() }
    try server.start()
    defer { server.close(within: .seconds(1)) }
    try body(server.address)
  }

  @Test(arguments: [false, true]) func connectionsAreUsedAgain(_ usesPoll: Bool) throws {
    try Self.withServer { address in
      let requests = (0..<50).map { Self.request("/echo", body: "body \($0)") }
      let (exchanges, opened) = try Self.exchange(address, requests, usesPoll: usesPoll)
      #expect(exchanges.count == 50 && opened <= 4)
      #expect(exchanges.allSatisfy { $0.status == 200 && $0.fault == nil && $0.ended >= $0.sent })
      #expect(Set(exchanges.map(\.token)) == Set((0..<50).map { UInt64($0) + 100 }))
      for exchange in exchanges {
        #expect(exchange.bodyBytes == "body \(exchange.request)".utf8.count)
      }
    }
  }

  @Test func aNewConnectionForEachWhereAsked() throws {
    try Self.withServer { address in
      let requests = (0..<9).map { Self.request("/\($0)", keepsAlive: false) }
      let (exchanges, opened) = try Self.exchange(address, requests, keepsAlive: false)
      #expect(exchanges.count == 9 && opened == 9 && exchanges.allSatisfy { $0.status == 200 })
    }
  }

  @Test func aLargeReplyOverASocketThatIsAFile() throws {
    let folder = try TemporaryFolder()
    try Self.withServer(.unix(path: folder.path("s"))) { address in
      let (exchanges, _) = try Self.exchange(
        address, [Self.request("/large"), Self.request("/now")])
      #expect(Set(exchanges.map(\.bodyBytes)) == [8 << 20, 3])
    }
  }

  @Test func silenceIsATimeoutAndNobodyIsARefusal() throws {
    // It listens and never accepts.
    let any = ListenAddress.ipv4(host: "127.0.0.1", port: 0)
    let listener = try Socket.listen(at: any, sharesPort: false)
    let address = Socket.bound(listener, any)
    let short = TimeSpan(microseconds: 50_000)
    let (silent, _) = try Self.exchange(address, [Self.request("/")], timeout: short)
    #expect(silent.map(\.fault) == [.timeout])
    #expect(silent[0].ended - silent[0].sent >= 50_000_000)
    StreamSocket.close(listener)
    let (refused, _) = try Self.exchange(address, [Self.request("/")])
    #expect(refused.map(\.fault) == [.refused] && refused[0].status == 0)
  }

  @Test func aReplyThatIsCutShortIsAFault() throws {
    let any = ListenAddress.ipv4(host: "127.0.0.1", port: 0)
    let listener = try Socket.listen(at: any, sharesPort: false)
    let address = Socket.bound(listener, any)
    let thread = try WorkerThread {
      for reply in ["HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort", "no reply at all\r\n\r\n"]
      {
        var link = Socket.accept(listener, isUnix: false)
        while case .none = link {
          usleep(1_000)
          link = Socket.accept(listener, isUnix: false)
        }
        guard case .connection(let descriptor, _) = link else { return }
        usleep(20_000)
        Array(reply.utf8).withBytes { _ = StreamSocket.write(descriptor, $0) }
        Socket.endOutput(descriptor)
        usleep(20_000)
        StreamSocket.close(descriptor)
      }
    }
    let requests = [Self.request("/a"), Self.request("/b")]
    let (exchanges, _) = try Self.exchange(address, requests, connections: 1)
    thread.join()
    StreamSocket.close(listener)
    #expect(exchanges.map(\.fault) == [.closed, .malformed])
  }

  @Test func waitsToTheMicrosecond() throws {
    let clock = SystemClock()
    let ends = Ends()
    let pool = try ClientPool(
      .ipv4(host: "127.0.0.1", port: 1), [Self.request("/")], ClientOptions(), observer: ends,
      clock: clock)
    var best = UInt64.max
    for _ in 0..<20 {
      let deadline = clock.monotonicNanoseconds() + 1_300_000
      pool.turn(until: deadline)
      let now = clock.monotonicNanoseconds()
      #expect(now + 5_000 >= deadline)
      best = min(best, now - min(now, deadline))
    }
    #expect(best < 500_000, "the best of twenty was late by \(best) ns")
  }
}

@Suite struct EndpointTests {
  @Test func readsAddresses() throws {
    let plain = try Endpoint("http://127.0.0.1:8080/decide/a?x#y", origin: "URL")
    #expect(plain.address == .ipv4(host: "127.0.0.1", port: 8080))
    #expect(plain.path == "/decide/a?x" && plain.host == "127.0.0.1:8080")
    let bare = try Endpoint("localhost", origin: "URL")
    #expect(bare.address == .ipv4(host: "127.0.0.1", port: 80) && bare.path == "/")
    let six = try Endpoint("http://[::1]:81/", origin: "URL")
    #expect(six.address == .ipv6(host: "::1", port: 81))
    let unix = try Endpoint("http://unix:/run/a.sock:/p", origin: "URL")
    #expect(unix.address == .unix(path: "/run/a.sock") && unix.path == "/p")
  }

  @Test(arguments: [
    "https://a/", "http://", "http://a b/", "http://1.2.3.4:x/", "http://u@h/", "unix:",
  ])
  func refusesOthers(_ text: String) {
    #expect(throws: Failure.self) { try Endpoint(text, origin: "URL") }
  }

  @Test func aFieldIsOneField() {
    #expect(OutgoingRequest.field("A: b")?.value == "b")
    for text in ["A", ": b", "A b: c", "A: b\r\nC: d"] {
      #expect(OutgoingRequest.field(Substring(text)) == nil)
    }
  }
}
