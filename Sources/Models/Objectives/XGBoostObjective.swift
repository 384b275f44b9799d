// XGBoost's objectives. One decides two things at prediction time: how the base score in the file
// becomes the margin that every row starts from, and how margins become scores.

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

struct XGBoostObjective: Sendable {
  /// From the file's base score to a margin.
  enum Link: Sendable { case identity, logit, logarithm }

  let name: String
  let task: Objective.Task
  let link: Link
  let transform: FloatTransform

  private init(
    _ name: String, _ task: Objective.Task, _ link: Link, _ transform: FloatTransform
  ) {
    self.name = name
    self.task = task
    self.link = link
    self.transform = transform
  }

  /// - Complexity: O(objectives), once for each model.
  static func named(_ name: String) -> XGBoostObjective? { all.first { $0.name == name } }

  private static let all = [
    XGBoostObjective("reg:squarederror", .regression, .identity, .identity),
    XGBoostObjective("reg:linear", .regression, .identity, .identity),  // its name before 0.90
    XGBoostObjective("reg:squaredlogerror", .regression, .identity, .identity),
    XGBoostObjective("reg:pseudohubererror", .regression, .identity, .identity),
    XGBoostObjective("reg:absoluteerror", .regression, .identity, .identity),
    XGBoostObjective("reg:logistic", .regression, .logit, .sigmoid),
    XGBoostObjective("reg:gamma", .regression, .logarithm, .exponential),
    XGBoostObjective("reg:tweedie", .regression, .logarithm, .exponential),
    XGBoostObjective("count:poisson", .regression, .logarithm, .exponential),
    XGBoostObjective("survival:cox", .regression, .logarithm, .exponential),
    XGBoostObjective("survival:aft", .regression, .logarithm, .exponential),
    XGBoostObjective("binary:logistic", .binary, .logit, .sigmoid),
    XGBoostObjective("binary:logitraw", .binary, .identity, .identity),
    XGBoostObjective("binary:hinge", .binary, .identity, .step),
    XGBoostObjective("rank:pairwise", .ranking, .identity, .identity),
    XGBoostObjective("rank:ndcg", .ranking, .identity, .identity),
    XGBoostObjective("rank:map", .ranking, .identity, .identity),
    XGBoostObjective("multi:softprob", .multiclass, .identity, .softmax),
    XGBoostObjective("multi:softmax", .multiclass, .identity, .argmax),
  ]
}

extension XGBoostObjective.Link {
  /// NaN where the base score has no margin, such as the logarithm of a negative number.
  func margin(_ baseScore: Float) -> Float {
    switch self {
    case .identity: return baseScore
    case .logit:
      let probability = min(max(baseScore, 1e-6), 1 - 1e-6)
      return -logf(1 / probability - 1)
    case .logarithm: return logf(baseScore)
    }
  }
}
