// Byte strings ↔ small numbers: entity keys, text values, ids. Each distinct string is copied once into an
// arena and numbered in order of arrival; a look-up hashes the borrowed bytes and allocates nothing.
//
//     slots (power of two)   hashes   ends        arena
//     [ -1 | 2 | -1 | 0 ] ─▶ [h0 h1] [ 3 | 5 ] ─▶ "EWRUA…"
//
// Open addressing with linear probing at a load of at most one half. The hash is keyed by a fixed seed: the
// numbering depends on the order of arrival only, so a replay gives the same numbers.

/// - Complexity: O(length) a look-up, on average; memory 16 bytes a slot, two slots an entry, and the strings.
public struct ByteTable {
  private var slots: [Int32]
  private var hashes: [UInt64] = []
  private var ends: [Int] = []
  private var arena: [UInt8] = []

  public init() { slots = Array(repeating: -1, count: 16) }

  /// Distinct strings so far.
  public var count: Int { ends.count }

  /// The number of `key`, or nil if it was never inserted.
  public func find(_ key: Bytes) -> Int? {
    let found = slots[probe(key, ByteTable.hash(key))]
    return found < 0 ? nil : Int(found)
  }

  /// The number of `key`, inserted if it is new.
  public mutating func insert(_ key: Bytes) -> (index: Int, isNew: Bool) {
    let hash = ByteTable.hash(key)
    let slot = probe(key, hash)
    if slots[slot] >= 0 { return (Int(slots[slot]), false) }
    let index = ends.count
    precondition(index < Int(Int32.max), "a table holds at most 2^31 strings")
    slots[slot] = Int32(index)
    hashes.append(hash)
    arena.append(contentsOf: key.buffer)
    ends.append(arena.count)
    if ends.count * 2 > slots.count { rehash() }
    return (index, true)
  }

  /// Lends the string with number `index`.
  public func withKey<Result>(_ index: Int, _ body: (Bytes) -> Result) -> Result {
    let start = index == 0 ? 0 : ends[index - 1]
    return arena.withBytes { body($0[start..<ends[index]]) }
  }

  private func probe(_ key: Bytes, _ hash: UInt64) -> Int {
    let mask = slots.count - 1
    var slot = Int(truncatingIfNeeded: hash) & mask
    while slots[slot] >= 0 {
      let index = Int(slots[slot])
      if hashes[index] == hash, withKey(index, { $0 == key }) { return slot }
      slot = (slot + 1) & mask
    }
    return slot
  }

  private mutating func rehash() {
    slots = Array(repeating: -1, count: slots.count * 2)
    let mask = slots.count - 1
    for (index, hash) in hashes.enumerated() {
      var slot = Int(truncatingIfNeeded: hash) & mask
      while slots[slot] >= 0 { slot = (slot + 1) & mask }
      slots[slot] = Int32(index)
    }
  }

  /// Eight bytes at a time, multiplied and folded (after Wang Yi's wyhash); good in the low bits.
  static func hash(_ key: Bytes) -> UInt64 {
    var hash: UInt64 = 0xA076_1D64_78BD_642F ^ UInt64(truncatingIfNeeded: key.count)
    var index = 0
    let raw = UnsafeRawPointer(key.base)
    while index + 8 <= key.count {
      hash = fold(hash ^ raw.loadUnaligned(fromByteOffset: index, as: UInt64.self))
      index += 8
    }
    var tail: UInt64 = 0
    while index < key.count {
      tail = tail << 8 | UInt64(key.base[index])
      index += 1
    }
    return fold(hash ^ tail)
  }

  private static func fold(_ value: UInt64) -> UInt64 {
    let product = (value ^ 0xE703_7ED1_A0B4_28DB).multipliedFullWidth(by: 0x8EBC_6AF0_9C88_C6E3)
    return product.high ^ product.low
  }
}
