// Decisions over HTTP are those of `score`, alone and in batches, and what cannot be decided is refused whole.

import Core
import Decisions
import Foundation
import Models
import TestSupport
import Testing

@testable import HTTP
@testable import Service

private let rules = """
  labels: ["no", "yes"], rules: [ { if: "score >= 0.5", decide: "act" }, { decide: "wait" } ]
  """

@Suite struct DecideTests {
  /// What the code behind `score` says of a line, as the service's short answer.
  private func expected(_ served: ServedModel, _ line: String) throws -> String {
    let decider = try Decider(served.definition, model: served.model, schema: served.schema)
    let kind = try decider.read(Bytes(lasting: line))
    try decider.gather(kind)
    decider.judge()
    decider.conclude(kind)
    let output = OutputBuffer(MemorySink())
    decider.appendAnswer(to: output)
    return output.pending.string
  }

  @Test(arguments: ["binary-logistic", "softprob", "squarederror"])
  func aBatchIsAnsweredAsEachRowAlone(_ fixture: String) throws {
    let served = try Serving.served("m", fixture)
    let rows = try Serving.rows(fixture, 150)
    #expect(rows.count > 20)
    let answers = try rows.map { try expected(served, $0) }
    for batchRowsMax in [1, 7, 64, 200] {
      let test = TestService([served]) { $0.batchRowsMax = batchRowsMax }
      let connections = rows.map { row in
        let connection = test.connect()
        test.send(
          "POST /decide/m HTTP/1.1\r\nHost: a\r\nContent-Length: \(row.utf8.count)\r\n\r\n\(row)",
          on: connection)
        return connection
      }
      #expect(test.service.endTurn(now: 0) == nil)
      #expect(connections.map { test.receive($0).body } == answers)
      let counts = test.meters.total().models[0].counts
      #expect(counts.batches == (rows.count + batchRowsMax - 1) / batchRowsMax)
      #expect(counts.rows == rows.count && counts.succeeded == rows.count)
    }
  }

  @Test func manyLinesAreAnsweredEachInItsPlace() throws {
    let served = try Serving.served("m", "binary-logistic", rules)
    let rows = try Serving.rows("binary-logistic", 100)
    let test = TestService([served]) { $0.batchRowsMax = 16 }
    var lines = rows
    lines.insert("{\"f0\":\"text\"}", at: 40)
    lines.insert("nonsense", at: 70)
    let reply = test.ask(
      "POST /decide/m", fields: ["Content-Type: application/x-ndjson; charset=utf-8"],
      lines.joined(separator: "\n\n"))
    #expect(reply.status == 200)
    #expect(reply.field("Content-Type") == "application/x-ndjson")
    var answers = try rows.map { try expected(served, $0) }
    answers.insert(
      "{\"line\":41,\"error\":\"the input 'f0' is not a number: \\\"text\\\"\","
        + "\"faults\":[{\"member\":\"f0\",\"reason\":\"the input 'f0' is not a number: \\\"text\\\"\"}]}",
      at: 40)
    let got = reply.body.split(separator: "\n").map(String.init)
    #expect(got.count == 102)
    #expect(Array(got[..<70]) == Array(answers[..<70]))
    #expect(got[70].hasPrefix("{\"line\":71,\"error\":\"not JSON: byte "))
    #expect(Array(got[71...]) == Array(answers[70...]))
  }

  @Test func detailIsTheRecordThatScoreWrites() throws {
    let served = try Serving.served("m", "binary-logistic", rules)
    let test = TestService([served])
    let row = "{\"id\":\"a1\",\"time\":\"2024-01-01T00:00:00Z\",\"f0\":1.5}"
    let short = test.ask("POST /decide/m", row)
    #expect(short.object.keys.sorted() == ["decision", "id", "label", "score"])
    let reply = test.ask("POST /decide/m?detail", row)
    #expect(reply.object["kind"] as? String == "decision")
    #expect(reply.object["score"] as? Double == short.object["score"] as? Double)
    let marks = reply.object["_rt"] as? [String: Any]
    #expect(marks?["model"] as? String == "m")
    #expect(marks?["version"] as? String == served.version)
    #expect((marks?["layers_us"] as? [String: Any])?.count == 5)
    #expect((reply.object["inputs"] as? [String: Any])?["f0"] as? Double == 1.5)
    #expect(test.ask("POST /decide/m?detail=0", row).body == short.body)
  }

  @Test func theTimingNamesEveryLayer() throws {
    let test = TestService([try Serving.served("m", "binary-logistic")])
    let timing = test.ask("POST /decide/m", "{}").field("Server-Timing") ?? ""
    let names = timing.components(separatedBy: ", ").map { $0.components(separatedBy: ";dur=") }
    #expect(
      names.map { $0[0] }
        == ["request", "queue", "features", "inference", "postprocess", "response"])
    #expect(names.allSatisfy { Double($0[1]) != nil })
  }

  // MARK: Refusals

  private static let schema = RequestSchema(
    fields: [
      Field(name: "user", type: .string),
      Field(name: "f0", type: .number, minimum: 0, maximum: 10),
      Field(name: "f1", type: .number, isOptional: true), Field(name: "when", type: .time),
    ], refusesUnknown: true)

  @Test func everyFaultIsNamedAtOnce() throws {
    let served = try Serving.served("m", "binary-logistic", schema: Self.schema)
    let test = TestService([served])
    let good = "{\"user\":\"u\",\"f0\":1,\"when\":\"2024-01-01T00:00:00Z\",\"id\":3}"
    #expect(test.ask("POST /decide/m", good).status == 200)
    let reply = test.ask(
      "POST /decide/m", "{\"user\":5,\"f0\":11,\"f1\":\"x\",\"f2\":[1],\"odd\":1}")
    #expect(reply.status == 400)
    let faults = reply.object["faults"] as? [[String: String]] ?? []
    #expect(faults.map { $0["member"] } == ["user", "f0", "f1", "when", "f2", "odd"])
    #expect(faults[0]["reason"] == "the member 'user' is not a string: 5")
    #expect(faults[1]["reason"] == "the member 'f0' is 11, above the maximum 10")
    #expect(faults[3]["reason"] == "the member 'when' is missing (an RFC 3339 time is required)")
    #expect(faults[5]["reason"] == "the member 'odd' is not declared")
    #expect(reply.error.hasSuffix("(and 5 more faults)"))
    let nonsense = test.ask("POST /decide/m", "{\"user\":")
    #expect(nonsense.status == 400 && nonsense.error.hasPrefix("not JSON: byte 8"))
    #expect(test.meters.total().models[0].counts.failed == 2)
  }

  @Test func whatNobodyServesIsNotFound() throws {
    let test = TestService([try Serving.served("fraud", "binary-logistic")])
    let reply = test.ask("POST /decide/frud", "{}")
    #expect(reply.status == 404)
    #expect(reply.error == "no model 'frud' is served; did you mean 'fraud'?")
    #expect(test.ask("POST /decide/fr%61ud", "{}").status == 200)
    #expect(test.ask("POST /decide/", "{}").status == 404)
    #expect(test.ask("POST /decide/fraud/x", "{}").status == 404)
    #expect(test.ask("POST /decide/fraud").error.hasPrefix("the body is empty"))
    let wrong = test.ask("GET /decide/fraud")
    #expect(wrong.status == 405 && wrong.field("Allow") == "POST")
    #expect(test.ask("POST /livez").field("Allow") == "GET, HEAD")
    #expect(test.ask("DELETE /livez").status == 405)
  }

  @Test func tooManyRowsAreRefused() throws {
    let test = TestService([try Serving.served("m", "binary-logistic")])
    let lines = String(repeating: "{}\n", count: Limits.requestRowsMax)
    let fields = ["Content-Type: application/jsonl"]
    #expect(test.ask("POST /decide/m", fields: fields, lines).status == 200)
    #expect(test.ask("POST /decide/m", fields: fields, lines + "{}").status == 413)
  }

  @Test func withoutItsTokenNobodyIsServed() throws {
    let test = TestService([try Serving.served("m", "binary-logistic")]) {
      $0.token = Array("secret")
    }
    #expect(test.ask("GET /livez").status == 200)
    for fields in [
      [], ["Authorization: Bearer secre"], ["Authorization: Bearer secreT"],
      ["Authorization: Basic secret"],
    ] {
      let reply = test.ask("POST /decide/m", fields: fields, "{}")
      #expect(reply.status == 401 && reply.field("WWW-Authenticate") == "Bearer")
    }
    #expect(
      test.ask("POST /decide/m", fields: ["Authorization: bearer secret"], "{}").status == 200)
  }

  // MARK: Waiting

  @Test func aRequestWaitsForOthersNoLongerThanItMay() throws {
    let test = TestService([try Serving.served("m", "binary-logistic")]) {
      $0.batchDelay = TimeSpan(microseconds: 500)
      $0.batchRowsMax = 3
    }
    let connections = (0..<4).map { _ in test.connect() }
    let text = "POST /decide/m HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}"
    test.send(text, on: connections[0])
    #expect(test.service.endTurn(now: 100_000) == 500_000)
    #expect(connections[0].pendingOutput.isEmpty)
    #expect(test.service.endTurn(now: 500_000) == nil)
    #expect(test.receive(connections[0]).status == 200)
    // A full batch goes at once.
    for connection in connections[0..<3] { test.send(text, on: connection) }
    #expect(connections[0..<3].allSatisfy { test.receive($0).status == 200 })
    #expect(test.service.endTurn(now: 600_000) == nil)
  }

  @Test func whoHasGoneIsDroppedAndWhoIsLateIsTold() throws {
    let served = try Serving.served("m", "binary-logistic")
    let test = TestService([served]) { $0.batchDelay = TimeSpan.seconds(1) }
    let rows = try Serving.rows("binary-logistic", 4)
    let connections = rows.enumerated().map { index, row in
      let connection = test.connect()
      let limit = index == 1 ? "X-Request-Timeout-Ms: 5\r\n" : ""
      test.send(
        "POST /decide/m HTTP/1.1\r\nHost: a\r\n\(limit)Content-Length: \(row.utf8.count)\r\n\r\n\(row)",
        on: connection)
      return connection
    }
    connections[2].close()
    test.clock.advance(TimeSpan(microseconds: 2_000_000))
    #expect(test.service.endTurn(now: test.clock.monotonicNanoseconds()) == nil)
    #expect(test.receive(connections[1]).status == 504)
    for index in [0, 3] {
      #expect(test.receive(connections[index]).body == (try expected(served, rows[index])))
    }
    let counts = test.meters.total().models[0].counts
    #expect(counts.dropped == 1 && counts.tooLate == 1 && counts.rows == 2)
    let bad = test.ask("POST /decide/m", fields: ["X-Request-Timeout-Ms: soon"], "{}")
    #expect(bad.status == 400 && bad.error.hasPrefix("X-Request-Timeout-Ms is no number"))
  }

  // MARK: Reloading

  @Test func newModelsTakeOverBetweenBatches() throws {
    let old = try Serving.served("m", "binary-logistic")
    let new = try Serving.served("m", "softprob")
    let test = TestService([old]) { $0.batchDelay = TimeSpan.seconds(1) }
    let waiting = test.connect()
    test.send(
      "POST /decide/m HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}", on: waiting)
    test.catalog.replace([new])
    // It is answered by the model it came for, and does not keep the new one waiting.
    #expect(test.service.endTurn(now: 0) == nil)
    #expect(test.receive(waiting).body == (try expected(old, "{}")))
    test.clock.advance(TimeSpan.seconds(5))
    let connection = test.connect()
    test.send("POST /decide/m HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}", on: connection)
    _ = test.service.endTurn(now: 60_000_000_000)
    #expect(test.receive(connection).body == (try expected(new, "{}")))
  }

  @Test func readinessFollowsTheStage() throws {
    let test = TestService([try Serving.served("m", "binary-logistic")])
    #expect(test.ask("GET /readyz").status == 200)
    test.state.enter(.withdrawing)
    #expect(test.ask("GET /readyz").status == 503)
    #expect(test.ask("GET /livez").body == "{\"live\":true}")
    #expect(test.ask("POST /decide/m", "{}").status == 200)
  }
}
