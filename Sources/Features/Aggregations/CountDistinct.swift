// How many different ones. State: the distinct values themselves, 16 bytes each, with the slack of the list and its index
// about 40: exact, with memory in proportion to them. 0 of nothing.

import Core

/// A value as an identity: numbers are equal across types, 1 and 1.0 are one value.
enum DistinctKey: Hashable {
  case bool(Bool)
  case int(Int64)
  case uint(UInt64)
  case double(UInt64)
  case text(Int32)
  case time(Int64)

  init?(_ cell: Cell) {
    switch cell {
    case .null, .document: return nil
    case .bool(let value): self = .bool(value)
    case .int(let value): self = .int(value)
    case .uint(let value): self = .uint(value)
    case .double(let value):
      switch Scalar(exactly: value) {
      case .int(let whole): self = .int(whole)
      case .uint(let whole): self = .uint(whole)
      default: self = .double(value.bitPattern)
      }
    case .text(let value): self = .text(value)
    case .time(let value): self = .time(value.microseconds)
    }
  }

  var cell: Cell {
    switch self {
    case .bool(let value): .bool(value)
    case .int(let value): .int(value)
    case .uint(let value): .uint(value)
    case .double(let bits): .double(Double(bitPattern: bits))
    case .text(let index): .text(index)
    case .time(let microseconds): .time(Timestamp(microseconds: microseconds))
    }
  }
}

/// Different ones in the order in which they came. A window mostly has a handful, which are compared one by one; a set
/// beside the list is made for more.
private struct DistinctKeys {
  private(set) var keys: [DistinctKey] = []
  /// Of all keys; empty where they are few.
  private var index: Set<DistinctKey> = []

  private static let fewMax = 16

  mutating func insert(_ key: DistinctKey) {
    if index.isEmpty {
      guard !keys.contains(key) else { return }
      if keys.isEmpty { keys.reserveCapacity(DistinctKeys.fewMax) }
      keys.append(key)
      if keys.count > DistinctKeys.fewMax { index = Set(keys) }
    } else if index.insert(key).inserted {
      keys.append(key)
    }
  }
}

struct CountDistinct: Aggregation {
  private var seen = DistinctKeys()

  init(_: NoParameters) {}

  mutating func add(_ cell: Cell, at _: Timestamp) {
    if let key = DistinctKey(cell) { seen.insert(key) }
  }

  mutating func merge(_ later: CountDistinct) {
    guard !seen.keys.isEmpty else {
      seen = later.seen
      return
    }
    for key in later.seen.keys { seen.insert(key) }
  }

  func result(_: Question) -> Cell { .int(Int64(seen.keys.count)) }

  static var checkpointSpacing: Int { 1_024 }
}

extension CountDistinct {
  func write(to bytes: inout StateWriter) { bytes.write(seen.keys.map(\.cell)) }

  init(_ parameters: NoParameters, from bytes: inout StateReader) {
    self.init(parameters)
    for cell in bytes.readCells() { add(cell, at: .distantPast) }
  }
}
