// bench ab over the durable log: the same as over the files that went into it, and as late as its events came.

import Foundation
import TestSupport
import Testing

@Suite struct BenchABLogTests {
  private static let folder = Fixtures.root.appending(path: "bench/ab-fresh-features-help")

  @Test func theLogSaysWhatItsFilesSay() throws {
    let folder = try TemporaryFolder()
    let outcome = try Child.bash(
      """
      rtinfer ingest -q --log="$HOME/log" events.ndjson > /dev/null || exit 9
      rtinfer bench ab -q --model worth events.ndjson > "$HOME/files" || exit 8
      rtinfer bench ab -q --model worth --log="$HOME/log" > "$HOME/logged" || exit 7
      cmp "$HOME/files" "$HOME/logged" && cat "$HOME/logged"
      """, in: Self.folder, home: folder.url)
    #expect(
      outcome.status == 0 && outcome.output.contains("\"verdict\":\"pass\""), "\(outcome.errors)")
    // Events of 2013 that were ingested now were not late: the log was filled later.
    let late = try Child.bash(
      "rtinfer bench ab --model worth --log=\"$HOME/log\" --ingest-delay log", in: Self.folder,
      home: folder.url)
    #expect(late.status == 2 && late.errors.contains("so it was filled later"), "\(late.errors)")
  }

  /// Of a hundred events one comes an hour late, and the others ten seconds and what it takes to start.
  @Test func eventsCountAsLateAsTheyCame() throws {
    let folder = try TemporaryFolder()
    let lines = (0..<100).map { number in
      let time = Date.now.addingTimeInterval(number == 0 ? -3_600 : -10)
      let text =
        "\(time.ISO8601Format(.iso8601(timeZone: .gmt, includingFractionalSeconds: true)))Z"
      return number % 2 == 0
        ? #"{"type":"asked","id":"\#(number)","time":"\#(text)","who":"a","amount":1}"#
        : #"{"type":"told","id":"\#(number)","time":"\#(text)","who":"a","bad":1}"#
    }
    try Data((lines.joined(separator: "\n") + "\n").utf8)
      .write(to: folder.url.appending(path: "events.ndjson"))
    let outcome = try Child.bash(
      """
      rtinfer ingest -q --log="$HOME/log" "$HOME/events.ndjson" > /dev/null || exit 9
      rtinfer bench ab --model worth --log="$HOME/log" --ingest-delay log
      """, in: Self.folder, home: folder.url)
    #expect(outcome.status == 5, "\(outcome.errors)")
    let first = try #require(outcome.output.split(separator: "\n").first)
    let record = try #require(
      try JSONSerialization.jsonObject(with: Data(first.utf8)) as? [String: Any])
    let delay = try #require(record["ingest_delay_s"] as? [String: Double])
    let (median, p99) = (delay["p50"] ?? 0, delay["p99"] ?? 0)
    #expect(median >= 10 && median < 300, "\(median)")
    #expect(p99 >= median && p99 < 300, "\(p99)")
    // Real-time's features are as old as that.
    let age = try #require(record["age_s"] as? [String: Double])
    #expect(age["p50"] == p99)
  }

  /// A log that was filled in part later says so, and one whose events are a day late as a rule does not.
  @Test(arguments: [(300.0, 0.0, true), (0.9, 0, false), (2, 0.5, false)])
  func aPartThatWasFilledLaterTellsOfNoDelay(
    _ latest: Double, _ usual: Double, _ isRefused: Bool
  ) throws {
    let folder = try TemporaryFolder()
    let lines = (0..<100).map { number in
      let time = Date.now.addingTimeInterval(-86_400 * (number < 3 ? latest : usual) - 10)
      return
        #"{"type":"told","id":"\#(number)","time":"\#(time.ISO8601Format())","who":"a","bad":1}"#
    }
    try Data((lines.joined(separator: "\n") + "\n").utf8)
      .write(to: folder.url.appending(path: "events.ndjson"))
    let outcome = try Child.bash(
      """
      rtinfer ingest -q --log="$HOME/log" "$HOME/events.ndjson" > /dev/null || exit 9
      rtinfer bench ab --model worth --log="$HOME/log" --ingest-delay log
      """, in: Self.folder, home: folder.url)
    #expect(outcome.status == (isRefused ? 2 : 5), "\(outcome.errors)")
    #expect(
      outcome.errors.contains("so a part was filled later and 99 in 100 tell of no delay")
        == isRefused, "\(outcome.errors)")
  }
}
