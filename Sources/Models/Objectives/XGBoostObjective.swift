// XGBoost's objectives. One decides two things at prediction time: how the base score in the file
// becomes the margin that every row starts from, and how margins become scores.

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

struct XGBoostObjective: Sendable {
  /// From the file's base score to a margin.
  enum Link: Sendable { case identity, logit, logarithm, expectiles }

  let name: String
  let task: Objective.Task
  let link: Link
  private let transform: FloatTransform

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

  /// - Parameter version: the library's that wrote the file.
  func transform(in version: [Int]) -> FloatTransform {
    // Quantiles are put in order since 3.4; what an older file's own library gave may cross.
    if transform == .ascending, version.lexicographicallyPrecedes([3, 4]) { return .identity }
    return transform
  }

  private static let all = [
    XGBoostObjective("reg:squarederror", .regression, .identity, .identity),
    XGBoostObjective("reg:linear", .regression, .identity, .identity),  // its name before 0.90
    XGBoostObjective("reg:squaredlogerror", .regression, .identity, .identity),
    XGBoostObjective("reg:pseudohubererror", .regression, .identity, .identity),
    XGBoostObjective("reg:absoluteerror", .regression, .identity, .identity),
    XGBoostObjective("reg:quantileerror", .regression, .identity, .ascending),
    XGBoostObjective("reg:expectileerror", .regression, .expectiles, .cumulativeSoftplus),
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
  /// A margin for each output; NaN where a base score has none, such as the logarithm of a negative
  /// number.
  func margins(_ baseScores: [Float]) -> [Float] {
    switch self {
    case .identity: return baseScores
    case .logit:
      return baseScores.map { score in
        let probability = min(max(score, 1e-6), 1 - 1e-6)
        return -logf(1 / probability - 1)
      }
    case .logarithm: return baseScores.map { logf($0) }
    case .expectiles:
      var margins = baseScores
      for index in margins.indices.dropFirst() {
        let step = baseScores[index] - baseScores[index - 1] - FloatTransform.minimumStep
        let least = max(step, FloatTransform.minimumStep)
        margins[index] = least + logf(-expm1f(-least))
      }
      return margins
    }
  }
}
