// A view over a join in an online store, as commands use it: what waits for a match outlives the one who writes, in a folder
// and in Redis, however that one ends.

import Core
import Foundation
import TestSupport
import Testing

@Suite(.serialized) struct JoinedStoreTests {
  private static let project = """
    {
      events: {
        impression: { id: "id", time: "time", lateness: "20s", fields: { ad: "string" } },
        click: { id: "id", time: "time", lateness: "20s", fields: { of: "string" } },
      },
      features: {
        clicks: {
          entity: ["ad"],
          join: { left: "impression", right: "click", on: "impression.id == click.of",
                  within: { before: "10s", after: "1m" }, outer: true },
          features: { n: { count: "*" }, ctr: { mean: "has(click.id) ? 1.0 : 0.0", window: "10m" },
                      wait: { sum: "click.time - impression.time" } },
        },
      },
    }
    """
  private static let count = 3_000
  private static let end = "--at 2024-05-01T10:13:00Z"
  private let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
    try folder.write(JoinedStoreTests.project, "rtinfer.json")
    var random = SplitMix64(seed: 11)
    let start = Timestamp("2024-05-01T10:00:00Z").microseconds
    var text = ""
    for number in 0..<JoinedStoreTests.count {
      // Some of the clicks come too late for a match, and some before their impressions.
      let of = (number / 2 + Int.random(in: -320...40, using: &random)) * 2
      let late = Int64.random(in: 0...15_000_000, using: &random)
      let time = Timestamp(microseconds: start + Int64(number) * 250_000 - late).rfc3339
      text +=
        number % 2 == 0
        ? #"{"type":"impression","id":"e\#(number)","time":"\#(time)","ad":"a\#(number % 7)"}"#
        : #"{"type":"click","id":"e\#(number)","time":"\#(time)","of":"e\#(of)"}"#
      text += "\n"
    }
    try folder.write(text, "raw.ndjson")
    let outcome = try bash(
      "rtinfer ingest raw.ndjson --quiet > events.ndjson"
        + " && rtinfer materialize --online whole events.ndjson > whole.out")
    try #require(outcome.status == 0, "\(outcome.errors)")
  }

  private func bash(_ line: String) throws -> Child.Outcome {
    try Child.bash(line, in: folder.url, home: folder.url)
  }

  /// What the store says of every ad at the end of the stream.
  private func rows(_ store: String) throws -> String {
    let outcome = try bash(
      """
      for n in $(seq 0 6); do rtinfer materialize get clicks a$n --online \(store) \
        \(JoinedStoreTests.end) | sed 's/,"_rt".*//'; done
      """)
    #expect(outcome.errors == "")
    return outcome.output
  }

  @Test func theStreamTheStoreAndTheTrainingSetAgree() throws {
    let rows = try rows("whole").split(separator: "\n")
    #expect(rows.count == 7)
    #expect(rows[0].contains(#""clicks:wait":"#) && !rows[0].contains(#""clicks:n":0"#))
    // Asked as of ingest, behind all events.
    let spine = (0..<7).map { ad in
      #"{"type":"impression","id":"q\#(ad)","time":"2024-05-01T10:13:00Z","ad":"a\#(ad)","_rt":{"offset":900000}}"#
    }
    try folder.write(spine.joined(separator: "\n") + "\n", "spine.ndjson")
    let training = try bash(
      "rtinfer materialize --for impression --training spine.ndjson --as-of ingest --format ndjson"
        + " events.ndjson")
    #expect(training.status == 0, "\(training.errors)")
    let lines = training.output.split(separator: "\n")
    try #require(lines.count == 7)
    for (line, row) in zip(lines, rows) {
      let features = try #require(line.range(of: #""clicks__n""#))
      let told = line[features.lowerBound...].replacingOccurrences(of: "__", with: ":")
      #expect(row.hasSuffix("\"features\":{\(told)"), "\(row) \(told)")
    }
  }

  @Test(arguments: [1, 700, 1_503, 2_998]) func aRestartForgetsNothingThatWaits(
    _ cut: Int
  ) throws {
    let outcome = try bash(
      "head -n \(cut) events.ndjson | rtinfer materialize --online online > one.out"
        + " && tail -n +\(cut + 1) events.ndjson | rtinfer materialize --online online > two.out")
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(try rows("online") == rows("whole"))
  }

  @Test func aKilledWriterLosesNothingAndCountsNothingTwice() throws {
    try KilledWriters.run(5, in: folder)
    let last = try bash("rtinfer materialize --online online events.ndjson > online.out")
    #expect(last.status == 0, "\(last.errors)")
    #expect(try rows("online") == rows("whole"))
  }

  @Test func aStoreIsMadeAnewAndGoesOn() throws {
    let outcome = try bash(
      """
      head -n 1400 events.ndjson > first.ndjson && tail -n +1401 events.ndjson > rest.ndjson
      rtinfer materialize --online online first.ndjson > one.out &&
        sed 's/1m"/50s"/' rtinfer.json > other.json &&
        rtinfer materialize backfill --online online --project other.json first.ndjson &&
        rtinfer materialize backfill --online online first.ndjson &&
        rtinfer materialize --online online rest.ndjson > two.out
      """)
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(try rows("online") == rows("whole"))
    // Without what waits, the pairs of the next run would be fewer.
    let refused = try bash(
      "rm online/clicks.join.online && rtinfer materialize --online online rest.ndjson")
    #expect(refused.status == 3)
    #expect(refused.errors.contains("holds nothing of the view 'clicks.join'"))
  }

  @Test(.enabled(if: RedisProcess.isInstalled, "\(RedisProcess.missing)"))
  func redisHoldsWhatWaitsToo() throws {
    let redis = try RedisProcess(in: folder)
    let outcome = try bash(
      """
      head -n 1503 events.ndjson | rtinfer materialize --online \(redis.address) > one.out &&
        tail -n +1000 events.ndjson | rtinfer materialize --online \(redis.address) > two.out &&
        tail -n 1 events.ndjson | rtinfer materialize --online \(redis.address) > three.out
      """)
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(outcome.errors.contains("504 events were in the online store already"))
    #expect(try rows(redis.address) == rows("whole"))
    // What need not wait any longer leaves the lists; of the last 80 seconds 160 impressions may, and some clicks.
    let waiting = try #require(try redis.listedCount("*:clicks.join:*"))
    #expect((50...400).contains(waiting))
    // And so do their rows.
    let rows = try #require(try redis.keyCount("string", "*:clicks.join:*:*"))
    #expect(rows == waiting)
  }
}
