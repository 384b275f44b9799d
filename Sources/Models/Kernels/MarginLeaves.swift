// The values of leaves, in the width in which the library adds them.

struct MarginLeaves: @unchecked Sendable {
  /// Where they are. Plain pointers, as taking them counts no reference; they last as long as the leaves do.
  enum Base {
    case floats(UnsafePointer<Float>)
    case doubles(UnsafePointer<Double>)
  }

  // Sendable since nothing writes to them.
  let base: Base
  /// What the sums start from, and what becomes of them.
  let accumulation: Forest.Accumulation
  private let floats: Frozen<Float>?
  private let doubles: Frozen<Double>?

  init(_ values: [Double], _ accumulation: Forest.Accumulation) {
    self.accumulation = accumulation
    if accumulation.isFloat {
      let floats = Frozen(values.map(Float.init))
      base = .floats(floats.base)
      self.floats = floats
      doubles = nil
    } else {
      let doubles = Frozen(values)
      base = .doubles(doubles.base)
      self.doubles = doubles
      floats = nil
    }
  }
}
