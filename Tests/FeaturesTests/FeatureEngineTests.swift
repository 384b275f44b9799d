// The engine against a twin that keeps every event and computes each answer anew.

import Foundation
import TestSupport
import Testing

@testable import Core
@testable import Features

@Suite struct FeatureEngineTests {
  /// Name, window and hop in seconds (nil: none), as the twin reads them.
  private struct Shape {
    let name: String
    let declaration: String
    let window: Int64?
    let hop: Int64?
  }

  private static let aggregations = [
    "count: '*'", "count: 'x'", "sum: 'x'", "mean: 'x'", "min: 'x'", "max: 'x'", "stddev: 'x'",
    "variance: 'x'",
    "first: 's'", "last: 's'", "count_distinct: 's'",
  ]

  private static let windows: [(String, Int64?, Int64?)] = [
    ("", nil, nil), (", window: '10m'", 600, nil), (", window: '10m', every: '5m'", 600, 300),
    (", window: '7m', every: '3m'", 420, 180), (", window: '1h'", 3_600, 300),
    (", window: '1h', every: 'exact'", 3_600, nil),
    (", window: '1us'", 0, nil),
  ]

  private static func shapes(_ windows: [(String, Int64?, Int64?)]) -> [Shape] {
    windows.enumerated().flatMap { number, window in
      aggregations.enumerated().map { index, aggregation in
        Shape(
          name: aggregation.components(separatedBy: ":")[0],
          declaration: "f\(number)a\(index): { \(aggregation)\(window.0) }", window: window.1,
          hop: window.2)
      }
    }
  }

  /// The twin: all events of the key in [start, time), in order, folded by hand.
  private func truth(
    _ shape: Shape, _ events: [TestEvent], _ key: String, _ time: Timestamp, isStar: Bool
  ) -> String {
    let second = time.microseconds / 1_000_000
    var start = Int64.min
    if let window = shape.window {
      start = second - window
      if let hop = shape.hop { start -= ((start % hop) + hop) % hop }
    }
    let rows = events.enumerated().filter { _, event in
      let at = event.time.microseconds / 1_000_000
      return event.key == key && at >= start && at < second
    }.sorted { ($0.element.time, $0.offset) < ($1.element.time, $1.offset) }.map(\.element)
    let numbers = rows.compactMap(\.x)
    let texts = rows.compactMap(\.text)
    let sum = numbers.reduce(0, +)
    func orNull(_ value: Double?) -> String { value.map { "\($0)" } ?? "null" }
    switch shape.name {
    case "count": return "\(Double(isStar ? rows.count : numbers.count))"
    case "sum": return orNull(numbers.isEmpty ? nil : sum)
    case "mean": return orNull(numbers.isEmpty ? nil : sum / Double(numbers.count))
    case "min": return orNull(numbers.min())
    case "max": return orNull(numbers.max())
    case "first": return texts.first ?? "null"
    case "last": return texts.last ?? "null"
    case "count_distinct": return "\(Double(Set(texts).count))"
    default:
      guard numbers.count > 1 else { return "null" }
      let mean = sum / Double(numbers.count)
      let squares = numbers.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
      let variance = squares / Double(numbers.count - 1)
      return "\(shape.name == "variance" ? variance : variance.squareRoot())"
    }
  }

  private func near(_ left: String, _ right: String) -> Bool {
    if left == right { return true }
    guard let one = Double(left), let other = Double(right) else { return false }
    return abs(one - other) <= 1e-9 * max(1, abs(one))
  }

  private func random(_ random: inout SplitMix64, at time: Timestamp) -> TestEvent {
    TestEvent(
      time: time, key: ["a", "b", "ü", nil].randomElement(using: &random)!,
      x: Bool.random(using: &random) ? Double(Int.random(in: -20...20, using: &random)) / 4 : nil,
      text: ["p", "q", "r", nil].randomElement(using: &random)!)
  }

  /// Random streams, out of order within the lateness; questions at any time from the watermark on, before
  /// and after each event. The jumps let the engine forget, and its bases take over.
  @Test(arguments: [UInt64(1), 2, 3], [0, 1])
  func agreesWithATwinThatKeepsEverything(_ seed: UInt64, _ part: Int) throws {
    let shapes = Self.shapes(part == 0 ? Self.windows : Array(Self.windows[0..<1]))
    let stream = try FeatureStream(
      shapes.map(\.declaration).joined(separator: ", "), filter: "x != 3.0 || x == null")
    var random = SplitMix64(seed: seed)
    var known: [TestEvent] = []
    // Around the epoch, so that times are negative as well.
    var latest: Int64 = -20_000
    var watermark = Timestamp.distantPast
    func check(_ key: String, _ time: Timestamp) throws {
      let found = try stream.ask(key, at: time)
      for (index, shape) in shapes.enumerated() {
        let isStar = index % Self.aggregations.count == 0
        let expected = truth(shape, known, key, time, isStar: isStar)
        #expect(
          near(found[index], expected),
          "\(shape.declaration) of \(key) at \(time.rfc3339): \(found[index]), not \(expected)")
      }
    }
    for round in 0..<150 {
      let jump: Int64 = Int.random(in: 0..<12, using: &random) == 0 ? 6_000 : 90
      latest += Int64.random(in: 0...jump, using: &random)
      let late = Int64.random(in: 0...300, using: &random)
      let event = self.random(&random, at: Timestamp(microseconds: (latest - late) * 1_000_000))
      if let key = event.key { try check(key, event.time) }
      watermark = max(watermark, Timestamp(microseconds: (latest - 300) * 1_000_000))
      try stream.apply(event, watermark: watermark)
      if event.x != 3 { known.append(event) }
      guard round % 3 == 0 else { continue }
      let ahead = Int64.random(in: 0...4_000, using: &random)
      try check(["a", "b", "ü"].randomElement(using: &random)!, watermark + .seconds(ahead))
    }
  }

  // MARK: What counts

  private let noon = Timestamp("2013-01-05T12:00:00Z")

  @Test func anEventSeesNeitherItselfNorOthersOfItsTime() throws {
    let stream = try FeatureStream(
      "n: { count: '*' }, w: { count: '*', window: '1h' }, l: { last: 's' }")
    for text in ["p", "q"] { try stream.apply(TestEvent(time: noon, key: "a", text: text)) }
    #expect(try stream.ask("a", at: noon) == ["0.0", "0.0", "null"])
    #expect(try stream.ask("a", at: noon + TimeSpan(microseconds: 1)) == ["2.0", "2.0", "q"])
  }

  @Test func aWindowIncludesItsStart() throws {
    let stream = try FeatureStream("w: { count: '*', window: '10m' }")
    try stream.apply(TestEvent(time: noon, key: "a"))
    #expect(try stream.ask("a", at: noon + .minutes(10)) == ["1.0"])
    #expect(try stream.ask("a", at: noon + .minutes(10) + TimeSpan(microseconds: 1)) == ["0.0"])
  }

  @Test func aNullKeyNamesNoEntity() throws {
    let stream = try FeatureStream("n: { count: '*' }, m: { mean: 'x' }")
    try stream.apply(TestEvent(time: noon, key: nil, x: 1))
    #expect(stream.engine.entityCount == 0)
    #expect(try stream.ask(nil, at: noon + .hours(1)) == ["null", "null"])
    #expect(try stream.ask("new", at: noon + .hours(1)) == ["0.0", "null"])
  }

  @Test func ofEventsOfOneTimeTheLaterInOrderIsLast() throws {
    let stream = try FeatureStream("f: { first: 's' }, l: { last: 's' }")
    try stream.apply(TestEvent(time: noon + .minutes(2), key: "a", text: "third"))
    try stream.apply(TestEvent(time: noon, key: "a", text: "first"))
    try stream.apply(TestEvent(time: noon + .minutes(2), key: "a", text: "fourth"))
    try stream.apply(TestEvent(time: noon + .minutes(1), key: "a", text: "second"))
    #expect(try stream.ask("a", at: noon + .minutes(3)) == ["first", "fourth"])
    #expect(try stream.ask("a", at: noon + .minutes(2)) == ["first", "second"])
  }

  /// Where tiles are merged carelessly, the maximum of a window that has moved on stays, a minimum comes
  /// from an empty tile, and a deviation is taken of means.
  @Test(
    arguments: [
      (1, ["null", "null", "null"]), (5, ["10.0", "10.0", "null"]),
      (10, ["30.0", "10.0", "14.142135623730951"]),
      (12, ["30.0", "10.0", "10.0"]), (15, ["30.0", "20.0", "7.0710678118654755"]),
      (16, ["30.0", "20.0", "7.0710678118654755"]), (17, ["30.0", "5.0", "12.583057392117917"]),
      (20, ["20.0", "5.0", "10.606601717798213"]), (25, ["5.0", "5.0", "null"]),
      (29, ["5.0", "5.0", "null"]),
      (30, ["null", "null", "null"]),
    ] as [(Int64, [String])])
  func hoppingWindowsForgetWhatHasLeftThem(_ minute: Int64, _ expected: [String]) throws {
    let window = "window: '10m', every: '5m'"
    let stream = try FeatureStream(
      "a: { max: 'x', \(window) }, b: { min: 'x', \(window) }, c: { stddev: 'x', \(window) }")
    let midnight = Timestamp("2013-01-05T00:00:00Z")
    for (at, x) in [(Int64(1), 10.0), (6, 30), (11, 20), (16, 5)] {
      try stream.apply(TestEvent(time: midnight + .minutes(at), key: "a", x: x))
    }
    let found = try stream.ask("a", at: midnight + .minutes(minute))
    #expect(zip(found, expected).allSatisfy { near($0, $1) }, "\(found)")
  }

  /// Memory follows the entities to which something happens, not all that ever were; and one that comes back is as one
  /// that was never there.
  @Test func idleEntitiesAreForgotten() throws {
    let declarations =
      "n: { count: '*', window: '1m' }, m: { max: 'x', window: '2m', every: '1m' }, s: { sum: 'x', tumbling: '1m' }"
    let stream = try FeatureStream(declarations)
    var most = 0
    for second in 0..<40_000 as Range<Int64> {
      let time = Timestamp(microseconds: second * 1_000_000)
      let key = second % 10_000 < 100 ? "often" : "once \(second)"
      try stream.apply(
        TestEvent(time: time, key: key, x: Double(second)), watermark: time - .seconds(60))
      most = max(most, stream.engine.entityCount)
      guard second % 977 == 0 else { continue }
      let fresh = try FeatureStream(declarations)
      for past in max(0, second - 300)...second {
        let key = past % 10_000 < 100 ? "often" : "once \(past)"
        try fresh.apply(
          TestEvent(time: Timestamp(microseconds: past * 1_000_000), key: key, x: Double(past)))
      }
      for key in [key, "often", "once \(second - 90)", "once \(second - 5_000)"] {
        #expect(
          try stream.ask(key, at: time + .seconds(1)) == fresh.ask(key, at: time + .seconds(1)))
      }
    }
    #expect(most < 12_000)
  }
}
