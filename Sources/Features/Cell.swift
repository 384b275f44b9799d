// A value in a window: like `Scalar`, but text is a number in the view's table of strings, so that a cell may
// outlive the record it came from.

import Core

enum Cell: Sendable, Equatable {
  case null
  case bool(Bool)
  case int(Int64)
  case uint(UInt64)
  case double(Double)
  /// Index into the view's strings.
  case text(Int32)
  case time(Timestamp)

  /// Copies a text into `strings` if it is not there yet.
  init(_ scalar: Scalar, strings: ByteTable) {
    switch scalar {
    case .null: self = .null
    case .bool(let value): self = .bool(value)
    case .int(let value): self = .int(value)
    case .uint(let value): self = .uint(value)
    case .double(let value): self = .double(value)
    case .text(let value): self = .text(Int32(strings.insert(value).index))
    case .time(let value): self = .time(value)
    }
  }

  func scalar(strings: ByteTable) -> Scalar {
    switch self {
    case .null: .null
    case .bool(let value): .bool(value)
    case .int(let value): .int(value)
    case .uint(let value): .uint(value)
    case .double(let value): .double(value)
    case .text(let index): .text(strings[Int(index)])
    case .time(let value): .time(value)
    }
  }
}
