// bench features on a store that was written a moment ago.

import Core
import Foundation
import TestSupport
import Testing

@Suite(.serialized) struct BenchFeaturesTests {
  private let folder: TemporaryFolder

  init() throws {
    folder = try GeneratedStream.folder()
    try folder.write(GeneratedStream.text(2_000, GeneratedStream.event), "raw.ndjson")
    let written = try bash("rtinfer materialize --online online raw.ndjson > rows.ndjson")
    #expect(written.status == 0, "\(written.errors)")
    // Even users have told something; u61 is nobody.
    let users = (0..<40).map { "u\($0)" } + ["u61"]
    let rows = users.map { "{\"user\":\"\($0)\",\"time\":\"2024-05-01T10:08:00Z\"}\n" }.joined()
    try folder.write(rows, "requests.ndjson")
  }

  private func bash(_ line: String) throws -> Child.Outcome {
    try Child.bash(line, in: folder.url, home: folder.url)
  }

  private func records(_ text: String) throws -> [[String: Any]] {
    try text.split(separator: "\n").map { line in
      try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
    }
  }

  @Test func countsWhatItAskedAndWhatItFound() throws {
    let outcome = try bash(
      "rtinfer bench features --online online --batch 1,8 --repeats 3 --hot 4 requests.ndjson")
    #expect(outcome.status == 0, "\(outcome.errors)")
    let records = try records(outcome.output)
    #expect(records.map { $0["rows"] as? String } == ["hot", "hot", "cold", "cold"])
    #expect(records.map { $0["batch"] as? Int } == [1, 8, 1, 8])
    #expect(records.map { $0["lookups"] as? Int } == [10_000, 10_000, 41, 40])
    #expect(records[0]["distinct"] as? Int == 4 && records[2]["distinct"] as? Int == 41)
    #expect(records.allSatisfy { $0["features"] as? Int == 3 && $0["repeats"] as? Int == 3 })
    // Two of the four hot users are odd; of all forty-one twenty are, and nobody is absent, too.
    #expect(records[0]["absent"] as? Int == 5_000 && records[2]["absent"] as? Int == 21)
    #expect(records.allSatisfy { $0["damaged"] as? Int == 0 && $0["unanswered"] as? Int == 0 })
    for record in records {
      let figures = try [
        "best_us_per_row", "median_us_per_row", "call_p50_us", "call_p99_us", "call_p999_us",
      ].map { name in try #require(record[name] as? Double) }
      #expect(figures.allSatisfy { $0 > 0 } && figures[0] <= figures[1])
      #expect(figures[2] <= figures[3] && figures[3] <= figures[4])
    }
  }

  @Test func saysWhatShareWasRemembered() throws {
    let flags = "--online online --at 2024-05-01T10:08:30Z --batch 1 --repeats 1 --hot 4"
    let outcome = try bash("rtinfer bench features \(flags) requests.ndjson")
    #expect(outcome.status == 0, "\(outcome.errors)")
    // Whoever is absent is looked for each time.
    let shares = try records(outcome.output).map { $0["recalled"] as? Double ?? -1 }
    #expect(shares.count == 2 && shares[0] == 0.5 && shares[1] > 0.4 && shares[1] < 0.6)
    let anew = try bash("rtinfer bench features \(flags) --remember 0 requests.ndjson")
    #expect(try records(anew.output).map { $0["recalled"] as? Double } == [0, 0])
  }

  @Test func theStoreSaysTheSameAfterItsRowsWereWrittenAgain() throws {
    let before = try bash(
      "rtinfer materialize get taps u2 --online online --at 2024-05-01T10:08:00Z")
    let stat = try bash("rtinfer materialize stat --online online | sed 's/,\"file.*//'").output
    let outcome = try bash(
      "rtinfer bench features --online online --updates 20000 --batch 1 --repeats 3 --json requests.ndjson"
    )
    #expect(outcome.status == 0, "\(outcome.errors)")
    for record in try records(outcome.output) {
      #expect((record["updates_per_s"] as? Double ?? 0) > 0)
      #expect(record["damaged"] as? Int == 0)
    }
    let after = try bash(
      "rtinfer materialize get taps u2 --online online --at 2024-05-01T10:08:00Z")
    #expect(before.status == 0 && after.output == before.output)
    #expect(
      try bash("rtinfer materialize stat --online online | sed 's/,\"file.*//'").output == stat)
    // The lock is free again, and the store takes what is new.
    try folder.write(GeneratedStream.event(2_000), "more.ndjson")
    #expect(try bash("rtinfer materialize --online online more.ndjson").status == 0)
  }

  @Test func whoWritesTheStoreIsNotDisturbed() throws {
    let writer = try Child(
      [Binary.rtinfer, "materialize", "--online", "online"], in: folder.url,
      environment: Binary.environment(home: folder.url))
    try writer.write(GeneratedStream.event(2_000) + GeneratedStream.event(2_001))
    #expect(writer.waitForLines(1))
    let updates = try bash("rtinfer bench features --online online --updates 10 requests.ndjson")
    #expect(updates.status == 75 && updates.errors.contains("is writing this store"))
    let reads = try bash("rtinfer bench features --online online --batch 1 requests.ndjson")
    #expect(reads.status == 0, "\(reads.errors)")
    try writer.closeInput()
    #expect(writer.wait().status == 0)
  }
}
