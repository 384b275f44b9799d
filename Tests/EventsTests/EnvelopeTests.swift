// Events out of what other systems wrap them in, from bytes to arrivals. What each tool prints is in the golden
// cases `Fixtures/ingest/from-…`; here is what they have in common.

import Core
import Foundation
import TestSupport
import Testing

@testable import Events

@Suite struct EnvelopeTests {
  private struct Outcome: Equatable {
    /// Each event's line as it goes on.
    var lines: [String] = []
    var origins: [String] = []
    var watermarks: [Timestamp] = []
    var read = 0
    var repeats = 0
    var tombstones = 0
    var messages = ""
  }

  private func take(
    _ text: String, _ layers: String, schema: EventSchema? = nil, idle: TimeSpan? = nil,
    pieces: Int = 1_000
  ) throws -> Outcome {
    let run = try TestRun(["--max-rejects", "100%"])
    let rejects = try Rejects(run.invocation)
    let schema = schema ?? EventSchema(anyType: EventType(name: "", dedup: .hours(1)))
    let intake = EventIntake(
      [ChunkedSource(Array(text), pieces: pieces)], schema: schema, rejects: rejects,
      clock: ManualClock(Timestamp("2100-01-01T00:00:00Z")), trustsMarks: false,
      layers: try EnvelopeLayers(layers), idle: idle, beforeWaiting: { () throws(Failure) in })
    var outcome = Outcome()
    while let arrival = try intake.next() {
      outcome.lines.append(arrival.decoder.scanner.line.string)
      let origin = arrival.origin!
      let place = origin.offset.map { "\(origin.partition!)@\($0)" } ?? ""
      outcome.origins.append("\(origin.source.string) \(place) \(origin.id.string)")
      outcome.watermarks.append(arrival.watermark)
    }
    outcome.read = intake.counts.read
    outcome.repeats = intake.counts.repeats
    outcome.tombstones = intake.counts.tombstones
    outcome.messages = run.messages.text
    return outcome
  }

  private static func kcat(_ partition: Int, _ offset: Int, _ minute: Int, _ id: String) -> String {
    let time = (Timestamp("2013-01-05T10:00:00Z") + .minutes(Int64(minute))).rfc3339
    return "{\"topic\":\"t\",\"partition\":\(partition),\"offset\":\(offset),\"ts\":1,\"payload\":"
      + "\"{\\\"id\\\":\\\"\(id)\\\",\\\"time\\\":\\\"\(time)\\\"}\"}\n"
  }

  @Test func aRecordOfAPartitionThatComesAgainIsARepeatHoweverLate() throws {
    var text = ""
    for offset in 0..<50 { text += Self.kcat(offset % 2, offset / 2, offset, "e\(offset)") }
    let once = try take(text, "kcat")
    #expect(once.lines.count == 50 && once.messages == "")
    #expect(once.origins.first == "t 0@0 " && once.origins.last == "t 1@24 ")
    // The whole of partition 1 again, much later than the lateness and under other ids.
    for offset in 0..<25 { text += Self.kcat(1, offset, 2 * offset + 1, "other\(offset)") }
    let again = try take(text, "kcat")
    #expect(again.lines == once.lines)
    #expect(again.repeats == 25 && again.messages == "")
  }

  @Test func offsetsThatNoLogHasAreRejected() throws {
    for numbers in [[Int.max], [Int.max - 1, Int.max], [-1], [1 << 62]] {
      let found = try take(numbers.map { Self.kcat(0, $0, 0, "e\($0)") }.joined(), "kcat")
      #expect(found.lines.isEmpty && found.messages.contains("no offset of Kafka's"))
    }
    let last = try take(Self.kcat(0, 1 << 62 - 1, 0, "a") + Self.kcat(0, 7, 0, "b"), "kcat")
    #expect(last.lines.count == 2 && last.messages == "", "\(last.messages)")
  }

  @Test func eachPartitionHoldsTheWatermark() throws {
    // Partition 1 is an hour behind partition 0, and within itself in order: nothing is late.
    var text = ""
    for minute in 0..<30 {
      text += Self.kcat(1, minute, minute, "b\(minute)")
      text += Self.kcat(0, minute, 60 + minute, "a\(minute)")
    }
    let found = try take(text, "kcat")
    #expect(found.lines.count == 60 && found.messages == "")
    #expect(found.watermarks.last == Timestamp("2013-01-05T10:24:00Z"))
    // One that falls behind by more than `idle` no longer holds it.
    let idle = try take(text, "kcat", idle: .minutes(20))
    #expect(idle.watermarks.last == Timestamp("2013-01-05T11:24:00Z"))
    #expect(idle.lines.count == 31, "those of partition 1 are late from its second event on")
  }

  @Test(arguments: [1, 3, 17, 64]) func piecesMakeNoDifference(_ size: Int) throws {
    let text =
      Self.kcat(0, 1, 1, "a") + "nonsense\n"
      + #"[{"specversion":"1.0","id":"1","source":"s","type":"y","data":{"a":1}},7,{"topic":1}]"#
      + "\n" + Self.kcat(0, 1, 1, "a") + #"{"id":"plain","time":"2013-01-05T10:00:00Z"}"#
    let whole = try take(text, "auto")
    #expect(whole.lines.count == 2 && whole.repeats == 1)
    #expect(try take(text, "auto", pieces: size) == whole)
  }

  @Test func whatAnEventHasItselfIsNotTakenFromItsWrapping() throws {
    let event =
      #"{"specversion":"1.0","id":"outer","source":"s","type":"outer","time":"2013-01-05T10:00:00Z","#
    let own = try take(
      event + #""data":{"id":"own","type":"own","time":"2013-01-05T11:00:00Z"}}"#, "cloudevents")
    #expect(own.lines == [#"{"id":"own","type":"own","time":"2013-01-05T11:00:00Z"}"#])
    #expect(own.origins == ["  s outer"])
    let none = try take(event + #""data":{"_rt":{"offset":9}}}"#, "cloudevents")
    #expect(
      none.lines == [#"{"type":"outer","time":"2013-01-05T10:00:00Z","id":"outer"}"#],
      "an older mark does not go on")
  }

  @Test func anEventOfSeveralLinesInsideBecomesOne() throws {
    let one = #"{"id":"a","time":"2013-01-05T10:00:00Z","text":"\\r\\n","parts":[1,2]}"#
    let many = #"{"id":"a",<"time":"2013-01-05T10:00:00Z",<<"text":"\\r\\n",<"parts":[1,<2]<}"#
      .replacing("<", with: "\r\n")
    func quoted(_ text: String) -> String {
      let quoted = text.replacing("\\", with: #"\\"#).replacing("\"", with: #"\""#)
        .replacing("\r\n", with: #"\r\n"#)
      return #"{"topic":"t","partition":0,"offset":0,"ts":1,"payload":""# + quoted + "\"}"
    }
    let expected = many.replacing("\r\n", with: "  ").replacing("  }", with: "}")
    #expect(try take(quoted(one), "kcat").lines == [one])
    #expect(try take(quoted(many), "kcat").lines == [expected])
    let encoded = Data(many.utf8).base64EncodedString()
    let record = #"{"Records":[{"SequenceNumber":"1","Data":""# + encoded + #""}]}"#
    #expect(try take(record, "auto").lines == [expected])
  }

  @Test func whatAPullAnswersIsTakenApart() throws {
    let message =
      #"{"ackId":"x","message":{"data":"eyJhIjoxfQ==","messageId":"7","publishTime":"2013-01-05T10:00:00Z"}}"#
    let answer = #"{"receivedMessages":["# + message + "," + message + "]}"
    for layers in ["pubsub", "auto"] {
      let found = try take(answer + "\n" + #"{"receivedMessages":[]}"#, layers)
      #expect(found.lines == [#"{"a":1,"time":"2013-01-05T10:00:00Z","id":"7"}"#])
      #expect(found.origins == ["  7"] && found.repeats == 1 && found.messages == "")
    }
  }

  @Test func aChangeIsTheSameWhateverElseTheConnectorKnows() throws {
    func change(_ version: String, _ sequence: String, _ lsn: Int) -> String {
      #"{"before":null,"after":{"id":"a"},"source":{"version":"\#(version)","connector":"postgresql","#
        + #""name":"s","ts_ms":1357380000000,"sequence":\#(sequence),"lsn":\#(lsn)},"op":"c"}"#
    }
    let told = [
      change("3.6", #""[null,\"7\"]""#, 7), change("3.7", #""[\"6\",\"7\"]""#, 7),
      change("3.7", "null", 7),
    ]
    let found = try take(told.joined(separator: "\n") + "\n" + change("3.6", "null", 8), "debezium")
    #expect(found.lines.count == 2 && found.repeats == 2 && found.messages == "")
    // The members may come in another order, and not at all.
    let other =
      #"{"op":"c","source":{"sequence":"1","connector":"c","version":"2"},"after":{"id":"a"}}"#
    let bare = #"{"op":"c","source":{"connector":"c"},"after":{"id":"a"}}"#
    let time = #""after":{"time":"2013-01-05T10:00:00Z","#
    for text in [other, bare] {
      let line = text.replacing(#""after":{"#, with: time)
      #expect(try take(line + "\n" + line, "debezium").repeats == 1)
    }
  }

  @Test func aDeclaredTypeIsFoundByTheWrappingsWord() throws {
    let schema = EventSchema(types: [
      EventType(name: "t", timeUnit: .ms), EventType(name: "other", timeUnit: .s),
    ])
    let line = #"{"topic":"t","partition":0,"offset":0,"ts":1357380000000,"payload":"{}"}"#
    #expect(try take(line, "kcat", schema: schema).lines == [#"{"time":1357380000000}"#])
    let named = line.replacing("{}", with: #"{\"type\":\"other\"}"#)
    #expect(
      try take(named, "kcat", schema: schema).lines == [#"{"type":"other","time":1357380000}"#])
    let unknown = line.replacing(#""t""#, with: #""u""#)
    #expect(try take(unknown, "kcat", schema: schema).messages.contains("type"))
  }

  @Test func layersAreReadFromTheOutsideIn() throws {
    #expect(try EnvelopeLayers("kcat,debezium") == .layers([.kcat, .debezium]))
    #expect(try EnvelopeLayers("plain") == .layers([]))
    #expect(try EnvelopeLayers("auto") == .automatic)
    for text in ["", "kcat,", "auto,kcat", "Kcat", "kcat,kcat,kcat,kcat"] {
      #expect(failure { () throws(Failure) in _ = try EnvelopeLayers(text) }?.status == .usage)
    }
  }

  /// Whatever comes, each line gives events or reasons, and nothing traps.
  @Test func nonsenseInWrappingsIsRejected() throws {
    let kinds = ["kcat", "cloudevents", "debezium", "kinesis", "pubsub"]
    var random = SplitMix64(seed: 5)
    let fixtures = try kinds.map { kind in
      try Fixtures.text("ingest/from-\(kind)/stdin.ndjson").split(separator: "\n").map {
        Array($0.utf8)
      }
    }
    for round in 0..<400 {
      let kind = round % kinds.count
      var line = fixtures[kind].randomElement(using: &random)!
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        let place = Int.random(in: 0..<line.count, using: &random)
        switch Int.random(in: 0..<4, using: &random) {
        case 0: line[place] = UInt8.random(in: 32..<127, using: &random)
        case 1: line.remove(at: place)
        case 2: line.insert(Array("{}[]\",:0".utf8).randomElement(using: &random)!, at: place)
        default: line.removeLast(min(line.count - 1, place))
        }
      }
      for layers in [kinds[kind], "auto"] {
        let found = try take(line.text, layers)
        let reasons = found.messages.split(separator: "\n").count
        #expect(found.lines.count + found.repeats + reasons == found.read, "\(line.text)")
      }
    }
  }
}
