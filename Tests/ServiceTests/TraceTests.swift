// W3C trace context: what is to the letter is answered and logged, what is not is as if it had not come.

import Core
import Foundation
import TestSupport
import Testing

@testable import Service

@Suite struct TraceTests {
  private static let trace = "4bf92f3577b34da6a3ce929d0e0e4736"
  private static let caller = "00f067aa0ba902b7"

  @Test(arguments: [
    ("00-\(trace)-\(caller)-01", "01"), ("00-\(trace)-\(caller)-00", "00"),
    // Only the first bit means something; what a later version adds is not read.
    ("00-\(trace)-\(caller)-ff", "01"), ("42-\(trace)-\(caller)-01-more", "01"),
  ])
  func aTraceIsCarriedOn(_ field: String, _ flags: String) throws {
    let test = TestService([try Serving.served("m", "binary-logistic")])
    let fields = ["TraceParent: \(field)"]
    for reply in [
      test.ask("POST /decide/m", fields: fields, "{}"), test.ask("GET /v1/models", fields: fields),
      test.ask("POST /v1/models/m:predict", fields: fields, "{\"instances\":[[1,2,3,4]]}"),
      test.ask("POST /decide/nobody", fields: fields, "{}"),
    ] {
      let parts = try #require(reply.field("traceparent")).split(separator: "-")
      #expect(parts.count == 4 && parts[0] == "00" && parts[1] == Self.trace)
      #expect(parts[2].count == 16 && parts[2] != Self.caller && parts[3] == flags)
    }
  }

  @Test(arguments: [
    "00-00000000000000000000000000000000-\(caller)-01", "00-\(trace)-0000000000000000-01",
    "ff-\(trace)-\(caller)-01", "00-\(trace)-\(caller)-01-more", "00-\(trace)-\(caller)-1",
    "00-\(trace.uppercased())-\(caller)-01", "00_\(trace)-\(caller)-01",
    "42-\(trace)-\(caller)-01x",
    "zz-\(trace)-\(caller)-01", "",
  ])
  func whatIsNoTraceIsIgnored(_ field: String) throws {
    let test = TestService([try Serving.served("m", "binary-logistic")])
    let reply = test.ask("POST /decide/m", fields: ["traceparent: \(field)"], "{}")
    #expect(reply.status == 200 && reply.field("traceparent") == nil)
  }

  @Test func bothLogsNameIt() throws {
    let folder = try TemporaryFolder()
    let (access, decisions) = (LogWriter(name: "access"), LogWriter(name: "decisions"))
    let test = TestService([try Serving.served("m", "binary-logistic")]) {
      $0.accessLog = access
      $0.decisionLog = decisions
    }
    let reply = test.ask(
      "POST /decide/m", fields: ["traceparent: 00-\(Self.trace)-\(Self.caller)-01"], "{}")
    _ = test.ask("POST /decide/m", "{}")
    for (log, name) in [(access, "access"), (decisions, "decisions")] {
      log.close()
      log.run(
        into: try RotatedFile(folder.path(name), files: RealFileSystem(), bytesMax: nil, keptMax: 1)
      ) { _ in }
    }
    let span = try #require(reply.field("traceparent")).split(separator: "-")[2]
    let samples = try folder.text("access").split(separator: "\n")
    #expect(samples.count == 2)
    #expect(samples[0].contains("\"trace\":\"\(Self.trace)\",\"span\":\"\(span)\""))
    #expect(!samples[1].contains("trace"))
    let records = try folder.text("decisions").split(separator: "\n")
    #expect(records[0].contains("\"trace\":\"\(Self.trace)\"") && !records[1].contains("trace"))
  }
}
