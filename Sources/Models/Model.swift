// What a model file becomes, or several (`Ensemble`). The file's format is forgotten but for its name:
// a model takes rows of inputs, gives margins, and knows how margins become the scores that the
// library's own `predict` gives.

import Core

/// A model, loaded, checked and frozen. Any number of threads may use it at once.
public struct Model: Sendable {
  /// The file's format: `xgboost-json`; `ensemble` for several files.
  public let format: String
  /// The version of the library that wrote the file, such as `3.2.0`; empty where the file has
  /// none.
  public let libraryVersion: String
  /// SHA-256 of the file, 64 hexadecimal digits: the model's version. Of an ensemble that of its
  /// `recipe`, in which each file's is.
  public let fingerprint: String
  /// What the model was trained for, as the library names it: `binary:logistic`.
  public let objective: String

  /// The file's feature names in the order of the inputs, or none at all.
  public let inputNames: [String]
  /// The file's feature types (`float`, `int`, `i`, `q`, and `c` for categories), or none at all.
  public let inputTypes: [String]
  /// Inputs in a row.
  public let inputCount: Int
  /// Margins of a row: 1, or one for each class or target.
  public let outputCount: Int
  /// Scores of a row, after `transform`: 1 where the score is the class itself, else `outputCount`.
  public let scoreCount: Int

  /// Whether scores speak of classes. With several targets each output is a yes or no of its own.
  public let isClassifier: Bool
  /// Classes of a classifier, 2 for a yes or no; 0 for anything else.
  public let classCount: Int

  /// Whether the scores of a row, however many, say one thing: a class. With several targets they do not.
  public var choosesAClass: Bool { isClassifier && (outputCount == 1 || task.task == .multiclass) }

  /// Boosting rounds in the file.
  public let roundCount: Int
  /// The rounds that predict.
  public let usedRounds: Range<Int>
  /// The best round of a training that went on after it; nil where the last is the best, or none is
  /// named.
  public let bestIteration: Int?

  /// Of each input, how its values become codes; nil where they are numbers, empty where all are.
  let categories: [CategoryCodes?]
  let task: Objective
  let predictor: Predictor
  /// What is computed of each row before the forest sees it; nil where the row is what it sees.
  var derived: DerivedInputs?

  /// What margins come from.
  enum Predictor: Sendable {
    case forest(ForestPlan)
    case linear(LinearBooster)
    case ensemble(Ensemble)
  }

  /// The precision of margins and scores. They are handed over with 64 bits in any case, which hold
  /// 32-bit floats exactly.
  public enum Precision: Sendable { case float32, float64 }

  public var precision: Precision {
    if case .double = task.transform { .float64 } else { .float32 }
  }

  /// Trees that predict, those of all members; none in a linear model.
  public var treeCount: Int {
    forest?.treeCount ?? members.reduce(0) { $0 + $1.model.treeCount }
  }
  /// Nodes of the trees that predict, leaves included.
  public var nodeCount: Int {
    forest?.nodeCount ?? members.reduce(0) { $0 + $1.model.nodeCount }
  }
  /// Splits on the longest way from a root to a leaf.
  public var depth: Int { forest?.depth ?? members.map(\.model.depth).max() ?? 0 }

  /// What each output's margin has besides trees, weights or members; `outputCount` values.
  public var baseMargins: [Double] {
    switch predictor {
    case .forest(let plan): plan.forest.baseMargins
    case .linear(let booster): Array(repeating: Double(booster.base), count: outputCount)
    case .ensemble: Array(repeating: 0, count: outputCount)
    }
  }

  /// Nil in a linear model and in an ensemble.
  var forest: Forest? {
    if case .forest(let plan) = predictor { plan.forest } else { nil }
  }

  /// Which rounds predict, in words for a summary.
  public var roundsNote: String {
    if usedRounds == 0..<roundCount { return "all \(roundCount) rounds" }
    if usedRounds.lowerBound == 0, let best = bestIteration, usedRounds.upperBound == best + 1 {
      return "rounds up to the best, \(best), of \(roundCount)"
    }
    return "rounds \(usedRounds.lowerBound)..<\(usedRounds.upperBound) of \(roundCount)"
  }

  /// The margins of `rowCount` rows, before the objective's transform.
  ///
  /// - Parameters:
  ///   - rows: at least `rowCount × inputCount` inputs, row after row; NaN is a missing input. They
  ///     are taken with 64 bits, since LightGBM compares so; XGBoost and CatBoost round them to 32
  ///     first.
  ///   - margins: takes `rowCount × outputCount` values, row after row.
  /// - Complexity: O(trees × depth) per row, or O(inputs × outputs) for a linear model, and the sum of
  ///   its members' for an ensemble; no allocation per row.
  public func margins(
    _ rows: UnsafeBufferPointer<Double>, rowCount: Int,
    into margins: UnsafeMutableBufferPointer<Double>
  ) {
    precondition(rowCount >= 0, "a number of rows is not negative")
    precondition(rows.count >= rowCount * inputCount, "every row has all inputs")
    precondition(margins.count >= rowCount * outputCount, "there is room for every margin")
    switch predictor {
    case .forest(let plan):
      guard let derived else { return plan.margins(rows, rowCount: rowCount, into: margins) }
      derived.extend(rows, rowCount: rowCount) { extended, rows in
        plan.margins(
          extended, rowCount: rows.count,
          into: UnsafeMutableBufferPointer(
            rebasing: margins[rows.lowerBound * outputCount..<rows.upperBound * outputCount]))
      }
    case .linear(let booster): booster.margins(rows, rowCount: rowCount, into: margins)
    case .ensemble(let ensemble): ensemble.margins(rows, rowCount: rowCount, into: margins)
    }
  }

  /// The way that so many rows together are evaluated, and why this one.
  public func kernel(forRows rowCount: Int) -> (name: String, why: String) {
    switch predictor {
    case .forest(let plan): plan.kernel(forRows: rowCount)
    case .linear: ("linear", "no trees: weights times inputs")
    case .ensemble(let ensemble): ensemble.kernel(forRows: rowCount)
    }
  }

  /// One row's margins become the scores that the library's `predict` gives, in place.
  ///
  /// - Parameter margins: `outputCount` values; afterwards the first `scoreCount` are the scores
  ///   and the others mean nothing. For `multi:softmax` the score is the index of the class.
  /// - Complexity: O(outputs), no allocation.
  public func transform(_ margins: UnsafeMutableBufferPointer<Double>) {
    precondition(margins.count == outputCount, "the margins of one row")
    task.transform.apply(margins)
  }

  /// How the values of an input become the codes that `margins` takes; nil where the input is a
  /// number, or where its codes are the caller's affair.
  public func categories(ofInput input: Int) -> CategoryCodes? {
    categories.isEmpty ? nil : categories[input]
  }

  /// The class that the library would name, for a classifier.
  ///
  /// - Parameters:
  ///   - margins: one row's, as `margins` gave them.
  ///   - scores: the same row's, after `transform`.
  public func classIndex(margins: [Double], scores: [Double]) -> Int {
    if scores.count > 1 {
      let judged = task.judgesByMargins ? margins : scores
      return judged.indices.max { judged[$0] < judged[$1] }!
    }
    // One output: the class itself (`multi:softmax`), or what speaks for the second of two classes.
    if classCount > 2 { return Int(scores[0]) }
    // Near zero a margin may have a probability of exactly one half, which is not enough.
    if task.judgesByScore { return scores[0] > 0.5 ? 1 : 0 }
    return margins[0] > task.marginBound ? 1 : 0
  }
}
