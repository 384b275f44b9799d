// Values that are picked rather than computed: the least, the greatest, the earliest, the latest. Of equal
// values the first stays, so that the result depends on the events' order only.

import Core

/// The order of two values of one type; integers and floats compare as numbers, exactly. Nil across other
/// types.
private func precedes(_ left: Cell, _ right: Cell) -> Bool? {
  switch (left, right) {
  case (.int(let left), .int(let right)): left < right
  case (.double(let left), .double(let right)): left < right
  case (.time(let left), .time(let right)): left < right
  case (.bool(let left), .bool(let right)): !left && right
  default: mixedPrecedes(left, right)
  }
}

/// Numbers of two types, as expressions compare them.
@inline(never)
private func mixedPrecedes(_ left: Cell, _ right: Cell) -> Bool? {
  guard let left = left.numberScalar, let right = right.numberScalar else { return nil }
  return left.precedes(right)
}

extension Cell {
  fileprivate var numberScalar: Scalar? {
    switch self {
    case .int(let value): .int(value)
    case .uint(let value): .uint(value)
    case .double(let value): .double(value)
    case .null, .bool, .text, .time: nil
    }
  }
}

struct Minimum: Aggregation {
  private var least = Cell.null

  mutating func add(_ cell: Cell) {
    if least == .null || precedes(cell, least) == true { least = cell }
  }

  mutating func merge(_ later: Minimum) { add(later.least) }

  var result: Cell { least }
}

struct Maximum: Aggregation {
  private var greatest = Cell.null

  mutating func add(_ cell: Cell) {
    if greatest == .null || precedes(greatest, cell) == true { greatest = cell }
  }

  mutating func merge(_ later: Maximum) { add(later.greatest) }

  var result: Cell { greatest }
}

struct First: Aggregation {
  private var value = Cell.null

  mutating func add(_ cell: Cell) {
    if value == .null { value = cell }
  }

  mutating func merge(_ later: First) { add(later.value) }

  var result: Cell { value }
}

struct Last: Aggregation {
  private var value = Cell.null

  mutating func add(_ cell: Cell) {
    if cell != .null { value = cell }
  }

  mutating func merge(_ later: Last) { add(later.value) }

  var result: Cell { value }
}
