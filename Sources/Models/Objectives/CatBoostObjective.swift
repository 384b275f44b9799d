// CatBoost's loss functions. Scores are probabilities for classes, exponentials where its regressor
// gives them (`predict` of Poisson and Tweedie), a mean and a variance where it gives those, else raw
// values.

enum CatBoostObjective {
  static func named(_ name: String) -> Objective? {
    let (task, shape): (Objective.Task, DoubleTransform.Shape)
    switch name {
    case "RMSE", "MAE", "Quantile", "MultiQuantile", "MAPE", "Lq", "Huber", "Expectile", "LogCosh",
      "LogLinQuantile", "MultiRMSE", "MultiRMSEWithMissingValues", "Cox":
      (task, shape) = (.regression, .identity)
    case "RMSEWithUncertainty": (task, shape) = (.regression, .meanAndVariance)
    case "Poisson", "Tweedie": (task, shape) = (.regression, .exponential)
    case "Logloss", "CrossEntropy", "Focal", "MultiLogloss", "MultiCrossEntropy":
      (task, shape) = (.binary, .sigmoid(steepness: 1))
    case "MultiClass": (task, shape) = (.multiclass, .softmax)
    case "MultiClassOneVsAll": (task, shape) = (.multiclass, .sigmoid(steepness: 1))
    case "YetiRank", "YetiRankPairwise", "PairLogit", "PairLogitPairwise", "QueryRMSE",
      "QuerySoftMax", "QueryCrossEntropy", "StochasticRank", "StochasticFilter", "LambdaMart":
      (task, shape) = (.ranking, .identity)
    default: return nil
    }
    return Objective(
      name: name, task: task, transform: .double(DoubleTransform(shape: shape)))
  }
}
