// materialize and score from cron: each run takes up the log where the last one ended, however that was, and the files of rows
// and decisions have each event once.

import Core
import Foundation
import TestSupport
import Testing

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

@Suite(.serialized) struct MaterializeLogTests {
  private let folder: TemporaryFolder
  private static let count = 10_000

  init() throws {
    folder = try GeneratedStream.folder()
    try folder.write(GeneratedStream.text(Self.count, GeneratedStream.event), "raw.ndjson")
  }

  @discardableResult
  private func bash(_ line: String) throws -> Child.Outcome {
    try Child.bash(line, in: folder.url, home: folder.url)
  }

  /// Without what each run measures anew.
  private func lines(_ path: String) throws -> [String] {
    try folder.text(path).split(separator: "\n").map {
      String($0.replacing(#/,"layers_us":\{[^}]*\}/#, with: ""))
    }
  }

  private static let materialize =
    "rtinfer materialize --log --consumer decide --online online --out rows.ndjson"

  /// Four kills of each; 200 with RTINFER_LONG=1.
  @Test func killedAtAnyMomentEachEventIsDecidedOnce() throws {
    let expected = try bash(
      "rtinfer ingest --log raw.ndjson > events.ndjson"
        + " && rtinfer materialize events.ndjson > whole.ndjson"
        + " && rtinfer score whole.ndjson > decided.ndjson")
    #expect(expected.status == 0, "\(expected.errors)")
    let kills = ProcessInfo.processInfo.environment["RTINFER_LONG"] == nil ? 4 : 200
    var random = SplitMix64(seed: 7)
    try kill(Self.materialize, times: kills, &random)
    let last = try bash(Self.materialize)
    #expect(last.status == 0 && last.output.isEmpty, "\(last.errors)")
    #expect(try lines("rows.ndjson") == lines("whole.ndjson"))
    let score = "rtinfer score --out decisions.ndjson rows.ndjson"
    try kill(score, times: kills, &random)
    #expect(try bash(score).status == 0)
    #expect(try lines("decisions.ndjson") == lines("decided.ndjson"))
    let again = try bash("\(Self.materialize); \(score)")
    #expect(again.status == 0)
    #expect(again.errors.contains("\(Self.count / 2000),000 records were there already"))
    #expect(try lines("decisions.ndjson").count == Self.count / 2)
  }

  private func kill(
    _ command: String, times: Int, _ random: inout SplitMix64
  ) throws {
    for _ in 0..<times {
      let child = try Child(
        ["/usr/bin/env", Binary.rtinfer]
          + command.split(separator: " ").dropFirst().map(String.init),
        in: folder.url, stdin: "/dev/null", environment: Binary.environment(home: folder.url))
      usleep(UInt32.random(in: 5_000...250_000, using: &random))
      child.send(SIGKILL)
      _ = child.wait()
    }
  }

  /// Stdout may get a row twice, and misses none: an event that the store holds has been answered.
  @Test func killedAtAnyMomentStdoutMissesNoRow() throws {
    try bash("rtinfer ingest --log raw.ndjson > events.ndjson")
    var random = SplitMix64(seed: 9)
    var answered: Set<Int> = []
    for kill in 0..<5 {
      let child = try Child(
        [Binary.rtinfer, "materialize", "--log", "--online", "online"], in: folder.url,
        stdin: "/dev/null", environment: Binary.environment(home: folder.url))
      if kill < 4 {
        usleep(UInt32.random(in: 5_000...250_000, using: &random))
        child.send(SIGKILL)
      }
      let output = child.wait().output
      let whole = output[..<(output.lastIndex(of: "\n") ?? output.startIndex)]
      answered.formUnion(
        whole.split(separator: "\n").compactMap {
          $0.firstMatch(of: #/"offset":([0-9]+)/#).flatMap { Int($0.output.1) }
        })
    }
    #expect(answered == Set(stride(from: 1, to: Self.count, by: 2)))
  }

  /// A log that is not the store's has nothing behind the store's place, and that must not look like nothing new.
  @Test func anotherLogIsRefused() throws {
    let outcome = try bash(
      "rtinfer ingest --log raw.ndjson > events.ndjson"
        + " && rtinfer materialize --log --online online > rows.ndjson && rm -r .rtinfer/log"
        + " && head -n 10 raw.ndjson | rtinfer ingest --log > events.ndjson"
        + " && rtinfer materialize --log --online online")
    #expect(outcome.status == 3 && outcome.output.isEmpty)
    #expect(outcome.errors.contains("it is not the log that was read before"))
  }

  /// The log's part of the bargain: what a named reader has not read stays.
  @Test func retentionWaitsForTheConsumer() throws {
    let half = Self.count / 2
    let prepared = try bash(
      "head -n \(half) raw.ndjson | rtinfer ingest --log --segment-size 64KiB -q > /dev/null"
        + " && \(Self.materialize)"
        + " && tail -n +\(half + 1) raw.ndjson | rtinfer ingest --log --segment-size 64KiB --retain-size 64KiB -q"
        + " > /dev/null && rtinfer ingest log stat")
    #expect(prepared.status == 0, "\(prepared.errors)")
    #expect(prepared.output.contains(#""consumers":{"decide":\#(half)}"#), "\(prepared.output)")
    let first = try #require(
      prepared.output.firstMatch(of: #/"first_offset":([0-9]+)/#).flatMap { Int($0.output.1) })
    #expect(first > 0 && first <= half, "what was read may go, the rest stays")
    #expect(try bash(Self.materialize).status == 0)
    #expect(try lines("rows.ndjson").count == half)
  }

  /// A mapped store does not survive a power cut; the log does, and the consumer's place in it.
  @Test func aStoreIsMadeAgainAsFarAsItHadBeenRead() throws {
    let half = Self.count / 2
    let whole = try bash(
      "rtinfer ingest --log raw.ndjson > events.ndjson && rtinfer materialize events.ndjson > whole.ndjson"
        + " && mv .rtinfer/log all && head -n \(half) raw.ndjson | rtinfer ingest --log > /dev/null"
        + " && \(Self.materialize) && tail -n +\(half + 1) raw.ndjson | rtinfer ingest --log > /dev/null"
    )
    #expect(whole.status == 0, "\(whole.errors)")
    // What lies behind is what the disk was yet to keep.
    let again = try bash(
      "rm -r online && cp rows.ndjson kept.ndjson && head -c 1000 /dev/zero >> rows.ndjson"
        + " && rtinfer materialize backfill --online online --log --consumer decide --out rows.ndjson"
        + " && cmp rows.ndjson kept.ndjson"
        + " && rtinfer materialize stat --online online && \(Self.materialize)")
    #expect(again.status == 0, "\(again.errors)")
    #expect(again.output.contains(#""features_offset":\#(half - 1)"#), "\(again.output)")
    #expect(try lines("rows.ndjson") == lines("whole.ndjson"))
  }

  @Test func aFollowingRunAnswersWhatComesIn() throws {
    try folder.write(GeneratedStream.event(0) + GeneratedStream.event(1), "two.ndjson")
    try bash("rtinfer ingest --log two.ndjson > /dev/null")
    let reader = try Child(
      [Binary.rtinfer, "materialize", "--log", "--follow"], in: folder.url, stdin: "/dev/null",
      environment: Binary.environment(home: folder.url))
    #expect(reader.waitForLines(1))
    try folder.write(GeneratedStream.event(2) + GeneratedStream.event(3), "two.ndjson")
    try bash("rtinfer ingest --log two.ndjson > /dev/null")
    #expect(reader.waitForLines(2))
    reader.send(SIGTERM)
    let outcome = reader.wait()
    #expect(outcome.status == 143, "\(outcome.errors)")
    #expect(outcome.output.contains(#""offset":3"#))
  }

  /// Training and verify read the log as they read files.
  @Test func theLogIsAFileLikeAnother() throws {
    let outcome = try bash(
      "rtinfer ingest --log raw.ndjson > events.ndjson && rtinfer materialize events.ndjson > rows.ndjson"
        + " && grep '\"asked\"' raw.ndjson | head -n 50 > spine.ndjson"
        + " && rtinfer materialize --training spine.ndjson --log > a.csv"
        + " && rtinfer materialize --training spine.ndjson events.ndjson > b.csv && cmp a.csv b.csv"
        + " && rtinfer materialize verify --logged rows.ndjson --log | grep -c pass")
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(outcome.output.trimmingCharacters(in: .whitespacesAndNewlines) != "0")
  }

  @Test(arguments: [
    (
      "materialize --out rows.ndjson raw.ndjson",
      "--out goes on by the log's offsets, so it needs --log"
    ),
    ("materialize --log raw.ndjson", "--log reads the log, not 'raw.ndjson'"),
    ("materialize --log --consumer x", "--consumer needs --online"),
    ("materialize --log --consumer ../x --online online", "is no consumer's name"),
    ("materialize --consumer x raw.ndjson", "--consumer is for --log"),
    ("materialize --log --out rows.ndjson --emit watermark", "not with --emit watermark"),
    ("materialize --log --follow --training raw.ndjson", "are for a stream"),
    ("score --out x.csv --to csv raw.ndjson", "a table has none"),
  ]) func whatMakesNoSenseIsRefused(_ words: String, _ message: String) throws {
    let outcome = try bash("rtinfer \(words)")
    #expect(outcome.status == 2)
    #expect(outcome.errors.contains(message), "\(outcome.errors)")
  }
}
