// The values of leaves, in the width in which the library adds them.

struct MarginLeaves: @unchecked Sendable {
  /// Where they are. Plain pointers, as taking them counts no reference; they last as long as the leaves do.
  enum Base {
    /// Added to the base margin, as floats.
    case floats(UnsafePointer<Float>)
    /// Added to zero, then scaled, then added to the base margin.
    case doubles(UnsafePointer<Double>, scale: Double)
  }

  // Sendable since nothing writes to them.
  let base: Base
  private let floats: Frozen<Float>?
  private let doubles: Frozen<Double>?

  init(_ values: [Double], _ accumulation: Forest.Accumulation) {
    switch accumulation {
    case .float:
      let floats = Frozen(values.map(Float.init))
      base = .floats(floats.base)
      self.floats = floats
      doubles = nil
    case .double(let scale):
      let doubles = Frozen(values)
      base = .doubles(doubles.base, scale: scale)
      self.doubles = doubles
      floats = nil
    }
  }
}
