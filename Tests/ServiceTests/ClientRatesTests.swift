// How much one client may send: the bucket that is one number beside one that is filled drop by drop, the table that
// forgets, and what clients are told.

import Core
import Foundation
import TestSupport
import Testing

@testable import HTTP
@testable import Service

/// A bucket as one would describe it: tokens that come with time, up to a bound, and go one by one. A token is counted as
/// the nanoseconds that it takes to come, so that nothing is rounded.
private struct FilledBucket {
  let interval: UInt64
  let size: UInt64
  private var level: UInt64
  private var filledAt: UInt64 = 0

  init(interval: UInt64, tokens: UInt64) {
    self.interval = interval
    size = interval * tokens
    level = size
  }

  mutating func take(now: UInt64) -> UInt64? {
    level = min(size, level + (now - filledAt))
    filledAt = now
    guard level >= interval else { return interval - level }
    level -= interval
    return nil
  }
}

@Suite struct ClientRatesTests {
  private func client(_ host: String) throws -> ClientAddress {
    try ListenAddress(host.contains(":") ? "[\(host)]:1" : "\(host):1", origin: "t")
      .withSocketAddress { name, _ in ClientAddress(name) }
  }

  @Test(arguments: [0.001, 0.3, 1, 1.5, 3, 7, 100, 333.3])
  func oneNumberIsABucket(_ rate: Double) {
    var random = SplitMix64(seed: 9)
    let tokenRate = TokenRate(rate)
    var bucket = TokenBucket()
    var filled = FilledBucket(
      interval: tokenRate.interval, tokens: UInt64(max(1, rate.rounded(.down))))
    var (now, refused, taken): (UInt64, Int, Int) = (0, 0, 0)
    // Crowds, gaps in which a bucket becomes nearly full, and what lies between.
    for step in 0..<30_000 {
      let gaps: [UInt64] = [0, tokenRate.interval / 2, tokenRate.interval * 2, filled.size]
      let most = step % 1_000 == 999 ? gaps[3] : gaps[step / 500 % 3]
      now += UInt64.random(in: 0...most, using: &random)
      let wait = bucket.take(tokenRate, now: now)
      #expect(wait == filled.take(now: now))
      if wait == nil { taken += 1 } else { refused += 1 }
    }
    #expect(taken > 1_000 && refused > 1_000)
  }

  @Test func whoWaitsAsToldIsTaken() {
    let rate = TokenRate(3)
    for isEarly in [false, true] {
      var bucket = TokenBucket()
      for _ in 0..<3 { #expect(bucket.take(rate, now: 1_000_000_000) == nil) }
      let wait = bucket.take(rate, now: 1_100_000_000)
      #expect(wait == 233_333_334)
      let again = bucket.take(rate, now: 1_100_000_000 + wait! - (isEarly ? 1 : 0))
      #expect(again == (isEarly ? 1 : nil))
    }
  }

  @Test func clientsAreToldApart() throws {
    let rates = ClientRates(1)
    let hosts = [
      "127.0.0.1", "127.0.0.2", "10.0.0.1", "2001:db8::1", "2001:db8:0:1::1", "::ffff:10.0.0.2",
    ]
    for host in hosts { #expect(rates.take(from: try client(host), now: 0) == nil, "\(host)") }
    for host in hosts { #expect(rates.take(from: try client(host), now: 0) == 1_000_000_000) }
    // The same host by another of its addresses, and an IPv4 address as a socket for both families tells it.
    #expect(try client("2001:db8::1") == client("2001:db8::ffff:1"))
    #expect(try client("10.0.0.1") == client("::ffff:10.0.0.1"))
    let local = ListenAddress.unix(path: "/s").withSocketAddress { name, _ in ClientAddress(name) }
    #expect(local == .local)
  }

  @Test func theTableForgetsWhoHasLeastToForget() throws {
    let rates = ClientRates(2, clientsMax: 8)
    let clients = try (0..<9).map { try client("10.0.0.\($0)") }
    // All empty at once but the fourth, which has a token left.
    for (index, client) in clients[..<8].enumerated() {
      for _ in 0..<(index == 3 ? 1 : 2) { #expect(rates.take(from: client, now: 5) == nil) }
    }
    #expect(rates.take(from: clients[8], now: 5) == nil)
    for (index, client) in clients[..<8].enumerated() where index != 3 {
      #expect(rates.take(from: client, now: 5) == 500_000_000)
    }
    #expect(rates.take(from: clients[8], now: 5) == nil)
    #expect(rates.take(from: clients[8], now: 5) != nil)
    // Later all are full again: a bucket that is full and one that was forgotten are the same.
    for client in clients { #expect(rates.take(from: client, now: 1_000_000_005) == nil) }
  }

  @Test func whoSendsTooMuchIsTold() throws {
    let test = TestService([try Serving.served("m", "binary-logistic")]) {
      $0.rates = ClientRates(0.25)
    }
    func ask(_ head: String, _ client: ClientAddress) -> TestReply {
      let connection = test.connect(client)
      test.send("\(head) HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}", on: connection)
      _ = test.service.endTurn(now: test.clock.monotonicNanoseconds())
      return test.receive(connection)
    }
    let (first, second) = (try client("10.0.0.1"), try client("10.0.0.2"))
    #expect(ask("POST /decide/m", first).status == 200)
    test.clock.advance(TimeSpan(microseconds: 500_000))
    for path in ["/decide/m", "/v2/models/m/infer", "/invocations", "/events"] {
      let refused = ask("POST \(path)", first)
      #expect(refused.status == 429 && refused.head.hasPrefix("HTTP/1.1 429 Too Many Requests"))
      // Three and a half seconds.
      #expect(refused.field("Retry-After") == "4")
      #expect(
        refused.error == "more than 0.25 requests a second from one client; "
          + "Retry-After says in how many seconds to come back")
    }
    for path in ["/livez", "/readyz", "/metrics", "/v2/health/ready", "/ping", "/"] {
      #expect(ask("GET \(path)", first).status == 200, "\(path)")
    }
    #expect(ask("POST /decide/m", second).status == 200)
    test.clock.advance(TimeSpan(microseconds: 3_499_999))
    #expect(ask("POST /decide/m", first).field("Retry-After") == "1")
    test.clock.advance(TimeSpan(microseconds: 1))
    #expect(ask("POST /decide/m", first).status == 200)
    let metrics = ask("GET /metrics", first).body
    for line in [
      "route=\"/decide/{model}\",code=\"429\"} 2", "route=\"/events\",code=\"429\"} 1",
      "route=\"/decide/{model}\",code=\"200\"} 3",
    ] {
      #expect(metrics.contains("rtinfer_http_requests_total{\(line)\n"), "\(line)")
    }
    #expect(test.meters.total().models[0].counts.rows == 3)
  }
}
