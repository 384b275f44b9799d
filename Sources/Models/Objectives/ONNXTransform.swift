// The way from margins to scores as ONNX Runtime goes it, in 32-bit floats: `post_transform`
// (onnxruntime/core/providers/cpu/ml/ml_common.h), then what nodes behind the trees make of it.

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

struct ONNXTransform: Sendable {
  enum Shape: String, Sendable {
    case none = "NONE"
    case logistic = "LOGISTIC"
    case softmax = "SOFTMAX"
    /// A softmax that leaves zeros what they are.
    case softmaxZero = "SOFTMAX_ZERO"
  }

  /// What a node behind the trees does to a score.
  enum Step: Sendable, Equatable {
    case add(Float)
    case multiply(Float)
    case divide(Float)
    case subtractFrom(Float)
    case exponential
  }

  let shape: Shape
  /// Whether no weight is negative, which is how the runtime tells that sums are probabilities.
  var sumsAreProbabilities = false
  /// By score; empty where no node follows.
  var steps: [[Step]] = []

  /// The same in 64 bits; nil where there is none.
  var wide: DoubleTransform? {
    guard steps.allSatisfy(\.isEmpty) else { return nil }
    switch shape {
    case .none: return DoubleTransform(shape: .identity)
    case .logistic: return DoubleTransform(shape: .sigmoid(steepness: 1))
    case .softmax: return DoubleTransform(shape: .softmax)
    case .softmaxZero: return nil
    }
  }

  func apply(_ values: UnsafeMutableBufferPointer<Double>) {
    // From a sum of 64 bits too.
    for index in values.indices { values[index] = Double(Float(values[index])) }
    switch shape {
    case .none: break
    case .logistic: Self.each(values, Self.logistic)
    case .softmax: Self.softmax(values, leavesZeros: false)
    case .softmaxZero: Self.softmax(values, leavesZeros: true)
    }
    for (index, steps) in steps.enumerated() {
      values[index] = Double(steps.reduce(Float(values[index]), Self.taken))
    }
  }

  private static func taken(_ value: Float, _ step: Step) -> Float {
    switch step {
    case .add(let other): value + other
    case .multiply(let other): value * other
    case .divide(let other): value / other
    case .subtractFrom(let other): other - value
    case .exponential: expf(value)
    }
  }

  private static func each(
    _ values: UnsafeMutableBufferPointer<Double>, _ body: (Float) -> Float
  ) {
    for index in values.indices { values[index] = Double(body(Float(values[index]))) }
  }

  private static func logistic(_ value: Float) -> Float {
    let likely = 1 / (1 + expf(-abs(value)))
    return value < 0 ? 1 - likely : likely
  }

  private static func softmax(
    _ values: UnsafeMutableBufferPointer<Double>, leavesZeros: Bool
  ) {
    let largest = values.reduce(-Float.greatestFiniteMagnitude) { max($0, Float($1)) }
    var sum: Float = 0
    each(values) { value in
      if leavesZeros, value.magnitude <= 0.0000001 { return value * expf(-largest) }
      let power = expf(value - largest)
      sum += power
      return power
    }
    each(values) { $0 / sum }
  }
}
