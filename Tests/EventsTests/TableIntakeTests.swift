// Tables as inputs: what a row becomes by its schema, and where a column cannot mean two things.

import Core
import TestSupport
import Testing

@testable import Events

@Suite struct TableIntakeTests {
  private static let departed = EventType(
    name: "departed", dedup: .hours(1),
    fields: [
      Field(name: "id", type: .string), Field(name: "gate", type: .string),
      Field(name: "delay", type: .number, isOptional: true),
    ])
  private static let boarded = EventType(
    name: "boarded",
    fields: [Field(name: "id", type: .string), Field(name: "gate", type: .integer)])

  private struct Found: Equatable {
    var lines: [String] = []
    var repeats = 0
    var messages: [String] = []
  }

  private func take(
    _ text: String, name: String, _ form: String? = nil, types: [EventType] = [departed],
    fixedType: Int? = 0, pieces: Int = 3
  ) throws -> Found {
    let run = try TestRun(["--max-rejects", "100%"])
    let rejects = try Rejects(run.invocation)
    let form = try form.map { (text) throws(Failure) in try InputForm(text) } ?? InputForm()
    let bytes = Array(text.utf8)
    let cuts = Array(stride(from: pieces, to: bytes.count, by: pieces))
    let intake = EventIntake(
      [ChunkedSource(bytes, cuts: cuts, name: name)],
      schema: EventSchema(types: types, fixedType: fixedType), rejects: rejects,
      clock: ManualClock(Timestamp("2013-01-06T00:00:00Z")), trustsMarks: false,
      records: form.records, layers: form.layers, beforeWaiting: { () throws(Failure) in })
    var found = Found()
    while let arrival = try intake.next() {
      found.lines.append(arrival.decoder.scanner.line.string)
    }
    found.repeats = intake.counts.repeats
    found.messages = run.messages.text.split(separator: "\n").map(String.init)
    return found
  }

  private static let table =
    "id,time,gate,delay\r\n007,2013-01-05T12:00:00Z,7,2.5\r\n\"a\n\"\"b\",2013-01-05T12:00:01Z,A1,\r\n"
    + "007,2013-01-05T12:00:02Z,7,3\r\n8,2013-01-05T12:00:03Z,9,late\r\n9,x\r\n"

  private static let expected = Found(
    lines: [
      #"{"id":"007","time":"2013-01-05T12:00:00Z","gate":"7","delay":2.5}"#,
      #"{"id":"a\n\"b","time":"2013-01-05T12:00:01Z","gate":"A1"}"#,
    ],
    repeats: 1,
    messages: [
      "rtinfer test: t.csv:6: the member 'delay' is not a number: \"late\"",
      "rtinfer test: t.csv:7: 2 cells where the header has 4",
    ])

  @Test(arguments: 1...9)
  func rowsAreEventsTypedByTheSchema(_ pieces: Int) throws {
    #expect(try take(Self.table, name: "t.csv", pieces: pieces) == Self.expected)
    #expect(try take("\u{feff}" + Self.table, name: "t.csv", pieces: pieces) == Self.expected)
  }

  @Test func theFlagIsAboveTheName() throws {
    var expected = Self.expected
    #expect(try take(Self.table, name: "stdin", "csv").lines == expected.lines)
    let tabs = Self.table.split(separator: ",", omittingEmptySubsequences: false)
      .joined(separator: "\t")
    expected.messages = expected.messages.map { $0.replacing("t.csv", with: "t.tsv") }
    #expect(try take(tabs, name: "t.tsv") == expected)
    #expect(try take(tabs, name: "t.csv", "tsv").lines == expected.lines)
    let line = #"{"id":"1","time":"2013-01-05T12:00:00Z","gate":"A"}"#
    #expect(try take(line + "\n", name: "t.csv", "plain").lines == [line])
  }

  @Test func aHeaderThatComesAgainIsNoEvent() throws {
    let again = Self.table + "id,time,gate,delay\r\n10,2013-01-05T12:00:04Z,7,\r\n"
    var expected = Self.expected
    expected.lines.append(#"{"id":"10","time":"2013-01-05T12:00:04Z","gate":"7"}"#)
    #expect(try take(again, name: "t.csv") == expected)
  }

  @Test func rowsMayHoldWrappedEvents() throws {
    let text =
      "topic,partition,offset,payload\n"
      + #"t,0,41,"{""id"":""1"",""time"":""2013-01-05T12:00:00Z"",""gate"":""A""}""# + "\n"
      + #"t,0,41,"{""id"":""2"",""time"":""2013-01-05T12:00:00Z"",""gate"":""A""}""# + "\n"
      + "t,0,42,nonsense\n"
    let found = try take(text, name: "stdin", "csv,kcat")
    #expect(found.lines == [#"{"id":"1","time":"2013-01-05T12:00:00Z","gate":"A"}"#])
    #expect(found.repeats == 1)
    #expect(found.messages.count == 1 && found.messages[0].contains("stdin:4: not JSON inside"))
  }

  @Test func aColumnIsOneThing() throws {
    let text = "type,id,time,gate\nboarded,1,2013-01-05T12:00:00Z,7\n"
    let both = [Self.departed, Self.boarded]
    #expect(
      failure { () throws in _ = try take(text, name: "t.csv", types: both, fixedType: nil) }
        == "the column 'gate' is string in 'departed' and integer in 'boarded': what stands in its cells"
        + " cannot be told")
    let one = try take(text, name: "t.csv", types: both, fixedType: 1)
    #expect(one.lines == [#"{"type":"boarded","id":"1","time":"2013-01-05T12:00:00Z","gate":7}"#])
  }

  private func failure(_ body: () throws -> Void) -> String? {
    do {
      try body()
      return nil
    } catch {
      return (error as? Failure)?.message
    }
  }

  @Test func formsAreToldApart() throws {
    #expect(try InputForm("csv").records == .table(separator: UInt8(ascii: ",")))
    #expect(try InputForm("tsv,kcat,debezium").layers == .layers([.kcat, .debezium]))
    #expect(try InputForm("auto") == InputForm("auto"))
    #expect(try InputForm("auto").records == .byName && InputForm("auto").layers == .automatic)
    #expect(try InputForm("plain").records == .lines)
    for text in ["kcat,csv", "csv,tsv", "csv,", "excel", ""] {
      #expect(failure { _ = try InputForm(text) } != nil)
    }
  }
}
