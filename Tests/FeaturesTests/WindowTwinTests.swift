// Windows against a twin that scans all events for every question, with so many events a key that questions are
// answered from tiles, suffixes and checkpoints; and with few, where they are answered from rows. Counts and
// integers must be equal, floats within 1e-12 of the sum of magnitudes.

import TestSupport
import Testing

@testable import Core
@testable import Features

@Suite struct WindowTwinTests {
  private struct Shape: Sendable {
    let text: String
    /// By hand, in seconds: where the window of a question starts and ends.
    let stretch: @Sendable (Int64) -> (start: Int64, end: Int64)
  }

  private static func floor(_ time: Int64, _ width: Int64) -> Int64 {
    time - ((time % width) + width) % width
  }

  private static let shapes: [Shape] = [
    Shape(text: "") { (.min, $0) },
    Shape(text: ", window: '600s', every: 'exact'") { ($0 - 600, $0) },
    Shape(text: ", window: '37s', every: 'exact'") { ($0 - 37, $0) },
    Shape(text: ", window: '600s', every: '60s'") { (floor($0 - 600, 60), $0) },
    Shape(text: ", window: '1800s', every: '60s'") { (floor($0 - 1800, 60), $0) },
    Shape(text: ", window: '7s', every: '3s'") { (floor($0 - 7, 3), $0) },
    Shape(text: ", window: '1h'") { (floor($0 - 3_600, 300), $0) },
    Shape(text: ", tumbling: '60s'") { (floor($0, 60) - 60, floor($0, 60)) },
    Shape(text: ", cumulative: '600s', every: '120s'") {
      (floor(floor($0, 120) - 1, 600), floor($0, 120))
    },
    // Of a whole second, half of one is as good as a microsecond less.
    Shape(text: ", cumulative: '600s'") { (floor($0 - 1, 600), $0) },
  ]

  private static let aggregations = [
    "count: '*'", "sum: 'x'", "min: 'x'", "max: 'x'", "first: 's'",
    "last: 's'", "count_distinct: 's'", "stddev: 'x'", "mean: 'x'",
  ]

  private struct Row {
    let second: Int64
    let order: Int
    let x: Double?
    let text: String
  }

  private func truth(_ aggregation: String, _ rows: [Row]) -> Double? {
    let numbers = rows.compactMap(\.x)
    let sum = numbers.reduce(0, +)
    switch aggregation.prefix(while: { $0 != ":" }) {
    case "count": return Double(rows.count)
    case "sum": return numbers.isEmpty ? nil : sum
    case "mean": return numbers.isEmpty ? nil : sum / Double(numbers.count)
    case "min": return numbers.min()
    case "max": return numbers.max()
    case "first": return rows.first.map { Double($0.text)! }
    case "last": return rows.last.map { Double($0.text)! }
    case "count_distinct": return Double(Set(rows.map(\.text)).count)
    default:
      guard numbers.count > 1 else { return nil }
      let mean = sum / Double(numbers.count)
      let squares = numbers.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
      return (squares / Double(numbers.count - 1)).squareRoot()
    }
  }

  private static let declarations = shapes.enumerated().flatMap { number, shape in
    aggregations.enumerated().map { "f\(number)a\($0.offset): { \($0.element)\(shape.text) }" }
  }.joined(separator: ", ")

  /// One hot key. `pace` is the most seconds between two events, `late` the most by which one comes late.
  @Test(arguments: [(1, 0), (1, 40), (3, 120), (40, 100), (0, 5), (600, 900)] as [(Int64, Int64)])
  func everyWindowAgreesWithAScan(_ pace: Int64, _ late: Int64) throws {
    var random = SplitMix64(seed: UInt64(pace * 1_000 + late))
    let stream = try FeatureStream(WindowTwinTests.declarations)
    // The same events, nothing ever settled: must answer the same, to the last bit.
    let keeping = try FeatureStream(WindowTwinTests.declarations)
    var rows: [Row] = []
    var latest: Int64 = -2_000
    for order in 0..<500 {
      latest += Int64.random(in: 0...pace, using: &random)
      let row = Row(
        second: latest - Int64.random(in: 0...late, using: &random), order: order,
        x: Int.random(in: 0..<9, using: &random) == 0
          ? nil : Double.random(in: -1...1, using: &random) * 1_000,
        text: "\(Int.random(in: 0..<30, using: &random))")
      let watermark = Timestamp(microseconds: (latest - late) * 1_000_000)
      let event = TestEvent(
        time: Timestamp(microseconds: row.second * 1_000_000), key: "k", x: row.x, text: row.text)
      try stream.apply(event, watermark: watermark)
      try keeping.apply(event)
      let place = rows.firstIndex { ($0.second, $0.order) > (row.second, row.order) }
      rows.insert(row, at: place ?? rows.count)
      guard order % 5 == 4 else { continue }
      let ahead = Int64.random(
        in: -late...Int64.random(in: 0...700, using: &random), using: &random)
      try check(stream, keeping, rows, latest + ahead)
    }
  }

  private func check(
    _ stream: FeatureStream, _ keeping: FeatureStream, _ rows: [Row], _ second: Int64
  ) throws {
    let time = Timestamp(microseconds: second * 1_000_000)
    let found = try stream.ask("k", at: time)
    #expect(try keeping.ask("k", at: time) == found)
    for (number, shape) in WindowTwinTests.shapes.enumerated() {
      let (start, end) = shape.stretch(second)
      let inside = rows.filter { $0.second >= start && $0.second < end }
      let scale = inside.reduce(0) { $0 + abs($1.x ?? 0) }
      for (index, aggregation) in WindowTwinTests.aggregations.enumerated() {
        let value = found[number * WindowTwinTests.aggregations.count + index]
        let expected = truth(aggregation, inside)
        let isRounded = ["sum", "mean", "stdd"].contains { aggregation.hasPrefix($0) }
        let bound = isRounded ? 1e-12 * scale : 0
        let isNear =
          if let expected, let number = Double(value) { abs(number - expected) <= bound } else {
            expected == nil && value == "null"
          }
        #expect(
          isNear,
          "\(aggregation)\(shape.text) at \(second): \(value), not \(expected as Any)")
      }
    }
  }
}
