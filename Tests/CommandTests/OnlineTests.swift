// The online store as commands use it: kept fresh from a pipe, looked into by other processes, killed at any moment, made
// anew while the old one serves.

import Core
import Foundation
import TestSupport
import Testing

@Suite(.serialized) struct OnlineTests {
  private let folder: TemporaryFolder

  init() throws {
    folder = try GeneratedStream.folder()
    try folder.write(GeneratedStream.text(4_000, GeneratedStream.event), "raw.ndjson")
  }

  private func bash(_ line: String) throws -> Child.Outcome {
    try Child.bash(line, in: folder.url, home: folder.url)
  }

  /// What the store says of every user at the end of the stream, without the freshness.
  private func rows(_ store: String) throws -> String {
    let outcome = try bash(
      """
      for n in $(seq 0 49); do rtinfer materialize get taps u$n --online \(store) \
        --at 2024-05-01T10:16:41Z | sed 's/,"_rt".*//'; done
      """)
    #expect(outcome.errors.split(separator: "\n").allSatisfy { $0.contains("nothing is known") })
    return outcome.output
  }

  @Test func theStoreAnswersAsTheStreamDoes() throws {
    let outcome = try bash(
      "rtinfer ingest raw.ndjson > events.ndjson"
        + " && rtinfer materialize --online online events.ndjson > rows.ndjson"
        + " && tail -n 1 rows.ndjson")
    #expect(outcome.status == 0, "\(outcome.errors)")
    // The last event asks about u49; even users are those that tell.
    let features = try rows("online").split(separator: "\n")
    #expect(features.count == 25)
    let stat = try bash("rtinfer materialize stat --online online").output
    #expect(stat.contains(#""view":"taps","rows":25"#))
    #expect(stat.contains(#""features_offset":3999"#))
    // The stream's own answer for u0 at that very time.
    let asked = GeneratedStream.event(1).replacingOccurrences(
      of: #""time":"2024-05-01T10:00:00.25Z""#, with: #""time":"2024-05-01T10:16:41Z""#
    ).replacingOccurrences(of: "u1", with: "u0").replacingOccurrences(of: "e10000001", with: "x")
    try folder.write(GeneratedStream.text(4_000, GeneratedStream.event) + asked, "more.ndjson")
    let streamed = try bash(
      "rtinfer ingest more.ndjson | rtinfer materialize | tail -n 1"
        + " | grep -o '\"features\":{[^}]*}'"
    ).output
    #expect(streamed.contains("taps:n"))
    #expect(features[0].contains(streamed.trimmingCharacters(in: .newlines)), "\(features[0])")
  }

  @Test func aRowThatIsPassedOnCanBeAskedForAtOnce() throws {
    let child = try Child(
      [Binary.rtinfer, "materialize", "--online", "online"], in: folder.url,
      environment: Binary.environment(home: folder.url))
    try child.write(GeneratedStream.event(0) + GeneratedStream.event(1))
    #expect(child.waitForLines(1))
    let found = try bash(
      "rtinfer materialize get taps u0 --online online --at 2024-05-01T10:00:01Z")
    #expect(found.output.contains(#""taps:n":1"#), "\(found)")
    let second = try bash("rtinfer materialize --online online raw.ndjson")
    #expect(second.status == 75)
    #expect(second.errors.contains("is writing this store"))
    try child.closeInput()
    #expect(child.wait().status == 0)
    #expect(try bash("rtinfer materialize get taps u2 --online online").status == 1)
  }

  /// Five kills; 500 with RTINFER_LONG=1.
  @Test func aKilledWriterLosesNothingAndCountsNothingTwice() throws {
    #expect(try bash("rtinfer ingest raw.ndjson > events.ndjson").status == 0)
    #expect(try bash("rtinfer materialize --online whole events.ndjson > whole.out").status == 0)
    let kills = ProcessInfo.processInfo.environment["RTINFER_LONG"] == nil ? 5 : 500
    try KilledWriters.run(kills, in: folder) {
      let stat = try bash("rtinfer materialize stat --online online")
      if stat.status != 0 {
        // Killed before there was a store.
        #expect(stat.errors.contains("No such file"), "\(stat.errors)")
      }
    }
    let last = try bash("rtinfer materialize --online online events.ndjson > online.out")
    #expect(last.status == 0, "\(last.errors)")
    #expect(try rows("online") == rows("whole"))
  }

  @Test func anotherDefinitionIsRefusedByNameUntilItIsBackfilled() throws {
    #expect(
      try bash(
        "rtinfer ingest raw.ndjson > events.ndjson"
          + " && rtinfer materialize --online online events.ndjson > rows.ndjson"
      ).status == 0)
    let changed = GeneratedStream.project.replacingOccurrences(
      of: #"n: { count: "*", window: "2m" }"#, with: #"n: { count: "*", window: "3m" }"#)
    try folder.write(changed, "changed.json")
    let get = "rtinfer materialize get taps u0 --online online --at 2024-05-01T10:16:41Z"
    let refused = try bash("\(get) --project changed.json")
    #expect(refused.status == 3)
    #expect(refused.errors.contains("the view 'taps' by another definition"))
    #expect(
      try bash("rtinfer materialize --online online --project changed.json events.ndjson").status
        == 3)
    // While the new one is made the old one serves.
    let backfill = try Child(
      [
        Binary.rtinfer, "materialize", "backfill", "--online", "online", "--project",
        "changed.json", "-",
      ], in: folder.url, environment: Binary.environment(home: folder.url))
    let events = try folder.text("events.ndjson")
    try backfill.write(events)
    let before = try bash(get)
    #expect(before.output.contains(#""taps:n":9"#) || before.output.contains(#""taps:n":10"#))
    try backfill.closeInput()
    #expect(backfill.wait().status == 0)
    #expect(try bash("\(get) --project changed.json").output.contains(#""taps:n":1"#))
    #expect(try bash(get).status == 3)
  }

  // MARK: What a store is not

  /// Two runs of ingest without a log number their events alike.
  @Test func eventsThatAreNumberedAnewAreRefused() throws {
    try folder.write(GeneratedStream.text(2_000, GeneratedStream.event), "one.ndjson")
    try folder.write(GeneratedStream.text(2_000, from: 2_000, GeneratedStream.event), "two.ndjson")
    try fill("one.ndjson")
    let again = try bash(
      "rtinfer ingest one.ndjson | rtinfer materialize --online online >> rows.ndjson")
    #expect(again.status == 0)
    #expect(
      again.errors.contains("2,000 events were in the online store already"), "\(again.errors)")
    let anew = try bash(
      "rtinfer ingest two.ndjson | rtinfer materialize --online online >> rows.ndjson")
    #expect(anew.status == 3)
    #expect(
      anew.errors.contains("event 0, at the watermark 2024-05-01T10:03:20Z, is not the one"),
      "\(anew.errors)")
    // With a log the numbers go on.
    for part in ["one", "two"] {
      let logged = try bash(
        "rtinfer ingest --log=log \(part).ndjson | rtinfer materialize --online logged >> rows.ndjson"
      )
      #expect(logged.status == 0, "\(logged.errors)")
    }
    try fill()
    #expect(try rows("logged") == rows("online"))
  }

  @Test func aBackfillThatDoesNotEndLeavesTheStoreAsItWas() throws {
    try fill()
    let before = try rows("online")
    let empty = try bash("rtinfer materialize backfill --online online < /dev/null")
    #expect(empty.status == 3)
    #expect(empty.errors.contains("no events came in"), "\(empty.errors)")
    let child = try Child(
      [Binary.rtinfer, "materialize", "backfill", "--online", "online", "-"], in: folder.url,
      environment: Binary.environment(home: folder.url))
    try child.write(GeneratedStream.text(10, GeneratedStream.event))
    usleep(300_000)
    child.send(SIGINT)
    #expect(child.wait().status == 130)
    #expect(try rows("online") == before)
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: folder.path("online")).sorted()
        == ["taps.online", "writer.lock"])
  }

  @Test func aViewThatIsNewNeedsABackfill() throws {
    try fill()
    try folder.write(
      GeneratedStream.project.replacingOccurrences(
        of: "features: {\n    taps: {",
        with:
          "features: {\n    more: { entity: [\"user\"], from: \"tap\", features: { n: { count: \"*\" } } },\n    taps: {"
      ),
      "more.json")
    let events =
      "rtinfer ingest --project more.json raw.ndjson | rtinfer materialize --project more.json"
    let refused = try bash("\(events) --online online")
    #expect(refused.status == 3)
    #expect(refused.errors.contains("holds nothing of the view 'more'"), "\(refused.errors)")
    #expect(
      try bash(
        "rtinfer ingest raw.ndjson | rtinfer materialize backfill --project more.json --online online -"
      )
      .status == 0)
    #expect(try bash("\(events) --online online").status == 0)
  }

  @Test func markedEventsComeFromOneInput() throws {
    let refused = try bash(
      """
      rtinfer ingest raw.ndjson > events.ndjson; split -n l/2 events.ndjson part.
      rtinfer materialize --online online part.aa part.ab
      """)
    #expect(refused.status == 2)
    #expect(refused.errors.contains("from one input"), "\(refused.errors)")
  }

  @Test func entitiesAreFoundByWhatIsTyped() throws {
    try folder.write(
      """
      { events: { a: { fields: { k: "any", x: "number", when: "time", any: "any" } } }, features: {
        one: { entity: ["k"], from: "a", features: { n: { count: "*" } } },
        two: { entity: ["when"], from: "a", features: { n: { count: "*" } } },
        three: { entity: ["any"], from: "a", features: { n: { count: "*" } } } } }
      """, "rtinfer.json")
    try folder.write(
      """
      {"id":1,"time":"2024-05-01T10:00:00Z","k":42,"x":1,"when":"2024-05-01T00:00:00Z","any":"42"}
      {"id":2,"time":"2024-05-01T10:00:01Z","k":"b","x":1,"when":"2024-05-01T00:00:00Z","any":true}
      """ + "\n", "raw.ndjson")
    #expect(try bash("rtinfer materialize --for a --online online raw.ndjson").status == 0)
    for (asked, count) in [
      ("one 42", 1), ("one b", 1), ("two 2024-05-01T02:00:00+02:00", 2), ("three 42", 1),
      ("three true", 1),
    ] {
      let found = try bash(
        "rtinfer materialize get \(asked) --online online --at 2024-05-02T00:00:00Z")
      #expect(found.output.contains(":n\":\(count)}"), "\(asked): \(found)")
    }
    let wrong = try bash("rtinfer materialize get two soon --online online")
    #expect(wrong.status == 2 && wrong.errors.contains("when is a time, not 'soon'"), "\(wrong)")
  }

  @Test func guardsHoldAlsoForWhatTheStoreGives() throws {
    func project(_ guarded: String) -> String {
      GeneratedStream.project.replacingOccurrences(
        of: #"n: { count: "*", window: "2m" }"#,
        with: "n: { count: \"*\", window: \"2m\", \(guarded) }")
    }
    try folder.write(project("max: 5, broken: \"flag\""), "rtinfer.json")
    try fill()
    try folder.write(question("u0") + question("nobody"), "asked.ndjson")
    let flagged = try bash("rtinfer score --online online asked.ndjson")
    let lines = flagged.output.split(separator: "\n")
    #expect(flagged.status == 0 && lines.count == 2, "\(flagged)")
    #expect(lines[0].contains(#""flagged":["taps:n"]"#) && !lines[1].contains("flagged"))
    try folder.write(project("max: 5, broken: \"reject\""), "rtinfer.json")
    let rejected = try bash("rtinfer score --online online asked.ndjson")
    #expect(rejected.status == 3)
    #expect(rejected.output.split(separator: "\n").count == 1)
    #expect(rejected.errors.contains("the feature taps:n breaks its guard"), "\(rejected.errors)")
    // What the row itself says stands.
    try folder.write(
      question("u0").replacingOccurrences(of: "}", with: ",\"taps__n\":7}"), "given.ndjson")
    let given = try bash("rtinfer score --online online given.ndjson")
    #expect(given.status == 0 && given.output.contains(#""taps:n":7"#), "\(given)")
  }

  @Test func derivedFeaturesAreMadeOfWhatTheRowBrings() throws {
    try folder.write(
      GeneratedStream.project.replacingOccurrences(
        of: "features: {\n    taps: {",
        with:
          "features: {\n    d: { on: \"asked\", features: { twice: \"taps__n * 2\" } },\n    taps: {"
      )
      .replacingOccurrences(of: #"inputs: ["f0", "taps:n","#, with: #"inputs: ["f0", "d:twice","#),
      "rtinfer.json")
    try fill()
    try folder.write(
      question("u0").replacingOccurrences(of: "}", with: ",\"taps__n\":7}"), "given.ndjson")
    let given = try bash("rtinfer score --online online given.ndjson")
    #expect(given.output.contains(#""d:twice":14"#), "\(given)")
  }

  @Test func whatOnlyTablesKnowIsRefusedByName() throws {
    try folder.write(
      GeneratedStream.project.replacingOccurrences(
        of: "features: {\n    taps: {",
        with: """
          features: {
              t: { entity: ["user"], table: { time: "at", fields: { user: "string", at: "time", tier: "number" } },
                features: { tier: "tier" } },
              d: { on: "asked", features: { twice: "t__tier * 2" } },
              taps: {
          """
      ).replacingOccurrences(of: #"inputs: ["f0", "taps:n","#, with: #"inputs: ["f0", "d:twice","#),
      "rtinfer.json")
    let filled = try bash(
      "rtinfer ingest raw.ndjson | rtinfer materialize --table /dev/null --online online > rows.ndjson"
    )
    #expect(filled.status == 0, "\(filled.errors)")
    try folder.write(question("u0"), "asked.ndjson")
    let refused = try bash("rtinfer score --online online asked.ndjson")
    #expect(refused.status == 2)
    #expect(refused.errors.contains("d:twice comes from a table"), "\(refused.errors)")
  }

  // MARK: Decisions

  /// The value of a member, as text, from the first `{` behind its name to the next `}`.
  private func object(_ name: String, in text: String) -> Substring? {
    guard let start = text.range(of: "\"\(name)\":{") else { return nil }
    return text[start.upperBound...].prefix { $0 != "}" }
  }

  /// A question about a user at the end of the stream, as an event and as a plain row.
  private func question(_ user: String) -> String {
    #"{"type":"asked","id":"x","time":"2024-05-01T10:16:41Z","user":"\#(user)","f0":2.5}"# + "\n"
  }

  private func fill(_ events: String = "raw.ndjson") throws {
    let filled = try bash(
      "rtinfer ingest \(events) | rtinfer materialize --online online > rows.ndjson")
    #expect(filled.status == 0, "\(filled.errors)")
  }

  @Test func scoreTakesFromTheStoreWhatTheStreamWouldHaveSaid() throws {
    try fill()
    try folder.write(
      GeneratedStream.text(4_000, GeneratedStream.event) + question("u0"), "more.ndjson")
    let streamed = try bash(
      "rtinfer ingest more.ndjson | rtinfer materialize | rtinfer score | tail -n 1"
    ).output
    try folder.write(question("u0"), "asked.ndjson")
    let stored = try bash("rtinfer score --online online asked.ndjson")
    #expect(stored.status == 0, "\(stored.errors)")
    let inputs = try #require(object("inputs", in: streamed))
    #expect(inputs.contains("\"taps:n\":9") || inputs.contains("\"taps:n\":10"), "\(inputs)")
    #expect(object("inputs", in: stored.output) == inputs)
    #expect(stored.output.contains("\"features_offset\":3999"))
    #expect(!stored.output.contains("\"online\":{"))
  }

  @Test func whatNobodyKnowsIsCountedInTheDecision() throws {
    // Long enough for early events to have been folded away.
    try folder.write(GeneratedStream.text(8_000, GeneratedStream.event), "longer.ndjson")
    try fill("longer.ndjson")
    // Of an unknown user; of a time that the store has passed; with features of its own.
    try folder.write(
      question("nobody")
        + question("u0").replacingOccurrences(of: "10:16:41", with: "10:02:00")
        + #"{"f0":1,"user":"u0","taps:n":3,"taps:mean":1.5,"taps:max":2}"# + "\n", "asked.ndjson")
    let lines = try bash("rtinfer score --online online asked.ndjson").output.split(separator: "\n")
    #expect(lines.count == 3)
    #expect(lines[0].contains(#""online":{"absent":1}"#), "\(lines[0])")
    #expect(lines[0].contains(#""taps:n":0"#))
    #expect(lines[1].contains(#""online":{"ahead":1}"#), "\(lines[1])")
    #expect(lines[2].contains(#""taps:n":3"#) && !lines[2].contains("features_offset"))
    let missing = try bash("rtinfer score --online nowhere asked.ndjson")
    #expect(missing.status == 4 && missing.errors.contains("materialize --online writes it"))
  }

  @Test func serveDecidesAsScoreDoes() throws {
    try fill()
    try folder.write(question("u0"), "asked.ndjson")
    let scored = try bash("rtinfer score --online online asked.ndjson").output
    let server = try ServedProcess(["--online", "online"], folder: folder)
    let ask =
      "curl -sS --max-time 20 --data-binary @asked.ndjson"
      + " '\(server.address)/decide/m?detail'"
    let reply = try bash(ask).output
    #expect(object("inputs", in: reply) == object("inputs", in: scored), "\(reply)")
    // What happens meanwhile counts in the next answer.
    let tap = GeneratedStream.event(0).replacingOccurrences(of: "e10000000", with: "later")
      .replacingOccurrences(of: "10:00:00Z", with: "10:16:40.5Z")
    try folder.write(tap, "tap.ndjson")
    #expect(try bash("rtinfer materialize --online online tap.ndjson").status == 0)
    let after = try bash("rtinfer score --online online asked.ndjson").output
    #expect(object("inputs", in: after) != object("inputs", in: scored))
    let second = try bash(ask).output
    #expect(object("inputs", in: second) == object("inputs", in: after), "\(second)")
    #expect(server.stop().status == 0)
  }
}
