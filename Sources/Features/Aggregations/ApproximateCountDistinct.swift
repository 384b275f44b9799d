// About how many different values: HyperLogLog (see `DistinctSketch`), with 2^precision registers of one byte. Standard
// error: 1.04 / sqrt(2^precision), so 1.6 % for the default of 12; a few values are counted exactly. Grouping does not
// change it. 0 of nothing.
//
// The column holds hashes of the values' bytes, not their numbers in a table, so that the estimate does not depend on
// the order in which texts were first seen, and the texts themselves are not kept.

import Core

struct RegisterCount: Sendable {
  let precision: Int

  init(_ node: ConfigNode) throws(Failure) {
    precision = try node["precision"]?.integer(in: 4...16) ?? 12
  }
}

struct ApproximateCountDistinct: Aggregation {
  private var sketch: DistinctSketch

  init(_ parameters: RegisterCount) { sketch = DistinctSketch(precision: parameters.precision) }

  mutating func add(_ cell: Cell, at _: Timestamp) {
    guard case .int(let bits) = cell else { return }
    sketch.add(UInt64(bitPattern: bits))
  }

  mutating func merge(_ later: ApproximateCountDistinct) { sketch.merge(later.sketch) }

  func result(_: Question) -> Cell { .int(Int64(sketch.estimate.rounded())) }

  static var checkpointSpacing: Int { 1_024 }
}

extension Cell {
  /// A value's identity in 64 well-mixed bits: equal for equal values, 1 and 1.0 among them.
  init(hashOf scalar: Scalar) {
    let bits: UInt64
    switch scalar {
    case .null:
      self = .null
      return
    case .bool(let value): bits = value ? 1 : 2
    case .int(let value): bits = UInt64(bitPattern: value) &+ 1 << 32
    case .uint(let value): bits = value ^ 5 << 32
    case .double(let value):
      if let whole = Scalar(exactly: value) {
        self.init(hashOf: whole)
        return
      }
      bits = value.bitPattern
    case .text(let value): bits = ByteTable.hash(value)
    case .time(let value): bits = UInt64(bitPattern: value.microseconds) &+ 3 << 32
    }
    self = .int(Int64(bitPattern: DistinctSketch.mixed(bits)))
  }
}

extension ApproximateCountDistinct {
  func write(to bytes: inout StateWriter) {
    let registers = sketch.registers
    bytes.write(UInt32(registers.isEmpty ? sketch.hashes.count : 0))
    if registers.isEmpty {
      for hash in sketch.hashes { bytes.write(hash) }
    } else {
      registers.withBytes { bytes.write($0) }
    }
  }

  init(_ parameters: RegisterCount, from bytes: inout StateReader) {
    self.init(parameters)
    let count = bytes.readCount(entriesOfAtLeast: 8)
    for _ in 0..<count { sketch.add(bytes.read() as UInt64) }
    guard count == 0, bytes.place < bytes.end else { return }
    let registers = bytes.bytes(1 << parameters.precision)
    if let sketch = DistinctSketch(registers: registers.copy()) { self.sketch = sketch }
  }
}
