// Writes rows of one view; see `TableLayout`. One at a time: whoever makes a writer holds the folder's lock.

import Core
import Synchronization

final class TableWriter {
  private let file: MappedFile
  private var memory: TableMemory
  /// Places of free slots, by capacity.
  private var free: [Int: [Int]] = [:]
  /// Entries of the index that are in use or have been.
  private var usedEntries = 0
  private let timeToLive: TimeSpan?
  /// Where in the index the search for rows past their time goes on.
  private var hand = 0
  /// Keys that are new since the last commit.
  private var added = 0

  private static let growthMax = 64 << 20
  /// Entries of the index that are looked at for old rows between two commits, at least.
  private static let evictionStride = 1_024
  /// And as many for each new key, so that a round of the index is done before the rows have doubled.
  private static let evictionRatio = 4

  /// A new file, which is not yet to be read.
  init(
    new path: String, view: String, digest: [UInt8], timeToLive: TimeSpan?, boot: UInt64
  ) throws(Failure) {
    self.timeToLive = timeToLive
    file = try TableWriter.attempt(path) { () throws(SystemError) in
      let file = try MappedFile(path, .replace)
      try file.grow(to: 64 << 10)
      return file
    }
    memory = TableMemory(base: file.base, count: file.count)
    TableHeader.write(to: memory, view: view, digest: digest, timeToLive: timeToLive)
    memory[.end] = UInt64(TableLayout.heap)
    memory[.offset] = UInt64(bitPattern: -1)
    memory[.watermark] = UInt64(bitPattern: Timestamp.distantPast.microseconds)
    memory[.boot] = boot
    memory[.index] = try makeIndex(bits: 10)
    memory[.state] = TableState.building.rawValue
  }

  /// Goes on with a file that an earlier writer has left, however it ended.
  init(
    resuming path: String, digest: [UInt8], files: any FileSystem, boot: UInt64
  ) throws(Failure) {
    file = try TableWriter.attempt(path) { () throws(SystemError) in
      try MappedFile(path, .write)
    }
    memory = TableMemory(base: file.base, count: file.count)
    timeToLive = try TableHeader.check(memory, path: path, digest: digest)
    try TableHeader.checkTrust(memory, path: path, files: files)
    memory[.boot] = boot
    memory[.isClean] = 0
    memory[.state] = TableState.serving.rawValue
    try recover()
  }

  private static func attempt<Result>(
    _ path: String, _ body: () throws(SystemError) -> Result
  ) throws(Failure) -> Result {
    do throws(SystemError) {
      return try body()
    } catch {
      throw .inputOutput("\(path): \(error.call): \(error.reason)")
    }
  }

  var path: String { file.path }
  var offset: Int64 { Int64(bitPattern: memory[.offset]) }
  var watermark: Timestamp { Timestamp(microseconds: Int64(bitPattern: memory[.watermark])) }
  var state: TableState {
    get { TableState(rawValue: memory[.state]) ?? .building }
    set { memory[.state] = newValue.rawValue }
  }

  // MARK: Rows

  /// Replaces the row of a key, or adds one.
  ///
  /// - Complexity: O(key + row), amortised.
  func put(_ key: Bytes, _ row: Bytes) throws(Failure) {
    let hash = ByteTable.hash(key)
    let place = try allocate(TableLayout.slotHead + key.count + row.count)
    fill(place, key, row, hash)
    let found = probe(key, hash)
    let before = entry(found.slot)
    // The entry makes the row known, so everything of the row comes before it.
    set(found.slot, TableLayout.entry(hash: hash, place: place))
    memory[.writes] &+= 1
    if found.isKnown {
      release(TableLayout.place(before))
    } else {
      memory[.rows] &+= 1
      added += 1
      if before == 0 {
        usedEntries += 1
        if usedEntries * 2 > memory.index.mask { try rehash() }
      }
    }
  }

  func remove(_ key: Bytes) {
    let found = probe(key, ByteTable.hash(key))
    if found.isKnown { remove(slot: found.slot) }
  }

  private func remove(slot: Int) {
    let place = TableLayout.place(entry(slot))
    set(slot, TableLayout.gone)
    release(place)
    memory[.rows] &-= 1
  }

  private func fill(_ place: Int, _ key: Bytes, _ row: Bytes, _ hash: UInt64) {
    let start = memory.base + place + TableLayout.slotHead
    memory.setNumber(key.count, at: place + 4)
    memory.setNumber(row.count, at: place + 8)
    memory.setNumber(Int(TableLayout.Kind.row), at: place + 12)
    start.copyMemory(from: key.base, byteCount: key.count)
    (start + key.count).copyMemory(from: row.base, byteCount: row.count)
    let checksum = SlotChecksum.of(start, key.count + row.count, keyCount: key.count)
    memory.base.storeBytes(of: checksum.littleEndian, toByteOffset: place + 16, as: UInt64.self)
    memory.base.storeBytes(of: hash.littleEndian, toByteOffset: place + 24, as: UInt64.self)
    memory[.liveBytes] &+= UInt64(memory.number(place))
  }

  /// Lends every whole row; returns how many are damaged, or refused by `body`.
  func visitRows(_ body: (_ key: Bytes, _ row: Bytes) -> Bool) -> Int {
    var damaged = 0
    for slot in 0...memory.index.mask {
      guard let place = livePlace(slot) else { continue }
      let keyCount = memory.number(place + 4)
      let start = place + TableLayout.slotHead
      let rowCount = memory.number(place + 8)
      let fits = start + keyCount + rowCount <= place + memory.number(place)
      if fits,
        SlotChecksum.of(memory.base + start, keyCount + rowCount, keyCount: keyCount)
          == memory.long(place + 16),
        body(memory.bytes(start, keyCount), memory.bytes(start + keyCount, rowCount))
      {
        continue
      }
      damaged += 1
    }
    return damaged
  }

  // MARK: Commits

  /// Says that all rows are true up to `offset`, and drops some that are past their time.
  func commit(offset: Int64, watermark: Timestamp) {
    memory[.watermark] = UInt64(bitPattern: watermark.microseconds)
    memory[.offset] = UInt64(bitPattern: offset)
    let stride = max(TableWriter.evictionStride, added * TableWriter.evictionRatio)
    added = 0
    guard let timeToLive, watermark > .distantPast else { return }
    evict(before: watermark - timeToLive, stride)
  }

  private func evict(before horizon: Timestamp, _ stride: Int) {
    let mask = memory.index.mask
    for _ in 0..<min(stride, mask + 1) {
      hand = (hand + 1) & mask
      guard let place = livePlace(hand) else { continue }
      let row = place + TableLayout.slotHead + memory.number(place + 4)
      let latest = Int64(bitPattern: memory.long(row))
      if latest < horizon.microseconds { remove(slot: hand) }
    }
  }

  /// Makes everything durable; from then on the file can be believed after a power cut.
  func close() throws(Failure) {
    try TableWriter.attempt(path) { () throws(SystemError) in
      try file.sync()
      memory[.isClean] = 1
      try file.sync()
    }
  }

  // MARK: The index

  private func entry(_ slot: Int) -> UInt64 {
    memory.word(at: memory.index.place + slot * 8).pointee.load(ordering: .relaxed)
  }

  private func set(_ slot: Int, _ entry: UInt64) {
    memory.word(at: memory.index.place + slot * 8).pointee.store(entry, ordering: .releasing)
  }

  private func livePlace(_ slot: Int) -> Int? {
    let entry = entry(slot)
    return entry == 0 || entry == TableLayout.gone ? nil : TableLayout.place(entry)
  }

  /// Where a key is, or where it goes.
  private func probe(_ key: Bytes, _ hash: UInt64) -> (slot: Int, isKnown: Bool) {
    let mask = memory.index.mask
    var slot = Int(truncatingIfNeeded: hash) & mask
    while true {
      let entry = entry(slot)
      if entry == 0 { return (slot, false) }
      if TableLayout.isSameTag(entry, hash), entry != TableLayout.gone {
        let place = TableLayout.place(entry)
        let known = memory.bytes(place + TableLayout.slotHead, memory.number(place + 4))
        if known == key { return (slot, true) }
      }
      slot = (slot + 1) & mask
    }
  }

  private func makeIndex(bits: Int) throws(Failure) -> UInt64 {
    let count = 8 << bits
    let place = try allocate(TableLayout.slotHead + count)
    memory.setNumber(Int(TableLayout.Kind.index), at: place + 12)
    let start = place + TableLayout.slotHead
    (memory.base + start).initializeMemory(as: UInt8.self, repeating: 0, count: count)
    return (UInt64(start) >> 4) << 8 | UInt64(bits)
  }

  /// Twice the entries, or as many where most are those of rows that are gone.
  private func rehash() throws(Failure) {
    let rows = Int(memory[.rows])
    var bits = 10
    while (1 << bits) < rows * 3 { bits += 1 }
    let larger = try makeIndex(bits: bits)
    let (place, mask) = (Int(larger >> 8) << 4, (1 << bits) - 1)
    for slot in 0...memory.index.mask {
      guard let row = livePlace(slot) else { continue }
      var free = Int(truncatingIfNeeded: memory.long(row + 24)) & mask
      while memory.long(place + free * 8) != 0 { free = (free + 1) & mask }
      memory.base.storeBytes(of: entry(slot), toByteOffset: place + free * 8, as: UInt64.self)
    }
    usedEntries = rows
    hand = 0
    memory[.index] = larger
  }

  // MARK: Slots

  private func allocate(_ bytes: Int) throws(Failure) -> Int {
    let capacity = TableLayout.capacity(bytes)
    if let place = free[capacity]?.popLast() { return place }
    let place = Int(memory[.end])
    if place + capacity > memory.count {
      let step = min(max(memory.count / 2, 64 << 10), TableWriter.growthMax)
      let size = max(place + capacity, memory.count + step)
      try TableWriter.attempt(path) { () throws(SystemError) in try file.grow(to: size) }
      memory = TableMemory(base: file.base, count: file.count)
    }
    memory.setNumber(capacity, at: place)
    memory.setNumber(Int(TableLayout.Kind.free), at: place + 12)
    memory[.end] = UInt64(place + capacity)
    return place
  }

  private func release(_ place: Int) {
    let capacity = memory.number(place)
    memory[.liveBytes] &-= UInt64(capacity)
    free[capacity, default: []].append(place)
  }

  /// Finds the free slots: those that no entry leads to.
  private func recover() throws(Failure) {
    var live: Set<Int> = [memory.index.place - TableLayout.slotHead]
    var (rows, liveBytes) = (0, 0)
    for slot in 0...memory.index.mask {
      if entry(slot) != 0 { usedEntries += 1 }
      guard let place = livePlace(slot) else { continue }
      live.insert(place)
      rows += 1
      liveBytes += memory.number(place)
    }
    var place = TableLayout.heap
    let end = Int(memory[.end])
    while place < end {
      let capacity = memory.number(place)
      guard capacity >= 64, capacity % 16 == 0, place + capacity <= end else {
        throw .badData(
          "\(path): the slot at byte \(place) is damaged",
          hint: "rtinfer materialize backfill writes the store anew")
      }
      // Readers may still search an index that has been replaced.
      if !live.contains(place), memory.number(place + 12) != Int(TableLayout.Kind.index) {
        free[capacity, default: []].append(place)
      }
      place += capacity
    }
    memory[.rows] = UInt64(rows)
    memory[.liveBytes] = UInt64(liveBytes)
  }
}
