// Counting eight values at a time against looking for each, and sorting by bits against sorting by comparing.

import TestSupport
import Testing

@testable import Core

@Suite struct EdgeSearchTests {
  private var random = SplitMix64(seed: 21)

  private mutating func edges(_ count: Int) -> [Double] {
    let values = (0..<count * 3).map { _ in Double(Int.random(in: -900...900, using: &random)) / 8 }
    return Array(EdgeCounts.distinct(values.sorted()).prefix(count))
  }

  @Test(arguments: [1, 2, 3, 7, 8, 100, 1_023, 1_024])
  mutating func countsAreThoseOfOneAtATime(_ size: Int) {
    let edges = edges(size)
    for count in [0, 1, 5, 8, 9, 64, 257] {
      // Some lie on edges, some outside, some at both zeros.
      let values = (0..<count).map { index in
        switch index % 5 {
        case 0: edges.randomElement(using: &random)!
        case 1: index % 2 == 0 ? 0.0 : -0.0
        default: Double.random(in: -130...130, using: &random)
        }
      }
      check(values, edges)
      check(values.map { _ in edges.randomElement(using: &random)! }, edges)
    }
  }

  private func check(_ values: [Double], _ edges: [Double]) {
    var expected = [Int64](repeating: 0, count: edges.count)
    var (exact, outside) = (true, 0)
    let search = EdgeSearch(edges)
    edges.withUnsafeBufferPointer { edges in
      for value in values {
        if value < edges[0] || value > edges[edges.count - 1] {
          outside += 1
          continue
        }
        let place = edges.firstIndex { $0 >= value }!
        #expect(place == EdgeSearch.place(of: value, edges))
        expected[place] += 1
        exact = exact && edges[place] == value
      }
      values.withUnsafeBufferPointer { values in
        for isExact in [true, false] {
          var counts = [Int64](repeating: 0, count: edges.count)
          let found = counts.withUnsafeMutableBufferPointer {
            search.count(values, edges, into: $0, isExact: isExact)
          }
          #expect(counts == expected)
          #expect(found.outside == outside && found.exact == (isExact && exact))
        }
      }
    }
  }

  private mutating func values(_ shape: Int, _ count: Int) -> [Double] {
    (0..<count).map { index in
      switch shape {
      case 0: return NormalDistribution.quantile(Double.random(in: 0.001..<1, using: &random))
      case 1: return Double(index % 7) - 3
      case 2:
        let bits = UInt64.random(in: 0...UInt64.max, using: &random)
        let value = Double(bitPattern: bits)
        return value.isFinite ? value : 0
      case 3: return index == 3 ? -0.0 : index % 3 == 0 ? 0.0 : Double(index) - 100
      default: return -0.0
      }
    }
  }

  @Test(arguments: [0, 1, 255, 256, 257, 5_000])
  mutating func sortingByBitsIsSorting(_ count: Int) {
    for shape in 0...4 {
      let values = values(shape, count)
      let expected = values.sorted()
      var sorted = values
      NumberSort.sort(&sorted)
      #expect(sorted == expected)
      #expect(sorted.first { $0 == 0 }?.sign == expected.first { $0 == 0 }?.sign)
    }
  }

  /// Spread evenly, in a heap with far values, over all doubles, too near and too far for a grid.
  @Test mutating func whateverTheEdgesAre() {
    let near = (0..<40).map { Double(bitPattern: UInt64($0)) }
    let far = [-Double.greatestFiniteMagnitude, -1, 0, 1, Double.greatestFiniteMagnitude]
    let heap = (0..<500).map { Double($0) / 1e6 } + [1e12]
    for edges in [near, far, heap, [7]] + (0...3).map({ values($0, 700) }) {
      let edges = EdgeCounts.distinct(edges.sorted())
      let nearEdges = edges.flatMap { [$0, $0.nextUp, $0.nextDown] }.filter(\.isFinite)
      check(nearEdges + values(2, 64), edges)
    }
  }
}
