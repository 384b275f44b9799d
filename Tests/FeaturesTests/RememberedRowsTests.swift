// Finished rows that a reader remembers: it says the same as one that remembers nothing, at every time and while the store is
// written; and it does remember.

import TestSupport
import Testing

@testable import Core
@testable import Features

@Suite struct RememberedRowsTests {
  private static let windows = [
    "", ", window: '37s', every: 'exact'", ", window: '600s', every: '60s'", ", tumbling: '60s'",
    ", cumulative: '600s', every: '120s'", ", cumulative: '300s', every: 'exact'",
  ]
  private static let aggregations = [
    "count: '*'", "sum: 'x'", "mean: 'x'", "min: 'x'", "last: 'x'", "stddev: 'x'",
    "count_distinct: 's'", "ewma: 'x', half_life: '5m'",
    "ratio: [{ sum: 'x' }, { count: '*' }]",
  ]
  private static let declarations = windows.flatMap { window in aggregations.map { $0 + window } }
    .enumerated().map { "f\($0.offset): { \($0.element) }" }.joined(separator: ", ")

  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// A store that is written, and two who read it.
  private final class Store {
    let stream: FeatureStream
    let writer: OnlineWriter
    let remembering: OnlineReader
    let plain: OnlineReader
    private let readerPlan: RequestPlan
    private let plainPlan: RequestPlan
    private let paths: [[String]]
    private var offset: Int64 = 0
    var recalled = 0

    init(_ declarations: String, _ folder: TemporaryFolder, remembered: Int) throws {
      let place = OnlineFolder(folder.path("online"), in: RealFileSystem())
      stream = try FeatureStream(declarations)
      writer = try OnlineWriter(stream.engine, folder: place, rebuilds: false)
      let definitions = stream.engine.definitions
      remembering = try OnlineReader(
        definitions, schema: FeatureStream.schema(), folder: place, remembered: remembered)
      plain = try OnlineReader(
        definitions, schema: FeatureStream.schema(), folder: place, remembered: 0)
      (readerPlan, paths) = remembering.plan(requestsOf: 0)
      plainPlan = plain.plan(requestsOf: 0).plan
    }

    func apply(_ event: TestEvent, watermark: Timestamp) throws {
      try stream.apply(event, watermark: watermark)
      writer.noteEvent(offset: offset, watermark: watermark)
      offset += 1
    }

    /// What both say, as text.
    func ask(_ key: String, at time: Timestamp) -> (remembering: [String], plain: [String]) {
      let text = Array(key.utf8)
      return text.withBytes { text in
        let scalars = paths.map { $0 == ["k"] ? Scalar.text(text) : .null }
        var (left, right): ([Scalar], [Scalar]) = ([], [])
        remembering.lookUp(readerPlan, scalars, at: time, given: [], into: &left)
        plain.lookUp(plainPlan, scalars, at: time, given: [], into: &right)
        recalled += remembering.outcome.recalled
        #expect(plain.outcome.recalled == 0)
        #expect(remembering.outcome.ahead == plain.outcome.ahead)
        #expect(remembering.outcome.absent == plain.outcome.absent)
        return (left.map { "\($0)" }, right.map { "\($0)" })
      }
    }
  }

  /// `rows` are fewer than the keys in one case, and more in the other.
  @Test(arguments: [(1, 8), (40, 8), (3, 64), (400, 64)] as [(Int64, Int)])
  func saysWhatAReaderSaysThatRemembersNothing(_ pace: Int64, _ rows: Int) throws {
    var random = SplitMix64(seed: UInt64(pace) &* 31 &+ UInt64(rows))
    let store = try Store(RememberedRowsTests.declarations, folder, remembered: rows)
    var second: Int64 = 1_000_000
    for round in 0..<120 {
      for _ in 0..<Int.random(in: 0...12, using: &random) {
        second += Int64.random(in: 0...pace, using: &random)
        let event = TestEvent(
          time: Timestamp(microseconds: second * 1_000_000),
          key: "k\(Int.random(in: 0..<20, using: &random))",
          x: Double.random(in: -9...9, using: &random),
          text: "\(Int.random(in: 0..<9, using: &random))")
        try store.apply(event, watermark: Timestamp(microseconds: (second - 60) * 1_000_000))
      }
      if round % 3 != 1 { try store.writer.flush() }
      // Again and again at near times: on the edges of hops and of the second, before them and behind.
      let base = (second + Int64.random(in: -5...700, using: &random)) * 1_000_000
      for ahead in [0, 0, 1, 999_999, 1_000_000, 23_000_000, 59_999_999, 60_000_000, 0] as [Int64] {
        for key in 0..<20 where key % 4 == round % 4 {
          let time = Timestamp(microseconds: base + ahead)
          let (found, expected) = store.ask("k\(key)", at: time)
          #expect(found == expected, "k\(key) at \(time.rfc3339)")
        }
      }
    }
    #expect(store.recalled > 1_000)
  }

  /// On the very edges: the answers change with the microsecond in which a row leaves an exact window, or a tile one with a
  /// hop, and are remembered up to it.
  @Test func holdsUpToTheMicrosecondAndNoLonger() throws {
    let store = try Store(
      "n: { count: '*', window: '10s', every: 'exact' }, m: { count: '*', window: '120s', every: '60s' }",
      folder, remembered: 8)
    for second in [0, 5] as [Int64] {
      try store.apply(
        TestEvent(time: Timestamp(microseconds: second * 1_000_000), key: "k"),
        watermark: .distantPast)
    }
    try store.writer.flush()
    // As of 6 s both count; at 10 s and a microsecond the first has left; at 180 s the tile leaves.
    for (at, exact, hopped, isKnown) in [
      (6_000_000, 2, 2, 0), (10_000_000, 2, 2, 1), (10_000_001, 1, 2, 0), (15_000_000, 1, 2, 1),
      (15_000_001, 0, 2, 0), (59_999_999, 0, 2, 1), (60_000_000, 0, 2, 0), (179_999_999, 0, 2, 0),
      (180_000_000, 0, 0, 0), (180_000_001, 0, 0, 1), (5_000_000, 1, 1, 0), (5_000_000, 1, 1, 0),
    ] as [(Int64, Int, Int, Int)] {
      let before = store.recalled
      let (found, expected) = store.ask("k", at: Timestamp(microseconds: at))
      #expect(found == expected && found == ["int(\(exact))", "int(\(hopped))"], "at \(at)")
      #expect(store.recalled - before == isKnown, "at \(at)")
    }
  }

  @Test(arguments: [
    "t: { time_since_last: '*' }", "r: { rate: '*', window: '1h' }",
    "s: { count: '*', session: '5m' }", "l: { last: 's' }", "h: { histogram: 's' }",
  ])
  func whatMovesOrIsATextIsMadeAnew(_ declaration: String) throws {
    let store = try Store(declaration, folder, remembered: 8)
    try store.apply(
      TestEvent(time: Timestamp(microseconds: 0), key: "k", x: 1, text: "a"),
      watermark: .distantPast)
    try store.writer.flush()
    for second in [1, 1, 2, 2] as [Int64] {
      let (found, expected) = store.ask("k", at: Timestamp(microseconds: second * 1_000_000))
      #expect(found.count == expected.count)
      if !declaration.contains("'s' }") { #expect(found == expected) }
    }
    #expect(store.recalled == 0)
  }

  @Test func aLongKeyIsReadEachTime() throws {
    let store = try Store("n: { count: '*' }", folder, remembered: 8)
    let (short, long) = (String(repeating: "a", count: 30), String(repeating: "b", count: 60))
    for key in [short, long] {
      try store.apply(
        TestEvent(time: Timestamp(microseconds: 0), key: key), watermark: .distantPast)
    }
    try store.writer.flush()
    for (key, recalled) in [(long, 0), (long, 0), (short, 0), (short, 1), (long, 0), (short, 1)] {
      let before = store.recalled
      #expect(store.ask(key, at: Timestamp(microseconds: 9)).remembering == ["int(1)"])
      #expect(store.recalled - before == recalled)
    }
  }
}
