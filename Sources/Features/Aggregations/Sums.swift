// Sums and what is made of them. Integers are summed in 128 bits, so no order and no grouping can change the
// result. Floats are summed with Neumaier's correction (A. Neumaier, 1974), which keeps the lost low
// digits beside the sum; variances are updated by Welford's method and merged by Chan's.

import Core

/// The exact integer part and the compensated float part of a sum.
private struct RunningSum {
  var integers: Int128 = 0
  var floats = 0.0
  var correction = 0.0
  var count: Int64 = 0
  var hasFloats = false

  mutating func add(_ cell: Cell) {
    switch cell {
    case .int(let value):
      integers += Int128(value)
      count += 1
    case .uint(let value):
      integers += Int128(value)
      count += 1
    case .double(let value):
      addFloat(value)
      hasFloats = true
      count += 1
    case .bool(let value):
      integers += value ? 1 : 0
      count += 1
    case .null, .text, .time: break
    }
  }

  private mutating func addFloat(_ value: Double) {
    let total = floats + value
    correction += abs(floats) >= abs(value) ? (floats - total) + value : (value - total) + floats
    floats = total
  }

  mutating func merge(_ later: RunningSum) {
    integers += later.integers
    addFloat(later.floats)
    correction += later.correction
    count += later.count
    hasFloats = hasFloats || later.hasFloats
  }

  var double: Double {
    // The conversion of 128 bits is slow and hardly ever needed.
    let whole = Int64(exactly: integers).map(Double.init) ?? Double(integers)
    return hasFloats ? whole + (floats + correction) : whole
  }
}

extension RunningSum {
  /// What no double can hold is null, as everywhere.
  fileprivate func cell(_ value: Double) -> Cell { value.isFinite ? .double(value) : .null }
}

struct Sum: Aggregation {
  private var sum = RunningSum()

  mutating func add(_ cell: Cell) { sum.add(cell) }
  mutating func merge(_ later: Sum) { sum.merge(later.sum) }

  /// An integer as long as only integers were added and 64 bits hold it.
  var result: Cell {
    if sum.count == 0 { return .null }
    guard !sum.hasFloats else { return sum.cell(sum.double) }
    switch Scalar(exactly: sum.integers) {
    case .int(let whole): return .int(whole)
    case .uint(let whole): return .uint(whole)
    default: return sum.cell(sum.double)
    }
  }
}

struct Mean: Aggregation {
  private var sum = RunningSum()

  mutating func add(_ cell: Cell) { sum.add(cell) }
  mutating func merge(_ later: Mean) { sum.merge(later.sum) }

  var result: Cell { sum.count == 0 ? .null : sum.cell(sum.double / Double(sum.count)) }
}

struct StandardDeviation: Aggregation {
  private var count = 0.0
  private var mean = 0.0
  /// The sum of squared distances from the mean.
  private var squares = 0.0

  mutating func add(_ cell: Cell) {
    let value: Double
    switch cell {
    case .int(let number): value = Double(number)
    case .uint(let number): value = Double(number)
    case .double(let number): value = number
    case .bool(let flag): value = flag ? 1 : 0
    case .null, .text, .time: return
    }
    count += 1
    let distance = value - mean
    mean += distance / count
    squares += distance * (value - mean)
  }

  mutating func merge(_ later: StandardDeviation) {
    guard later.count > 0 else { return }
    let total = count + later.count
    let distance = later.mean - mean
    squares += later.squares + distance * distance * (count * later.count / total)
    mean += distance * (later.count / total)
    count = total
  }

  var result: Cell { count < 2 ? .null : .double((squares / (count - 1)).squareRoot()) }
}
