// The values that name an entity, as one string of bytes: each value with its kind and length, so that no two
// different lists of values give the same key.

import Core

/// The slots of the members that name an entity. Made once for each view and kept as long as the process, so that lists of
/// plain values can hold it.
struct KeySlots {
  fileprivate let base: UnsafePointer<Int>
  fileprivate let count: Int

  init(owning slots: [Int]) {
    let memory = UnsafeMutablePointer<Int>.allocate(capacity: max(slots.count, 1))
    memory.initialize(from: slots, count: slots.count)
    base = UnsafePointer(memory)
    count = slots.count
  }

  var slots: [Int] { Array(UnsafeBufferPointer(start: base, count: count)) }
}

/// A key that is built again for each event, in memory that stays.
final class EntityKey {
  private var storage = UnsafeMutablePointer<UInt8>.allocate(capacity: 64)
  private var capacity = 64
  private var count = 0

  deinit { storage.deallocate() }

  /// Valid until the next one is built.
  var bytes: Bytes { Bytes(base: UnsafePointer(storage), count: count) }

  /// Rebuilds the key; false if a value is null, and then there is no entity.
  func assign(_ slots: KeySlots, _ scalars: UnsafePointer<Scalar>) -> Bool {
    count = 0
    for index in 0..<slots.count {
      guard append(scalars[slots.base[index]]) else { return false }
    }
    return true
  }

  private func append(_ value: Scalar) -> Bool {
    switch value {
    case .null: return false
    case .text(let text):
      append(kind: "t", UInt64(text.count), followedBy: text)
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

  private func append(kind: Unicode.Scalar, _ value: UInt64, followedBy text: Bytes = .empty) {
    if count + 9 + text.count > capacity { grow(count + 9 + text.count) }
    storage[count] = UInt8(ascii: kind)
    UnsafeMutableRawPointer(storage + count + 1).storeBytes(of: value.littleEndian, as: UInt64.self)
    (storage + count + 9).update(from: text.base, count: text.count)
    count += 9 + text.count
  }

  private func grow(_ needed: Int) {
    capacity = needed * 2
    storage = storage.moved(count, toRoomFor: capacity)
  }
}
