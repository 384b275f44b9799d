// A number that is made from one of a row's inputs before a forest sees it, step by step, as the nodes of
// an ONNX graph make it: scaled, filled in where it is missing, looked up in a set.
//
// Steps are taken with 64 bits. Where the graph works with 32, a `round` follows each of them: of two
// 32-bit floats a sum, a product or a quotient that is rounded to 64 bits first comes out the same.

struct DerivedNumber: Sendable, Hashable {
  /// One of the row's own inputs.
  let input: Int
  private(set) var steps: [Step] = []

  enum Step: Sendable, Hashable {
    /// To 32 bits.
    case round
    case add(Double)
    case subtract(Double)
    case multiply(Double)
    case divide(Double)
    /// In place of NaN, or of this value, another.
    case replace(Double, by: Double)
    /// 1 where it is one of these, which ascend, else 0; NaN stays NaN.
    case isAmong([Double])
  }

  init(input: Int) { self.input = input }

  func then(_ steps: Step...) -> DerivedNumber {
    var longer = self
    longer.steps += steps
    return longer
  }

  /// The same as a 32-bit float: what a step gave is one where it should be.
  var rounded: DerivedNumber { steps.isEmpty ? then(.round) : self }

  /// - Complexity: O(steps × log set), no allocation.
  func value(_ row: UnsafeBufferPointer<Double>) -> Double {
    var value = row[input]
    for step in steps {
      switch step {
      case .round: value = Double(Float(value))
      case .add(let other): value += other
      case .subtract(let other): value -= other
      case .multiply(let other): value *= other
      case .divide(let other): value /= other
      case .replace(let old, let new):
        if old.isNaN ? value.isNaN : value == old { value = new }
      case .isAmong(let set):
        guard !value.isNaN else { continue }
        let place = set.indices.firstPlace { set[$0] >= value }
        value = place < set.count && set[place] == value ? 1 : 0
      }
    }
    return value
  }
}
