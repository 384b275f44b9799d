// A real week through the real pipe: the flights that left New York from 4 to 10 December 2013. The
// scores are XGBoost's own; the features are checked a second time by `verify.py`, which shares no
// code with us.

import Core
import Foundation
import TestSupport
import Testing

/// One run of the whole way, with what each stage wrote.
private struct WeekRun: Sendable {
  let folder: TemporaryFolder
  let outcome: Child.Outcome

  static let flights = Fixtures.root.appending(path: "flights")
  static let streams = ["scheduled", "departed", "arrived"]

  /// Runs that several tests look at.
  static let arrival = Result { try WeekRun(emit: "arrival") }
  static let shuffled = Result { try WeekRun(inputs: try shuffledWeek(), emit: "watermark") }

  /// - Parameter inputs: the folder of the three streams; the week's own by default.
  init(inputs: TemporaryFolder? = nil, emit: String) throws {
    folder = try TemporaryFolder()
    let inputs = inputs?.url ?? WeekRun.flights.appending(path: "week")
    let files = WeekRun.streams.map { "'\(inputs.appending(path: "\($0).ndjson").path())'" }
      .joined(separator: " ")
    outcome = try Child.bash(
      """
      set -o pipefail; rtinfer ingest \(files) | tee "$HOME/events" \
      | rtinfer materialize --emit \(emit) | tee "$HOME/features" \
      | rtinfer score --margin > "$HOME/decisions"
      """, in: WeekRun.flights, home: folder.url, seconds: 110)
  }

  /// Runs a line of bash among the files of this run.
  func bash(_ line: String) throws -> Child.Outcome {
    try Child.bash(line, in: WeekRun.flights, home: folder.url, seconds: 110)
  }

  func lineCount(_ file: String) throws -> Int? {
    Int(
      try bash("wc -l < \"$HOME/\(file)\"").output.trimmingCharacters(in: .whitespacesAndNewlines))
  }

  /// The week with each stream's events out of order by less than 20 minutes; they may be 30
  /// minutes late.
  private static func shuffledWeek() throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    var random = SplitMix64(seed: 20)
    for stream in streams {
      let timed = try Child.bash(
        #"sed -E 's/.*"time":"([^"]*)".*/\1 &/' week/\#(stream).ndjson"#, in: flights,
        home: folder.url)
      let keyed = try timed.output.split(separator: "\n").map { line in
        let parts = line.split(separator: " ", maxSplits: 1)
        let time = try #require(Array(parts[0].utf8).withBytes { Timestamp(rfc3339: $0) })
        return (time.microseconds + Int64.random(in: 0..<1_200_000_000, using: &random), parts[1])
      }
      let text = keyed.sorted { $0.0 < $1.0 }.map { $0.1 + "\n" }.joined()
      try folder.write(text, "\(stream).ndjson")
    }
    return folder
  }
}

extension Trait where Self == ConditionTrait {
  fileprivate static var needsPython: Self {
    .enabled(
      if: Binary.find("python3") != nil,
      "python3 is not installed, so the features get no second opinion from verify.py")
  }
}

/// Nothing here waits without end: every process has a deadline of its own.
@Suite struct RealWeekTests {
  @Test func everyStageAnswersAndTwoRunsGiveTheSameBytes() throws {
    let run = try WeekRun.arrival.get()
    #expect(run.outcome.status == 0)
    #expect(run.outcome.errors == "")
    #expect(try run.lineCount("events") == 17_967)
    #expect(try run.lineCount("features") == 6_367)
    #expect(try run.lineCount("decisions") == 6_367)

    // Without the times: as `GoldenCase.normalised`, but by a tool that is fast also in a debug
    // build.
    let again = try WeekRun(emit: "arrival")
    let untimed = #"sed -E 's/"ingested":"[^"]*"//; s/"layers_us":\{[^}]*\}//'"#
    let outcome = try run.bash(
      """
      for file in events features decisions; do
        diff <(\(untimed) "$HOME/$file") <(\(untimed) "\(again.folder.url.path())$file") | head -4
      done
      """)
    #expect(outcome.output == "" && outcome.errors == "")
  }

  /// Every value that the stream gave is computed again from the events, by the other way; with one definition
  /// changed, just that one is found.
  @Test func verifyFindsNoMismatchButInAChangedDefinition() throws {
    let run = try WeekRun.arrival.get()
    let verify = "rtinfer materialize verify --logged \"$HOME/features\" \"$HOME/events\""
    let right = try run.bash(verify)
    #expect(right.status == 0 && right.errors == "")
    #expect(!right.output.contains("\"fail\""))
    let verdicts = right.output.split(separator: "\n").count
    #expect(verdicts > 10)
    let wrong = try run.bash(
      """
      sed '/origin_departures/,/carrier_departures/s/max: "dep_delay", window: "3h"/max: "dep_delay", window: "2h"/' \
        rtinfer.json > "$HOME/wrong.json"
      \(verify) --project "$HOME/wrong.json" | grep -o '"clause":"[^"]*","verdict":"fail"'
      exit ${PIPESTATUS[0]}
      """)
    #expect(wrong.status == 1)
    #expect(
      wrong.output == "\"clause\":\"origin_departures:worst_delay_3h\",\"verdict\":\"fail\"\n")
  }

  /// Margins to the last bit; probabilities go through an exponential, which libraries round
  /// differently.
  @Test func scoresAreThoseOfXGBoost() throws {
    let run = try WeekRun.arrival.get()
    let found = try Self.scores(
      run, "$HOME/decisions", #""score":([^,]*),"margin":([^,]*),"#, #"\1 \3 \2"#)
    let expected = try Self.scores(
      run, "scores.ndjson", #""margin":([^,]*),"score":([^}]*)\}"#, #"\1 \2 \3"#)
    try #require(found.count == expected.count && found.count == 6_367)
    var largest: Float = 0
    for (found, expected) in zip(found, expected) {
      #expect(found.id == expected.id)
      #expect(found.margin.bitPattern == expected.margin.bitPattern, "\(expected.id)")
      largest = max(largest, abs(found.score - expected.score) / expected.score)
    }
    #expect(largest <= 1e-6)
  }

  private static func scores(
    _ run: WeekRun, _ file: String, _ pattern: String, _ order: String
  ) throws -> [(id: Substring, margin: Float, score: Float)] {
    let lines = try run.bash(
      #"sed -E 's/.*"id":"([^"]*)".*\#(pattern).*/\#(order)/' "\#(file)""#
    ).output.split(separator: "\n")
    return try lines.map { line in
      let parts = line.split(separator: " ")
      try #require(parts.count == 3, "\(line)")
      return (parts[0], try #require(Float(parts[1])), try #require(Float(parts[2])))
    }
  }

  // MARK: A second opinion

  @Test(.needsPython) func featuresOnArrivalAreThoseOfABruteForceCount() throws {
    try Self.verify(try WeekRun.arrival.get(), emit: "arrival")
  }

  @Test(.needsPython) func shuffledFeaturesByWatermarkAreThoseOfABruteForceCount() throws {
    try Self.verify(try WeekRun.shuffled.get(), emit: "watermark")
  }

  private static func verify(_ run: WeekRun, emit: String) throws {
    #expect(run.outcome.status == 0)
    let report = try run.bash(
      "python3 verify.py \"$HOME/events\" \"$HOME/features\" --emit \(emit)")
    #expect(report.status == 0, "\(report.output)\(report.errors)")
    #expect(report.output.hasSuffix("6367 rows, 133707 values, 0 problems\n"))
  }

  // MARK: Out of order

  @Test func rowsByWatermarkDoNotDependOnTheOrderOfArrival() throws {
    let sorted = try WeekRun(emit: "watermark")
    let shuffled = try WeekRun.shuffled.get()
    #expect(sorted.outcome.errors == "")
    // Nothing but how the events came.
    #expect(shuffled.outcome.errors.hasPrefix("rtinfer ingest: 62.9% out of order"))
    for run in [sorted, shuffled] {
      #expect(run.outcome.status == 0)
      #expect(try run.lineCount("features") == 6_367)
    }
    #expect(sorted.outcome.errors == "")
    let told = shuffled.outcome.errors
    #expect(told.contains("out of order") && told.contains("; 0% rejected as late;"), "\(told)")
    #expect(told.contains("windows of 1h that the watermark has passed: "))
    #expect(told.contains(", all of them complete") && told.split(separator: "\n").count == 2)
    // Our mark tells of the arrival, so it is left out.
    let unmarked = #"sed -E 's/,"_rt":\{[^{}]*\{[^{}]*\}\}\}$//'"#
    let other = shuffled.folder.url.path()
    let rows = try sorted.bash(
      "diff <(\(unmarked) \"$HOME/features\") <(\(unmarked) \"\(other)features\") | head -4")
    #expect(rows.output == "" && rows.errors == "")
    // The shuffle was one.
    let ids = #"sed -E 's/.*"id":"([^"]*)".*/\1/'"#
    let events = try sorted.bash(
      "cmp -s <(\(ids) \"$HOME/events\") <(\(ids) \"\(other)events\")")
    #expect(events.status == 1)
  }
}
