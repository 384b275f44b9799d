// DeLong's difference against its definition, written out twice: in Python for the fixtures, and here in O(n²) for made
// rows; and whether the test calls no difference one as rarely as it says.

import Foundation
import TestSupport
import Testing

@testable import Core

@Suite struct PairedAUCTests {
  private static let isLong = ProcessInfo.processInfo.environment["RTINFER_LONG"] == "1"

  private struct Case: Decodable {
    let name: String
    let first, second: [Double]
    let outcomes: [Int]
    let difference, error, p: Double
  }

  @Test func figuresAreThoseOfTheDefinition() throws {
    let path = Fixtures.root.appending(path: "metrics/paired.ndjson")
    let cases = try String(contentsOf: path, encoding: .utf8).split(separator: "\n").map {
      try JSONDecoder().decode(Case.self, from: Data($0.utf8))
    }
    #expect(cases.count == 4)
    for example in cases {
      let found = try #require(
        PairedAUC(example.first, example.second, outcomes: example.outcomes.map { $0 == 1 }))
      let half = 1.959963984540054 * example.error
      #expect(abs(found.difference.value - example.difference) < 1e-12, "\(example.name)")
      guard example.outcomes.count >= 100 else {
        #expect(found.pValue == nil && found.difference.low == nil)
        continue
      }
      #expect(abs(found.difference.low! - (example.difference - half)) < 1e-12, "\(example.name)")
      #expect(abs(found.difference.high! - (example.difference + half)) < 1e-12, "\(example.name)")
      #expect(abs(found.pValue! - example.p) < 1e-12, "\(example.name)")
    }
  }

  /// Every yes against every no.
  private func slow(
    _ first: [Double], _ second: [Double], _ outcomes: [Bool]
  ) -> (difference: Double, variance: Double) {
    let yes = outcomes.indices.filter { outcomes[$0] }
    let no = outcomes.indices.filter { !outcomes[$0] }
    func wins(_ scores: [Double], _ one: Int, _ other: Int) -> Double {
      scores[one] > scores[other] ? 1 : scores[one] == scores[other] ? 0.5 : 0
    }
    func lead(_ one: Int, _ other: Int) -> Double {
      wins(first, one, other) - wins(second, one, other)
    }
    let byYes = yes.map { y in no.reduce(0) { $0 + lead(y, $1) } / Double(no.count) }
    let byNo = no.map { n in yes.reduce(0) { $0 + lead($1, n) } / Double(yes.count) }
    let mean = byYes.reduce(0, +) / Double(yes.count)
    func spread(_ values: [Double]) -> Double {
      values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(max(1, values.count - 1))
    }
    return (
      mean, spread(byYes) / Double(yes.count) + spread(byNo) / Double(no.count)
    )
  }

  @Test func midranksGiveWhatEveryPairGives() throws {
    var random = SplitMix64(seed: 11)
    var intervals = 0
    for round in 0..<60 {
      let count = Int.random(in: 2...60, using: &random)
      let steps = [2, 5, 1_000][round % 3]
      func scores() -> [Double] {
        (0..<count).map { _ in Double(Int.random(in: 0..<steps, using: &random)) / 7 }
      }
      let (first, second) = (
        scores(), round % 5 == 0 ? [Double](repeating: 1, count: count) : scores()
      )
      var outcomes = (0..<count).map { _ in Bool.random(using: &random) }
      (outcomes[0], outcomes[1]) = (true, false)
      let found = try #require(PairedAUC(first, second, outcomes: outcomes))
      let twin = slow(first, second, outcomes)
      #expect(abs(found.difference.value - twin.difference) < 1e-12)
      guard min(outcomes.count { $0 }, outcomes.count { !$0 }) >= 10 else {
        #expect(found.difference.high == nil && found.pValue == nil)
        continue
      }
      intervals += 1
      let high = min(1, twin.difference + 1.959963984540054 * twin.variance.squareRoot())
      #expect(abs(found.difference.high! - high) < 1e-9)
    }
    #expect(intervals > 20)
  }

  @Test func theSameScoresDifferInNothing() throws {
    func ten<Value>(_ values: [Value]) -> [Value] {
      values.flatMap { Array(repeating: $0, count: 5) }
    }
    let scores = ten([0.1, 0.4, 0.4, 0.9])
    let found = try #require(PairedAUC(scores, scores, outcomes: ten([false, true, false, true])))
    #expect(found.difference == Estimate(0, low: 0, high: 0) && found.pValue == 1)
    // What tells all apart, against what tells nothing.
    let certain = try #require(
      PairedAUC(ten([0, 0, 1, 1]), ten([1, 1, 1, 1]), outcomes: ten([false, false, true, true])))
    #expect(certain.difference == Estimate(0.5, low: 0.5, high: 0.5) && certain.pValue == 0)
    #expect(PairedAUC(scores, scores, outcomes: ten([true, true, true, true])) == nil)
    // One yes in four hundred says nothing of the next.
    let (rising, falling) = (
      [Double](repeating: 0, count: 399) + [1], [Double](repeating: 1, count: 399) + [0]
    )
    let isLast = [Bool](repeating: false, count: 399) + [true]
    let alone = try #require(PairedAUC(rising, falling, outcomes: isLast))
    #expect(alone.difference == Estimate(1) && alone.pValue == nil)
  }

  /// Two scores that are as good as each other, and share most of what they know. Of 5,000 worlds 206 are called different.
  @Test func noDifferenceIsCalledOneOnceInTwenty() throws {
    let worlds = Self.isLong ? 5_000 : 150
    var random = SplitMix64(seed: 5)
    var (alarms, misses) = (0, 0)
    for _ in 0..<worlds {
      var (first, second, outcomes) = ([Double](), [Double](), [Bool]())
      for _ in 0..<120 {
        let known = Double.random(in: 0..<1, using: &random)
        outcomes.append(Double.random(in: 0..<1, using: &random) < known)
        first.append(known + Double.random(in: -0.4..<0.4, using: &random))
        second.append(known + Double.random(in: -0.4..<0.4, using: &random))
      }
      let found = try #require(PairedAUC(first, second, outcomes: outcomes))
      if let p = found.pValue, p < 0.05 { alarms += 1 }
      if found.difference.low! > 0 || found.difference.high! < 0 { misses += 1 }
    }
    // The test and the interval say the same.
    #expect(alarms == misses)
    let spread = 4 * (0.05 * 0.95 * Double(worlds)).squareRoot()
    #expect(abs(Double(alarms) - 0.05 * Double(worlds)) <= spread, "\(alarms) of \(worlds)")
  }
}
