// What a LightGBM file says, and the checks between its parts. From here on it is a model or a
// failure.

import Core

struct LightGBMFile {
  /// The file's name, for messages.
  let source: String
  /// As `Model.format` gives it.
  let format: String
  var trees: ForestBuilder

  var version: String?
  var classCount: Int?
  /// As many as classes where the file does not say.
  var treesPerRound: Int?
  var largestFeature: Int?
  var objective = ""
  var averages = false
  var inputNames: [String] = []
  /// What the training saw of each input: `[least:greatest]`, categories with colons between, or none.
  var inputInfos: [String] = []
  /// Which inputs the training took for categories; nil where the file does not say in numbers.
  var categoricalFeatures: [Int]?
  /// The categories of the data frame's categorical columns, in the order of the columns.
  var pandasCategories: [[CategoryValue]] = []

  init(source: String, format: String) {
    self.source = source
    self.format = format
    self.trees = ForestBuilder(source: source, comparison: .doubleAtMost)
  }

  // MARK: Checking

  func model(_ options: ModelOptions, fingerprint: String) throws(Failure) -> Model {
    let version = try checkedVersion()
    let inputCount = try checkedInputCount()
    let outputCount = try checkedOutputCount()
    var task = try checkedObjective(outputCount)
    let roundCount = trees.treeCount / outputCount
    let used = try options.iterations.rounds(of: roundCount, best: nil, source: source)
    let forest = try trees.freeze(
      inputCount: inputCount, accumulation: .double(scale: 1),
      baseMargins: Array(repeating: 0, count: outputCount),
      treeOutputs: (0..<trees.treeCount).map { $0 % outputCount },
      trees: used.lowerBound * outputCount..<used.upperBound * outputCount)
    if averages, case .double(var transform) = task.transform {
      // Raw scores are sums all the same.
      transform.divisor = Double(max(used.count, 1))
      task.transform = .double(transform)
    }
    return Model(
      format: format, libraryVersion: version, fingerprint: fingerprint, objective: task.name,
      inputNames: inputNames, inputTypes: [], inputCount: inputCount, outputCount: outputCount,
      scoreCount: outputCount, isClassifier: task.isClassifier,
      classCount: task.isClassifier ? max(outputCount, 2) : 0, roundCount: roundCount,
      usedRounds: used, bestIteration: nil, categories: try categories(), task: task,
      predictor: .forest(ForestPlan(forest)))
  }

  /// The format's version; the library's own is not in the file.
  private func checkedVersion() throws(Failure) -> String {
    guard let version else { throw failure("version is missing") }
    guard version == "v3" || version == "v4" else {
      throw .badData(
        "\(source): version \(version) of LightGBM's text is not supported",
        hint: "load it in LightGBM 3 or later and save it again")
    }
    return version
  }

  private func checkedInputCount() throws(Failure) -> Int {
    guard let largestFeature else { throw failure("max_feature_idx is missing") }
    guard 0..<Limits.modelInputsMax ~= largestFeature else {
      throw failure("max_feature_idx: \(largestFeature) is outside 0..<\(Limits.modelInputsMax)")
    }
    guard inputNames.count == largestFeature + 1 else {
      throw failure(
        "feature_names: \(inputNames.count) for max_feature_idx \(largestFeature)")
    }
    return inputNames.count
  }

  private func checkedOutputCount() throws(Failure) -> Int {
    guard let classCount else { throw failure("num_class is missing") }
    let outputCount = treesPerRound ?? classCount
    guard 1...Limits.modelOutputsMax ~= outputCount else {
      throw failure(
        "num_tree_per_iteration: \(outputCount) is outside 1...\(Limits.modelOutputsMax)")
    }
    guard trees.treeCount % outputCount == 0 else {
      throw failure("\(trees.treeCount) trees are not whole rounds of \(outputCount)")
    }
    return outputCount
  }

  private func checkedObjective(_ outputCount: Int) throws(Failure) -> Objective {
    guard let (objective, classCount) = LightGBMObjective.parsed(objective) else {
      throw failure("objective: '\(objective)' is not supported yet")
    }
    let expected = objective.task == .multiclass ? (classCount ?? outputCount) : outputCount
    guard expected == outputCount, objective.task != .binary || outputCount == 1 else {
      throw failure(
        "objective: '\(self.objective)' does not fit \(outputCount) trees in each round")
    }
    return objective
  }

  private func categories() throws(Failure) -> [CategoryCodes?] {
    guard !pandasCategories.isEmpty else { return [] }
    do throws(LightGBMCategories.Uncertain) {
      return try LightGBMCategories(
        inputNames: inputNames, infos: inputInfos, features: categoricalFeatures,
        lists: pandasCategories
      ).codes()
    } catch {
      throw .badData(
        "\(source): pandas_categorical: which inputs its lists belong to is not certain: \(error.reason)",
        hint:
          "train with codes (frame[column].cat.codes) in place of such columns, and give the model codes"
      )
    }
  }

  private func failure(_ reason: String) -> Failure { .badData("\(source): \(reason)") }
}
