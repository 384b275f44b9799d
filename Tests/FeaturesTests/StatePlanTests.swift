// What a plan says that an entity takes, against rows as they are written.

import TestSupport
import Testing

@testable import Core
@testable import Events
@testable import Features

@Suite struct StatePlanTests {
  /// The bytes of the row of one entity, to which something happened each `pace` seconds for `hours`.
  private func measure(
    _ features: String, pace: Int64, hours: Int64
  ) throws -> (plan: StatePlan, events: Int, bytes: Int) {
    let stream = try FeatureStream(features)
    var random = SplitMix64(seed: 1)
    for second in stride(from: 0, to: hours * 3_600, by: Int(pace)) {
      let event = TestEvent(
        time: Timestamp(microseconds: Int64(second) * 1_000_000), key: "a",
        x: Double.random(in: 0...9, using: &random), text: nil)
      try stream.apply(event, watermark: event.time)
    }
    let state = stream.engine.states[0]
    var writer = EntityRowWriter(strings: state.texts.strings)
    let bytes = state.write(0, with: &writer).row
    let row = bytes.withBytes {
      EntityRow($0, columns: state.view.columns.count, strings: state.texts.strings)
    }
    return (StatePlan(state.view), try #require(row).rowCount, bytes.count)
  }

  private static let declarations = [
    "n: { count: '*', window: '1h' }",
    "s: { sum: 'x', window: '1d' }, m: { mean: 'x', window: '1d' }",
    "m: { max: 'x', window: '2h', every: '10m' }, v: { variance: 'x', window: '2h', every: '10m' }",
    "k: { kurtosis: 'x', window: '3d' }, l: { last: 'x', window: '3h' }, f: { first: 'x', window: '3h' }",
    "r: { ratio: [{ sum: 'x' }, { count: '*' }], window: '6h' }, t: { time_since_last: '*' }",
    "a: { count: '*', tumbling: '1h' }, b: { stddev: 'x', cumulative: '1d', every: '1h' }",
    "e: { ewma: 'x', half_life: '1h' }, u: { skew: 'x' }, g: { rate: '*', window: '1h' }",
    "s: { sum: 'x', session: '10m' }",
  ]

  @Test(arguments: declarations) func aBusyEntityTakesWhatThePlanSays(_ features: String) throws {
    // Every tile has events, for longer than the longest window, up to the end of a day.
    let (plan, events, bytes) = try measure(features, pace: 20, hours: 96)
    #expect(events > 16 && events <= plan.eventsKept)
    let planned = plan.entityBytesMost - plan.eventBytes * (plan.eventsKept - events)
    #expect(plan.exactWindow == .zero)
    #expect(
      abs(Double(bytes - planned)) <= 0.2 * Double(planned), "measured \(bytes), planned \(planned)"
    )
  }

  @Test func anExactWindowTakesItsEvents() throws {
    let (plan, _, bytes) = try measure(
      "n: { sum: 'x', window: '1h', every: 'exact' }", pace: 10, hours: 5)
    #expect(plan.exactWindow == .hours(1) && plan.tiles.isEmpty)
    let planned = plan.entityBytes + plan.eventBytes * 360
    #expect(
      abs(Double(bytes - planned)) <= 0.2 * Double(planned), "measured \(bytes), planned \(planned)"
    )
  }

  @Test func whatWaitsInAJoinTakesWhatThePlanSays() throws {
    let world = try JoinWorld(JoinShape(after: 60))
    let join = world.engine.joins[0]
    join.resume(offset: -1, watermark: .distantPast)
    for (order, isLeft) in [true, false].enumerated() {
      let event = JoinEvent(isLeft: isLeft, id: order, second: 100, key: 1, ad: 2, x: 3)
      try world.apply(event, order: order, watermark: .distantPast)
    }
    var bytes: [Int] = []
    try join.visitChanged { (key, row, _) throws(Failure) in bytes.append(key.count + row.count) }
    let plan = StatePlan(join.view.view)
    // The key is "k1": two bytes of text.
    #expect(plan.waiting.map { $0.bytes + 2 } == bytes)
    #expect(plan.waiting.map(\.reach) == [.seconds(60), .zero])
    #expect(plan.waiting.map(\.stream) == ["l", "r"])
  }

  @Test func whatGrowsIsNamed() throws {
    let (plan, _, _) = try measure(
      "d: { count_distinct: 's' }, n: { count: '*' }, p: { percentile: 'x', p: 0.5 }", pace: 600,
      hours: 1)
    #expect(
      plan.growing.map(\.feature) == ["v:d", "v:p"])
  }
}
