// LightGBM's objectives, as its files write them: a name, then what the transform needs.
//
//     binary sigmoid:1        multiclassova num_class:3 sigmoid:1        regression sqrt

enum LightGBMObjective {
  /// What a file's objective says, with the arithmetic of its scores; nil where it is not known.
  ///
  /// - Parameter text: empty where the file has none: the caller had an objective of their own, and
  ///   margins are scores.
  static func parsed(_ text: String) -> (objective: Objective, classCount: Int?)? {
    let words = text.split(separator: " ")
    let name = words.first.map(String.init) ?? "custom"
    guard let (task, shape) = known(canonical[name] ?? name) else { return nil }
    var chosen = shape
    var classCount: Int?
    for word in words.dropFirst() {
      let parts = word.split(separator: ":")
      switch parts[0] {
      case "num_class" where parts.count == 2:
        guard let count = Int(parts[1]) else { return nil }
        classCount = count
      case "sigmoid" where parts.count == 2:
        guard let steepness = Double(parts[1]), steepness.isFinite else { return nil }
        if case .sigmoid = shape { chosen = .sigmoid(steepness: steepness) }
      case "sqrt":
        if takesSquareRoots.contains(canonical[name] ?? name) { chosen = .signedSquare }
      default: break
      }
    }
    let transform = DoubleTransform(shape: chosen)
    let objective = Objective(
      name: name, task: task, transform: .double(transform), judgesByScore: true)
    return (objective, classCount)
  }

  private static func known(_ name: String) -> (Objective.Task, DoubleTransform.Shape)? {
    switch name {
    case "regression", "regression_l1", "huber", "fair", "quantile", "mape", "custom":
      (.regression, .identity)
    case "poisson", "gamma", "tweedie": (.regression, .exponential)
    case "cross_entropy": (.regression, .sigmoid(steepness: 1))
    case "cross_entropy_lambda": (.regression, .softplus)
    case "binary": (.binary, .sigmoid(steepness: 1))
    case "multiclass": (.multiclass, .softmax)
    case "multiclassova": (.multiclass, .sigmoid(steepness: 1))
    case "lambdarank", "rank_xendcg": (.ranking, .identity)
    default: nil
    }
  }

  /// Those that keep L2's way back from square roots (src/objective/regression_objective.hpp).
  private static let takesSquareRoots: Set = [
    "regression", "regression_l1", "fair", "quantile", "mape",
  ]

  /// Other names of the same (include/LightGBM/config.h, `ParseObjectiveAlias`).
  private static let canonical: [String: String] = [
    "regression_l2": "regression", "mean_squared_error": "regression", "mse": "regression",
    "l2": "regression", "l2_root": "regression", "root_mean_squared_error": "regression",
    "rmse": "regression", "mean_absolute_error": "regression_l1", "l1": "regression_l1",
    "mae": "regression_l1", "softmax": "multiclass", "multiclass_ova": "multiclassova",
    "ova": "multiclassova", "ovr": "multiclassova", "xentropy": "cross_entropy",
    "xentlambda": "cross_entropy_lambda", "mean_absolute_percentage_error": "mape",
    "xendcg": "rank_xendcg", "xe_ndcg": "rank_xendcg", "xe_ndcg_mart": "rank_xendcg",
    "xendcg_mart": "rank_xendcg", "none": "custom", "null": "custom", "na": "custom",
  ]
}
