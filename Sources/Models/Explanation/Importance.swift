// What a model's file says of its inputs' worth in training, in its library's own measures:
//
//     XGBoost    weight          splits that ask for the input        (`Booster.get_score`)
//                gain, cover     means over those splits
//                total_gain, total_cover                              their sums
//     LightGBM   split, gain     a count and a sum, of splits that gained something
//                                                                     (`Booster.feature_importance`)
//     ONNX       split           splits that ask for the input: the files say nothing else
//     CatBoost   PredictionValuesChange  how far splits move the prediction, in percent
//                                                                     (`get_feature_importance`)
//
// All rounds of the file count, as in the libraries, whichever of them predict.

public import Core

/// One number for each input, by measure.
public struct Importance: Sendable {
  public struct Measure: Sendable {
    /// As the library calls it.
    public let name: String
    /// By input; 0 where no split asks for it.
    public let values: [Double]
    /// Whether the values are counts.
    public let isCount: Bool
    /// Whether an input with a larger value comes first.
    public let isOrder: Bool

    init(_ name: String, _ values: [Double], isCount: Bool = false, isOrder: Bool = false) {
      (self.name, self.values, self.isCount, self.isOrder) = (name, values, isCount, isOrder)
    }
  }

  public let measures: [Measure]

  /// The measure that inputs are ranked by.
  public var leading: Measure { measures.first(where: \.isOrder) ?? measures[0] }

  /// The inputs, the most important first.
  public var order: [Int] {
    let values = leading.values
    return values.indices.sorted {
      (abs(values[$1]), $0) < (abs(values[$0]), $1)
    }
  }
}

extension Model {
  /// The inputs' importance over all rounds that this model was loaded with.
  ///
  /// - Parameter source: the file's name, for messages.
  /// - Throws: a failure that names what the file does not say.
  /// - Complexity: O(nodes + inputs).
  public func importance(source: String) throws(Failure) -> Importance {
    switch predictor {
    case .linear(let booster):
      // As the library has it: the only measure of a linear booster.
      guard outputCount == 1 else {
        throw .badData(
          "\(source): the importance of a linear booster with \(outputCount) outputs is not supported yet"
        )
      }
      return Importance(measures: [
        Importance.Measure("weight", booster.weights.dropLast().map(Double.init))
      ])
    case .ensemble:
      throw .badData(
        "\(source): an ensemble's files measure importance in ways of their own; each has its own")
    case .forest(let plan):
      let forest = plan.forest
      if format == ONNXFile.name { return forest.splitCounts(derived, inputCount: inputCount) }
      switch forest.comparison {
      case .floatBelow: return try forest.xgboostImportance(source)
      case .doubleAtMost, .exactAtMost: return try forest.lightgbmImportance(source)
      case .floatAtMost:
        return Importance(measures: [
          Importance.Measure(
            "PredictionValuesChange",
            try forest.predictionValuesChange(derived, inputCount: inputCount, source))
        ])
      }
    }
  }
}

extension Forest {
  /// Sums in 32-bit floats, node by node in the library's order (src/gbm/gbtree.h, `FeatureScore`).
  fileprivate func xgboostImportance(_ source: String) throws(Failure) -> Importance {
    guard gain.count == nodeCount, cover.count == nodeCount else {
      throw .badData(
        "\(source): the file has no loss_changes and sum_hessian, from which importance comes")
    }
    var splits = [Double](repeating: 0, count: inputCount)
    var gains = [Float](repeating: 0, count: inputCount)
    var covers = gains
    var stack: [Int32] = []
    for tree in 0..<treeCount {
      stack.append(roots[tree])
      // The right side first.
      while let next = stack.popLast() {
        let node = Int(next)
        guard left[node] >= 0 else { continue }
        let input = Int(feature[node])
        splits[input] += 1
        gains[input] += Float(gain[node])
        covers[input] += Float(cover[node])
        stack += [left[node], left[node] + 1]
      }
    }
    func means(_ sums: [Float]) -> [Double] {
      zip(sums, splits).map { $1 == 0 ? 0 : Double($0 / Float($1)) }
    }
    return Importance(measures: [
      .init("weight", splits, isCount: true),
      .init("gain", means(gains)), .init("cover", means(covers)),
      .init("total_gain", gains.map(Double.init), isOrder: true),
      .init("total_cover", covers.map(Double.init)),
    ])
  }

  /// A split by a number that is made of an input is that input's.
  fileprivate func splitCounts(_ derived: DerivedInputs?, inputCount: Int) -> Importance {
    var splits = [Double](repeating: 0, count: inputCount)
    for node in 0..<nodeCount where left[node] >= 0 {
      let input = Int(feature[node])
      let sources = input < inputCount ? [input] : derived?.sources(ofInput: input) ?? []
      for source in sources { splits[source] += 1 }
    }
    return Importance(measures: [.init("split", splits, isCount: true)])
  }

  /// Sums of 32-bit floats in 64 bits (src/boosting/gbdt.cpp, `FeatureImportance`).
  fileprivate func lightgbmImportance(_ source: String) throws(Failure) -> Importance {
    guard gain.count == nodeCount else {
      throw .badData("\(source): the file has no split_gain, from which importance comes")
    }
    var splits = [Double](repeating: 0, count: inputCount)
    var gains = splits
    for node in 0..<nodeCount where left[node] >= 0 {
      let worth = Double(Float(gain[node]))
      guard worth > 0 else { continue }
      splits[Int(feature[node])] += 1
      gains[Int(feature[node])] += worth
    }
    return Importance(measures: [
      .init("split", splits, isCount: true), .init("gain", gains, isOrder: true),
    ])
  }
}
