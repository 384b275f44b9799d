// Counts at edges against counting by hand, whatever comes in whichever order.

import TestSupport
import Testing

@testable import Core

@Suite struct EdgeCountsTests {
  enum Shape: CaseIterable { case normal, ascending, few, whole, jump }

  private func values(_ shape: Shape, _ count: Int) -> [Double] {
    var random = SplitMix64(seed: UInt64(count))
    return (0..<count).map { index in
      let uniform = Double.random(in: 0..<1, using: &random)
      return switch shape {
      case .normal: NormalDistribution.quantile(uniform)
      case .ascending: Double(index) / 7
      case .few: (uniform * 12).rounded(.down)
      case .whole: (uniform * uniform * 5_000).rounded(.down)
      case .jump: index < count / 2 ? uniform : 1_000 + uniform
      }
    }
  }

  private func counted(_ values: [Double], like edges: [Double] = []) -> EdgeCounts {
    var counts = EdgeCounts(like: edges)
    var rest = values[...]
    while !rest.isEmpty {
      Array(rest.prefix(256)).withUnsafeBufferPointer { counts.add($0) }
      rest = rest.dropFirst(256)
    }
    return counts.settled()
  }

  @Test(arguments: Shape.allCases, [1, 300, 20_000, 60_000])
  func everyCountIsExact(_ shape: Shape, _ size: Int) {
    let values = values(shape, size)
    let counts = counted(values)
    let sorted = values.sorted()
    #expect(counts.total == Int64(size))
    #expect(counts.edges.last == sorted.last && counts.edges.first == sorted.first)
    #expect(counts.edges.count <= max(EdgeCounts.heldMax, 2 * EdgeCounts.binsTarget))
    var below = 0
    for (edge, found) in zip(counts.edges, counts.cumulative(counts.edges)) {
      while below < size, sorted[below] <= edge { below += 1 }
      #expect(Double(below) == found)
    }
    for share in [0, 0.01, 0.25, 0.5, 0.9, 1] {
      let quantile = counts.quantile(share)!
      let rank = Int(share * Double(size - 1))
      let slack = Int(counts.resolution * Double(size)) + 1
      #expect(sorted[max(0, rank - slack)] <= quantile)
      #expect(quantile <= sorted[min(size - 1, rank + slack)])
    }
  }

  @Test func fewDifferentValuesStayExact() {
    let counts = counted(values(.few, 50_000))
    #expect(counts.isExact && counts.edges == (0..<12).map(Double.init))
    #expect(counts.resolution == 0)
  }

  @Test(arguments: [Shape.normal, .whole, .jump])
  func noBinHoldsMoreThanItsShareOfWhatIsLikeTheBeginning(_ shape: Shape) {
    // A jump comes after the edges were chosen; its values get edges of their own.
    #expect(counted(values(shape, 60_000)).resolution < 0.02)
  }

  @Test func prescribedEdgesAreKept() {
    let edges = [-1.0, 0, 0.5, 1]
    let values = values(.normal, 40_000)
    let counts = counted(values, like: edges)
    for edge in edges {
      #expect(counts.edges.contains(edge))
      #expect(counts.cumulative([edge]) == [Double(values.count { $0 <= edge })])
    }
  }

  /// However often further edges are put beyond them.
  @Test func prescribedEdgesStayWhereValuesGrow() {
    let edges = (0..<40).map { Double($0) }
    var counts = EdgeCounts(like: edges)
    for round in 0..<60 {
      let values = (0..<5_000).map { Double(round * 5_000 + $0) * 0.01 }
      values.withUnsafeBufferPointer { counts.add($0) }
    }
    let settled = counts.settled()
    #expect(settled.total == 300_000)
    #expect(edges.allSatisfy { settled.edges.contains($0) })
    #expect(settled.cumulative([10, 20]) == [1_001, 2_001])
  }

  @Test func distancesBeyondAllDoublesAreNoTrap() {
    let wide = EdgeCounts(edges: [-1.7e308, 1.7e308], counts: [1, 9], isExact: false)
    let other = EdgeCounts(edges: [1.6e308], counts: [1], isExact: true)
    #expect(wide.merged(other).total == 11)
    #expect(wide.quantile(0.5).map { $0.isFinite } == true)
  }

  @Test(arguments: Shape.allCases)
  func partsMergeIntoTheWholeWithinTheBound(_ shape: Shape) {
    let all = values(shape, 50_000)
    let merged = counted(Array(all[..<20_000])).merged(counted(Array(all[20_000...])))
    let sorted = all.sorted()
    #expect(merged.total == 50_000)
    let slack = 2 * 50_000 * counted(all).resolution + 50_000 * 2 / 1_024 + 2
    var below = 0
    for (edge, found) in zip(merged.edges, merged.cumulative(merged.edges)) {
      while below < all.count, sorted[below] <= edge { below += 1 }
      #expect(abs(Double(below) - found) <= (merged.isExact ? 0 : slack))
    }
  }

  @Test func equalEdgesMergeExactly() {
    let first = counted(values(.normal, 40_000))
    let second = counted(values(.normal, 30_000), like: first.edges)
    let merged = first.merged(second)
    for edge in first.edges {
      let expected = first.cumulative([edge])[0] + second.cumulative([edge])[0]
      #expect(merged.cumulative([edge]) == [expected])
    }
  }

  @Test func theShortestNumberBetween() {
    #expect(ShortDecimal.between(0.123456, 0.1291) == 0.124)
    #expect(ShortDecimal.between(-3.2, -2.9) == -3)
    #expect(ShortDecimal.between(-1, 2) == 0)
    #expect(ShortDecimal.between(1_234, 1_300) == 1_240)
    var random = SplitMix64(seed: 5)
    for _ in 0..<2_000 {
      let low = Double.random(in: -1e3...1e3, using: &random)
      let high = low + Double.random(in: 1e-9...1, using: &random)
      let value = ShortDecimal.between(low, high)
      #expect(low <= value && value < high)
    }
  }
}
