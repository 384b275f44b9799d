// The measures of several classes against scikit-learn's, and against those of two.

import Foundation
import TestSupport
import Testing

@testable import Core

@Suite struct MulticlassMetricsTests {
  private struct Case: Decodable {
    let name: String
    let classes: Int
    let scores: [Double]
    let outcomes: [Int]
    let auc, accuracy, logLoss, brier, macroF1: Double

    var metrics: MulticlassMetrics {
      MulticlassMetrics(scores: scores, classCount: classes, outcomes: outcomes)
    }
  }

  private static func cases() throws -> [Case] {
    let path = Fixtures.root.appending(path: "metrics/multiclass.ndjson")
    return try String(contentsOf: path, encoding: .utf8).split(separator: "\n").map {
      try JSONDecoder().decode(Case.self, from: Data($0.utf8))
    }
  }

  @Test func valuesAreThoseOfScikitLearn() throws {
    let cases = try Self.cases()
    #expect(cases.count == 3)
    for example in cases {
      let metrics = example.metrics
      for (found, value, name) in [
        (metrics.auc, example.auc, "auc"), (metrics.accuracy, example.accuracy, "accuracy"),
        (metrics.logLoss, example.logLoss, "log loss"), (metrics.brier, example.brier, "brier"),
        (metrics.macroF1, example.macroF1, "macro F1"),
      ] {
        let found = try #require(found, "\(example.name): \(name)")
        #expect(abs(found.value - value) <= 1e-12, "\(example.name): \(name)")
        if let low = found.low, let high = found.high {
          #expect(low < found.value && found.value < high, "\(example.name): \(name)")
        }
      }
    }
  }

  /// Of two classes the mean of both areas is the area, and so is its interval.
  @Test func twoClassesAreAYesOrNo() throws {
    let example = try #require(try Self.cases().first { $0.classes == 2 })
    let yes = example.outcomes.indices.map { example.scores[2 * $0 + 1] }
    let other = try #require(
      ClassificationMetrics(scores: yes, outcomes: example.outcomes.map { $0 == 1 }).auc)
    let found = try #require(example.metrics.auc)
    #expect(abs(found.value - other.value) < 1e-12)
    #expect(abs(found.low! - other.low!) < 1e-12 && abs(found.high! - other.high!) < 1e-12)
  }

  @Test func classesAloneHaveAnAccuracy() {
    let metrics = MulticlassMetrics(
      predicted: [0, 1, 2, 2], classCount: 3, outcomes: [0, 1, 1, 2])
    #expect(metrics.accuracy?.value == 0.75)
    // 1, 2/3 and 2/3.
    #expect(abs(metrics.macroF1!.value - 7.0 / 9) < 1e-15)
  }

  /// Of three classes, answered rightly in 8, 6 and 5 of ten cases, drawn again and again.
  @Test func theIntervalOfMacroF1CoversTheTruth() throws {
    let cells = [[0.40, 0.05, 0.05], [0.06, 0.18, 0.06], [0.04, 0.06, 0.10]]
    let truth =
      (0..<3).reduce(0.0) { sum, kind in
        let marks = cells[kind].reduce(0, +) + cells.reduce(0) { $0 + $1[kind] }
        return sum + 2 * cells[kind][kind] / marks
      } / 3
    var random = SplitMix64(seed: 28)
    var covered = 0
    for _ in 0..<1_000 {
      var (outcomes, predicted): ([Int], [Int]) = ([], [])
      for _ in 0..<400 {
        var left = Double.random(in: 0..<1, using: &random)
        var cell = 0
        while cell < 8, left >= cells[cell / 3][cell % 3] {
          left -= cells[cell / 3][cell % 3]
          cell += 1
        }
        outcomes.append(cell / 3)
        predicted.append(cell % 3)
      }
      let found = try #require(
        MulticlassMetrics(predicted: predicted, classCount: 3, outcomes: outcomes).macroF1)
      if try #require(found.low) <= truth, truth <= found.high! { covered += 1 }
    }
    // 950 are to be expected, 7 of which are a standard deviation.
    #expect((925...975).contains(covered), "\(covered) of 1,000")
    let right = MulticlassMetrics(predicted: [0, 1], classCount: 2, outcomes: [0, 1]).macroF1
    #expect(right == Estimate(1))
    // A prediction that is no class is one that is wrong.
    let odd = MulticlassMetrics(predicted: [0, -1], classCount: 2, outcomes: [0, 1]).macroF1
    #expect(odd?.value == 0.5)
  }

  @Test func aClassThatNeverTurnedOutHasNoArea() {
    let metrics = MulticlassMetrics(
      scores: [0.5, 0.3, 0.2, 0.1, 0.8, 0.1], classCount: 3, outcomes: [0, 1])
    #expect(metrics.auc == nil && metrics.accuracy?.value == 1)
    #expect(MulticlassMetrics(scores: [], classCount: 3, outcomes: []).accuracy == nil)
  }

  /// The interval holds what the same source gives again, nearly always.
  @Test func theIntervalOfTheAreaCoversTheTruth() {
    var random = SplitMix64(seed: 3)
    func draw(_ rows: Int) -> MulticlassMetrics {
      let outcomes = (0..<rows).map { _ in Int.random(in: 0..<3, using: &random) }
      let scores = outcomes.flatMap { outcome in
        let raw = (0..<3).map { kind in
          Double.random(in: 0...1, using: &random) + (kind == outcome ? 0.3 : 0)
        }
        return raw.map { $0 / raw.reduce(0, +) }
      }
      return MulticlassMetrics(scores: scores, classCount: 3, outcomes: outcomes)
    }
    let truth = draw(20_000).auc!.value
    let covered = (0..<200).count { _ in
      let estimate = draw(100).auc!
      return estimate.low! <= truth && truth <= estimate.high!
    }
    #expect((180...199).contains(covered), "\(covered) of 200")
  }
}
