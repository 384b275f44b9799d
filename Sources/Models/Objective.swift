// What a model was trained for, as XGBoost names it, decides two things at prediction time: how the
// base score in the file becomes the margin that every row starts from, and how margins become
// scores. Both are in one table; an objective that is not in it is refused by name, never guessed.
//
// The arithmetic is XGBoost's own, operation by operation and in its precision, so that scores are
// equal bit for bit where the C library's exp and log are the same (src/common/math.h,
// src/objective/regression_loss.h, src/objective/multiclass_obj.cu).

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

struct Objective: Sendable {
  enum Task: Sendable { case regression, binary, multiclass, ranking }

  /// From the file's base score to a margin.
  enum Link: Sendable { case identity, logit, logarithm }

  /// From margins to scores.
  enum Transform: Sendable { case identity, sigmoid, exponential, step, softmax, argmax }

  let name: String
  let task: Task
  let link: Link
  let transform: Transform

  private init(_ name: String, _ task: Task, _ link: Link, _ transform: Transform) {
    self.name = name
    self.task = task
    self.link = link
    self.transform = transform
  }

  /// - Complexity: O(objectives), once for each model.
  static func named(_ name: String) -> Objective? { xgboost.first { $0.name == name } }

  static let xgboost = [
    Objective("reg:squarederror", .regression, .identity, .identity),
    Objective("reg:linear", .regression, .identity, .identity),  // its name before 0.90
    Objective("reg:squaredlogerror", .regression, .identity, .identity),
    Objective("reg:pseudohubererror", .regression, .identity, .identity),
    Objective("reg:absoluteerror", .regression, .identity, .identity),
    Objective("reg:logistic", .regression, .logit, .sigmoid),
    Objective("reg:gamma", .regression, .logarithm, .exponential),
    Objective("reg:tweedie", .regression, .logarithm, .exponential),
    Objective("count:poisson", .regression, .logarithm, .exponential),
    Objective("survival:cox", .regression, .logarithm, .exponential),
    Objective("survival:aft", .regression, .logarithm, .exponential),
    Objective("binary:logistic", .binary, .logit, .sigmoid),
    Objective("binary:logitraw", .binary, .identity, .identity),
    Objective("binary:hinge", .binary, .identity, .step),
    Objective("rank:pairwise", .ranking, .identity, .identity),
    Objective("rank:ndcg", .ranking, .identity, .identity),
    Objective("rank:map", .ranking, .identity, .identity),
    Objective("multi:softprob", .multiclass, .identity, .softmax),
    Objective("multi:softmax", .multiclass, .identity, .argmax),
  ]
}

extension Objective.Link {
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

extension Objective.Transform {
  /// How many scores come from a row's margins.
  func scoreCount(_ marginCount: Int) -> Int { self == .argmax ? 1 : marginCount }

  /// One row's margins become its scores, in place.
  func apply(_ values: UnsafeMutableBufferPointer<Float>) {
    switch self {
    case .identity: return
    case .sigmoid: for index in values.indices { values[index] = Self.sigmoid(values[index]) }
    case .exponential: for index in values.indices { values[index] = expf(values[index]) }
    case .step: for index in values.indices { values[index] = values[index] > 0 ? 1 : 0 }
    case .softmax: Self.softmax(values)
    case .argmax:
      guard !values.isEmpty else { return }
      values[0] = Float(Self.indexOfLargest(values))
    }
  }

  private static func sigmoid(_ margin: Float) -> Float {
    // Above 88.7 the exponential would overflow. XGBoost also adds 1e-16 below the line; next to 1
    // that is lost in either precision.
    let exponent = 88.7 < -margin ? 88.7 : -margin
    return 1 / (expf(exponent) + 1)
  }

  private static func softmax(_ values: UnsafeMutableBufferPointer<Float>) {
    guard let first = values.first else { return }
    var largest = first
    for value in values where value > largest { largest = value }
    var sum = 0.0
    for index in values.indices {
      values[index] = expf(values[index] - largest)
      sum += Double(values[index])
    }
    for index in values.indices { values[index] /= Float(sum) }
  }

  /// The first of the largest, as `std::max_element` finds it.
  private static func indexOfLargest(_ values: UnsafeMutableBufferPointer<Float>) -> Int {
    var best = 0
    for index in values.indices where values[index] > values[best] { best = index }
    return best
  }
}
