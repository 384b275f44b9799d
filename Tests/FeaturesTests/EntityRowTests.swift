// An entity's state as bytes: asked where it lies it answers as memory does, and taken back into memory it goes on as
// if nothing had been.

import TestSupport
import Testing

@testable import Core
@testable import Features

@Suite struct EntityRowTests {
  private static let windows = [
    "", ", window: '37s', every: 'exact'", ", window: '600s', every: '60s'",
    ", window: '1h'", ", tumbling: '60s'", ", cumulative: '600s', every: '120s'",
    ", session: '90s'",
  ]

  private static let aggregations = [
    "count: '*'", "count: 'x'", "sum: 'x'", "mean: 'x'", "min: 'x'", "max: 'x'", "first: 's'",
    "last: 's'", "count_distinct: 's'", "stddev: 'x'", "variance: 'x'", "skew: 'x'",
    "kurtosis: 'x'", "first_n: 's', n: 3", "last_n: 'x', n: 4", "top_k: 'x', k: 3",
    "histogram: 's'", "histogram: 'x', bounds: [-10, 0, 10]", "percentile: 'x', p: 0.9",
    "approx_count_distinct: 's'", "approx_count_distinct: 's', precision: 4",
    "ewma: 'x', half_life: '5m'", "rate: '*', per: '1m'",
    "time_since_last: '*'", "ratio: [{ sum: 'x' }, { count: '*' }]",
  ]

  /// By place; a rate needs a window of some length.
  private static let names = windows.flatMap { window in aggregations.map { $0 + window } }
    .filter { !$0.hasPrefix("rate") || $0.contains("window") }

  private static let declarations = names.enumerated()
    .map { "f\($0.offset): { \($0.element) }" }.joined(separator: ", ")

  private func text(_ values: [Scalar]) -> [String] {
    values.map { value in
      switch value {
      case .null: "null"
      case .text(let text): text.string
      default: value.number.map { "\($0)" } ?? "?"
      }
    }
  }

  private func row(_ stream: FeatureStream) -> [UInt8] {
    let state = stream.engine.states[0]
    var writer = EntityRowWriter(strings: state.texts.strings)
    return state.write(0, with: &writer).row
  }

  /// The values that a row gives, by a reader that knows nothing else; nil where the row says that it is ahead.
  private func answer(_ bytes: [UInt8], at time: Timestamp) throws -> [String]? {
    let reader = try FeatureStream(EntityRowTests.declarations)
    var values: [Scalar] = []
    let state = reader.engine.states[0]
    let answer = bytes.withBytes { state.answer($0, at: time, into: &values) }
    return try #require(answer).isAhead ? nil : text(values)
  }

  /// Equal, or within 1e-12 of the sum of magnitudes where many rows of an exact window are folded otherwise.
  private func isSame(_ found: String, _ expected: String, _ name: String) -> Bool {
    if found == expected { return true }
    guard name.contains("exact"), let left = Double(found), let right = Double(expected) else {
      return false
    }
    return abs(left - right) <= 1e-9 * max(1, abs(right))
  }

  /// `pace` is the most seconds between two events, `late` the most by which one comes late.
  @Test(arguments: [(1, 0), (1, 40), (3, 120), (40, 100), (600, 900)] as [(Int64, Int64)])
  func rowsAnswerAsMemoryDoes(_ pace: Int64, _ late: Int64) throws {
    var random = SplitMix64(seed: UInt64(pace * 7_919 + late))
    let stream = try FeatureStream(EntityRowTests.declarations)
    // Goes through bytes every now and then.
    var resumed = try FeatureStream(EntityRowTests.declarations)
    var latest: Int64 = 1_000_000
    var exact = 0
    for order in 0..<300 {
      latest += Int64.random(in: 0...pace, using: &random)
      let second = latest - Int64.random(in: 0...late, using: &random)
      let x = Double.random(in: -1...1, using: &random) * 1_000
      let event = TestEvent(
        time: Timestamp(microseconds: second * 1_000_000), key: "k",
        x: Int.random(in: 0..<9, using: &random) == 0 ? nil : order % 3 == 0 ? x.rounded() : x,
        text: Int.random(in: 0..<9, using: &random) == 0
          ? nil : "\(Int.random(in: 0..<80, using: &random))")
      let watermark = Timestamp(microseconds: (latest - late) * 1_000_000)
      try stream.apply(event, watermark: watermark)
      try resumed.apply(event, watermark: watermark)
      guard order % 10 == 9 else { continue }
      let ahead = Int64.random(
        in: -late...Int64.random(in: 1...700, using: &random), using: &random)
      let time = Timestamp(microseconds: (latest + ahead) * 1_000_000)
      let expected = try stream.ask("k", at: time)
      let bytes = row(stream)
      if let found = try answer(bytes, at: time) {
        exact += 1
        for place in found.indices
        where !isSame(found[place], expected[place], EntityRowTests.names[place]) {
          Issue.record(
            "\(EntityRowTests.names[place]) \(ahead) s on: \(found[place]), not \(expected[place])")
        }
      } else {
        #expect(ahead <= 0)
      }
      guard order % 50 == 49 else { continue }
      resumed = try restored(row(resumed), order: Int64(order + 1))
      #expect(
        try resumed.ask("k", at: event.time + .hours(2))
          == stream.ask("k", at: event.time + .hours(2)))
    }
    #expect(exact >= 10)
    let end = Timestamp(microseconds: (latest + 1) * 1_000_000)
    let (found, expected) = (try resumed.ask("k", at: end), try stream.ask("k", at: end))
    for place in found.indices
    where !isSame(found[place], expected[place], EntityRowTests.names[place]) {
      Issue.record(
        "resumed \(EntityRowTests.names[place]): \(found[place]), not \(expected[place])")
    }
  }

  /// A writer that ends as it should leaves all rows that a late event may come before: also where no exact window
  /// needs them, and there are more than a busy entity is written with.
  @Test(arguments: [7, 8, 9] as [UInt64])
  func aBreakChangesNothingThatLateEventsTouch(_ seed: UInt64) throws {
    let windows = EntityRowTests.windows.filter { !$0.contains("exact") }
    let names = windows.flatMap { window in EntityRowTests.aggregations.map { $0 + window } }
      .filter { !$0.hasPrefix("rate") || $0.contains("window") }
    let declarations = names.enumerated().map { "f\($0.offset): { \($0.element) }" }
      .joined(separator: ", ")
    var random = SplitMix64(seed: seed)
    let whole = try FeatureStream(declarations)
    var broken = try FeatureStream(declarations)
    for order in 0..<900 {
      let latest = Int64(1_000 + order * 5)
      let isLate = order > 400 && Int.random(in: 0..<4, using: &random) == 0
      let second = isLate ? latest - Int64.random(in: 0...1_700, using: &random) : latest
      let event = TestEvent(
        time: Timestamp(microseconds: second * 1_000_000), key: "k", x: Double(order % 91),
        text: "t\(order % 7)")
      let watermark = Timestamp(microseconds: (latest - 1_800) * 1_000_000)
      try whole.apply(event, watermark: watermark)
      try broken.apply(event, watermark: watermark)
      if order % 300 == 299 {
        let state = broken.engine.states[0]
        var writer = EntityRowWriter(strings: state.texts.strings)
        let row = state.write(0, with: &writer, watermark: watermark).row
        broken = try restored(row, order: Int64(order + 1), declarations)
      }
      guard order % 25 == 24 else { continue }
      for ahead in [1, 100, 700, 4_000] as [Int64] {
        let time = Timestamp(microseconds: (latest + ahead) * 1_000_000)
        let (found, expected) = (try broken.ask("k", at: time), try whole.ask("k", at: time))
        for place in found.indices where found[place] != expected[place] {
          Issue.record("\(order) \(names[place]): \(found[place]), not \(expected[place])")
        }
      }
    }
  }

  private func restored(
    _ bytes: [UInt8], order: Int64, _ declarations: String = EntityRowTests.declarations
  ) throws -> FeatureStream {
    let stream = try FeatureStream(declarations, order: order)
    let key = EntityKey()
    let text = Array("k".utf8)
    let hasKey = text.withBytes { text in
      withUnsafePointer(to: Scalar.text(text)) { key.assign(KeySlots(owning: [0]), $0) }
    }
    #expect(hasKey)
    let state = stream.engine.states[0]
    #expect(bytes.withBytes { state.restore(key.bytes, $0) })
    return stream
  }

  @Test func aCountFallsToZeroWhenNothingHappens() throws {
    let stream = try FeatureStream("n: { count: '*', window: '5m' }")
    let start = Timestamp(microseconds: 0)
    for second in 0..<60 {
      try stream.apply(TestEvent(time: start + .seconds(Int64(second)), key: "k"))
    }
    let bytes = row(stream)
    let state = stream.engine.states[0]
    for (after, expected) in [(60, 60), (330, 30), (359, 1), (360, 0)] as [(Int64, Int64)] {
      var values: [Scalar] = []
      _ = bytes.withBytes { state.answer($0, at: start + .seconds(after), into: &values) }
      #expect(text(values) == ["\(Double(expected))"])
    }
  }

  /// Whatever the bytes are, reading them ends well: with values, or with the word that they are damaged.
  @Test func bytesOfAnyKindAreRead() throws {
    let stream = try FeatureStream(EntityRowTests.declarations)
    for second in 0..<40 {
      try stream.apply(
        TestEvent(
          time: Timestamp(microseconds: Int64(second) * 7_000_000), key: "k", x: 1, text: "a"))
    }
    let whole = row(stream)
    let state = stream.engine.states[0]
    var values: [Scalar] = []
    var refused = 0
    for count in stride(from: 0, to: whole.count, by: 3) {
      let part = Array(whole[..<count])
      if part.withBytes({
        state.answer($0, at: Timestamp(microseconds: 300_000_000), into: &values)
      }) == nil {
        refused += 1
      }
    }
    #expect(refused > whole.count / 6)
  }
}
