// Rows of one view, read by any process while another writes them; see `TableLayout`.

public import Core
import Synchronization

/// What a look-up finds.
public enum FoundRow {
  /// A copy, valid until the next look-up.
  case row(Bytes)
  case absent
  /// The row does not fit its checksum.
  case damaged
  /// The store has not said in time, and nothing is known from before.
  case unanswered
}

public final class TableReader {
  private let file: MappedFile
  private var memory: TableMemory
  private var copy: UnsafeMutableRawBufferPointer
  /// What the key that was looked for last led to; nil where it led to nothing whole.
  private var found: RowVersion?
  private var remembered: RememberedRows?
  /// After which a row is as good as absent, counted from its latest event; nil: never.
  let timeToLive: TimeSpan?

  /// Opens the file at `path`, which must be of the definition `digest`.
  init(_ path: String, view: String, digest: [UInt8], files: any FileSystem) throws(Failure) {
    do throws(SystemError) {
      file = try MappedFile(path, .read)
    } catch {
      throw .inputOutput(
        "\(path): \(error.reason)",
        hint: error.isMissingFile ? "rtinfer materialize --online writes it" : nil)
    }
    memory = TableMemory(base: file.base, count: file.count)
    timeToLive = try TableHeader.check(memory, path: path, digest: digest)
    try TableHeader.checkTrust(memory, path: path, files: files)
    copy = .allocate(byteCount: 4_096, alignment: 16)
  }

  deinit { copy.deallocate() }

  /// Whether another file has taken this one's place.
  var isRetired: Bool { memory[.state] == TableState.retired.rawValue }
  /// All rows are true up to this offset; -1 before anything was committed.
  public var offset: Int64 { Int64(bitPattern: memory[.offset]) }
  public var watermark: Timestamp {
    Timestamp(microseconds: Int64(bitPattern: memory[.watermark]))
  }
  var rowCount: Int { Int(memory[.rows]) }
  var liveBytes: Int { Int(memory[.liveBytes]) }
  var fileBytes: Int { Int(memory[.end]) }

  /// - Complexity: O(key + row) on average. No allocation but for the largest row so far, no system call but where the
  ///   file has grown.
  public func find(_ key: Bytes) -> FoundRow {
    let hash = ByteTable.hash(key)
    found = nil
    var suspect: UInt64?
    while true {
      let word = memory[.index]
      let (table, mask) = memory.index
      guard isMapped(table, (mask + 1) * 8) else { continue }
      var slot = Int(truncatingIfNeeded: hash) & mask
      var unfit: UInt64?
      search: while true {
        let entry = memory.word(at: table + slot * 8).pointee.load(ordering: .acquiring)
        if entry == 0 { break }
        if TableLayout.isSameTag(entry, hash), entry != TableLayout.gone {
          let taken = take(TableLayout.place(entry), key)
          if case .same(let row, let checksum) = taken {
            found = RowVersion(
              index: word, slot: table + slot * 8, entry: entry, checksum: checksum)
            return .row(row)
          }
          // The slot may have been given to another row since the entry was read.
          guard memory.word(at: table + slot * 8).pointee.load(ordering: .acquiring) == entry else {
            continue
          }
          if case .unfit(let checksum) = taken {
            unfit = checksum
            break search
          }
        }
        slot = (slot + 1) & mask
      }
      // While the index was searched, a larger one may have taken its place.
      guard memory[.index] == word else { continue }
      guard let unfit else { return .absent }
      // What was being written is another time something else; what is damaged stays as it is.
      if unfit == suspect { return .damaged }
      suspect = unfit
    }
  }

  private enum Taken {
    case same(Bytes, checksum: UInt64)
    case other
    /// The checksum of what was found.
    case unfit(UInt64)
  }

  /// Copies a slot and looks whether the copy is whole.
  @inline(__always)
  private func take(_ place: Int, _ key: Bytes) -> Taken {
    guard isMapped(place, TableLayout.slotHead) else { return .unfit(0) }
    let keyCount = memory.number(place + 4)
    let count = keyCount + memory.number(place + 8)
    guard count <= Limits.onlineRowBytesMax, isMapped(place, TableLayout.slotHead + count) else {
      return .unfit(0)
    }
    // Eight bytes more, since the last ones are stored as whole words.
    if copy.count < count + 8 {
      copy.deallocate()
      copy = .allocate(byteCount: count * 2 + 8, alignment: 16)
    }
    let checksum = memory.long(place + 16)
    let bytes = UnsafeRawPointer(copy.baseAddress!)
    let found = SlotChecksum.copying(
      memory.base + place + TableLayout.slotHead, count, keyCount: keyCount,
      to: copy.baseAddress!)
    guard found == checksum else { return .unfit(found) }
    let start = bytes.assumingMemoryBound(to: UInt8.self)
    guard Bytes(base: start, count: keyCount) == key else { return .other }
    return .same(
      Bytes(base: start + keyCount, count: count - keyCount), checksum: checksum)
  }

  // MARK: Finished rows

  /// What was made of the row that the key leads to, where that is known, and is the same at `time`.
  ///
  /// - Complexity: O(key). The row itself is not looked at.
  func recall(_ key: Bytes, at time: Timestamp) -> RecalledRow? {
    guard let remembered, let place = remembered.place(key, ByteTable.hash(key)) else {
      return nil
    }
    let finished = remembered.finished(place)
    guard finished.holds(at: time), timeToLive.map({ finished.latest + $0 >= time }) ?? true
    else { return nil }
    let (offset, watermark) = (offset, watermark)
    guard isCurrent(remembered.version(place)) else { return nil }
    return RecalledRow(values: remembered.values(place), offset: offset, watermark: watermark)
  }

  /// Whether the index leads to the same row now. Its mapping is still there: a file only grows.
  @inline(__always)
  private func isCurrent(_ version: RowVersion) -> Bool {
    memory[.index] == version.index
      && memory.word(at: version.slot).pointee.load(ordering: .acquiring) == version.entry
      && memory.long(TableLayout.place(version.entry) + 16) == version.checksum
  }

  /// Keeps the values that were made of the row that was found last.
  func remember(
    _ key: Bytes, _ finished: FinishedRow, _ values: ArraySlice<Scalar>, rows: Int
  ) {
    guard let found else { return }
    let memory = remembered ?? RememberedRows(features: values.count, rows: rows)
    remembered = memory
    memory.remember(key, ByteTable.hash(key), found, finished, values)
  }

  /// Whether the bytes are in memory; maps the file anew where it has grown.
  @inline(__always)
  private func isMapped(_ place: Int, _ count: Int) -> Bool {
    place + count <= memory.count || refresh(place + count)
  }

  @inline(never)
  private func refresh(_ end: Int) -> Bool {
    try? file.refresh()
    memory = TableMemory(base: file.base, count: file.count)
    return end <= memory.count
  }

  /// Lends every row that is whole, in no order; returns how many are damaged. For inspection, not while much is
  /// written: rows that are replaced meanwhile may be left out.
  func visitRows(_ body: (_ key: Bytes, _ row: Bytes) -> Void) -> Int {
    var damaged = 0
    let (table, mask) = memory.index
    guard isMapped(table, (mask + 1) * 8) else { return 1 }
    for slot in 0...mask {
      let entry = memory.word(at: table + slot * 8).pointee.load(ordering: .acquiring)
      guard entry != 0, entry != TableLayout.gone else { continue }
      let place = TableLayout.place(entry)
      guard isMapped(place, TableLayout.slotHead) else { continue }
      let count = memory.number(place + 4)
      guard count <= Limits.onlineRowBytesMax, isMapped(place, TableLayout.slotHead + count) else {
        continue
      }
      let key = memory.bytes(place + TableLayout.slotHead, count).copy()
      key.withBytes { key in
        switch find(key) {
        case .row(let row): body(key, row)
        case .absent, .unanswered: break
        case .damaged: damaged += 1
        }
      }
    }
    return damaged
  }
}
