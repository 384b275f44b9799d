// A sum that grouping does not change. Integers are summed in 128 bits, exactly. Floats are summed with
// Neumaier's correction (A. Neumaier, 1974), which keeps the lost low digits beside the sum: however they are
// grouped, sums agree within 1e-12 of the sum of magnitudes.

import Core

/// The exact integer part and the compensated float part of a sum: 48 bytes.
struct RunningSum {
  private var integers: Int128 = 0
  private var floats = 0.0
  private var correction = 0.0
  private(set) var count: Int64 = 0
  private var hasFloats = false

  init() {}

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
    case .null, .text, .time, .document: break
    }
  }

  private mutating func addFloat(_ value: Double) {
    let total = floats + value
    correction += abs(floats) >= abs(value) ? (floats - total) + value : (value - total) + floats
    floats = total
  }

  mutating func merge(_ later: RunningSum) {
    integers += later.integers
    if later.hasFloats {
      addFloat(later.floats)
      correction += later.correction
      hasFloats = true
    }
    count += later.count
  }

  var double: Double {
    // The conversion of 128 bits is slow and hardly ever needed.
    let whole =
      integers == 0 ? 0 : Int64(exactly: integers).map(Double.init) ?? Double(integers)
    return hasFloats ? whole + (floats + correction) : whole
  }

  /// The sum as an integer, as long as only integers were added and 64 bits hold it.
  var integer: Cell? {
    guard !hasFloats else { return nil }
    if let whole = Int64(exactly: integers) { return .int(whole) }
    return UInt64(exactly: integers).map(Cell.uint)
  }
}

extension RunningSum {
  /// The sum of cells, one after another: the same bits as adding each.
  ///
  /// - Parameter stride: how far the cells lie apart.
  init(_ cells: UnsafePointer<Cell>, stride: Int, count: Int) {
    var (floats, correction) = (0.0, 0.0)
    var added = 0
    while added < count, case .double(let value) = cells[added &* stride] {
      // What the addition loses, exactly and without asking which of the two is larger (Knuth's TwoSum).
      let total = floats + value
      let taken = total - floats
      correction += (floats - (total - taken)) + (value - taken)
      floats = total
      added &+= 1
    }
    (self.floats, self.correction) = (floats, correction)
    (self.count, hasFloats) = (Int64(added), added > 0)
    for index in added..<count { add(cells[index &* stride]) }
  }

  /// The same, summed tile by tile.
  init(
    _ times: UnsafePointer<Timestamp>, _ cells: UnsafePointer<Cell>, stride: Int, count: Int,
    tiles width: TimeSpan
  ) {
    self.init()
    var first = 0
    while first < count {
      let boundary = Grouping.tiles(width).boundary(after: times[first])
      var end = first + 1
      while end < count, times[end] < boundary { end += 1 }
      merge(RunningSum(cells + first * stride, stride: stride, count: end - first))
      first = end
    }
  }
}

extension Cell {
  /// What no double can hold is null, as everywhere.
  init(finite value: Double) { self = value.isFinite ? .double(value) : .null }
}

// As bytes only the parts that are there are kept, so that sums of integers and sums of floats take 17 and 25 bytes:
//
//     parts (1): 1 integers  2 integers beyond 64 bits  4 floats │ count (8) │ integers (8 or 16) │ floats (8), correction (8)

extension RunningSum {
  func write(to bytes: inout StateWriter) {
    let whole = Int64(exactly: integers)
    let parts: UInt8 = (whole == 0 ? 0 : whole == nil ? 2 : 1) | (hasFloats ? 4 : 0)
    bytes.write(parts)
    bytes.write(count)
    if parts & 1 != 0, let whole { bytes.write(whole) }
    if parts & 2 != 0 { bytes.write(integers) }
    guard hasFloats else { return }
    bytes.write(floats)
    bytes.write(correction)
  }

  @inline(__always)
  init(from bytes: inout StateReader) {
    let parts = bytes.read(UInt8.self)
    count = bytes.read()
    if parts & 1 != 0 { integers = Int128(bytes.read(Int64.self)) }
    if parts & 2 != 0 { integers = bytes.read(Int128.self) }
    guard parts & 4 != 0 else { return }
    hasFloats = true
    floats = bytes.read()
    correction = bytes.read()
  }
}
