// XGBoost's linear booster: of each output a bias and a weight for each input, added in 32-bit
// floats in the order of the inputs (src/gbm/gblinear.cc). A missing input adds nothing.

struct LinearBooster: Sendable {
  let inputCount: Int
  let outputCount: Int
  /// One row for each input, and at last one with the biases; `outputCount` values each.
  let weights: [Float]
  /// What every output starts from besides its bias: the library takes the first output's for all.
  let base: Float

  /// - Parameters:
  ///   - rows: `rowCount × inputCount` inputs, row after row; NaN is missing.
  ///   - margins: takes `rowCount × outputCount` values, row after row.
  /// - Complexity: O(inputs × outputs) per row, no allocation.
  func margins(
    _ rows: UnsafeBufferPointer<Double>, rowCount: Int,
    into margins: UnsafeMutableBufferPointer<Double>
  ) {
    for row in 0..<rowCount {
      for output in 0..<outputCount {
        var sum = weights[inputCount * outputCount + output] + base
        for input in 0..<inputCount {
          let value = Float(rows[row * inputCount + input])
          if value.isNaN { continue }
          sum += value * weights[input * outputCount + output]
        }
        margins[row * outputCount + output] = Double(sum)
      }
    }
  }
}
