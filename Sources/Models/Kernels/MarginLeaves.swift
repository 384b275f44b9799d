// The values of leaves, in the width in which the library adds them.

enum MarginLeaves: Sendable {
  /// Added to the base margin, as floats.
  case floats(Frozen<Float>)
  /// Added to zero, then scaled, then added to the base margin.
  case doubles(Frozen<Double>, scale: Double)

  init(_ values: [Double], _ accumulation: Forest.Accumulation) {
    switch accumulation {
    case .float: self = .floats(Frozen(values.map(Float.init)))
    case .double(let scale): self = .doubles(Frozen(values), scale: scale)
    }
  }
}
