// A line becomes an event, or the reason why not.

import Core
import Events
import TestSupport
import Testing

@Suite struct EventDecoderTests {
  private static let departed = EventType(
    name: "departed", dedup: .hours(1), unknown: .reject,
    fields: [
      Field(name: "origin", type: .string), Field(name: "delay", type: .number, maximum: 100),
      Field(name: "seat", type: .integer, isOptional: true),
    ])
  private static let arrived = EventType(
    name: "arrived", idMember: nil, timeMember: "at", timeUnit: .ms)

  private func both(fixed: Int? = nil) -> EventSchema {
    EventSchema(types: [Self.departed, Self.arrived], fixedType: fixed)
  }

  /// What a line comes to, or the reason why it is none.
  private func decode(
    _ line: String, _ schema: EventSchema, trusts: Bool = true, as fixed: Int? = nil
  ) -> String {
    let decoder = EventDecoder(schema, trustsMarks: trusts)
    do throws(BadRecord) {
      let event = try decoder.decode(Bytes(lasting: line), as: fixed)
      var text =
        "\(event.type) \(event.typeName.string) \(event.time.rfc3339) \(event.id.literal.string)"
      if let mark = event.mark { text += " @\(mark.offset) \(mark.watermark.rfc3339)" }
      return text
    } catch {
      return error.reason
    }
  }

  private static let good =
    #""type":"departed","id":"a","time":"2013-01-05T10:00:00Z","origin":"EWR","delay":5"#
  private static let sameTime = "2013-01-05T10:00:00Z"

  private static let lines: [(String, String)] = [
    ("{\(good)}", "0 departed \(sameTime) \"a\""),
    (#"{"type":"arrived","at":0}"#, "1 arrived 1970-01-01T00:00:00Z null"),
    (#"{"type":"arrived","at":1.5,"id":{}}"#, "1 arrived 1970-01-01T00:00:00.0015Z null"),
    (#"{"typ\u0065":"\u0061rrived","at":0}"#, "1 arrived 1970-01-01T00:00:00Z null"),
    (good, "not JSON: byte 0: a record is an object, found a string"),
    ("{\(good)", "not JSON: byte "),
    (
      #"{"time":"2013-01-05T10:00:00Z"}"#,
      "the member 'type' that tells the event's type is missing"
    ),
    (#"{"type":5}"#, "the member 'type' that tells the event's type is not a string"),
    (#"{"type":"departd"}"#, "unknown event type 'departd'; did you mean 'departed'?"),
    (#"{"type":"zzz"}"#, "unknown event type 'zzz'"),
    (#"{"kind":"features"}"#, "a 'features' record, not an event"),
    (#"{"type":"arrived"}"#, "the member 'at' with the event's time is missing"),
    (
      #"{"type":"arrived","at":"2013-01-05T10:00:00Z"}"#,
      "the member 'at' is not a time in ms: \"2013-01-05T10:00:00Z\""
    ),
    (#"{"type":"arrived","at":1e999}"#, "the member 'at' is not a time in ms: 1e999"),
    (
      #"{"type":"departed","id":"a","origin":"EWR","delay":5,"time":"noon"}"#,
      "the member 'time' is not an RFC 3339 time: \"noon\""
    ),
    (
      #"{"type":"departed","id":"a","time":"2013-01-05T10:00:00Z","delay":5}"#,
      "the member 'origin' is missing (a string is required)"
    ),
    ("{\(good),\"delay\":101}", "the member 'delay' is 101, above the maximum 100"),
    ("{\(good),\"seat\":null}", "0 departed \(sameTime) \"a\""),
    ("{\(good),\"seat\":1.5}", "the member 'seat' is not an integer: 1.5"),
    ("{\(good),\"id\":7}", "0 departed \(sameTime) 7"),
    ("{\(good),\"id\":null}", "the member 'id' with the event's id is missing"),
    ("{\(good),\"id\":[1]}", "the member 'id' is not a string or a number: [1]"),
    ("{\(good),\"orign\":1}", "the member 'orign' is not declared; did you mean 'origin'?"),
    ("{\(good),\"zzz\":1}", "the member 'zzz' is not declared"),
  ]

  @Test(arguments: lines) func readsOrTellsWhyNot(_ line: String, _ expected: String) {
    let found = decode(line, both())
    #expect(expected.hasSuffix("byte ") ? found.hasPrefix(expected) : found == expected)
  }

  @Test func aFixedTypeOutranksTheMembers() {
    #expect(
      decode(#"{"type":"departed","at":0}"#, both(fixed: 1))
        == "1 arrived 1970-01-01T00:00:00Z null")
    #expect(decode(#"{"at":0}"#, both(), as: 1) == "1 arrived 1970-01-01T00:00:00Z null")
    #expect(decode(#"{"type":"arrived","at":0}"#, both(), as: 0).contains("is missing"))
  }

  @Test func theOnlyTypeNeedNotBeNamed() {
    let schema = EventSchema(types: [Self.arrived], typeMember: "what")
    #expect(decode(#"{"at":0,"type":"other"}"#, schema) == "0 arrived 1970-01-01T00:00:00Z null")
    #expect(decode(#"{"at":0,"what":"other"}"#, schema) == "unknown event type 'other'")
    #expect(decode(#"{"at":0,"kind":"decision"}"#, schema) == "a 'decision' record, not an event")
  }

  @Test func anOpenSchemaTakesEveryType() {
    let schema = EventSchema(anyType: EventType(name: "", dedup: .hours(1)))
    #expect(
      decode(#"{"type":"x","time":"2013-01-05T10:00:00Z","id":9}"#, schema)
        == "0 x \(Self.sameTime) 9")
    #expect(decode(#"{"time":"2013-01-05T10:00:00Z"}"#, schema) == "0  \(Self.sameTime) null")
    #expect(decode("{}", schema) == "the member 'time' with the event's time is missing")
  }

  @Test func marksCountOnlyWhereTheyAreTrusted() {
    let mark = #""_rt":{"type":"departed","offset":7,"watermark":"2013-01-05T09:00:00Z"}"#
    // Of a trusted event nothing is checked again that is not needed.
    let bare = #"{"id":"a","time":"2013-01-05T10:00:00Z",\#(mark)}"#
    #expect(decode(bare, both()) == "0 departed \(Self.sameTime) \"a\" @7 2013-01-05T09:00:00Z")
    #expect(decode(bare, both(), trusts: false).contains("that tells the event's type is missing"))
    let whole = "{\(Self.good),\(mark)}"
    #expect(decode(whole, both(), trusts: false) == "0 departed \(Self.sameTime) \"a\"")
    #expect(
      decode("{\(Self.good),\"_rt\":{\"offset\":\"7\"}}", both())
        == "0 departed \(Self.sameTime) \"a\"")
    let wrong = "{\(Self.good),\"_rt\":{\"offset\":7,\"watermark\":\"soon\"}}"
    #expect(decode(wrong, both()) == "the member '_rt.watermark' is not an RFC 3339 time: 'soon'")
  }

  @Test func givesScalarsToExpressions() throws {
    let schema = both()
    let delay = schema.slot("delay")
    let scope = schema.scope(of: 1)
    let loose = try Expression("gate", scope: scope)
    let time = try Expression("time", scope: scope)
    let decoder = EventDecoder(schema)
    let stack = ExpressionStack()
    _ = try decoder.decode(Bytes(lasting: "{\(Self.good)}"))
    guard case .double(5) = decoder.scalars[delay] else {
      Issue.record("expected the delay as a double: \(decoder.scalars[delay])")
      return
    }
    _ = try decoder.decode(Bytes(lasting: #"{"type":"arrived","at":1,"gate":12}"#))
    guard case .int(12) = loose.evaluate(decoder.scalars, stack),
      case .time(Timestamp(microseconds: 1_000)) = time.evaluate(decoder.scalars, stack)
    else {
      Issue.record("expected the gate and the time")
      return
    }
    #expect(decoder.scalars[delay].isNull, "nothing of the last event is left")
  }

  @Test func scopesKnowDeclaredNamesOnly() {
    let schema = both()
    #expect((try? Expression("delay + 1", scope: schema.scope(of: 0))) != nil)
    #expect((try? Expression("gate", scope: schema.scope(of: 0))) == nil)
    #expect((try? Expression("origin.x", scope: schema.scope(of: 0))) == nil)
    #expect((try? Expression("anything.at.all", scope: schema.scope(of: 1))) != nil)
  }

  @Test func dropsOrKeepsUndeclaredMembers() throws {
    let line = Bytes(lasting: #"{"time":"2013-01-05T10:00:00Z","a":1,"b":2,"_rt":{"x":1}}"#)
    for (unknown, expected) in [
      (UnknownMembers.drop, #"{"time":"2013-01-05T10:00:00Z","a":1"#),
      (.keep, #"{"time":"2013-01-05T10:00:00Z","a":1,"b":2"#),
    ] {
      let type = EventType(
        name: "e", idMember: nil, unknown: unknown, fields: [Field(name: "a", type: .integer)])
      let decoder = EventDecoder(EventSchema(types: [type]))
      let event = try decoder.decode(line)
      let output = OutputBuffer(MemorySink())
      #expect(decoder.appendOpen(event.type, to: output))
      #expect(output.pending.string == expected)
    }
  }
}
