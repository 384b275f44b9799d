// Byte strings ↔ small numbers: entity keys, text values, ids. Each distinct string is copied once and
// numbered in order of arrival; a look-up hashes the borrowed bytes and allocates nothing.
//
//     slots (power of two)   hashes   keys             chunks, 64 KiB each
//     [ -1 | 2 | -1 | 0 ] ─▶ [h0 h1]  [ ─▶ | ─▶ ] ──▶  "EWRUA…"
//
// Open addressing with linear probing at a load of at most one half. The hash has no random seed: the
// numbering depends on the order of arrival only, so a replay gives the same numbers.

/// - Complexity: O(length) a look-up, on average. Memory: two slots of 4 bytes, 24 bytes and the string
///   itself for each entry.
public final class ByteTable {
  private var slots: [Int32]
  private var hashes: [UInt64] = []
  private var keys: [Bytes] = []
  private var chunks: [UnsafeMutablePointer<UInt8>] = []
  private var chunkUsed = 0
  private var chunkSize = 0
  private static let chunkBytes = 64 << 10

  public init() { slots = Array(repeating: -1, count: 16) }

  deinit { for chunk in chunks { chunk.deallocate() } }

  /// Distinct strings so far.
  public var count: Int { keys.count }

  /// The string with number `index`; valid as long as the table.
  public subscript(index: Int) -> Bytes { keys[index] }

  /// The number of `key`, or nil if it was never inserted.
  public func find(_ key: Bytes) -> Int? {
    let found = slots[probe(key, ByteTable.hash(key))]
    return found < 0 ? nil : Int(found)
  }

  /// The number of `key`, inserted if it is new.
  public func insert(_ key: Bytes) -> (index: Int, isNew: Bool) {
    let hash = ByteTable.hash(key)
    let slot = probe(key, hash)
    if slots[slot] >= 0 { return (Int(slots[slot]), false) }
    let index = keys.count
    precondition(index < Int(Int32.max), "a table holds at most 2^31 strings")
    slots[slot] = Int32(index)
    hashes.append(hash)
    keys.append(copy(key))
    if keys.count * 2 > slots.count { rehash() }
    return (index, true)
  }

  /// Forgets all strings; those that were handed out are void.
  public func removeAll() {
    slots = Array(repeating: -1, count: 16)
    hashes.removeAll()
    keys.removeAll()
    for chunk in chunks { chunk.deallocate() }
    chunks.removeAll()
    (chunkUsed, chunkSize) = (0, 0)
  }

  private func copy(_ key: Bytes) -> Bytes {
    if chunks.isEmpty || chunkUsed + key.count > chunkSize {
      chunkSize = max(ByteTable.chunkBytes, key.count)
      chunks.append(.allocate(capacity: chunkSize))
      chunkUsed = 0
    }
    let place = chunks[chunks.count - 1] + chunkUsed
    place.update(from: key.base, count: key.count)
    chunkUsed += key.count
    return Bytes(base: UnsafePointer(place), count: key.count)
  }

  private func probe(_ key: Bytes, _ hash: UInt64) -> Int {
    let mask = slots.count - 1
    var slot = Int(truncatingIfNeeded: hash) & mask
    while slots[slot] >= 0 {
      let index = Int(slots[slot])
      if hashes[index] == hash, keys[index] == key { return slot }
      slot = (slot + 1) & mask
    }
    return slot
  }

  private func rehash() {
    slots = Array(repeating: -1, count: slots.count * 2)
    let mask = slots.count - 1
    for (index, hash) in hashes.enumerated() {
      var slot = Int(truncatingIfNeeded: hash) & mask
      while slots[slot] >= 0 { slot = (slot + 1) & mask }
      slots[slot] = Int32(index)
    }
  }

  /// Eight bytes at a time, multiplied and folded (after Wang Yi's wyhash); good in the low bits. The same in every
  /// process.
  public static func hash(_ key: Bytes) -> UInt64 {
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
