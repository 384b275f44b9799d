// Entity keys → what happened to the entity. Memory is what a question waits for when there are many entities, so a slot
// holds half of the key's hash beside the entity's number, and a short key lies in the record of its entity:
//
//     slots (power of two)         records of 128 bytes, 512 a chunk, which never move
//     [ hash 32 | number + 1 ] ──▶ [ rows, counts … | key ]
//     0: empty                     a key of more than 32 bytes lies elsewhere
//
// Open addressing with linear probing at a load of at most one half. The hash has no random seed, so entities are numbered
// in order of arrival, numbers that are free again first, and a replay is the same.

import Core

/// - Complexity: O(length of the key) a look-up, on average. Memory: 128 bytes for each entity and 16 to 32 for its slots.
final class EntityTable {
  private var slots: UnsafeMutablePointer<UInt64>
  private var slotCount = 64
  private var chunks: [UnsafeMutableRawPointer] = []
  /// What the chunks lie in: at first one each, later as many as a large page holds.
  private var memories: [UnsafeMutableRawPointer] = []
  private let columns: Int
  /// Numbers that have been given, those that are free again included.
  private(set) var numberCount = 0
  /// Numbers of entities that were removed; the next ones get them.
  private var freeNumbers: [Int] = []
  /// Entities.
  var count: Int { numberCount - freeNumbers.count }
  /// The entity that was found last: an event that asks is nearly always one that tells as well.
  private var latest: UnsafeMutablePointer<EntityRecord>?
  /// The history of an entity of which nothing is known.
  let nothing: EntityHistory
  private let nothingRecord: UnsafeMutablePointer<EntityRecord>

  private static let recordBytes = 128
  private static let chunkRecords = 512
  private static let chunkBytes = recordBytes * chunkRecords
  /// In a large page.
  private static let pageChunks = LargeMemory.pageBytes / chunkBytes
  /// Of a key that lies in its record.
  private static let keyBytesMax = recordBytes - MemoryLayout<EntityRecord>.stride

  /// - Parameter columns: cells in a row.
  init(columns: Int) {
    precondition(EntityTable.keyBytesMax == 32, "a record and a short key fill two cache lines")
    self.columns = columns
    slots = EntityTable.emptySlots(slotCount)
    nothingRecord = .allocate(capacity: 1)
    nothingRecord.initialize(to: EntityRecord(key: .empty, number: 0, columns: columns))
    nothing = EntityHistory(nothingRecord)
  }

  deinit {
    for number in 0..<numberCount { deallocate(record(number)) }
    for memory in memories { memory.deallocate() }
    nothingRecord.deallocate()
    slots.deallocate()
  }

  /// By number, in order of arrival.
  subscript(number: Int) -> EntityHistory { EntityHistory(record(number)) }

  private func record(_ number: Int) -> UnsafeMutablePointer<EntityRecord> {
    let chunk = chunks[number / EntityTable.chunkRecords]
    return (chunk + number % EntityTable.chunkRecords * EntityTable.recordBytes)
      .assumingMemoryBound(to: EntityRecord.self)
  }

  /// The entity of that key, or nil if nothing is known of it.
  func find(_ key: Bytes) -> EntityHistory? {
    if let latest, latest.pointee.key == key { return EntityHistory(latest) }
    let found = slots[probe(key, EntityTable.hash(key))]
    guard found != 0 else { return nil }
    latest = record(EntityTable.number(found))
    return latest.map(EntityHistory.init)
  }

  // Memory is what a look-up waits for. One that is made in steps lets several tables wait at the same time.

  /// The record that a key of this hash most likely has; nil if it has none.
  func likely(_ hash: UInt32) -> LikelyEntity? {
    let found = slots[Int(hash) & (slotCount - 1)]
    return found == 0 ? nil : LikelyEntity(record(EntityTable.number(found)))
  }

  /// The same as `find`.
  ///
  /// - Parameter hash: of the key.
  func find(_ key: Bytes, _ hash: UInt32, likely: LikelyEntity?) -> EntityHistory? {
    guard let likely else { return nil }
    if likely.key == key { return likely.history }
    let found = slots[probe(key, hash)]
    return found == 0 ? nil : EntityHistory(record(EntityTable.number(found)))
  }

  /// The entity of that key, added if it is new.
  func insert(_ key: Bytes) -> EntityHistory {
    if let latest, latest.pointee.key == key { return EntityHistory(latest) }
    let hash = EntityTable.hash(key)
    let slot = probe(key, hash)
    if slots[slot] != 0 { return self[EntityTable.number(slots[slot])] }
    precondition(numberCount < Int(Int32.max), "a view holds at most 2^31 entities")
    let history = add(key)
    slots[slot] = UInt64(hash) << 32 | UInt64(history.number + 1)
    if count * 2 > slotCount { rehash() }
    return history
  }

  private func add(_ key: Bytes) -> EntityHistory {
    let number = freeNumbers.popLast() ?? nextNumber()
    let added = record(number)
    let copy: UnsafeMutablePointer<UInt8> =
      key.count > EntityTable.keyBytesMax
      ? .allocate(capacity: key.count)
      : UnsafeMutableRawPointer(added + 1).bindMemory(to: UInt8.self, capacity: key.count)
    copy.update(from: key.base, count: key.count)
    added.initialize(
      to: EntityRecord(
        key: Bytes(base: UnsafePointer(copy), count: key.count), number: number,
        columns: columns))
    return EntityHistory(added)
  }

  private func nextNumber() -> Int {
    if numberCount == chunks.count * EntityTable.chunkRecords { addChunks() }
    numberCount += 1
    return numberCount - 1
  }

  /// A large page of chunks once there is as much already, so that a small table stays small.
  private func addChunks() {
    let added = chunks.count < EntityTable.pageChunks ? 1 : EntityTable.pageChunks
    let memory = LargeMemory.allocate(
      byteCount: added * EntityTable.chunkBytes, alignment: EntityTable.recordBytes)
    memories.append(memory)
    for index in 0..<added { chunks.append(memory + index * EntityTable.chunkBytes) }
  }

  private static func emptySlots(_ count: Int) -> UnsafeMutablePointer<UInt64> {
    let slots = LargeMemory.allocate(byteCount: count * 8, alignment: 8)
      .bindMemory(to: UInt64.self, capacity: count)
    slots.initialize(repeating: 0, count: count)
    return slots
  }

  /// Whether the number is that of no entity any more.
  func isFree(_ number: Int) -> Bool { record(number).pointee.isFree }

  /// Forgets an entity; its number will be another's.
  func remove(_ number: Int) {
    let removed = record(number)
    precondition(!removed.pointee.isFree, "an entity is removed once")
    close(probe(removed.pointee.key, EntityTable.hash(removed.pointee.key)))
    deallocate(removed)
    removed.initialize(to: EntityRecord.free)
    freeNumbers.append(number)
    if latest == removed { latest = nil }
  }

  private func deallocate(_ record: UnsafeMutablePointer<EntityRecord>) {
    record.pointee.deallocate()
    if record.pointee.key.count > EntityTable.keyBytesMax { record.pointee.key.base.deallocate() }
  }

  /// Empties a slot, and moves those behind it that would not be found any more across the gap.
  private func close(_ emptied: Int) {
    let mask = slotCount - 1
    var gap = emptied
    var slot = (gap + 1) & mask
    while slots[slot] != 0 {
      let home = Int(slots[slot] >> 32) & mask
      if (slot - home) & mask >= (slot - gap) & mask {
        slots[gap] = slots[slot]
        gap = slot
      }
      slot = (slot + 1) & mask
    }
    slots[gap] = 0
  }

  /// The slot of the key, or the empty one where it belongs.
  private func probe(_ key: Bytes, _ hash: UInt32) -> Int {
    let mask = slotCount - 1
    var slot = Int(hash) & mask
    while slots[slot] != 0 {
      if UInt32(slots[slot] >> 32) == hash,
        record(EntityTable.number(slots[slot])).pointee.key == key
      {
        return slot
      }
      slot = (slot + 1) & mask
    }
    return slot
  }

  private func rehash() {
    let (old, oldCount) = (slots, slotCount)
    slotCount *= 2
    slots = EntityTable.emptySlots(slotCount)
    let mask = slotCount - 1
    for index in 0..<oldCount where old[index] != 0 {
      var slot = Int(old[index] >> 32) & mask
      while slots[slot] != 0 { slot = (slot + 1) & mask }
      slots[slot] = old[index]
    }
    old.deallocate()
  }

  static func hash(_ key: Bytes) -> UInt32 {
    UInt32(truncatingIfNeeded: ByteTable.hash(key))
  }
  private static func number(_ slot: UInt64) -> Int { Int(slot & 0xFFFF_FFFF) - 1 }
}
