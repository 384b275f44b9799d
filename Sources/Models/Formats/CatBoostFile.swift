// What a CatBoost file says, and the checks between its parts. From here on it is a model or a
// failure.

import Core

struct CatBoostFile {
  /// The file's name, for messages.
  let source: String
  /// As `Model.format` gives it.
  let format: String
  var trees: ForestBuilder
  var sawTrees = false
  var sawFeatures = false
  var leafWidth: Int?

  var version = ""
  var loss: String?
  var scale: Double?
  var bias: [Double] = []
  var floats: [CatBoostFeature] = []
  var categories: [CatBoostFeature] = []
  var statistics: [CatBoostStatistic] = []
  var tables: [String: CategoryStatistic.Table] = [:]

  /// What `prepare` makes of the features.
  private(set) var splits = CatBoostSplits()
  private var derived = DerivedInputs(inputCount: 0, categories: [], statistics: [])

  init(source: String, format: String) {
    self.source = source
    self.format = format
    self.trees = ForestBuilder(source: source, comparison: .floatAtMost)
  }

  // MARK: Inputs

  /// Numbers the forest's inputs: the data's columns, one-hot values, statistics. All cuts of all
  /// features have numbers too, in the same order.
  mutating func prepare() throws(Failure) {
    guard sawFeatures else { throw failure("features_info is missing") }
    let columns = (floats + categories).map(\.column)
    let rowCount = (columns.max() ?? -1) + 1
    guard Set(columns).count == columns.count else {
      throw failure("features_info: two features have the same flat_feature_index")
    }
    var cut = 0
    for feature in floats {
      splits.columns[feature.index] = (feature.column, feature.missingIsAbove)
      cut += feature.borders.count
    }
    let categoryColumns = Dictionary(
      categories.map { ($0.index, $0.column) }, uniquingKeysWith: { first, _ in first })
    var oneHot: [DerivedInputs.OneHot] = []
    for feature in categories {
      for hash in feature.hashes {
        let value = try self.oneHot(feature.column, hash)
        splits.oneHot[.init(category: feature.index, hash: hash)] = rowCount + oneHot.count
        oneHot.append(value)
        cut += 1
      }
    }
    var found: [CategoryStatistic] = []
    for (index, statistic) in statistics.enumerated() {
      splits.statistics.append(
        (cut, statistic.borders, rowCount + oneHot.count + found.count))
      cut += statistic.borders.count
      found.append(try resolved(statistic, index, categoryColumns))
    }
    derived = DerivedInputs(inputCount: rowCount, categories: oneHot, statistics: found)
  }

  private func oneHot(_ column: Int, _ hash: Int) throws(Failure) -> DerivedInputs.OneHot {
    guard let narrow = Int32(exactly: hash) else {
      throw failure("features_info: \(hash) is not a hash of 32 bits")
    }
    return DerivedInputs.OneHot(input: column, hash: narrow)
  }

  private func resolved(
    _ statistic: CatBoostStatistic, _ index: Int, _ categoryColumns: [Int: Int]
  ) throws(Failure) -> CategoryStatistic {
    let place = "features_info.ctrs[\(index)]"
    guard let kind = CategoryStatistic.Kind(rawValue: statistic.kind) else {
      throw failure("\(place): ctr_type '\(statistic.kind)' is not supported yet")
    }
    guard let table = tables[statistic.table] else {
      throw failure("\(place): ctr_data has no table of its identifier")
    }
    guard kind.isCount ? table.width == 1 : table.width >= 2 else {
      throw failure("\(place): a table of \(table.width) values for \(statistic.kind)")
    }
    var elements: [CategoryStatistic.Element] = []
    for element in statistic.elements {
      elements.append(try resolved(element, place, categoryColumns))
    }
    return CategoryStatistic(
      kind: kind, elements: Self.hashOrder(elements), table: table,
      targetBorder: statistic.targetBorder, priorNumerator: Float(statistic.priorNumerator),
      priorDenominator: Float(statistic.priorDenominator), shift: Float(statistic.shift),
      scale: Float(statistic.scale))
  }

  private func resolved(
    _ element: CatBoostStatistic.Element, _ place: String, _ categoryColumns: [Int: Int]
  ) throws(Failure) -> CategoryStatistic.Element {
    func column(_ category: Int) throws(Failure) -> Int {
      guard let column = categoryColumns[category] else {
        throw failure("\(place): cat_feature_index \(category) is not among the features")
      }
      return column
    }
    switch element {
    case .category(let category): return .category(input: try column(category))
    case .oneHot(let category, let hash):
      return .oneHot(try oneHot(try column(category), hash))
    case .above(let float, let border):
      guard let (column, missingIsAbove) = splits.columns[float] else {
        throw failure("\(place): float_feature_index \(float) is not among the features")
      }
      return .above(input: column, border: border, missingIsAbove: missingIsAbove)
    }
  }

  /// Categories first, then numbers, then single values, each in the file's order.
  private static func hashOrder(
    _ elements: [CategoryStatistic.Element]
  ) -> [CategoryStatistic.Element] {
    func rank(_ element: CategoryStatistic.Element) -> Int {
      switch element {
      case .category: 0
      case .above: 1
      case .oneHot: 2
      }
    }
    return (0...2).flatMap { wanted in elements.filter { rank($0) == wanted } }
  }

  // MARK: The model

  func model(_ options: ModelOptions, fingerprint: String) throws(Failure) -> Model {
    guard sawTrees else { throw failure("oblivious_trees and trees are missing") }
    guard let loss else { throw failure("model_info.params.loss_function.type is missing") }
    guard let task = CatBoostObjective.named(loss) else {
      throw failure("model_info.params.loss_function.type: '\(loss)' is not supported yet")
    }
    guard let scale, scale.isFinite, bias.allSatisfy(\.isFinite), !bias.isEmpty else {
      throw failure("scale_and_bias: a scale and finite biases are missing")
    }
    guard derived.inputCount >= 1 else { throw failure("features_info has no features") }
    let outputCount = leafWidth ?? bias.count
    guard bias.count == 1 || bias.count == outputCount else {
      throw failure("scale_and_bias: \(bias.count) biases for \(outputCount) outputs")
    }
    let used = try options.iterations.rounds(of: trees.treeCount, best: nil, source: source)
    let forest = try trees.freeze(
      inputCount: derived.inputCount + derived.count, accumulation: .double(scale: scale),
      baseMargins: bias.count == outputCount
        ? bias : Array(repeating: bias[0], count: outputCount),
      treeOutputs: Array(repeating: 0, count: trees.treeCount), trees: used)
    return Model(
      format: format, libraryVersion: version, fingerprint: fingerprint, objective: loss,
      inputNames: inputNames, inputTypes: [], inputCount: derived.inputCount,
      outputCount: outputCount, scoreCount: outputCount, isClassifier: task.isClassifier,
      classCount: task.isClassifier ? (task.task == .multiclass ? outputCount : 2) : 0,
      roundCount: trees.treeCount, usedRounds: used, bestIteration: nil,
      categories: inputCategories, task: task, predictor: .forest(ForestPlan(forest)),
      derived: derived.count > 0 ? derived : nil)
  }

  /// By column; none where the data had none, which the file has as the columns' numbers.
  private var inputNames: [String] {
    let named = (floats + categories).filter { !$0.name.isEmpty && $0.name != String($0.column) }
    guard !named.isEmpty else { return [] }
    var names = (0..<derived.inputCount).map(String.init)
    for feature in named { names[feature.column] = feature.name }
    return names
  }

  private var inputCategories: [CategoryCodes?] {
    guard !categories.isEmpty else { return [] }
    var codes = [CategoryCodes?](repeating: nil, count: derived.inputCount)
    for feature in categories { codes[feature.column] = .hashed }
    return codes
  }

  private func failure(_ reason: String) -> Failure { .badData("\(source): \(reason)") }
}
