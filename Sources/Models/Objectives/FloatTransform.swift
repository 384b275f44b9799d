// XGBoost's way from margins to scores, operation by operation and in its precision, so that scores
// are equal bit for bit where the C library's exp is the same (src/common/math.h,
// src/objective/regression_loss.h, src/objective/multiclass_obj.cu, src/objective/quantile_obj.cu).
// Values are 32-bit floats, carried in 64.

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

enum FloatTransform: Sendable {
  case identity, sigmoid, exponential, step, softmax, argmax
  /// Quantiles that cross are put in order.
  case ascending
  /// Each expectile lies above the one before by the softplus of its margin.
  case cumulativeSoftplus

  func apply(_ values: UnsafeMutableBufferPointer<Double>) {
    switch self {
    case .identity: return
    case .sigmoid: Self.each(values, Self.sigmoid)
    case .exponential: Self.each(values) { expf($0) }
    case .step: Self.each(values) { $0 > 0 ? 1 : 0 }
    case .softmax: Self.softmax(values)
    case .argmax:
      guard !values.isEmpty else { return }
      values[0] = Double(Self.indexOfLargest(values))
    case .ascending:
      var sorted = values
      sorted.sort()
    case .cumulativeSoftplus:
      for index in values.indices.dropFirst() {
        let step = Self.minimumStep + Self.softplus(Float(values[index]))
        values[index] = Double(Float(values[index - 1]) + step)
      }
    }
  }

  private static func each(
    _ values: UnsafeMutableBufferPointer<Double>, _ body: (Float) -> Float
  ) {
    for index in values.indices { values[index] = Double(body(Float(values[index]))) }
  }

  private static func sigmoid(_ margin: Float) -> Float {
    // Above 88.7 the exponential would overflow. XGBoost also adds 1e-16 below the line; next to 1
    // that is lost in either precision.
    let exponent = 88.7 < -margin ? 88.7 : -margin
    return 1 / (expf(exponent) + 1)
  }

  private static func softmax(_ values: UnsafeMutableBufferPointer<Double>) {
    guard let first = values.first else { return }
    var largest = first
    for value in values where value > largest { largest = value }
    var sum = 0.0
    each(values) { expf($0 - Float(largest)) }
    for value in values { sum += value }
    each(values) { $0 / Float(sum) }
  }

  /// The first of the largest, as `std::max_element` finds it.
  private static func indexOfLargest(_ values: UnsafeMutableBufferPointer<Double>) -> Int {
    var best = 0
    for index in values.indices where values[index] > values[best] { best = index }
    return best
  }

  // MARK: Expectiles

  static let minimumStep: Float = 1e-6

  static func softplus(_ value: Float) -> Float {
    value > 0 ? value + log1pf(expf(-value)) : log1pf(expf(value))
  }
}
