// The order of values, for the aggregations that pick the least or the greatest.

import Core

extension Cell {
  /// Whether this value comes before the other of its type; integers and floats compare as numbers, exactly.
  /// Nil across other types.
  func precedes(_ other: Cell) -> Bool? {
    switch (self, other) {
    case (.int(let left), .int(let right)): left < right
    case (.double(let left), .double(let right)): left < right
    case (.time(let left), .time(let right)): left < right
    case (.bool(let left), .bool(let right)): !left && right
    default: mixedPrecedes(other)
    }
  }

  /// Numbers of two types, as expressions compare them.
  @inline(never)
  private func mixedPrecedes(_ other: Cell) -> Bool? {
    guard let left = numberScalar, let right = other.numberScalar else { return nil }
    return left.precedes(right)
  }

  private var numberScalar: Scalar? {
    switch self {
    case .int(let value): .int(value)
    case .uint(let value): .uint(value)
    case .double(let value): .double(value)
    case .null, .bool, .text, .time, .document: nil
    }
  }
}
