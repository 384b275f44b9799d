// Features over features, guards, and views that draw from several types of events.

import TestSupport
import Testing

@testable import Core
@testable import Events
@testable import Features

@Suite struct DerivedFeatureTests {
  private static func schema() -> EventSchema {
    func type(_ name: String, _ fields: [Field]) -> EventType {
      EventType(name: name, idMember: nil, fields: fields)
    }
    let key = Field(name: "k", type: .string, isOptional: true)
    return EventSchema(types: [
      type("paid", [key, Field(name: "amount", type: .number, isOptional: true)]),
      type("refunded", [key, Field(name: "back", type: .number, isOptional: true)]),
      type("asked", [key, Field(name: "total", type: .number, isOptional: true)]),
      type("blind", [Field(name: "z", type: .number, isOptional: true)]),
    ])
  }

  private static func definitions(_ features: String) throws(Failure) -> FeatureDefinitions {
    try FeatureDefinitions(try ConfigNode.members("{ \(features) }"), schema: schema())
  }

  /// An engine with the events that were applied to it.
  private final class Money {
    let engine: FeatureEngine
    let plan: RequestPlan
    private let decoder: EventDecoder
    private var order: Int64 = 0

    init(_ features: String) throws {
      let schema = DerivedFeatureTests.schema()
      let definitions = try FeatureDefinitions(
        try ConfigNode.members("{ \(features) }"), schema: schema)
      engine = FeatureEngine(definitions, schema: schema)
      plan = engine.plan(requestsOf: 2, schema: schema)
      decoder = EventDecoder(schema)
    }

    func apply(_ line: String) throws {
      try Array(line.utf8).withBytes { (bytes) throws(BadRecord) in
        let event = try decoder.decode(bytes)
        engine.apply(
          type: event.type, decoder.scalars, at: event.time, order: order, watermark: .distantPast)
      }
      order += 1
    }

    /// What "asked" is answered, by name.
    func ask(_ members: String) throws -> [String: String] {
      let line = "{\"type\":\"asked\",\"time\":\"2024-05-01T12:00:00Z\",\"k\":\"a\",\(members)}"
      return try Array(line.utf8).withBytes { (bytes) throws(BadRecord) in
        let event = try decoder.decode(bytes)
        var values: [Scalar] = []
        engine.lookUp(plan, decoder.scalars, at: event.time, into: &values)
        let pairs = zip(plan.answers, values).map { answer, value in
          (answer.name, value.number.map { "\($0)" } ?? "null")
        }
        return Dictionary(uniqueKeysWithValues: pairs)
      }
    }
  }

  private func event(_ type: String, _ hour: Int, _ members: String) -> String {
    "{\"type\":\"\(type)\",\"time\":\"2024-05-01T0\(hour):00:00Z\",\"k\":\"a\",\(members)}"
  }

  // MARK: Several types

  @Test func aViewDrawsFromSeveralTypes() throws {
    let money = try Money(
      """
      m: { entity: ['k'], from: ['paid', 'refunded'], where: 'amount > 0.0 || back > 1.0', features: {
        all: { count: '*' }, paid: { count: '*', from: 'paid' }, back: { sum: 'back' },
        net: { sum: "coalesce(amount, -back)" }, latest: { last: 'amount' },
        share: { ratio: [{ sum: 'back' }, { sum: 'amount' }] },
        since: { time_since_last: '*', from: 'refunded' } } }
      """)
    try money.apply(event("paid", 1, "\"amount\":10"))
    try money.apply(event("refunded", 2, "\"back\":4"))
    try money.apply(event("paid", 3, "\"amount\":6"))
    try money.apply(event("refunded", 4, "\"back\":0.5"))
    #expect(
      try money.ask("\"total\":1") == [
        "m:all": "3.0", "m:paid": "2.0", "m:back": "4.0", "m:net": "12.0", "m:latest": "6.0",
        "m:share": "0.25", "m:since": "36000.0",
      ])
  }

  // MARK: Derived

  private let paid = "p: { entity: ['k'], from: 'paid', features: { sum: { sum: 'amount' } } }"

  @Test func expressionsReadMembersFeaturesAndEachOther() throws {
    let money = try Money(
      """
      \(paid), d: { on: 'asked', features: {
        share: 'total / p__sum', twice: { value: 'd__share * 2.0', max: 1, default: -1 },
        hour: 'hour(time)', one: '1', half: 'd__twice / 2.0' } }
      """)
    #expect(try money.ask("\"total\":1")["d:share"] == "null")
    try money.apply(event("paid", 1, "\"amount\":10"))
    #expect(
      try money.ask("\"total\":4") == [
        "p:sum": "10.0", "d:share": "0.4", "d:twice": "0.8", "d:hour": "12.0", "d:one": "1.0",
        "d:half": "0.4",
      ])
    // What a guard puts in a value's place is what the next expression reads.
    let beyond = try money.ask("\"total\":40")
    #expect(beyond["d:twice"] == "-1.0" && beyond["d:half"] == "-0.5")
    #expect(try money.ask("\"total\":null")["d:share"] == "null")
  }

  @Test(
    arguments: [
      ("d: { on: 'ask', features: { a: '1' } }", "d.on: no event type 'ask' is declared"),
      ("d: { on: 'asked', features: {} }", "d: a view has at least one feature"),
      ("d: { on: 'asked', from: 'paid', features: {} }", "d.from: unknown key 'from'"),
      ("d: { on: 'asked', features: { a: 'p__som' } }", "d.features.a: `p__som`: column 1"),
      ("d: { on: 'asked', features: { a: 'd__b', b: '1' } }", "d.features.a: `d__b`: column 1"),
      (
        "d: { on: 'asked', features: { a: { max: 1 } } }",
        "d.features.a: the key 'value' is missing"
      ),
      ("d: { on: 'blind', features: { a: 'p__sum' } }", "d.features.a: `p__sum`: column 1"),
    ])
  func refusesWrongDerivedViews(_ text: String, _ expected: String) {
    let found = message { () throws(Failure) in
      _ = try DerivedFeatureTests.definitions("\(paid), \(text)")
    }
    #expect(found.hasPrefix("test.json:1: \(expected)"), "\(found)")
  }

  // MARK: Guards

  @Test func whatBreaksItsBoundsIsReplacedFlaggedOrRejected() throws {
    let money = try Money(
      """
      p: { entity: ['k'], from: 'paid', features: {
        replaced: { sum: 'amount', min: 0, max: 10, default: 5 }, nulled: { sum: 'amount', max: 10 },
        flagged: { sum: 'amount', max: 10, broken: 'flag' },
        rejected: { sum: 'amount', max: 20, broken: 'reject' } } }
      """)
    try money.apply(event("paid", 1, "\"amount\":10"))
    var found = try money.ask("\"total\":1")
    #expect(Set(found.values) == ["10.0"] && money.engine.broken.isEmpty)
    try money.apply(event("paid", 2, "\"amount\":2"))
    found = try money.ask("\"total\":1")
    #expect(
      found == [
        "p:replaced": "5.0", "p:nulled": "null", "p:flagged": "12.0", "p:rejected": "12.0",
      ])
    #expect(money.engine.broken.map(\.place) == [0, 1, 2])
    try money.apply(event("paid", 3, "\"amount\":20"))
    _ = try money.ask("\"total\":1")
    #expect(money.engine.broken.map(\.place) == [0, 1, 2, 3])
    #expect(
      money.plan.answers.map { $0.tally?.summary } == [
        "p:replaced: 2 values outside [0.0, 10.0] replaced",
        "p:nulled: 2 values outside [-∞, 10.0] replaced",
        "p:flagged: 2 values outside [-∞, 10.0] flagged",
        "p:rejected: 1 values outside [-∞, 20.0] rejected",
      ])
  }

  /// What a row gets does not depend on the rows before it: nulls beyond a share are flagged and stay null.
  @Test func nullsBeyondTheirShareAreFlagged() throws {
    let money = try Money(
      "p: { entity: ['k'], from: 'paid', features: { f: { sum: 'amount', nulls: 0.5, default: 0 } } }"
    )
    for _ in 0..<99 {
      #expect(try money.ask("\"total\":1") == ["p:f": "null"] && money.engine.broken.isEmpty)
    }
    #expect(try money.ask("\"total\":1") == ["p:f": "null"])
    #expect(money.engine.broken.map(\.consequence) == [.flag])
    try money.apply(event("paid", 1, "\"amount\":10"))
    #expect(try money.ask("\"total\":1") == ["p:f": "10.0"] && money.engine.broken.isEmpty)
    #expect(
      money.plan.answers[0].tally?.summary == "p:f: 1 nulls beyond a share of 0.5 flagged")
  }

  @Test func noNullsAtAllIsABoundLikeAnyOther() throws {
    let money = try Money(
      "p: { entity: ['k'], from: 'paid', features: { f: { sum: 'amount', nulls: 0, default: 7 } } }"
    )
    #expect(try money.ask("\"total\":1") == ["p:f": "7.0"])
    #expect(money.engine.broken.map(\.consequence) == [.replace])
    #expect(money.plan.answers[0].tally?.summary == "p:f: 1 nulls replaced")
  }

  @Test(
    arguments: [
      ("sum: 'amount', min: 2, max: 1", "p.features.f: min 2.0 is above max 1.0"),
      ("sum: 'amount', nulls: 2", "p.features.f: nulls: 2.0 is no share"),
      ("sum: 'amount', default: 2", "p.features.f: 'default' needs min, max or nulls"),
      (
        "sum: 'amount', max: 2, default: 1, broken: 'flag'",
        "p.features.f.default: a default is for"
      ),
      ("sum: 'amount', max: 2, broken: 'ignore'", "p.features.f.broken: 'ignore' is none of"),
      ("count: '*', from: 'refunded'", "p.features.f.from: the view does not draw from 'refunded'"),
      ("min: 'amount', max: 'amount'", "p.features.f: names several aggregations: min, max"),
    ])
  func refusesWrongGuards(_ declaration: String, _ expected: String) {
    let found = message { () throws(Failure) in
      _ = try DerivedFeatureTests.definitions(
        "p: { entity: ['k'], from: 'paid', features: { f: { \(declaration) } } }")
    }
    #expect(found.hasPrefix("test.json:1: \(expected)"), "\(found)")
  }
}
