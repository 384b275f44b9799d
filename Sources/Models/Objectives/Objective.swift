// What a model was trained for decides how its margins become scores. Each library has a table of
// its own objectives; one that is not in it is refused by name, never guessed.

/// An objective as its library names it.
struct Objective: Sendable {
  enum Task: Sendable { case regression, binary, multiclass, ranking }

  /// From margins to scores, in the precision in which the library does it.
  enum Transform: Sendable {
    case float(FloatTransform)
    case double(DoubleTransform)
    case onnx(ONNXTransform)
  }

  let name: String
  let task: Task
  var transform: Transform
  /// Of two classes the library names the second where its score is above one half, else where its
  /// margin is above `marginBound`.
  var judgesByScore = false
  var marginBound = 0.0
  /// Of several classes the one with the largest margin is named, whatever its score.
  var judgesByMargins = false

  var isClassifier: Bool { task == .binary || task == .multiclass }
}

extension Objective.Transform {
  /// How many scores come from a row's margins.
  func scoreCount(_ marginCount: Int) -> Int {
    if case .float(.argmax) = self { return 1 }
    return marginCount
  }

  /// One row's margins become its scores, in place.
  func apply(_ values: UnsafeMutableBufferPointer<Double>) {
    switch self {
    case .float(let transform): transform.apply(values)
    case .double(let transform): transform.apply(values)
    case .onnx(let transform): transform.apply(values)
    }
  }
}
