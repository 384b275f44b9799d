// The way in, from bytes to arrivals, in memory.

import Core
import Events
import Foundation
import TestSupport
import Testing

@Suite struct EventIntakeTests {
  private static let noon = Timestamp("2013-01-05T12:00:00Z")

  private func line(_ id: String, _ minute: Int64) -> String {
    "{\"id\":\"\(id)\",\"time\":\"\((Self.noon + .minutes(minute)).rfc3339)\"}\n"
  }

  private struct Outcome {
    var ids: [String] = []
    var offsets: [Int64] = []
    var watermarks: [Timestamp] = []
    var partitions: [Int] = []
    var read = 0
    var accepted = 0
    var repeats = 0
    var reasons: [String] = []
  }

  private func take(
    _ sources: [ChunkedSource], lateness: TimeSpan = .minutes(5), dedup: TimeSpan? = .hours(1),
    clock: any Clock = ManualClock(noon + .days(1)), trusts: Bool = false
  ) throws -> Outcome {
    let run = try TestRun(["--max-rejects", "100%"])
    let rejects = try Rejects(run.invocation)
    let schema = EventSchema(types: [EventType(name: "e", lateness: lateness, dedup: dedup)])
    let intake = EventIntake(
      sources, schema: schema, rejects: rejects, clock: clock, trustsMarks: trusts,
      beforeWaiting: { () throws(Failure) in })
    var outcome = Outcome()
    while let arrival = try intake.next() {
      outcome.ids.append(arrival.event.id.bytes.string)
      outcome.offsets.append(arrival.offset)
      outcome.watermarks.append(arrival.watermark)
      outcome.partitions.append(arrival.partition)
    }
    outcome.read = intake.counts.read
    outcome.accepted = intake.counts.accepted
    outcome.repeats = intake.counts.repeats
    outcome.reasons = run.messages.text.split(separator: "\n").map(String.init)
    return outcome
  }

  /// Enough ids that the intake looks at lines to come; ids stand where the last one stood, elsewhere, escaped, are of
  /// other lengths, and lines end before there could be one.
  @Test func lookingAheadForIdsChangesNothing() throws {
    var random = SplitMix64(seed: 9)
    var text = ""
    var seen: Set<String> = []
    var expected: [String] = []
    for number in 0..<60_000 {
      let isRepeat = number > 40_000 && Int.random(in: 0..<4, using: &random) == 0
      let id = "id\(isRepeat ? Int.random(in: 0..<number, using: &random) : number)"
      let written = Int.random(in: 0..<16, using: &random) == 0 ? "\\u0069" + id.dropFirst() : id
      let before = number % 1_000 == 999 ? "\"n\":\(number)," : ""
      text += "{\(before)\"id\":\"\(written)\",\"time\":\"2013-01-05T12:00:00Z\"}\n"
      if number % 100 == 50 { text += "{}\n" }
      // Two ways to write an id are two ids: what is compared is what stands in the line.
      if seen.insert(written).inserted { expected.append(written) }
    }
    let found = try take([ChunkedSource(Array(text.utf8), pieces: 50_000)])
    #expect(found.ids == expected)
    #expect(found.repeats == 60_000 - expected.count && found.repeats > 1_000)
  }

  @Test func marksThatNoLogHasAreRejected() throws {
    for number in ["9223372036854775807", "4611686018427387904", "-1"] {
      let marked = line("a", 1).replacingOccurrences(
        of: "}\n", with: ",\"_rt\":{\"offset\":\(number)}}\n")
      let found = try take([ChunkedSource(marked + line("b", 2))], trusts: true)
      #expect(found.ids == ["b"])
      #expect(
        found.reasons.contains { $0.contains("'_rt.offset' is \(number)") }, "\(found.reasons)")
    }
  }

  @Test func mergesInputsByTime() throws {
    let inputs = [
      [("a1", 1), ("a4", 4), ("a9", 9)], [("b2", 2), ("b3", 3)], [("c0", 0), ("c4", 4), ("c8", 8)],
    ]
    let texts = inputs.map { $0.map { line($0.0, Int64($0.1)) }.joined() }
    for pieces in [1, 7, 1_000] {
      let found = try take(texts.map { ChunkedSource(Array($0), pieces: pieces) })
      #expect(found.ids == ["c0", "a1", "b2", "b3", "a4", "c4", "c8", "a9"])
      #expect(found.offsets == Array(0..<8))
      #expect(found.partitions == [2, 0, 1, 1, 0, 2, 2, 0])
      #expect(zip(found.watermarks, found.watermarks.dropFirst()).allSatisfy { $0 <= $1 })
      #expect(found.read == 8 && found.accepted == 8 && found.repeats == 0)
    }
  }

  @Test func theWatermarkOfOneInputFollowsItsLatestEvent() throws {
    let text = line("a", 0) + line("b", 10) + line("c", 6)
    let found = try take([ChunkedSource(text)])
    #expect(found.watermarks == [-5, 5, 5].map { Self.noon + .minutes($0) })
  }

  @Test func whatIsTooLateIsRejectedWithItsReason() throws {
    let text = line("a", 10) + line("edge", 5) + line("late", 4) + line("b", 11)
    let found = try take([ChunkedSource(text)])
    #expect(found.ids == ["a", "edge", "b"] && found.offsets == [0, 1, 2])
    #expect(
      found.reasons == [
        "rtinfer test: test:3: late: its time 2013-01-05T12:04:00Z is before the watermark"
          + " 2013-01-05T12:05:00Z"
      ])
    #expect(found.read == 4 && found.accepted == 3)
  }

  @Test func anAbsurdDateIsRejectedAndMakesNoOtherLate() throws {
    let clock = ManualClock(Self.noon)
    let text = line("a", 0) + line("far", 6) + line("edge", 5) + line("b", 1)
    let found = try take([ChunkedSource(text)], clock: clock)
    #expect(found.ids == ["a", "edge", "b"])
    #expect(
      found.reasons == [
        "rtinfer test: test:2: from the future: its time 2013-01-05T12:06:00Z is more than 5m"
          + " ahead of the clock"
      ])
    clock.advance(.minutes(1))
    #expect(try take([ChunkedSource(text)], clock: clock).ids == ["a", "far", "edge", "b"])
  }

  @Test func repeatsAreCountedAndTakeNoOffset() throws {
    let text =
      line("a", 0) + line("a", 1) + line("b", 1) + line("a", 0) + line("a", 60)
      + "{\"id\":1,\"time\":\"2013-01-05T13:00:00Z\"}\n{\"id\":\"1\",\"time\":\"2013-01-05T13:00:00Z\"}\n"
    let found = try take([ChunkedSource(text)])
    #expect(found.ids == ["a", "b", "a", "1", "1"], "a number and a text are two ids")
    #expect(found.offsets == [0, 1, 2, 3, 4])
    #expect(found.repeats == 2 && found.read == 7)
    #expect(try take([ChunkedSource(text)], dedup: nil).ids.count == 7)
  }

  @Test func repeatsAreFoundAcrossInputs() throws {
    let found = try take([ChunkedSource(line("a", 0)), ChunkedSource(line("a", 1) + line("b", 2))])
    #expect(found.ids == ["a", "b"] && found.repeats == 1)
  }

  @Test func rejectedRecordsAreUnwrapped() throws {
    let first = #"{\"id\":\"a\",\"time\":\"2013-01-05T12:00:00Z\"}"#
    let coded = Data(#"{"id":"b","time":"2013-01-05T12:01:00Z"}"#.utf8).base64EncodedString()
    let text =
      #"{"kind":"rejected","reason":"x","source":"s","line":1,"byte":0,"raw":"\#(first)"}"# + "\n"
      + #"{"kind":"rejected","reason":"x","raw_base64":"\#(coded)"}"# + "\n"
      + #"{"kind":"rejected","reason":"x","raw":"still bad"}"# + "\n"
      + #"{"kind":"rejected","reason":"nothing inside"}"# + "\n" + line("c", 2)
    let found = try take([ChunkedSource(text)])
    #expect(found.ids == ["a", "b", "c"])
    #expect(found.reasons.count == 2)
    #expect(found.reasons[0].contains("test:3: not JSON"))
    #expect(found.reasons[1].contains("test:4: a 'rejected' record, not an event"))
  }

  @Test func marksAreTrustedOfASingleInputOnly() throws {
    let marked = (0..<3).map { number in
      "{\"id\":\"\(number)\",\"time\":\"2013-01-05T12:00:0\(3 - number)Z\",\"_rt\":"
        + "{\"offset\":\(number * 10 + 5),\"watermark\":\"2013-01-05T12:30:00Z\"}}\n"
    }.joined()
    let one = try take([ChunkedSource(marked)], trusts: true)
    #expect(one.offsets == [5, 15, 25])
    #expect(one.watermarks == Array(repeating: Self.noon + .minutes(30), count: 3))
    let two = try take([ChunkedSource(marked), ChunkedSource("")], trusts: true)
    #expect(two.offsets == [0, 1, 2])
    #expect(try take([ChunkedSource(marked)], trusts: false).offsets == [0, 1, 2])
  }

  @Test func aTornLastLineSaysSo() throws {
    let found = try take([ChunkedSource(line("a", 0) + "{\"id\":\"b\",\"ti")])
    #expect(found.ids == ["a"])
    #expect(
      found.reasons.first?.hasSuffix("(the last line has no line end: it may be cut off)") == true)
    #expect(try take([ChunkedSource(String(line("a", 0).dropLast()))]).ids == ["a"])
  }

  /// However lines arrive within the lateness, none is lost, and which are accepted can be worked out.
  @Test func agreesWithATwinOnRandomStreams() throws {
    var random = SplitMix64(seed: 21)
    for _ in 0..<50 {
      var text = ""
      var expected: [String] = []
      var latest = Int64.min
      for number in 0..<60 {
        let minute = Int64(number / 2) - Int64.random(in: 0...8, using: &random)
        text += line("\(number)", minute)
        latest = max(latest, minute)
        if minute >= latest - 5 { expected.append("\(number)") }
      }
      let found = try take([
        ChunkedSource(Array(text), pieces: Int.random(in: 1...99, using: &random))
      ])
      #expect(found.ids == expected && found.offsets == Array(0..<Int64(expected.count)))
    }
  }

  /// Records that are handed over group by group are judged as those of one stream; a pause ends nothing.
  @Test func recordsThatAreHandedOverAreOneStream() throws {
    let rejects = try Rejects(try TestRun().invocation)
    var told: [Int] = []
    rejects.onRejection = { _, line in told.append(line) }
    let schema = EventSchema(types: [
      EventType(name: "e", lateness: .minutes(5), dedup: .hours(1))
    ])
    let intake = EventIntake(
      handedOverAs: "/events", schema: schema, rejects: rejects,
      clock: ManualClock(Self.noon + .days(1)), layers: .layers([.cloudevents]), privacy: nil)
    func take(_ lines: [String], areWrapped: Bool = false) throws -> [String] {
      let records = lines.map { Bytes(owning: $0 + String(repeating: " ", count: 64)) }
      intake.take(
        zip(lines, records).map { $1[0..<$0.utf8.count] }, areWrapped: areWrapped)
      var ids: [String] = []
      while let arrival = try intake.next() {
        ids.append("\(arrival.offset):\(arrival.event.id.bytes.string)")
      }
      return ids
    }
    #expect(try intake.next() == nil)
    #expect(try take([line("a", 0), line("b", 10)]) == ["0:a", "1:b"])
    #expect(intake.currentWatermark == Self.noon + .minutes(5))
    #expect(try take([]) == [])
    // A repeat, a late one, and what is no event.
    #expect(try take([line("b", 10), line("c", 4), "[]", line("d", 6)]) == ["2:d"])
    #expect(told == [2, 3])
    let wrapped =
      #"{"specversion":"1.0","id":"x","source":"s","type":"e","time":"\#((Self.noon + .minutes(12)).rfc3339)"}"#
    #expect(try take([wrapped, wrapped], areWrapped: true) == ["3:x"])
    // Not wrapped, so its own members count.
    #expect(try take([wrapped]) == ["4:x"])
    #expect(try take([String(repeating: " ", count: Limits.lineBytesMax + 1)]) == [])
    #expect(told == [2, 3, 1])
    #expect(intake.counts.accepted == 5 && intake.counts.repeats == 2)
  }
}
