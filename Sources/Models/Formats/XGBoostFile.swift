// What an XGBoost file says, in whichever notation, and the checks between its parts, which may
// have come in any order. From here on it is a model or a failure.

import Core

struct XGBoostFile {
  /// The file's name, for messages.
  let source: String
  /// As `Model.format` gives it.
  let format: String
  var trees: ForestBuilder
  var treesSeen = false

  var version: [Int] = []
  var inputNames: [String] = []
  var inputTypes: [String] = []
  var bestIteration: Int?
  var isFromScikitLearn = false

  var booster: String?
  var objective: String?
  var softmaxClassCount: Int?
  var baseScores: [Float]?
  var inputCount: Int?
  var classCount = 0
  var targetCount = 1

  var declaredTreeCount: Int?
  var parallelTreeCount = 1
  var treeOutputs: [Int] = []
  /// Where each round's trees start, and at last the number of trees; empty before 2.0.
  var roundStarts: [Int] = []
  /// What DART multiplies the first trees with.
  var treeWeights: [Double] = []
  /// Of each input, its categories by name; empty where the data had codes.
  var categories: [CategoryCodes?] = []

  /// A linear booster's, see `LinearBooster`.
  var linearWeights: [Double] = []
  var boostedRounds: Int?

  init(source: String, format: String) {
    self.format = format
    self.source = source
    self.trees = ForestBuilder(source: source, comparison: .floatBelow)
  }

  // MARK: Checking

  func model(_ options: ModelOptions, fingerprint: String) throws(Failure) -> Model {
    let known = try checkedObjective()
    let inputCount = try checkedInputCount()
    let outputCount = try checkedOutputCount(known)
    let base = try baseMargins(known, outputCount)
    // Where each round's trees start; a linear booster's rounds are in its weights for good.
    let rounds = booster == Self.linear ? [] : try checkedRounds(outputCount)
    let roundCount = booster == Self.linear ? max(boostedRounds ?? 0, 0) : rounds.count - 1
    let best = bestIteration.flatMap { $0 >= 0 && $0 < roundCount - 1 ? $0 : nil }
    let used = try options.iterations.rounds(
      of: roundCount, best: bestIteration.map { best ?? $0 }, takesBest: isFromScikitLearn,
      source: source)
    let predictor: Model.Predictor
    if booster == Self.linear {
      guard used == 0..<roundCount else {
        throw .usage("\(source): a linear booster has no iterations to choose from")
      }
      predictor = .linear(try linearBooster(inputCount, outputCount, base))
    } else {
      let forest = try trees.freeze(
        inputCount: inputCount, accumulation: .float, baseMargins: base.map(Double.init),
        treeOutputs: treeOutputs, treeWeights: try checkedTreeWeights(),
        trees: rounds[used.lowerBound]..<rounds[used.upperBound])
      predictor = .forest(ForestPlan(forest))
    }
    let transform = known.transform(in: version)
    let task = Objective(
      name: known.name, task: known.task, transform: .float(transform),
      judgesByScore: known.name == "binary:logistic")
    return Model(
      format: format, libraryVersion: versionText, fingerprint: fingerprint, objective: task.name,
      inputNames: inputNames, inputTypes: inputTypes, inputCount: inputCount,
      outputCount: outputCount, scoreCount: task.transform.scoreCount(outputCount),
      isClassifier: task.isClassifier,
      classCount: task.isClassifier ? (task.task == .multiclass ? outputCount : 2) : 0,
      roundCount: roundCount, usedRounds: used, bestIteration: best, categories: categories,
      task: task, predictor: predictor)
  }

  private static let linear = "gblinear"

  private func checkedObjective() throws(Failure) -> XGBoostObjective {
    guard let booster else { throw failure("gradient_booster.name is missing") }
    guard ["gbtree", "dart", Self.linear].contains(booster) else {
      throw failure("gradient_booster.name: '\(booster)' is not supported yet")
    }
    guard treesSeen || booster == Self.linear else {
      throw failure("gradient_booster.model.trees is missing")
    }
    guard let objective else { throw failure("objective.name is missing") }
    guard let known = XGBoostObjective.named(objective) else {
      throw failure("objective.name: '\(objective)' is not supported yet")
    }
    // Up to 1.2 its base score was a probability and later a margin, but the file says the same, so
    // that the training's scores are not those which later versions give.
    if known.name == "binary:logitraw", !version.isEmpty, version.lexicographicallyPrecedes([1, 3])
    {
      throw .badData(
        "\(source): learner.objective.name: '\(known.name)' in a file of XGBoost \(versionText) is "
          + "ambiguous",
        hint: "load it in XGBoost 1.3 or later, check its base_score, and save it again")
    }
    return known
  }

  private var versionText: String { version.map(String.init).joined(separator: ".") }

  private func checkedInputCount() throws(Failure) -> Int {
    guard let inputCount else { throw failure("learner_model_param.num_feature is missing") }
    guard 1...Limits.modelInputsMax ~= inputCount else {
      throw failure(
        "learner_model_param.num_feature: \(inputCount) is outside 1...\(Limits.modelInputsMax)")
    }
    for (name, count) in [
      ("feature_names", inputNames.count), ("feature_types", inputTypes.count),
    ] where count != 0 && count != inputCount {
      throw failure("\(name): \(count) for \(inputCount) features")
    }
    guard categories.isEmpty || categories.count == inputCount else {
      throw failure(
        "gradient_booster.model.cats.enc: \(categories.count) for \(inputCount) features")
    }
    try checkCategories()
    return inputCount
  }

  /// Up to 3.3 texts are cut where their letters end, counted as bytes: behind a letter of more than one byte all
  /// are other texts than the training's, and nothing says so (dmlc/xgboost PR 12371).
  private func checkCategories() throws(Failure) {
    guard version.lexicographicallyPrecedes([3, 4]),
      let input = categories.firstIndex(where: { $0?.isASCII == false })
    else { return }
    let name = inputNames.indices.contains(input) ? inputNames[input] : "f\(input)"
    throw .badData(
      "\(source): learner.gradient_booster.model.cats: the categories of '\(name)' are not all ASCII,"
        + " and XGBoost \(versionText) damages such texts",
      hint: "train it with XGBoost 3.4 or later, or with categories in ASCII")
  }

  private func checkedOutputCount(_ task: XGBoostObjective) throws(Failure) -> Int {
    let most = Limits.modelOutputsMax
    let isMulticlass = task.task == .multiclass
    guard (isMulticlass ? 1...most : 0...1) ~= classCount else {
      throw failure(
        "learner_model_param.num_class: \(classCount) is outside "
          + "\(isMulticlass ? "1...\(most)" : "0...1") for \(task.name)")
    }
    if isMulticlass, let softmaxClassCount, softmaxClassCount != classCount {
      throw failure(
        "objective.softmax_multiclass_param.num_class: \(softmaxClassCount), but "
          + "learner_model_param.num_class is \(classCount)")
    }
    guard (isMulticlass ? 0...1 : 0...most) ~= targetCount else {
      throw failure(
        "learner_model_param.num_target: \(targetCount) is outside "
          + "\(isMulticlass ? "0...1" : "0...\(most)") for \(task.name)")
    }
    return max(classCount, targetCount, 1)
  }

  private func baseMargins(_ task: XGBoostObjective, _ outputCount: Int) throws(Failure) -> [Float]
  {
    guard let baseScores else { throw failure("learner_model_param.base_score is missing") }
    guard baseScores.count == 1 || baseScores.count == outputCount else {
      throw failure(
        "learner_model_param.base_score: \(baseScores.count) values for \(outputCount) outputs")
    }
    let scores =
      baseScores.count == outputCount
      ? baseScores : Array(repeating: baseScores[0], count: outputCount)
    let margins = task.link.margins(scores)
    for (score, margin) in zip(scores, margins) where margin.isNaN {
      throw failure("learner_model_param.base_score: \(score) has no margin for \(task.name)")
    }
    return margins
  }

  private func checkedTreeWeights() throws(Failure) -> [Float] {
    guard treeWeights.count <= trees.treeCount else {
      throw failure(
        "gradient_booster: \(treeWeights.count) values in weight_drop for \(trees.treeCount) trees")
    }
    for weight in treeWeights where !weight.isFinite {
      throw failure("gradient_booster: weight_drop \(weight) is not a finite number")
    }
    return treeWeights.map { Float($0) }
  }

  private func linearBooster(
    _ inputCount: Int, _ outputCount: Int, _ base: [Float]
  ) throws(Failure) -> LinearBooster {
    guard linearWeights.count == (inputCount + 1) * outputCount else {
      throw failure(
        "gradient_booster.model.weights: \(linearWeights.count) for \(inputCount) features, a bias "
          + "and \(outputCount) outputs")
    }
    for weight in linearWeights where !weight.isFinite {
      throw failure("gradient_booster.model.weights: \(weight) is not a finite number")
    }
    return LinearBooster(
      inputCount: inputCount, outputCount: outputCount, weights: linearWeights.map { Float($0) },
      base: base[0])
  }

  /// Where each round's trees start, and at last the number of trees.
  private func checkedRounds(_ outputCount: Int) throws(Failure) -> [Int] {
    let treeCount = trees.treeCount
    if let declaredTreeCount, declaredTreeCount != treeCount {
      throw failure(
        "gradient_booster.model: \(treeCount) trees, but num_trees is \(declaredTreeCount)")
    }
    guard treeOutputs.count == treeCount else {
      throw failure(
        "gradient_booster.model.tree_info: \(treeOutputs.count) entries for \(treeCount) trees")
    }
    guard roundStarts.isEmpty else {
      let steps = zip(roundStarts, roundStarts.dropFirst())
      guard roundStarts[0] == 0, roundStarts[roundStarts.count - 1] == treeCount,
        steps.allSatisfy({ $0 <= $1 })
      else {
        throw failure(
          "gradient_booster.model.iteration_indptr does not rise from 0 to \(treeCount)")
      }
      return roundStarts
    }
    guard parallelTreeCount >= 1, parallelTreeCount <= max(treeCount, 1),
      treeCount % (parallelTreeCount * outputCount) == 0
    else {
      throw failure(
        "gradient_booster.model: \(treeCount) trees are not whole rounds of \(outputCount) outputs "
          + "× \(parallelTreeCount) parallel trees")
    }
    return Array(stride(from: 0, through: treeCount, by: parallelTreeCount * outputCount))
  }

  private func failure(_ reason: String) -> Failure { .badData("\(source): learner.\(reason)") }
}
