// How many, and how many different ones. Both are exact, so grouping cannot change them.

import Core

struct Count: Aggregation {
  private var count: Int64 = 0

  mutating func add(_ cell: Cell) {
    if cell != .null { count += 1 }
  }

  mutating func merge(_ later: Count) { count += later.count }

  var result: Cell { .int(count) }
}

/// Keeps the distinct values themselves: exact, with memory in proportion to them.
struct CountDistinct: Aggregation {
  /// Numbers count as equal across types: 1 and 1.0 are one value.
  private enum Key: Hashable {
    case bool(Bool)
    case int(Int64)
    case uint(UInt64)
    case double(UInt64)
    case text(Int32)
    case time(Int64)
  }

  private var seen: Set<Key> = []

  mutating func add(_ cell: Cell) {
    switch cell {
    case .null: break
    case .bool(let value): seen.insert(.bool(value))
    case .int(let value): seen.insert(.int(value))
    case .uint(let value): seen.insert(.uint(value))
    case .double(let value):
      switch Scalar(exactly: value) {
      case .int(let whole): seen.insert(.int(whole))
      case .uint(let whole): seen.insert(.uint(whole))
      default: seen.insert(.double(value.bitPattern))
      }
    case .text(let value): seen.insert(.text(value))
    case .time(let value): seen.insert(.time(value.microseconds))
    }
  }

  mutating func merge(_ later: CountDistinct) { seen.formUnion(later.seen) }

  var result: Cell { .int(Int64(seen.count)) }
}
