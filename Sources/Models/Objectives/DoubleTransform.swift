// The way from margins to scores where the library goes it in 64-bit floats: LightGBM's
// (src/objective, `ConvertOutput`) and CatBoost's.

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

struct DoubleTransform: Sendable, Equatable {
  enum Shape: Sendable, Equatable {
    case identity, exponential, softmax
    case sigmoid(steepness: Double)
    /// log(1 + eˣ)
    case softplus
    /// x² with the sign of x: the model has learnt square roots.
    case signedSquare
    /// A mean, and the variance of which the second margin is half the logarithm.
    case meanAndVariance
  }

  let shape: Shape
  /// What the margins are divided by before all else: the rounds of a forest that averages.
  var divisor: Double = 1

  func apply(_ values: UnsafeMutableBufferPointer<Double>) {
    if divisor != 1 { for index in values.indices { values[index] /= divisor } }
    for index in values.indices {
      let value = values[index]
      switch shape {
      case .identity, .softmax: break
      case .exponential: values[index] = exp(value)
      case .sigmoid(let steepness): values[index] = 1 / (1 + exp(-steepness * value))
      case .softplus: values[index] = log1p(exp(value))
      case .meanAndVariance: if index == 1 { values[index] = exp(2 * value) }
      case .signedSquare: values[index] = value < 0 ? -value * value : value * value
      }
    }
    if case .softmax = shape { Self.softmax(values) }
  }

  private static func softmax(_ values: UnsafeMutableBufferPointer<Double>) {
    guard let largest = values.max() else { return }
    var sum = 0.0
    for index in values.indices {
      values[index] = exp(values[index] - largest)
      sum += values[index]
    }
    for index in values.indices { values[index] /= sum }
  }
}
