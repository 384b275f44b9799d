// What becomes of events when they cannot be kept, and of the clients that sent them: nothing is half taken, nothing
// counts twice.

import Core
import Decisions
import Events
import Features
import Foundation
import TestSupport
import Testing

@testable import HTTP
@testable import Service

/// Keeps lines, except when it is told to fail.
private final class FallibleOutput: EventOutput {
  let lines = OutputBuffer(MemorySink())
  var kept = ""
  var failures = 0
  var isBroken = false

  func endEvent(time: Timestamp, ingested: Timestamp) throws(Failure) {
    lines.append(UInt8(ascii: "\n"))
  }

  func passOn() throws(Failure) {
    defer { lines.rewind(to: 0) }
    if failures > 0 {
      failures -= 1
      throw .inputOutput("the disk is full")
    }
    kept += lines.pending.string
  }

  func finish() throws(Failure) { try passOn() }
}

@Suite struct EventTakerTests {
  /// A service and the thread's work, which a test does by hand.
  private final class Rig {
    let queue: EventQueue
    let test: TestService
    let live: LiveState
    let taker: EventTaker
    let output = FallibleOutput()
    let clock = ManualClock(Timestamp("2024-05-02T00:00:00Z"))
    private(set) var told: [Failure] = []
    private(set) var ways = 0

    init(bytesMax: Int = 1 << 20) throws {
      let schema = EventSchema(types: [
        EventType(name: "e", dedup: .hours(24), fields: [Field(name: "k", type: .string)])
      ])
      let views = try ConfigNode.members(
        "{ v: { entity: ['k'], from: 'e', features: { n: { count: '*', window: '1h' } } } }")
      let queue = try EventQueue(bytesMax: bytesMax)
      let live = LiveState(try FeatureDefinitions(views, schema: schema), schema: schema)
      let rejects = try Rejects(try TestRun().invocation)
      let (clock, output) = (clock, output)
      var made: () -> Void = {}
      var failed: (Failure) -> Void = { _ in }
      taker = try EventTaker(
        queue, schema: schema, rejects: rejects,
        applier: EventApplier(live, schema: schema), clock: clock,
        makeWay: { () throws(Failure) in
          made()
          let intake = EventIntake(
            handedOverAs: "/events", schema: schema, rejects: rejects, clock: clock,
            layers: .layers([.cloudevents]), privacy: nil)
          return EventWay(intake, to: output, log: nil)
        }, onFailure: { (failure, _) in failed(failure) })
      test = TestService([], clock: clock) {
        $0.events = queue
        $0.liveState = live
      }
      (self.queue, self.live) = (queue, live)
      made = { [unowned self] in ways += 1 }
      failed = { [unowned self] in told.append($0) }
    }

    func event(_ id: String) -> String {
      #"{"type":"e","id":"\#(id)","time":"2024-05-01T10:00:00Z","k":"a"}"#
    }

    func send(_ id: String) -> Connection { post(event(id)) }

    func post(_ body: String, _ fields: String = "") -> Connection {
      let connection = test.connect()
      test.send(
        "POST /events HTTP/1.1\r\nHost: a\r\n\(fields)Content-Length: \(body.utf8.count)\r\n\r\n\(body)",
        on: connection)
      return connection
    }

    /// What the thread and then the loop would do.
    func settle() {
      taker.takeWaiting()
      _ = test.service.endTurn(now: clock.monotonicNanoseconds())
    }

    func counts() -> String {
      let text = test.ask("GET /metrics").body
      return text.split(separator: "\n").filter {
        $0.hasPrefix("rtinfer_events_total") || $0.hasPrefix("rtinfer_event_requests_refused")
      }.map { String($0.split(separator: " ")[1]) }.joined(separator: " ")
    }
  }

  @Test func whatCannotBeKeptIsTakenLater() throws {
    let rig = try Rig()
    let first = rig.send("a")
    rig.settle()
    #expect(rig.test.receive(first).body == #"{"accepted":1,"repeats":0,"offset":0}"#)
    rig.output.failures = 1
    let (second, third) = (rig.send("b"), rig.send("c"))
    rig.settle()
    for connection in [second, third] {
      let reply = rig.test.receive(connection)
      #expect(reply.status == 503 && reply.field("Retry-After") == "1")
      #expect(reply.error.contains("cannot be kept"))
    }
    #expect(rig.told.map(\.message) == ["the disk is full"])
    #expect(rig.live.extent.offset == 0)
    // At once again it is not even tried, and nobody is told twice.
    let early = rig.send("b")
    rig.settle()
    #expect(rig.test.receive(early).status == 503)
    #expect(rig.told.count == 1 && rig.ways == 0)
    rig.clock.advance(.seconds(1))
    let late = rig.send("b")
    rig.settle()
    // No repeat: it had not been taken.
    #expect(rig.test.receive(late).body.hasPrefix(#"{"accepted":1,"repeats":0"#))
    #expect(rig.ways == 1)
    #expect(rig.output.kept.split(separator: "\n").count == 2)
    #expect(rig.counts() == "2 0 0 0 3")
  }

  @Test func whoComesTooEarlyKeepsNobodyOut() throws {
    let rig = try Rig()
    rig.output.failures = 1
    _ = rig.send("a")
    rig.settle()
    rig.clock.advance(TimeSpan(microseconds: 900_000))
    let early = rig.send("b")
    rig.settle()
    #expect(rig.test.receive(early).error.contains("none of these was taken"))
    rig.clock.advance(TimeSpan(microseconds: 200_000))
    let late = rig.send("c")
    rig.settle()
    #expect(rig.test.receive(late).status == 200)
  }

  /// Half a line may have gone out, and what comes behind it would be lost with it.
  @Test func nothingFollowsWhatMayHaveBeenCutOff() throws {
    let rig = try Rig()
    rig.output.failures = 2
    rig.output.isBroken = true
    let first = rig.send("a")
    rig.settle()
    let refused = rig.test.receive(first)
    #expect(refused.status == 503 && refused.error.contains("some of these may have been taken"))
    #expect(rig.taker.ending?.message == "the disk is full")
    rig.clock.advance(.seconds(10))
    let second = rig.send("b")
    rig.settle()
    #expect(rig.test.receive(second).error.contains("none of these was taken"))
    #expect(rig.output.kept.isEmpty && rig.told.count == 1)
  }

  @Test func aLineEndInATextIsNoBlank() throws {
    let rig = try Rig()
    let torn = rig.post(rig.event("a\n1"))
    rig.settle()
    #expect(rig.test.receive(torn).status == 400 && rig.output.kept.isEmpty)
    let quoted = rig.event(#"\"b\\"#).replacingOccurrences(of: ",", with: "\r\n,")
    let spread = rig.post(quoted)
    rig.settle()
    #expect(rig.test.receive(spread).status == 200)
    #expect(rig.output.kept.split(separator: "\n").count == 1)
  }

  @Test func aRejectedLineIsNamedAsInAnEditor() throws {
    let rig = try Rig()
    let lines = ["", rig.event("a"), " ", "", "{", rig.event("b"), "{"]
    let posted = rig.post(
      lines.joined(separator: "\n"), "Content-Type: application/x-ndjson\r\n")
    rig.settle()
    let reply = rig.test.receive(posted).body
    #expect(reply.contains("\"accepted\":2"), "\(reply)")
    #expect(reply.contains("\"line\":5,") && reply.contains("\"line\":7,"), "\(reply)")
  }

  @Test func aFullQueueSaysSo() throws {
    let rig = try Rig(bytesMax: 150)
    let connections = (0..<4).map { rig.send("id\($0)") }
    _ = rig.test.service.endTurn(now: 0)
    for connection in connections[2...] {
      let reply = rig.test.receive(connection)
      #expect(reply.status == 503 && reply.field("Retry-After") == "1")
    }
    #expect(connections[0].pendingOutput.isEmpty)
    rig.settle()
    for connection in connections[..<2] { #expect(rig.test.receive(connection).status == 200) }
    #expect(rig.counts() == "2 0 0 2 0")
  }

  @Test func whoHasLeftHasSentHisEventAllTheSame() throws {
    let rig = try Rig()
    let gone = rig.send("a")
    gone.close()
    rig.settle()
    #expect(rig.output.kept.contains("\"id\":\"a\""))
    #expect(rig.live.extent.entities == 1)
    let text = rig.test.ask("GET /metrics").body
    #expect(text.contains("rtinfer_http_requests_in_flight 0\n"))
  }
}
