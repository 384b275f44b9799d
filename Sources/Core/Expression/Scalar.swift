// One value of a record, a feature or an expression. A plain struct-like enum of 17 bytes without
// reference counting, so that a record's values cost no allocation; text is borrowed (see `Bytes`).

/// A single value: what a member of a record, a feature or an expression is at run time.
public enum Scalar: Sendable {
  /// Missing: an absent member, a JSON null, an empty CSV cell, a division by zero.
  case null
  case bool(Bool)
  case int(Int64)
  case double(Double)
  /// Borrowed text; valid as long as the record it came from.
  case text(Bytes)
  /// Microseconds since 1970-01-01T00:00:00Z.
  case time(Timestamp)

  @inlinable public var isNull: Bool {
    if case .null = self { true } else { false }
  }

  /// The number it stands for: integers widened, truth as 0 or 1; nil for text, time and null.
  @inlinable public var number: Double? {
    switch self {
    case .int(let value): Double(value)
    case .double(let value): value
    case .bool(let value): value ? 1 : 0
    case .null, .text, .time: nil
    }
  }

  @inlinable public var type: ValueType {
    switch self {
    case .null: .null
    case .bool: .bool
    case .int: .int
    case .double: .double
    case .text: .string
    case .time: .time
    }
  }
}

/// A static type of the expression language. `any` is a value whose type is known only at run time
/// (a member that no schema declares).
public enum ValueType: String, Sendable, Equatable {
  case any, null, bool, int, double, string, time
}
