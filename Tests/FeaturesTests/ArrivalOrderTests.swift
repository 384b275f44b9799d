// With the watermark awaited, the answers do not depend on the order in which events arrive: any order within the
// lateness gives the same values, to the last bit, and what arrives in the order of time gives them at once.

import TestSupport
import Testing

@testable import Core
@testable import Events
@testable import Features

@Suite struct ArrivalOrderTests {
  private static let declarations = """
    n: { count: '*', window: '10m', every: 'exact' }, m: { mean: 'x', window: '30m', every: '5m' },
    d: { stddev: 'x' }, k: { kurtosis: 'x', window: '1h' }, l: { last: 's' }, f: { first: 's', tumbling: '5m' },
    c: { count_distinct: 's', cumulative: '1h' }, s: { sum: 'x', session: '2m' },
    e: { ewma: 'x', half_life: '5m' }, p: { percentile: 'x', p: 0.9, window: '20m' }
    """

  private func event(_ random: inout SplitMix64, _ second: Int64) -> TestEvent {
    TestEvent(
      time: Timestamp(microseconds: second * 1_000_000),
      key: ["a", "b"].randomElement(using: &random),
      x: Double.random(in: -1e6...1e6, using: &random),
      text: "\(Int.random(in: 0...9, using: &random))")
  }

  /// Events in this order of arrival wait for the watermark as `materialize --emit watermark` lets them.
  private func answers(_ events: [(id: Int, event: TestEvent)], late: Int64) throws -> [String] {
    let stream = try FeatureStream(ArrivalOrderTests.declarations)
    var waiting = ReorderBuffer()
    var latest = Timestamp.distantPast
    var answers: [String] = []
    func take(_ next: WaitingEvent) throws {
      let event = events.first { $0.id == Int(next.offset) }!.event
      let values = try stream.ask(event.key, at: event.time)
      answers.append("\(next.offset) \(values)")
      try stream.apply(event, watermark: event.time)
    }
    for (id, event) in events {
      waiting.insert(
        WaitingEvent(time: event.time, id: Array("\(id)".utf8), offset: Int64(id), line: []))
      latest = max(latest, event.time)
      while let next = waiting.next(before: latest - .seconds(late)) { try take(next) }
    }
    while let next = waiting.next() { try take(next) }
    return answers
  }

  @Test(arguments: [0, 30, 600] as [Int64]) func theOrderOfArrivalDoesNotMatter(
    _ late: Int64
  ) throws {
    var random = SplitMix64(seed: UInt64(late))
    var second: Int64 = -500
    // Ties are many, since times are whole seconds.
    let events = (0..<250).map { id in
      second += Int64.random(in: 0...20, using: &random)
      return (id: id, event: event(&random, second))
    }
    let expected = try answers(events, late: late)
    #expect(expected.count == events.count)
    for _ in 0..<4 {
      let arrival = events.map { event in
        (
          event.event.time.microseconds + Int64.random(in: 0...late * 1_000_000, using: &random),
          event
        )
      }
      let shuffled = arrival.sorted { $0.0 < $1.0 }.map(\.1)
      #expect(try answers(shuffled, late: late) == expected)
    }
  }

  /// The same events applied on arrival in the order of time, with a watermark far behind, which keeps rows where
  /// the other way keeps tiles.
  @Test func whatHasSettledAnswersAsWhatHasNot() throws {
    var random = SplitMix64(seed: 99)
    var second: Int64 = 0
    let settled = try FeatureStream(ArrivalOrderTests.declarations)
    let open = try FeatureStream(ArrivalOrderTests.declarations)
    for _ in 0..<600 {
      second += Int64.random(in: 1...20, using: &random)
      let event = event(&random, second)
      #expect(
        try settled.ask(event.key, at: event.time) == open.ask(event.key, at: event.time))
      try settled.apply(event, watermark: event.time)
      try open.apply(event, watermark: event.time - .hours(5))
    }
  }
}
