// The whole server over real sockets: awkward clients, and others beside them who notice nothing.

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

private func get(_ path: String) -> String { "GET \(path) HTTP/1.1\r\nHost: a\r\n\r\n" }

private func server(
  _ address: String = "127.0.0.1:0", _ change: (inout ServerOptions) -> Void = { _ in }
) throws -> Server {
  var options = ServerOptions(address: try ListenAddress(address, origin: "test"))
  change(&options)
  let server = try Server(options) { (_) throws(Failure) in EchoHandler() }
  try server.start()
  return server
}

@Suite struct ServerTests {
  @Test(arguments: [false, true]) func requestsAreAnswered(_ usesPoll: Bool) throws {
    let server = try server { $0.usesPoll = usesPoll }
    let client = Client(server.address)
    for index in 0..<100 {
      client.send(get("/\(index)"))
      #expect(client.receive(until: "\r\n\r\n/\(index)").hasPrefix("HTTP/1.1 200 OK\r\n"))
    }
    #expect(server.state.acceptedConnections == 1)
    server.close(within: .seconds(10))
    #expect(server.state.openConnections == 0)
  }

  @Test func aPipelineIsAnsweredInOrder() throws {
    let server = try server()
    let client = Client(server.address)
    let paths = (0..<500).map { $0 % 3 == 0 ? "/now" : "/path\($0)" }
    client.send(paths.map(get).joined())
    client.send("GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    let text = client.receive()
    let bodies = text.components(separatedBy: "HTTP/1.1 200 OK\r\n").dropFirst().map {
      $0.components(separatedBy: "\r\n\r\n")[1]
    }
    #expect(Array(bodies) == paths.map { $0 == "/now" ? "now" : $0 } + ["/last"])
    server.close(within: .seconds(10))
  }

  @Test func aUnixSocketServesAndItsFileGoes() throws {
    let folder = try TemporaryFolder()
    let path = folder.path("s")
    let server = try server("unix:\(path)") { $0.threads = 2 }
    let client = Client(server.address)
    client.send(get("/here"))
    #expect(client.receive(until: "/here").contains("200 OK"))
    let second = failure { () throws(Failure) in
      _ = try Server(ServerOptions(address: .unix(path: path))) { (_) throws(Failure) in
        EchoHandler()
      }
    }
    #expect(second?.message == "unix:\(path): another process listens there")
    server.close(within: .seconds(10))
    #expect(!FileManager.default.fileExists(atPath: path))
  }

  @Test func aPortInUseIsAnError() throws {
    let folder = try TemporaryFolder()
    try folder.write("", "file")
    let path = folder.path("file")
    let failed = failure { () throws(Failure) in
      _ = try Server(ServerOptions(address: .unix(path: path))) { (_) throws(Failure) in
        EchoHandler()
      }
    }
    #expect(failed?.message == "unix:\(path): a file is there that is no socket")
    #expect(failed?.status == .inputOutput)
  }

  @Test func halfClosedAndResetClientsHarmNobody() throws {
    let server = try server()
    let other = Client(server.address)
    let half = Client(server.address)
    half.send(get("/later"))
    half.endOutput()
    let reset = Client(server.address)
    reset.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhalf of")
    reset.reset()
    let gone = Client(server.address)
    gone.send(get("/later"))
    usleep(5_000)
    gone.reset()
    #expect(half.receive().hasSuffix("\r\n\r\n/later"))
    other.send(get("/fine"))
    #expect(other.receive(until: "/fine").contains("200 OK"))
    server.close(within: .seconds(10))
    #expect(server.state.openConnections == 0)
  }

  @Test func slowAndIdleClientsAreSentAway() throws {
    let server = try server {
      $0.timeouts.request = 200_000_000
      $0.timeouts.idle = 300_000_000
      $0.timeouts.sweep = 20_000_000
      $0.timeouts.linger = 100_000_000
    }
    let slow = Client(server.address)
    slow.send("GET / HT")
    let idle = Client(server.address)
    let slowText = slow.receive()
    #expect(slowText.hasPrefix("HTTP/1.1 408 Request Timeout\r\n"))
    #expect(slowText.contains("Connection: close"))
    #expect(idle.hasEnded)
    server.close(within: .seconds(10))
  }

  @Test func aClientThatNeverReadsIsGivenUp() throws {
    let server = try server {
      $0.timeouts.write = 300_000_000
      $0.timeouts.sweep = 20_000_000
    }
    let deaf = Client(server.address)
    for _ in 0..<20 { deaf.send(get("/large")) }
    let other = Client(server.address)
    for _ in 0..<20 {
      other.send(get("/x"))
      #expect(other.receive(until: "\r\n\r\n/x").contains("200 OK"))
    }
    let deadline = Date(timeIntervalSinceNow: 10)
    while server.state.openConnections > 1, Date() < deadline { usleep(10_000) }
    #expect(server.state.openConnections == 1)
    server.close(within: .seconds(10))
  }

  @Test func tooManyConnectionsAreTurnedAway() throws {
    let server = try server { $0.connectionsMax = 2 }
    let clients = [Client(server.address), Client(server.address)]
    for client in clients {
      client.send(get("/in"))
      #expect(client.receive(until: "/in").contains("200 OK"))
    }
    let third = Client(server.address)
    let text = third.receive()
    #expect(text.hasPrefix("HTTP/1.1 503 Service Unavailable\r\n"))
    #expect(text.contains("\r\nRetry-After: 1\r\n"))
    #expect(server.state.turnedAwayConnections == 1)
    clients[0].close()
    third.close()
    let deadline = Date(timeIntervalSinceNow: 10)
    while server.state.openConnections > 1, Date() < deadline { usleep(10_000) }
    let fourth = Client(server.address)
    fourth.send(get("/in"))
    #expect(fourth.receive(until: "/in").contains("200 OK"))
    server.close(within: .seconds(10))
  }

  @Test func thousandsOfIdleConnectionsAreHeld() throws {
    let server = try server()
    let clients = (0..<400).map { _ in Client(server.address) }
    for client in [clients[0], clients[399], clients[200]] {
      client.send(get("/still"))
      #expect(client.receive(until: "/still").contains("200 OK"))
    }
    #expect(server.state.openConnections == 400)
    server.close(within: .seconds(10))
    #expect(clients[7].hasEnded)
  }

  @Test func closingFinishesWhatWasBegun() throws {
    let server = try server { $0.threads = 2 }
    let busy = Client(server.address)
    busy.send(get("/later"))
    let idle = Client(server.address)
    usleep(5_000)
    let start = Date()
    server.close(within: .seconds(10))
    #expect(Date().timeIntervalSince(start) < 5)
    let text = busy.receive()
    #expect(text.contains("Connection: close\r\n") && text.hasSuffix("/later"))
    #expect(idle.hasEnded)
  }

  @Test func closingDoesNotWaitForever() throws {
    let server = try server()
    let slow = Client(server.address)
    slow.send("GET / HT")
    usleep(5_000)
    let start = Date()
    server.close(within: TimeSpan(microseconds: 300_000))
    let took = Date().timeIntervalSince(start)
    #expect(took > 0.2 && took < 5)
    #expect(slow.hasEnded)
  }

  @Test func bodiesAtAndOverTheLimit() throws {
    let server = try server { $0.bodyBytesMax = 100_000 }
    let body = String(repeating: "b", count: 100_000)
    let at = Client(server.address)
    at.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n\(body)")
    #expect(at.receive(until: body).contains("200 OK"))
    let over = Client(server.address)
    over.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100001\r\n\r\n\(body)")
    #expect(over.receive().hasPrefix("HTTP/1.1 413 Content Too Large\r\n"))
    server.close(within: .seconds(10))
  }

  @Test func addressesAreReadOrRefused() throws {
    #expect(try ListenAddress("localhost:80", origin: "t") == .ipv4(host: "127.0.0.1", port: 80))
    #expect(try ListenAddress("[::1]:80", origin: "t").isLoopback)
    #expect(try !ListenAddress("0.0.0.0:80", origin: "t").isLoopback)
    #expect(try ListenAddress("unix:/s", origin: "t").description == "unix:/s")
    for text in ["80", "host:80", "127.0.0.1:99999", "[x]:80", "unix:", "127.0.0.1"] {
      let failed = failure { () throws(Failure) in _ = try ListenAddress(text, origin: "--listen") }
      #expect(failed?.message.hasPrefix("--listen: ") == true, "\(text)")
    }
  }
}
