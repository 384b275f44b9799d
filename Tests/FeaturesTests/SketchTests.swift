// What is approximate keeps its stated error, and grouping changes nothing; lists, histograms and decayed means against
// what one writes down by hand.

import Foundation
import TestSupport
import Testing

@testable import Core
@testable import Features

// One after another, since all write lists through the same texts.
@Suite(.serialized) struct SketchTests {
  private func parse(_ text: String) throws -> ConfigNode { try ConfigNode.parse(text) }

  private func cuts(_ count: Int, _ random: inout SplitMix64) -> [Int] {
    (0..<4).map { _ in Int.random(in: 0...count, using: &random) }.sorted()
  }

  // MARK: HyperLogLog

  @Test(arguments: [6, 10, 12], [20, 300, 5_000, 60_000])
  func aCountOfManyValuesKeepsItsError(_ precision: Int, _ count: Int) throws {
    let folding = Folding(
      ApproximateCountDistinct.self, try RegisterCount(try parse("{ precision: \(precision) }")))
    var random = SplitMix64(seed: UInt64(count))
    let cells = (0..<count).map { Cell(hashOf: .int(Int64($0) * 7)) }
    let repeated = (cells + cells.prefix(100)).shuffled(using: &random)
    guard case .int(let found) = folding.merged(repeated, []) else {
      Issue.record("no integer")
      return
    }
    let deviation = 1.04 / Double(1 << precision).squareRoot()
    #expect(abs(Double(found) - Double(count)) <= 4 * deviation * Double(count))
    if count <= (1 << precision) / 8 { #expect(found == Int64(count)) }
    for _ in 0..<5 {
      #expect(folding.merged(repeated, cuts(repeated.count, &random)) == .int(found))
    }
  }

  @Test func hashesAreOfValuesNotOfTheirTypes() {
    #expect(Cell(hashOf: .int(5)) == Cell(hashOf: .double(5)))
    let scalars: [Scalar] = [
      .int(1), .double(1.5), .bool(true), .text(Bytes("1")), .text(Bytes("")),
      .time(Timestamp(microseconds: 1)), .int(-1), .bool(false),
    ]
    let hashes = scalars.map { "\(Cell(hashOf: $0))" }
    #expect(Set(hashes).count == scalars.count)
    #expect(Cell(hashOf: .null) == .null)
  }

  // MARK: Percentiles

  @Test(arguments: [0.0, 0.01, 0.5, 0.9, 0.99, 1.0], [0.01, 0.05])
  func aPercentileKeepsItsError(_ p: Double, _ error: Double) throws {
    let folding = Folding(Percentile.self, PercentileParameters(p: p, error: error))
    var random = SplitMix64(seed: 7)
    for kind in 0..<4 {
      let values = (0..<Int.random(in: 1...800, using: &random)).map { _ -> Double in
        let value = Double.random(in: -1...1, using: &random)
        switch kind {
        case 0: return exp(value * 12)
        case 1: return value * 100
        case 2: return Double(Int(value * 3))
        default: return -exp(value * 300)
        }
      }
      let truth = values.sorted()[Int((p * Double(values.count - 1)).rounded(.down))]
      let cells = values.map(Cell.double)
      guard case .double(let found) = folding.merged(cells, []) else {
        Issue.record("no number")
        return
      }
      #expect(abs(found - truth) <= error * abs(truth) * (1 + 1e-9), "kind \(kind)")
      #expect(folding.merged(cells, cuts(cells.count, &random)) == .double(found))
    }
    #expect(folding.merged([.null], []) == .null)
  }

  // MARK: Lists

  private let cells: [Cell] = [
    .int(3), .null, .int(1), .double(2.5), .int(9), .int(1), .null, .int(7),
  ]

  @Test(arguments: [1, 3, 20]) func listsAreWhatOnePicksByHand(_ length: Int) throws {
    let present = ["3", "1", "2.5", "9", "1", "7"]
    let sorted = ["9", "7", "3", "2.5", "1", "1"]
    func text(_ values: some Collection<String>) -> String {
      "[\(values.joined(separator: ","))]"
    }
    let node = try parse("{ n: \(length) }")
    let foldings = [
      (Folding(FirstN.self, try ListLength(node, "n")), text(present.prefix(length))),
      (Folding(LastN.self, try ListLength(node, "n")), text(present.suffix(length))),
      (Folding(TopK.self, try ListLength(node, "n")), text(sorted.prefix(length))),
    ]
    for (folding, expected) in foldings {
      for first in 0...cells.count {
        for second in first...cells.count {
          #expect(Folding.document(folding.merged(cells, [first, second])) == expected)
        }
      }
      #expect(Folding.document(folding.merged([.null], [])) == "[]")
    }
  }

  @Test func aHistogramCountsValuesOrStretches() throws {
    let values = Folding(Histogram.self, try HistogramBounds(try parse("{}")))
    let stretches = Folding(
      Histogram.self, try HistogramBounds(try parse("{ bounds: [1, 2.5, 8] }")))
    for cut in 0...cells.count {
      #expect(
        Folding.document(values.merged(cells, [cut])) == #"{"1":2,"2.5":1,"3":1,"7":1,"9":1}"#)
      #expect(Folding.document(stretches.merged(cells, [cut])) == "[0,2,3,1]")
    }
    #expect(Folding.document(values.merged([], [])) == "{}")
    #expect(Folding.document(stretches.merged([], [])) == "[0,0,0,0]")
  }

  // MARK: Decay

  @Test func aDecayedMeanHalvesWithEachHalfLife() throws {
    let folding = Folding(DecayedMean.self, try HalfLife(try parse("{ half_life: '2s' }")))
    // Ages 4, 2 and 0 s before the last: weights 1/4, 1/2, 1.
    let cells: [Cell] = [.int(8), .null, .int(4), .null, .int(1)]
    for cut in 0...cells.count {
      #expect(folding.merged(cells, [cut]) == .double((2.0 + 2 + 1) / 1.75))
    }
    #expect(folding.merged([.null], []) == .null)
    var random = SplitMix64(seed: 5)
    let many = (0..<200).map { _ in Cell.double(Double.random(in: -1...1, using: &random)) }
    guard case .double(let whole) = folding.merged(many, []) else { return }
    for _ in 0..<20 {
      guard case .double(let parts) = folding.merged(many, cuts(200, &random)) else { continue }
      #expect(abs(parts - whole) <= 1e-12)
    }
  }
}
