// How many different ones. State: the distinct values themselves, 16 bytes each with the set's slack about
// 30: exact, with memory in proportion to them. 0 of nothing.

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

struct CountDistinct: Aggregation {
  private var seen: Set<DistinctKey> = []

  init(_: NoParameters) {}

  mutating func add(_ cell: Cell, at _: Timestamp) {
    if let key = DistinctKey(cell) { seen.insert(key) }
  }

  mutating func merge(_ later: CountDistinct) {
    if seen.isEmpty { seen = later.seen } else { seen.formUnion(later.seen) }
  }

  func result(_: Question) -> Cell { .int(Int64(seen.count)) }

  static var checkpointSpacing: Int { 1_024 }
}

extension CountDistinct {
  func write(to bytes: inout StateWriter) { bytes.write(seen.map(\.cell)) }

  init(_ parameters: NoParameters, from bytes: inout StateReader) {
    self.init(parameters)
    seen = Set(bytes.readCells().compactMap(DistinctKey.init))
  }
}
