// A connection by hand: what it answers, in which order, when it ends, and how long it waits.

import Core
import TestSupport
import Testing

@testable import HTTP

/// A connection with what has come out of it.
private final class Line {
  let outbox = Outbox()
  let connection: Connection
  var now: UInt64 = 0

  init(bodyBytesMax: Int = 1_000) {
    connection = Connection(
      slot: 0, outbox: outbox, dateLine: DateLine(), bodyBytesMax: bodyBytesMax, now: 0)
  }

  func send(_ text: String) {
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
      let room = connection.room()
      let count = min(room.count, rest.count)
      room.copyBytes(from: rest.prefix(count))
      rest = rest.dropFirst(count)
      connection.received(count, now: now)
    }
  }

  /// What was sent, without Date lines.
  func receive() -> String {
    let bytes = connection.pendingOutput
    let text = bytes.string
    connection.sent(bytes.count, now: now)
    return text.split(separator: "\r\n", omittingEmptySubsequences: false)
      .filter { !$0.hasPrefix("Date: ") }.joined(separator: "\n")
  }

  func answer(_ text: String) {
    Array(text.utf8).withBytes { connection.respond(.ok, .json, body: $0) }
  }
}

private let get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
private let second: UInt64 = 1_000_000_000

@Suite struct ConnectionTests {
  @Test func aReplyHasItsFieldsAndTheConnectionStays() {
    let line = Line()
    line.send(get)
    #expect(line.connection.nextRequest() != nil)
    line.answer("{}")
    #expect(
      line.receive()
        == "HTTP/1.1 200 OK\nContent-Type: application/json\nContent-Length: 2\n\n{}")
    #expect(line.connection.isIdle)
    #expect(line.outbox.connections.count == 1)
    line.connection.receivedEnd()
    #expect(line.connection.mayClose)
  }

  @Test func everyReplyTellsTheDate() {
    let date = DateLine()
    date.refresh(Timestamp("1994-11-06T08:49:37.9Z"))
    #expect(date.line.string == "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n")
    date.refresh(Timestamp("2024-02-29T23:59:00Z"))
    #expect(date.line.string == "Date: Thu, 29 Feb 2024 23:59:00 GMT\r\n")
  }

  @Test func theNextOfAPipelineWaitsForTheOneBefore() {
    let line = Line()
    line.send("GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n")
    #expect(line.connection.nextRequest()?.path.string == "/1")
    #expect(line.connection.nextRequest()?.path.string == nil)
    #expect(!line.connection.wantsInput)
    line.answer("1")
    #expect(line.connection.nextRequest()?.path.string == "/2")
    line.answer("2")
    let text = line.receive()
    #expect(text.contains("\n\n1HTTP/1.1 200 OK\n") && text.hasSuffix("\n\n2"))
  }

  @Test func headIsAnsweredWithoutABody() {
    let line = Line()
    line.send("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n")
    #expect(line.connection.nextRequest()?.method == .head)
    line.answer("{}")
    let text = line.receive()
    #expect(text.contains("Content-Length: 2\n") && text.hasSuffix("\n\n"))
  }

  @Test func whoeverAsksToContinueIsTold() {
    let line = Line()
    line.send("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
    #expect(line.connection.nextRequest() == nil)
    #expect(line.receive() == "HTTP/1.1 100 Continue\n\n")
    #expect(line.connection.nextRequest() == nil)
    #expect(line.receive() == "")
    line.send("hi")
    #expect(line.connection.nextRequest()?.body.string == "hi")
    // Who did not wait is not told, and a body that is too large is not asked for.
    let eager = Line()
    eager.send("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nh")
    #expect(eager.connection.nextRequest() == nil)
    #expect(eager.receive() == "")
    let large = Line()
    large.send(
      "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2000\r\n\r\n")
    #expect(large.connection.nextRequest() == nil)
    #expect(large.receive().hasPrefix("HTTP/1.1 413 "))
  }

  @Test func anOldClientIsKeptOnlyIfItAsks() {
    let line = Line()
    line.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
    #expect(line.connection.nextRequest() != nil)
    line.answer("{}")
    #expect(line.receive().contains("\nConnection: keep-alive\n"))
    line.send("GET / HTTP/1.0\r\n\r\n")
    #expect(line.connection.nextRequest() != nil)
    line.answer("{}")
    #expect(line.receive().contains("\nConnection: close\n"))
    #expect(line.connection.hasSaidGoodbye)
  }

  @Test func aRefusedClientGetsItsReasonAndIsReadToItsEnd() {
    let line = Line()
    line.send("nonsense\r\n\r\n\(get)")
    #expect(line.connection.nextRequest() == nil)
    let text = line.receive()
    #expect(text.hasPrefix("HTTP/1.1 400 Bad Request\n"))
    #expect(text.contains("\nConnection: close\n"))
    #expect(text.hasSuffix("{\"error\":\"the request line is not 'METHOD target HTTP/1.1'\"}"))
    #expect(line.connection.nextRequest() == nil)
    #expect(line.connection.wantsInput && !line.connection.mayClose)
    line.send(get)
    line.connection.receivedEnd()
    #expect(line.connection.mayClose)
    #expect(line.outbox.refusals == [.badRequest])
    // One that never ends is not listened to for ever.
    let endless = Line()
    endless.send("?")
    #expect(endless.connection.nextRequest() == nil)
    endless.send("\u{1}")
    _ = endless.connection.nextRequest()
    let refused = Line()
    refused.send("\u{1}")
    #expect(refused.connection.nextRequest() == nil)
    _ = refused.receive()
    refused.send(String(repeating: "x", count: Limits.lingerBytesMax + 1))
    #expect(refused.connection.mayClose)
  }

  @Test func aClientThatHasSaidAllIsStillAnswered() {
    let line = Line()
    line.send("\(get)\(get)")
    line.connection.receivedEnd()
    for _ in 0..<2 {
      #expect(line.connection.nextRequest() != nil)
      line.answer("{}")
    }
    #expect(line.receive().components(of: "200 OK") == 2)
    #expect(line.connection.mayClose)
    // What was cut off in the middle is given up.
    let cut = Line()
    cut.send("GET / HT")
    cut.connection.receivedEnd()
    #expect(cut.connection.nextRequest() == nil)
    #expect(cut.connection.mayClose)
  }

  @Test func whileDrainingRepliesEndTheirConnections() {
    let line = Line()
    line.send(get)
    #expect(line.connection.nextRequest() != nil)
    line.outbox.isDraining = true
    line.answer("{}")
    #expect(line.receive().contains("\nConnection: close\n"))
    #expect(line.connection.hasSaidGoodbye)
  }

  @Test func aReplyToAClientThatIsGoneIsDropped() {
    let line = Line()
    line.send(get)
    #expect(line.connection.nextRequest() != nil)
    line.connection.close()
    #expect(line.connection.isGone)
    line.answer("{}")
    #expect(line.connection.pendingOutput.isEmpty)
  }

  @Test func aClientThatDoesNotReadIsNotReadFrom() {
    let line = Line()
    let large = String(repeating: "x", count: Limits.connectionOutputBytesMax)
    line.send("\(get)\(get)")
    #expect(line.connection.nextRequest() != nil)
    line.answer(large)
    #expect(!line.connection.wantsInput)
    #expect(line.connection.nextRequest() == nil)
    _ = line.receive()
    #expect(line.connection.wantsInput)
    #expect(line.connection.nextRequest() != nil)
  }

  // MARK: Time

  @Test func idleConnectionsEnd() {
    let line = Line()
    let times = Timeouts()
    #expect(line.connection.expiry(times, now: times.idle) == .none)
    #expect(line.connection.expiry(times, now: times.idle + 1) == .close)
    line.now = 10 * second
    line.send(get)
    _ = line.connection.nextRequest()
    #expect(line.connection.expiry(times, now: 1_000 * second) == .none, "we are to answer")
    line.answer("{}")
    #expect(line.connection.expiry(times, now: 10 * second + times.write) == .none)
    #expect(line.connection.expiry(times, now: 10 * second + times.write + 1) == .close)
    _ = line.receive()
    #expect(line.connection.expiry(times, now: 10 * second + times.idle) == .none)
    #expect(line.connection.expiry(times, now: 10 * second + times.idle + 1) == .close)
  }

  @Test func aRequestThatTricklesInIsRefused() {
    let times = Timeouts()
    let line = Line()
    line.now = 5 * second
    // A byte a second keeps a connection from being idle, and yet it does not go on for ever.
    for (index, byte) in "GET / HTTP/1.1\r\n".enumerated() {
      line.now = (5 + UInt64(index)) * second
      let expiry = line.connection.expiry(times, now: line.now)
      if line.now > 15 * second + second / 10 {
        #expect(expiry == .refuse)
        break
      }
      #expect(expiry == .none)
      line.send(String(byte))
      #expect(line.connection.nextRequest() == nil)
    }
    line.connection.refuse(Refusal(.requestTimeout, "the request came too slowly"))
    #expect(line.receive().hasPrefix("HTTP/1.1 408 Request Timeout\n"))
    #expect(line.connection.expiry(times, now: line.now + times.linger + 1) == .close)
  }

  @Test func aLargeBodyHasTheTimeItNeeds() {
    let times = Timeouts()
    let line = Line(bodyBytesMax: 1 << 20)
    line.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n")
    line.send(String(repeating: "x", count: 320 << 10))
    #expect(line.connection.nextRequest() == nil)
    // 10 s for any request and 20 s for 320 KiB.
    #expect(line.connection.expiry(times, now: 29 * second) == .none)
    #expect(line.connection.expiry(times, now: 31 * second) == .refuse)
  }
}

extension String {
  fileprivate func components(of part: String) -> Int {
    var count = 0
    var rest = self[...]
    while let range = rest.firstRange(of: part) {
      count += 1
      rest = rest[range.upperBound...]
    }
    return count
  }
}
