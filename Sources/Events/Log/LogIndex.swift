// Where in a finished segment to begin. One entry stands for a run of batches, some 64 KiB of them: its first
// offset, its place, and between which times its events lie, so that a reader who looks for a day passes over
// the runs that hold none of it, however much events came out of order.
//
//     00000000000000000000.index
//       0  "rtin.idx"   8  version (1)   12  entries (u32)
//      16  base offset   24  next offset   32  bytes of the segment   (i64 each)
//      40  entries of 48 bytes: first offset, position, earliest and latest event time,
//          earliest and latest ingest time (i64 each)
//      end  CRC-32C of all before
//
// All of it follows from the segment: an index that is lost or damaged is made again. The active segment has
// none on the disk, whoever reads it walks its batch headers.

import Core

struct LogIndex: Equatable {
  struct Entry: Equatable {
    var first: Int64
    var position: Int
    var eventTimes = LogTimes()
    var ingestTimes = LogTimes()
  }

  let base: Int64
  /// The first offset behind the segment.
  private(set) var next: Int64
  private(set) var segmentBytes: Int
  private(set) var entries: [Entry] = []

  private static let magic = Bytes("rtin.idx")
  private static let version: UInt32 = 1
  private static let headBytes = 40
  private static let entryBytes = 48

  /// Of a segment without batches.
  init(base: Int64) {
    self.base = base
    self.next = base
    self.segmentBytes = SegmentHeader.byteCount
  }

  /// The next batch of the segment, at `position`.
  mutating func add(_ header: BatchHeader, at position: Int) {
    segmentBytes = position + header.byteCount
    guard !header.isSeal else { return }
    next = header.next
    let isFull = entries.last.map { position - $0.position >= Limits.logIndexBytes } ?? true
    if isFull { entries.append(Entry(first: header.base, position: position)) }
    entries[entries.count - 1].eventTimes.include(header.eventTimes)
    entries[entries.count - 1].ingestTimes.include(header.ingestTimes)
  }

  /// The segment without the seal at its end.
  mutating func removeSeal() { segmentBytes -= BatchHeader.byteCount }

  /// Between which times all events of the segment lie.
  var eventTimes: LogTimes { entries.reduce(into: LogTimes()) { $0.include($1.eventTimes) } }
  var ingestTimes: LogTimes { entries.reduce(into: LogTimes()) { $0.include($1.ingestTimes) } }

  /// The last entry that begins at or before `offset`.
  func entry(holding offset: Int64) -> Entry? {
    var (low, high) = (0, entries.count)
    while low < high {
      let middle = (low + high) / 2
      if entries[middle].first <= offset { low = middle + 1 } else { high = middle }
    }
    return low > 0 ? entries[low - 1] : nil
  }

  // MARK: On the disk

  func encoded() -> [UInt8] {
    var record = LogRecordBytes(capacity: LogIndex.headBytes + entries.count * LogIndex.entryBytes)
    record.append(LogIndex.magic)
    record.append(LogIndex.version)
    record.append(UInt32(entries.count))
    for number in [base, next, Int64(segmentBytes)] { record.append(number) }
    for entry in entries {
      record.append(entry.first)
      record.append(Int64(entry.position))
      for times in [entry.eventTimes, entry.ingestTimes] {
        record.append(times.earliest.microseconds)
        record.append(times.latest.microseconds)
      }
    }
    record.append(record.bytes.withBytes { CRC32C.of($0) })
    return record.bytes
  }

  /// Nil when these bytes are no whole index: it must be made again.
  init?(_ bytes: Bytes) {
    guard bytes.count >= LogIndex.headBytes + 4, bytes.starts(with: LogIndex.magic),
      CRC32C.of(bytes[0..<bytes.count - 4]) == bytes.uint32(bytes.count - 4),
      bytes.uint32(8) == LogIndex.version
    else { return nil }
    let count = Int(bytes.uint32(12))
    guard bytes.count == LogIndex.headBytes + count * LogIndex.entryBytes + 4 else { return nil }
    base = bytes.int64(16)
    next = bytes.int64(24)
    segmentBytes = Int(bytes.int64(32))
    entries = (0..<count).map { number in
      let place = LogIndex.headBytes + number * LogIndex.entryBytes
      return Entry(
        first: bytes.int64(place), position: Int(bytes.int64(place + 8)),
        eventTimes: LogTimes(bytes.int64(place + 16), bytes.int64(place + 24)),
        ingestTimes: LogTimes(bytes.int64(place + 32), bytes.int64(place + 40)))
    }
  }

  /// The index file of a segment; nil when it is missing, damaged or of another segment than the one that
  /// lies there now.
  static func read(
    _ folder: LogFolder, base: Int64, segmentBytes: Int
  ) throws(Failure) -> LogIndex? {
    let path = folder.index(base)
    guard folder.files.exists(path) else { return nil }
    let bytes = try folder.files.contents(of: path, bytesMax: Limits.logIndexFileBytesMax)
    guard let index = bytes.withBytes({ LogIndex($0) }), index.base == base,
      index.segmentBytes == segmentBytes
    else { return nil }
    return index
  }

  func write(_ folder: LogFolder) throws(Failure) {
    try encoded().withBytes { (bytes) throws(Failure) in
      try AtomicFile.write(bytes, to: folder.index(base), in: folder.files)
    }
  }
}
