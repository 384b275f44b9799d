// Joins of two streams against a twin that looks at all pairs: in the order of time, on arrival in any order within the
// lateness, and at the end alike whatever the order was.

import TestSupport
import Testing

@testable import Core
@testable import Events
@testable import Features

@Suite struct JoinTests {
  private static let shapes = [
    JoinShape(after: 20), JoinShape(before: 7, after: 20, isOuter: true),
    JoinShape(before: 15, after: 0, isOuter: true), JoinShape(after: 0, isOuter: true),
    JoinShape(before: 40, after: 40),
  ]

  @Test(arguments: shapes.indices) func inTheOrderOfTimeItAgreesWithAllPairs(
    _ index: Int
  ) throws {
    let shape = JoinTests.shapes[index]
    var random = SplitMix64(seed: UInt64(index))
    let world = try JoinWorld(shape)
    let events = Array(JoinEvent.generate(120, &random).enumerated())
    var matches = 0.0
    for (order, event) in events {
      world.engine.advance(to: event.time, order: Int64(order))
      let known = events.filter { $0.element.time < event.time }.map { ($0.element, $0.offset) }
      let records = JoinRecord.all(known, shape, complete: event.time)
      for ad in 0...2 {
        let expected = JoinRecord.answer(records, ad, at: event.time)
        #expect(try world.ask(ad, at: event.time) == expected, "event \(order)")
        matches += expected[1] ?? 0
      }
      try world.apply(event, order: order, watermark: event.time)
    }
    #expect(matches > 0)
  }

  @Test(arguments: shapes.indices) func onArrivalItAgreesWithAllPairsThatHaveArrived(
    _ index: Int
  ) throws {
    let shape = JoinTests.shapes[index]
    for late in [0, 5, 60] as [Int64] {
      var random = SplitMix64(seed: UInt64(index) + UInt64(late))
      let world = try JoinWorld(shape)
      let events = JoinEvent.shuffled(
        JoinEvent.generate(120, &random), late: late, &random)
      var latest = Timestamp.distantPast
      for (order, event) in events.enumerated() {
        latest = max(latest, event.time)
        let watermark = latest - .seconds(late)
        world.engine.advance(to: min(watermark, event.time), order: Int64(order))
        let known = events[..<order].enumerated().map { ($0.element, $0.offset) }
        let records = JoinRecord.all(known, shape, complete: watermark)
        for ad in 0...2 {
          #expect(
            try world.ask(ad, at: event.time) == JoinRecord.answer(records, ad, at: event.time),
            "event \(order), late \(late)")
        }
        try world.apply(event, order: order, watermark: watermark)
      }
      // Whatever came when: in the end it is the same as in the order of time.
      let end = latest + .hours(1)
      world.engine.advance(to: end, order: Int64(events.count))
      let sorted = events.sorted { $0.second < $1.second }.enumerated().map {
        ($0.element, $0.offset)
      }
      let records = JoinRecord.all(sorted, shape, complete: end)
      for ad in 0...2 {
        let (found, expected) = (
          try world.ask(ad, at: end), JoinRecord.answer(records, ad, at: end)
        )
        #expect(Array(found[..<3]) == Array(expected[..<3]))
      }
    }
  }

  @Test func whatNoMatchCanComeForIsForgotten() throws {
    var random = SplitMix64(seed: 3)
    let world = try JoinWorld(JoinShape(before: 5, after: 20, isOuter: true))
    var most = 0
    for (order, event) in JoinEvent.generate(4_000, &random).enumerated() {
      try world.apply(event, order: order, watermark: event.time - .seconds(10))
      most = max(most, world.engine.joins[0].waitingCount)
    }
    // Within 30 seconds come about 22 events, and a few more where many come at once.
    #expect(most > 10 && most < 80, "\(most)")
    world.engine.advance(to: .distantFuture, order: 10_000)
    #expect(world.engine.joins[0].waitingCount == 0)
  }

  @Test func oneTypeCanBeJoinedWithItself() throws {
    let schema = JoinWorld.schema()
    let member = try ConfigNode.member(
      """
      { v: { entity: ['a'], join: { left: { from: 'l', as: 'first' }, right: { from: 'l', as: 'second' },
        on: 'k', within: '10s' }, features: { n: { count: '*' }, s: { sum: 'first.x * 10 + second.x' } } } }
      """)
    let engine = FeatureEngine(try FeatureDefinitions([member], schema: schema), schema: schema)
    let plan = engine.plan(requestsOf: 0, schema: schema)
    let decoder = EventDecoder(schema)
    for (order, (second, x)) in [(0, 1), (4, 2), (4, 3), (15, 4)].enumerated() {
      let event = JoinEvent(isLeft: true, id: 0, second: Int64(second), key: 1, ad: 0, x: x)
      try event.line.withBytes { (line) throws(BadRecord) in
        _ = try decoder.decode(line, as: 0)
        engine.apply(
          type: 0, decoder.scalars, at: event.time, order: Int64(order), watermark: .distantPast)
      }
    }
    var values: [Scalar] = []
    engine.lookUp(plan, decoder.scalars, at: .distantFuture, into: &values)
    // 1 with 2 and 3; 2 and 3 with each other, since they are of one time; nothing with itself.
    let expected: [Double?] = [4, 80]
    #expect(values.map(\.number) == expected)
  }

  @Test func keysAreEqualAcrossKindsOfNumbersAndMayBeExpressions() throws {
    let types = [
      EventType(
        name: "l", idMember: nil,
        fields: [
          Field(name: "n", type: .integer), Field(name: "at", type: .time),
          Field(name: "flag", type: .boolean), Field(name: "mail", type: .string),
        ]),
      EventType(
        name: "r", idMember: nil,
        fields: [
          Field(name: "m", type: .number), Field(name: "at", type: .time),
          Field(name: "flag", type: .boolean), Field(name: "address", type: .string),
        ]),
    ]
    let schema = EventSchema(types: types)
    let member = try ConfigNode.member(
      """
      { v: { entity: ['n'], join: { left: 'l', right: 'r', within: '10s', on: ['r.m == l.n', 'at', 'flag',
        'l.mail.lowerAscii() == r.address'] }, features: { n: { count: '*' } } } }
      """)
    let engine = FeatureEngine(try FeatureDefinitions([member], schema: schema), schema: schema)
    let plan = engine.plan(requestsOf: 0, schema: schema)
    let decoder = EventDecoder(schema)
    let rest = #""at":"2026-01-01T00:00:00Z","flag":true"#
    let other = #""at":"2026-01-01T00:00:00+01:00","flag":true"#
    let lines = [
      (1, #"{"time":"2026-01-01T10:00:00Z","m":7.0,\#(rest),"address":"a@b"}"#),
      (1, #"{"time":"2026-01-01T10:00:00Z","m":7.5,\#(rest),"address":"a@b"}"#),
      (1, #"{"time":"2026-01-01T10:00:00Z","m":7,\#(rest),"address":"A@b"}"#),
      (1, #"{"time":"2026-01-01T10:00:00Z","m":7,\#(other),"address":"a@b"}"#),
      (0, #"{"time":"2026-01-01T10:00:00Z","n":7,\#(rest),"mail":"A@B"}"#),
    ]
    for (order, (type, line)) in lines.enumerated() {
      try Array(line.utf8).withBytes { (line) throws(BadRecord) in
        let event = try decoder.decode(line, as: type)
        engine.apply(
          type: type, decoder.scalars, at: event.time, order: Int64(order), watermark: .distantPast)
      }
    }
    var values: [Scalar] = []
    engine.lookUp(plan, decoder.scalars, at: .distantFuture, into: &values)
    #expect(values.map(\.number) == [1])
  }
}
