// One value of a record, a feature or an expression. A plain struct-like enum of 17 bytes without
// reference counting, so that a record's values cost no allocation; text is borrowed (see `Bytes`).

/// A single value: what a member of a record, a feature or an expression is at run time.
public enum Scalar: Sendable {
  /// Missing: an absent member, a JSON null, an empty CSV cell, a division by zero.
  case null
  case bool(Bool)
  case int(Int64)
  /// An integer from 2^63 to 2^64 - 1: an id made of 64 random bits. What `int` can hold is never one of these, so
  /// that a number has one form only.
  case uint(UInt64)
  case double(Double)
  /// Borrowed text; valid as long as the record it came from.
  case text(Bytes)
  /// Microseconds since 1970-01-01T00:00:00Z.
  case time(Timestamp)

  @inlinable public var isNull: Bool {
    if case .null = self { true } else { false }
  }

  /// Unlike `number`, truth is none.
  var isNumber: Bool {
    switch self {
    case .int, .uint, .double: true
    case .null, .bool, .text, .time: false
    }
  }

  /// The number it stands for: integers widened, truth as 0 or 1; nil for text, time and null.
  @inlinable public var number: Double? {
    switch self {
    case .int(let value): Double(value)
    case .uint(let value): Double(value)
    case .double(let value): value
    case .bool(let value): value ? 1 : 0
    case .null, .text, .time: nil
    }
  }

  @inlinable public var type: ValueType {
    switch self {
    case .null: .null
    case .bool: .bool
    case .int, .uint: .int
    case .double: .double
    case .text: .string
    case .time: .time
    }
  }
}

extension Scalar {
  /// The order of expressions: exact between integers and doubles, nil across other types.
  public func precedes(_ other: Scalar) -> Bool? { Arithmetic.order(self, other).map { $0 < 0 } }

  /// The integer, or nil if 64 bits cannot hold it.
  @inlinable public init?(exactly value: Int128) {
    if let signed = Int64(exactly: value) {
      self = .int(signed)
    } else if let unsigned = UInt64(exactly: value) {
      self = .uint(unsigned)
    } else {
      return nil
    }
  }

  /// The integer that a double stands for, or nil if it has a fraction or 64 bits cannot hold it.
  @inlinable public init?(exactly value: Double) {
    if let signed = Int64(exactly: value) {
      self = .int(signed)
    } else if let unsigned = UInt64(exactly: value) {
      self = .uint(unsigned)
    } else {
      return nil
    }
  }
}

/// A static type of the expression language. `any` is a value whose type is known only at run time
/// (a member that no schema declares). An `int` is any integer from -2^63 to 2^64 - 1.
public enum ValueType: String, Sendable, Equatable {
  case any, null, bool, int, double, string, time
}
