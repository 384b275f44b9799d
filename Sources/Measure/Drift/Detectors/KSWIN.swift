// Kolmogorov–Smirnov windowing (C. Raab and others, 2020): the newest 30 of 100 values against 30 drawn from those before
// them. What is drawn comes from a seeded generator, so that a stream has one answer.

import Core

struct KSWIN: ChangeDetector {
  private static let windowCount = 100
  private static let newestCount = 30
  /// A distance that is never called a change, however sure.
  private static let distanceMin = 0.1

  private let level: Double
  private var window: [Double] = []
  private var random = SplitMix64(seed: 42)

  init(level: Double = 0.005) { self.level = level }

  var delay: Int? { KSWIN.newestCount }

  mutating func add(_ value: Double) -> Change {
    window.append(value)
    if window.count > KSWIN.windowCount { window.removeFirst() }
    guard window.count == KSWIN.windowCount else { return .none }
    let split = KSWIN.windowCount - KSWIN.newestCount
    // The first 30 of a shuffle.
    var places = Array(0..<split)
    for index in 0..<KSWIN.newestCount {
      places.swapAt(index, Int.random(in: index..<split, using: &random))
    }
    let older = places[0..<KSWIN.newestCount].map { window[$0] }.sorted()
    let newer = window[split...].sorted()
    let grid = EdgeCounts.union(EdgeCounts.distinct(older), EdgeCounts.distinct(newer))
    let pairs = PairedCounts(
      KSWIN.counts(older, grid), KSWIN.counts(newer, grid))
    guard KolmogorovSmirnovTest.distance(pairs) > KSWIN.distanceMin,
      KolmogorovSmirnovTest.run(pairs).p <= level
    else { return .none }
    window.removeFirst(split)
    return .change
  }

  private static func counts(_ sorted: [Double], _ grid: [Double]) -> [Double] {
    var index = 0
    return grid.map { place in
      let start = index
      while index < sorted.count, sorted[index] == place { index += 1 }
      return Double(index - start)
    }
  }
}
