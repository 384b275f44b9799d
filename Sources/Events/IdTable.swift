// Ids and when they came. A look-up of an id that is not there, which is what nearly all are for, touches one line of
// memory: the slot holds enough of the hash to tell. One that is there touches a second one, where all about it lies
// together. A match is verified byte by byte, so a new id is never taken for a known one.
//
//     slots (power of two, at most half full)          chunks of entries, in order of arrival
//     [ 0 | 24 bits of the hash, place | 0 | … ]  ──▶  [ hash | time | length | bytes … ][ hash | …
//
// Rehashing walks the entries in the order in which they lie and touches no id twice. Chunks and slots are of a
// `SpillMemory`: beyond its bound they lie in files.

import Core

final class IdTable {
  /// Where an entry lies: its chunk and its eighth of bytes in it, counted from 1; 0 is nowhere.
  struct Place: Hashable {
    fileprivate let bits: UInt64
  }

  private let memory: SpillMemory
  private var slotBlock: SpillMemory.Block
  private var slots: UnsafeMutablePointer<UInt64>
  private var mask: Int
  private var chunks: [UnsafeMutableRawPointer] = []
  /// What the chunks lie in: of ordinary memory one each, of a file many.
  private var chunkBlocks: [SpillMemory.Block] = []
  /// Bytes of the last block that chunks have been cut from.
  private var cut = 0
  /// Bytes used in each chunk but the last.
  private var chunkEnds: [Int] = []
  private var used = 0
  private var chunkCapacity = 0
  /// Distinct ids.
  private(set) var count = 0

  private static let chunkBytes = 1 << 18
  /// Of a file, as a process may map some 65,000.
  private static let spilledBytes = 1 << 26
  private static let headBytes = 24
  /// Eighths of a chunk are told apart by so many bits; only the first entry of a longer one needs one.
  private static let offsetBits: UInt64 = 15
  private static let placeMask: UInt64 = 1 << 40 - 1

  /// - Parameter expected: how many ids there may be; a guess that is too low costs time only.
  init(expecting expected: Int = 0, in memory: SpillMemory = SpillMemory()) {
    var capacity = 16
    while capacity < expected * 2 { capacity *= 2 }
    self.memory = memory
    (slotBlock, slots) = IdTable.emptySlots(capacity, memory)
    mask = capacity - 1
  }

  deinit {
    memory.free(slotBlock)
    for block in chunkBlocks { memory.free(block) }
  }

  private static func emptySlots(
    _ capacity: Int, _ memory: SpillMemory
  ) -> (SpillMemory.Block, UnsafeMutablePointer<UInt64>) {
    let block = memory.allocate(byteCount: capacity * 8)
    let slots = block.base.bindMemory(to: UInt64.self, capacity: capacity)
    if !block.isSpilled { slots.initialize(repeating: 0, count: capacity) }
    return (block, slots)
  }

  /// Bytes that slots and entries take.
  var byteCount: Int { (mask + 1) * 8 + chunkEnds.reduce(0, +) + chunkCapacity }

  /// The entry of `id`, whose hash is `hash`, or nil if it was never inserted.
  ///
  /// - Complexity: O(length), on average.
  @inline(__always)
  func find(_ id: Bytes, _ hash: UInt64) -> Place? {
    var slot = Int(truncatingIfNeeded: hash) & mask
    while true {
      let found = slots[slot]
      if found == 0 { return nil }
      if (found ^ hash) & ~IdTable.placeMask == 0 {
        let place = Place(bits: found & IdTable.placeMask)
        if matches(place, id, hash) { return place }
      }
      slot = (slot &+ 1) & mask
    }
  }

  /// Reads the slots that are looked at first for ids of these hashes.
  func touch(_ hashes: Slice<UnsafeMutableBufferPointer<UInt64>>) -> UInt64 {
    let (slots, mask) = (slots, mask)
    var sink: UInt64 = 0
    for hash in hashes { sink ^= slots[Int(truncatingIfNeeded: hash) & mask] }
    return sink
  }

  /// Adds an id that is not there.
  func insert(_ id: Bytes, _ hash: UInt64, at time: Timestamp) {
    count += 1
    if count * 2 > mask { rehash() }
    let place = append(id, hash, time)
    put(hash, place)
  }

  /// When the id came first.
  func time(_ place: Place) -> Timestamp {
    Timestamp(microseconds: entry(place).load(fromByteOffset: 8, as: Int64.self))
  }

  private func entry(_ place: Place) -> UnsafeMutableRawPointer {
    let index = place.bits &- 1
    return chunks[Int(index >> IdTable.offsetBits)]
      + Int(index & (1 << IdTable.offsetBits &- 1)) &* 8
  }

  @inline(never)
  private func matches(_ place: Place, _ id: Bytes, _ hash: UInt64) -> Bool {
    let entry = entry(place)
    guard entry.load(as: UInt64.self) == hash,
      entry.load(fromByteOffset: 16, as: UInt64.self) == UInt64(id.count)
    else { return false }
    let bytes = (entry + IdTable.headBytes).assumingMemoryBound(to: UInt8.self)
    return Bytes(base: UnsafePointer(bytes), count: id.count) == id
  }

  private func append(_ id: Bytes, _ hash: UInt64, _ time: Timestamp) -> Place {
    let size = (IdTable.headBytes + id.count + 7) & ~7
    if used + size > chunkCapacity { addChunk(size) }
    let entry = chunks[chunks.count - 1] + used
    entry.storeBytes(of: hash, as: UInt64.self)
    entry.storeBytes(of: time.microseconds, toByteOffset: 8, as: Int64.self)
    entry.storeBytes(of: UInt64(id.count), toByteOffset: 16, as: UInt64.self)
    (entry + IdTable.headBytes).copyMemory(from: id.base, byteCount: id.count)
    let index = UInt64(chunks.count - 1) << IdTable.offsetBits | UInt64(used / 8)
    used += size
    return Place(bits: index + 1)
  }

  private func addChunk(_ size: Int) {
    if !chunks.isEmpty { chunkEnds.append(used) }
    precondition(
      chunks.count < 1 << 24, "a table holds at most 2^24 chunks of ids: four terabytes")
    chunkCapacity = max(IdTable.chunkBytes, size)
    chunks.append(chunkMemory(chunkCapacity))
    used = 0
  }

  private func chunkMemory(_ byteCount: Int) -> UnsafeMutableRawPointer {
    if let last = chunkBlocks.last, cut + byteCount <= last.byteCount {
      cut += byteCount
      return last.base + (cut - byteCount)
    }
    let block = memory.allocate(byteCount: byteCount, spilled: IdTable.spilledBytes)
    chunkBlocks.append(block)
    cut = byteCount
    return block.base
  }

  private func put(_ hash: UInt64, _ place: Place) {
    var slot = Int(truncatingIfNeeded: hash) & mask
    while slots[slot] != 0 { slot = (slot &+ 1) & mask }
    slots[slot] = hash & ~IdTable.placeMask | place.bits
  }

  private func rehash() {
    let capacity = (mask + 1) * 2
    memory.free(slotBlock)
    (slotBlock, slots) = IdTable.emptySlots(capacity, memory)
    mask = capacity - 1
    for (index, chunk) in chunks.enumerated() {
      var offset = 0
      let end = index < chunkEnds.count ? chunkEnds[index] : used
      while offset < end {
        let entry = chunk + offset
        let place = UInt64(index) << IdTable.offsetBits | UInt64(offset / 8)
        put(entry.load(as: UInt64.self), Place(bits: place + 1))
        let length = Int(entry.load(fromByteOffset: 16, as: UInt64.self))
        offset += (IdTable.headBytes + length + 7) & ~7
      }
    }
  }
}
