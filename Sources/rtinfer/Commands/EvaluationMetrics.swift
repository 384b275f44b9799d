// The figures of one evaluation, by the kind of model.

import Core
import Models

struct EvaluationMetrics {
  private let model: Model
  /// `scoreCount` for each row, row after row.
  private let scores: [Double]
  private let outcomes: [Double]
  private var metrics: [String: Double]

  init(_ model: Model, _ scores: [Double], _ outcomes: [Double]) {
    (self.model, self.scores, self.outcomes) = (model, scores, outcomes)
    metrics = ["rows": Double(outcomes.count)]
  }

  /// - Throws: a data failure that names an outcome that cannot be.
  consuming func measured(
    thresholds: [(text: String, value: Double)]
  ) throws(Failure) -> [String: Double] {
    if !model.isClassifier {
      measureNumbers()
    } else if model.classCount == 2, model.scoreCount <= 2 {
      try measureYesOrNo(thresholds)
    } else {
      try measureClasses()
    }
    return metrics
  }

  private mutating func set(_ name: String, _ estimate: Estimate?) {
    guard let estimate else { return }
    metrics[name] = estimate.value
    metrics["\(name)_low"] = estimate.low
    metrics["\(name)_high"] = estimate.high
  }

  private mutating func measureNumbers() {
    let measured = RegressionMetrics(predictions: scores, outcomes: outcomes)
    set("rmse", measured.rmse)
    set("mae", measured.mae)
  }

  private mutating func measureYesOrNo(
    _ thresholds: [(text: String, value: Double)]
  ) throws(Failure) {
    if let odd = outcomes.first(where: { $0 != 0 && $0 != 1 }) {
      throw .badData("\(odd) is not an outcome of a yes or no (0 or 1, false or true, or a label)")
    }
    // Of two classes the second is the yes.
    let width = model.scoreCount
    let chances = outcomes.indices.map { scores[$0 * width + width - 1] }
    let measured = ClassificationMetrics(scores: chances, outcomes: outcomes.map { $0 == 1 })
    set("auc", measured.auc)
    // Of margins only the order means something.
    guard chances.allSatisfy({ (0...1).contains($0) }) else { return }
    set("log_loss", measured.logLoss)
    set("brier", measured.brier)
    set("ece", measured.calibrationError())
    for (text, threshold) in thresholds {
      let name = String(text.map { $0 == "." || $0 == "-" ? "_" : $0 })
      set("precision_at_\(name)", measured.precision(at: threshold))
      set("recall_at_\(name)", measured.recall(at: threshold))
    }
  }

  private mutating func measureClasses() throws(Failure) {
    let count = model.classCount
    var classes: [Int] = []
    for outcome in outcomes {
      guard let kind = Int(exactly: outcome), (0..<count).contains(kind) else {
        throw .badData("\(outcome) is not one of \(count) classes: 0 to \(count - 1), or a label")
      }
      classes.append(kind)
    }
    guard model.scoreCount == count else {
      // The score is the class itself.
      let measured = MulticlassMetrics(
        predicted: scores.map { Int($0) }, classCount: count, outcomes: classes)
      set("accuracy", measured.accuracy)
      return set("macro_f1", measured.macroF1)
    }
    let measured = MulticlassMetrics(scores: scores, classCount: count, outcomes: classes)
    set("accuracy", measured.accuracy)
    set("macro_f1", measured.macroF1)
    guard scores.allSatisfy({ (0...1).contains($0) }) else { return }
    set("auc", measured.auc)
    set("log_loss", measured.logLoss)
    set("brier", measured.brier)
  }
}
