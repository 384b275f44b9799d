// The measures against scikit-learn's, and against the definitions written out.

import Foundation
import TestSupport
import Testing

@testable import Core

@Suite struct ClassificationMetricsTests {
  private struct Case: Decodable {
    let name: String
    let scores: [Double]
    let outcomes: [Int]
    let auc, logLoss, brier, precision, recall: Double
    let predictions, values: [Double]
    let rmse, mae: Double

    var metrics: ClassificationMetrics {
      ClassificationMetrics(scores: scores, outcomes: outcomes.map { $0 == 1 })
    }
  }

  private static func cases() throws -> [Case] {
    let path = Fixtures.root.appending(path: "metrics/expected.ndjson")
    return try String(contentsOf: path, encoding: .utf8).split(separator: "\n").map {
      try JSONDecoder().decode(Case.self, from: Data($0.utf8))
    }
  }

  private func expect(_ found: Estimate?, _ value: Double, _ name: String) {
    #expect(found != nil && abs(found!.value - value) <= 1e-12 * max(1, abs(value)), "\(name)")
    if let found, let low = found.low, let high = found.high {
      #expect(low <= found.value && found.value <= high, "\(name)")
    }
  }

  @Test func valuesAreThoseOfScikitLearn() throws {
    let cases = try Self.cases()
    #expect(cases.count == 4)
    for example in cases {
      let metrics = example.metrics
      expect(metrics.auc, example.auc, "\(example.name): auc")
      expect(metrics.logLoss, example.logLoss, "\(example.name): log loss")
      expect(metrics.brier, example.brier, "\(example.name): brier")
      expect(metrics.recall(at: 0.5), example.recall, "\(example.name): recall")
      if let precision = metrics.precision(at: 0.5) {
        expect(precision, example.precision, "\(example.name): precision")
      } else {
        #expect(example.scores.allSatisfy { $0 < 0.5 })
      }
      let regression = RegressionMetrics(
        predictions: example.predictions, outcomes: example.values)
      expect(regression.rmse, example.rmse, "\(example.name): rmse")
      expect(regression.mae, example.mae, "\(example.name): mae")
    }
  }

  /// Every pair of a yes and a no, and DeLong's variance by its definition.
  @Test func ranksAgreeWithPairs() throws {
    func wins(_ yes: Double, _ no: Double) -> Double { yes > no ? 1 : yes == no ? 0.5 : 0 }
    for example in try Self.cases() {
      let yes = example.scores.indices.filter { example.outcomes[$0] == 1 }.map {
        example.scores[$0]
      }
      let no = example.scores.indices.filter { example.outcomes[$0] == 0 }.map {
        example.scores[$0]
      }
      let (m, n) = (Double(yes.count), Double(no.count))
      let above = yes.map { score in no.reduce(0) { $0 + wins(score, $1) } / n }
      let below = no.map { score in yes.reduce(0) { $0 + wins($1, score) } / m }
      let area = above.reduce(0, +) / m
      func variance(_ values: [Double]) -> Double {
        values.reduce(0) { $0 + ($1 - area) * ($1 - area) } / Double(values.count - 1)
      }
      let half = 1.959963984540054 * (variance(above) / m + variance(below) / n).squareRoot()
      let found = try #require(example.metrics.auc)
      #expect(abs(found.value - area) < 1e-12)
      #expect(abs(found.low! - max(0, area - half)) < 1e-12, "\(example.name)")
      #expect(abs(found.high! - min(1, area + half)) < 1e-12, "\(example.name)")
    }
  }

  /// How often the interval holds the true value, over many samples of a known score.
  @Test func intervalsCoverTheTruth() {
    var random = SplitMix64(seed: 3)
    var covered = 0
    for _ in 0..<400 {
      // A yes scores uniformly on 0…1, a no as the smaller of two: the chance of yes above no is 2/3.
      var (scores, outcomes): ([Double], [Bool]) = ([], [])
      for index in 0..<120 {
        let (a, b) = (
          Double.random(in: 0..<1, using: &random), Double.random(in: 0..<1, using: &random)
        )
        outcomes.append(index % 3 == 0)
        scores.append(index % 3 == 0 ? a : min(a, b))
      }
      let auc = ClassificationMetrics(scores: scores, outcomes: outcomes).auc!
      if auc.low! <= 2.0 / 3, 2.0 / 3 <= auc.high! { covered += 1 }
    }
    #expect((360...396).contains(covered), "\(covered) of 400")
  }

  @Test func sharesHaveWilsonsInterval() {
    // R: binom::binom.confint(8, 10, methods = "wilson")
    let share = Estimate.share(8, of: 10)!
    #expect(abs(share.low! - 0.4901625) < 1e-6 && abs(share.high! - 0.9433178) < 1e-6)
    #expect(Estimate.share(0, of: 10)!.low == 0)
    #expect(Estimate.share(0, of: 0) == nil)
  }

  @Test func calibrationIsTheDistanceInEachBin() {
    // Two bins: 0.1 and 0.1 with one yes of two (distance 0.4), 0.95 with one yes (0.05).
    let metrics = ClassificationMetrics(scores: [0.1, 0.1, 0.95], outcomes: [true, false, true])
    #expect(abs(metrics.calibrationError()!.value - (0.4 * 2 + 0.05) / 3) < 1e-12)
    let sure = ClassificationMetrics(scores: [0, 1], outcomes: [false, true])
    #expect(sure.calibrationError()!.value == 0)
  }

  /// Scores that are right, and such that promise a tenth too much in a half of the rows: the interval holds what the
  /// chances come to, at least as often as it says.
  @Test(arguments: [0, 0.1], [60, 2_000])
  func theIntervalOfTheCalibrationErrorCoversTheTruth(_ excess: Double, _ rows: Int) throws {
    var random = SplitMix64(seed: 27)
    var covered = 0
    for _ in 0..<200 {
      let chances = (0..<rows).map { _ in Double.random(in: 0...0.9, using: &random) }
      let scores = chances.map { $0 + (Int($0 * 10) % 2 == 0 ? excess : 0) }
      let outcomes = chances.map { Double.random(in: 0..<1, using: &random) < $0 }
      var distances = [Double](repeating: 0, count: 10)
      for (score, chance) in zip(scores, chances) {
        distances[max(0, Int((score * 10).rounded(.up)) - 1)] += score - chance
      }
      let truth = distances.reduce(0) { $0 + abs($1) } / Double(rows)
      let error = try #require(
        ClassificationMetrics(scores: scores, outcomes: outcomes).calibrationError())
      let (low, high) = (try #require(error.low), try #require(error.high))
      #expect(low <= error.value && error.value <= high)
      if low - 1e-12 <= truth, truth <= high + 1e-12 { covered += 1 }
    }
    #expect(covered >= 190, "\(covered) of 200")
  }

  /// Newcombe, "Interval estimation for the difference between independent proportions" (1998), method 10: 56 of 70
  /// against 48 of 80, and 9 of 10 against 3 of 10.
  @Test func differencesHaveNewcombesInterval() throws {
    let cases: [(Int, Int, Int, Int, Double, Double)] = [
      (56, 70, 48, 80, 0.0524, 0.3339), (9, 10, 3, 10, 0.1705, 0.8090),
      (10, 10, 0, 10, 0.6075, 1.0000),
    ]
    for (one, ones, other, others, low, high) in cases {
      let difference = try #require(Estimate.share(one, of: ones))
        .difference(from: try #require(Estimate.share(other, of: others)))
      #expect(abs(try #require(difference.low) - low) < 6e-5)
      #expect(abs(try #require(difference.high) - high) < 6e-5)
    }
    #expect(Estimate(0.5).difference(from: Estimate(0.25, low: 0, high: 1)) == Estimate(0.25))
  }

  @Test func biasIsPromisedLessCome() throws {
    let metrics = ClassificationMetrics(scores: [0.9, 0.8, 0.4], outcomes: [true, false, false])
    let bias = try #require(metrics.bias)
    #expect(abs(bias.value - (2.1 - 1) / 3) < 1e-15)
    #expect(try #require(bias.low) < bias.value)
    let errors = RegressionMetrics(predictions: [3, 5], outcomes: [1, 1])
    #expect(try #require(errors.bias).value == 3)
  }

  @Test func whatCannotBeMeasuredIsNil() {
    let onlyYes = ClassificationMetrics(scores: [0.2, 0.4], outcomes: [true, true])
    #expect(onlyYes.auc == nil)
    #expect(onlyYes.precision(at: 0.5) == nil)
    #expect(onlyYes.recall(at: 0.5)?.value == 0)
    let nothing = ClassificationMetrics(scores: [], outcomes: [])
    #expect(nothing.logLoss == nil && nothing.brier == nil && nothing.calibrationError() == nil)
    #expect(nothing.recall(at: 0.5) == nil)
  }
}
