// The values that name an entity, as one string of bytes: each value with its kind and length, so that no two
// different lists of values give the same key.

import Core

struct EntityKey {
  private(set) var bytes: [UInt8] = []

  /// Rebuilds the key; false if a value is null, and then there is no entity.
  mutating func assign(_ slots: [Int], _ scalars: UnsafePointer<Scalar>) -> Bool {
    bytes.removeAll(keepingCapacity: true)
    for slot in slots {
      guard append(scalars[slot]) else { return false }
    }
    return true
  }

  private mutating func append(_ value: Scalar) -> Bool {
    switch value {
    case .null: return false
    case .text(let text):
      append(kind: "t", UInt64(text.count))
      bytes.append(contentsOf: text.buffer)
    case .int(let number): append(kind: "i", UInt64(bitPattern: number))
    case .uint(let number): append(kind: "u", number)
    case .double(let number):
      // 1 and 1.0 name the same entity.
      guard let whole = Scalar(exactly: number) else {
        append(kind: "d", number.bitPattern)
        break
      }
      return append(whole)
    case .bool(let flag): append(kind: "b", flag ? 1 : 0)
    case .time(let time): append(kind: "m", UInt64(bitPattern: time.microseconds))
    }
    return true
  }

  private mutating func append(kind: Unicode.Scalar, _ value: UInt64) {
    bytes.append(UInt8(ascii: kind))
    withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
  }
}
