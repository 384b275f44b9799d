// Looking ahead changes nothing: the same events are answered the same way, whatever lines were looked at before.

import TestSupport
import Testing

@testable import Core
@testable import Events
@testable import Features

@Suite struct EntitiesAheadTests {
  /// Whatever may stand in a stream.
  private static let odd = [
    "", "garbage", "{\"k\":null,\"x\":{}}", "{\"k\":[1],\"x\":\"\\u0041\"}",
    "{\"k\":1e400,\"x\":-0}", "{}", "[1]",
    "{\"k\":\"\(String(repeating: "x", count: 1_000))\",\"x\":18446744073709551615}",
  ].map { Array($0.utf8) }

  private let schema = FeatureStream.schema()

  private func engine() throws -> FeatureEngine {
    let members = try [
      "{ v: { entity: ['k'], from: 'e', features: { n: { count: '*' }, s: { sum: 'x', window: '1m' } } } }",
      "{ w: { entity: ['k', 'x'], from: 'e', features: { n: { count: '*', window: '30s' } } } }",
    ].map { try ConfigNode.member($0) }
    return FeatureEngine(try FeatureDefinitions(members, schema: schema), schema: schema)
  }

  /// What each event is answered before it counts.
  ///
  /// - Parameter looking: gives the lines that are looked at before the event of an index.
  private func answers(
    _ events: [TestEvent], looking: ((Int) -> [[UInt8]])? = nil
  ) throws -> [String] {
    let engine = try engine()
    let ahead = EntitiesAhead(engine, schema: schema, entitiesMin: 0)
    let plan = engine.plan(requestsOf: 0, schema: schema)
    let decoder = EventDecoder(schema)
    var values: [Scalar] = []
    var all: [String] = []
    for (index, event) in events.enumerated() {
      for line in looking?(index) ?? [] {
        (line + [UInt8](repeating: 0, count: LineReader.padding)).withBytes {
          ahead.add($0[0..<line.count])
        }
      }
      ahead.reach()
      try event.line.withBytes { (bytes) throws(BadRecord) in
        let decoded = try decoder.decode(bytes)
        engine.lookUp(plan, decoder.scalars, at: decoded.time, into: &values)
        all.append("\(values)")
        engine.apply(
          type: 0, decoder.scalars, at: decoded.time, order: Int64(index), watermark: decoded.time)
      }
    }
    return all
  }

  @Test(arguments: 0..<4) func changesNothing(_ seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    let events = (0..<2_000).map { index in
      TestEvent(
        time: Timestamp(microseconds: 0) + .seconds(Int64(index / 4)),
        key: random.next() % 20 == 0 ? nil : "k\(random.next() % 300)",
        x: random.next() % 10 == 0 ? nil : Double(random.next() % 5), text: nil)
    }
    let plain = try answers(events)
    let ahead = try answers(events) { index in
      events[index...].prefix(EntitiesAhead.linesMax).map(\.line) + (index % 7 == 0 ? Self.odd : [])
    }
    #expect(plain == ahead)
    #expect(Set(plain).count > 20)
  }

  @Test func paysFromItsBoundOn() throws {
    let engine = try engine()
    #expect(!EntitiesAhead(engine, schema: schema).pays)
    #expect(EntitiesAhead(engine, schema: schema, entitiesMin: 0).pays)
  }
}
