// The figures of answers whose outcomes are known, by what kind of answer they are. One way to measure a version on
// labelled rows and a model's decisions over time: what a gate asks for is what is watched afterwards.

public import Core

/// What a model says, and so what can be right or wrong about it.
public enum AnswerKind: Sendable, Equatable {
  case number
  /// One of two classes, the second of which is the yes.
  case yesOrNo
  case classes(Int)
}

public struct EvaluationMetrics {
  private let kind: AnswerKind
  /// `width` for each row, row after row.
  private let scores: [Double]
  private let width: Int
  private let outcomes: [Double]
  private var metrics: [String: Double]

  /// - Parameters:
  ///   - scores: `width` for each outcome: a number, a chance, or a chance for each class.
  ///   - outcomes: a number; of classes their index.
  public init(_ kind: AnswerKind, scores: [Double], width: Int, outcomes: [Double]) {
    precondition(scores.count == outcomes.count * width, "every row has its scores")
    (self.kind, self.scores, self.width, self.outcomes) = (kind, scores, width, outcomes)
    metrics = ["rows": Double(outcomes.count)]
  }

  /// - Throws: a data failure that names an outcome that cannot be.
  public consuming func measured(
    thresholds: [(text: String, value: Double)]
  ) throws(Failure) -> [String: Double] {
    switch kind {
    case .number: measureNumbers()
    case .yesOrNo: try measureYesOrNo(thresholds)
    case .classes(let count): try measureClasses(count)
    }
    return metrics
  }

  /// Whether a metric of this name is one of those that are measured here.
  public static func isName(_ text: String) -> Bool {
    var name = Substring(text)
    for ending in ["_low", "_high"] where name.hasSuffix(ending) {
      name = name.dropLast(ending.count)
    }
    return names.contains(String(name)) || name.hasPrefix("precision_at_")
      || name.hasPrefix("recall_at_")
  }

  private static let names: Set = [
    "rows", "rmse", "mae", "bias", "auc", "log_loss", "brier", "ece", "accuracy", "macro_f1",
  ]

  private mutating func set(_ name: String, _ estimate: Estimate?) {
    guard let estimate else { return }
    metrics[name] = estimate.value
    // An interval holds its estimate, whatever the last bit of its bounds.
    metrics["\(name)_low"] = estimate.low.map { min($0, estimate.value) }
    metrics["\(name)_high"] = estimate.high.map { max($0, estimate.value) }
  }

  private mutating func measureNumbers() {
    let measured = RegressionMetrics(predictions: scores, outcomes: outcomes)
    set("rmse", measured.rmse)
    set("mae", measured.mae)
    set("bias", measured.bias)
  }

  private mutating func measureYesOrNo(
    _ thresholds: [(text: String, value: Double)]
  ) throws(Failure) {
    if let odd = outcomes.first(where: { $0 != 0 && $0 != 1 }) {
      throw .badData("\(odd) is not an outcome of a yes or no (0 or 1, false or true, or a label)")
    }
    let chances = outcomes.indices.map { scores[$0 * width + width - 1] }
    let measured = ClassificationMetrics(scores: chances, outcomes: outcomes.map { $0 == 1 })
    set("auc", measured.auc)
    // Of margins only the order means something.
    guard chances.allSatisfy({ (0...1).contains($0) }) else { return }
    set("log_loss", measured.logLoss)
    set("brier", measured.brier)
    set("bias", measured.bias)
    set("ece", measured.calibrationError())
    for (text, threshold) in thresholds {
      let name = String(text.map { $0 == "." || $0 == "-" ? "_" : $0 })
      set("precision_at_\(name)", measured.precision(at: threshold))
      set("recall_at_\(name)", measured.recall(at: threshold))
    }
  }

  private mutating func measureClasses(_ count: Int) throws(Failure) {
    var classes: [Int] = []
    for outcome in outcomes {
      guard let kind = Int(exactly: outcome), (0..<count).contains(kind) else {
        throw .badData("\(outcome) is not one of \(count) classes: 0 to \(count - 1), or a label")
      }
      classes.append(kind)
    }
    guard width == count else {
      // The score is the class itself.
      let measured = MulticlassMetrics(
        predicted: scores.map { Int(exactly: $0) ?? -1 }, classCount: count, outcomes: classes)
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
