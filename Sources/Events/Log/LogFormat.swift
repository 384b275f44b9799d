// The durable log: what ingest accepted, in order of arrival, for any number of readers. A folder of segments;
// only the last one grows, the others never change again.
//
//     log/00000000000000000000.log      events 0 ..< 91,204     and its index (`LogIndex.swift`)
//         00000000000000091204.log      events 91,204 …         the active segment
//         sources                       what source partitions gave (`SourcePartitions+Log.swift`)
//         consumers/NAME                what a named reader has read (`LogConsumers.swift`)
//         lock                          held by the one writer, with its process id
//
//     segment   40 bytes of header, then batches
//       0  "rtin.log"   8  version (1)   12  CRC-32C of the header but these four bytes
//      16  base offset (i64)   24  made at (i64)   32  epoch (u32)   36  0 (u32)
//
//     batch     what one commit wrote: 72 bytes of header, an entry for each event, the events' lines
//       0  B5 'R' 'T' 01       4  CRC-32C of the header from byte 8
//       8  body bytes (u32)   12  CRC-32C of the body
//      16  events (u32)       20  epoch (u32): the opening of the log that wrote it,
//                               by its time in seconds, or one more than the last one's
//      24  base offset (i64)
//      32  synced (u32): bytes of this segment that were on the disk before this batch was written
//      36  acknowledged (u32): 1 when it counts once it is synced, 0 when it counts once it is written
//      40  earliest, latest event time (i64 each)    56  earliest, latest ingest time (i64 each)
//      72  entries of 20 bytes: event time (i64), ingest time (i64), line bytes (u32)
//          lines: as they were emitted, mark and line feed included
//
// Everything is little-endian; times are microseconds UTC. The lines lie one behind the other as they left
// ingest, so that replaying a batch is one write.
//
// `synced` is what tells a torn tail from corruption. What a power cut may destroy was never synced; if a
// later batch says that the damaged place was on the disk before, the damage came otherwise, and nothing
// may be cut. A batch without events is a seal: it follows each sync and says how far it reached.

public import Core

struct SegmentHeader: Equatable {
  static let byteCount = 40
  static let version: UInt32 = 1
  private static let magic = Bytes("rtin.log")

  let base: Int64
  let made: Timestamp
  let epoch: UInt32

  init(base: Int64, made: Timestamp, epoch: UInt32) {
    self.base = base
    self.made = made
    self.epoch = epoch
  }

  enum Problem: Error, Equatable {
    /// Cut off, not ours, or its checksum does not hold.
    case damaged
    case unknownVersion(UInt32)
  }

  init(_ bytes: Bytes) throws(Problem) {
    guard bytes.count >= SegmentHeader.byteCount, bytes.starts(with: SegmentHeader.magic),
      bytes.uint32(12) == SegmentHeader.checksum(bytes)
    else { throw .damaged }
    guard bytes.uint32(8) == SegmentHeader.version else { throw .unknownVersion(bytes.uint32(8)) }
    self.init(
      base: bytes.int64(16), made: Timestamp(microseconds: bytes.int64(24)),
      epoch: bytes.uint32(32))
  }

  func encoded() -> [UInt8] {
    var record = LogRecordBytes(capacity: SegmentHeader.byteCount)
    record.append(SegmentHeader.magic)
    record.append(SegmentHeader.version)
    record.append(UInt32(0))
    record.append(base)
    record.append(made.microseconds)
    record.append(epoch)
    record.append(UInt32(0))
    record.replace(at: 12, with: record.bytes.withBytes { SegmentHeader.checksum($0) })
    return record.bytes
  }

  private static func checksum(_ bytes: Bytes) -> UInt32 {
    var checksum = CRC32C()
    checksum.update(bytes[0..<12])
    checksum.update(bytes[16..<byteCount])
    return checksum.value
  }
}

struct BatchHeader: Equatable {
  static let byteCount = 72
  static let entryBytes = 20
  /// The marker's first byte stands in no text and begins no character of UTF-8.
  static let markerBytes: [UInt8] = [0xB5, UInt8(ascii: "R"), UInt8(ascii: "T"), 1]
  private static let markerWord: UInt32 = 0x0154_52B5

  var bodyBytes = 0
  var bodyChecksum: UInt32 = 0
  var count = 0
  var epoch: UInt32 = 0
  var base: Int64 = 0
  var synced = 0
  var countsOnceSynced = false
  var eventTimes = LogTimes()
  var ingestTimes = LogTimes()

  /// The first offset behind the batch.
  var next: Int64 { base + Int64(count) }
  /// The whole batch, header included.
  var byteCount: Int { BatchHeader.byteCount + bodyBytes }
  var isSeal: Bool { count == 0 }

  init() {}

  /// Nil when the bytes are no header, or a damaged one.
  init?(_ bytes: Bytes) {
    guard bytes.count >= BatchHeader.byteCount, bytes.uint32(0) == BatchHeader.markerWord,
      bytes.uint32(4) == CRC32C.of(bytes[8..<BatchHeader.byteCount])
    else { return nil }
    bodyBytes = Int(bytes.uint32(8))
    bodyChecksum = bytes.uint32(12)
    count = Int(bytes.uint32(16))
    epoch = bytes.uint32(20)
    base = bytes.int64(24)
    synced = Int(bytes.uint32(32))
    countsOnceSynced = bytes.uint32(36) == 1
    eventTimes = LogTimes(bytes.int64(40), bytes.int64(48))
    ingestTimes = LogTimes(bytes.int64(56), bytes.int64(64))
    guard bodyBytes >= count * BatchHeader.entryBytes else { return nil }
  }

  func append(to record: inout LogRecordBytes) {
    let start = record.bytes.count
    record.append(BatchHeader.markerWord)
    record.append(UInt32(0))
    record.append(UInt32(bodyBytes))
    record.append(bodyChecksum)
    record.append(UInt32(count))
    record.append(epoch)
    record.append(base)
    record.append(UInt32(synced))
    record.append(UInt32(countsOnceSynced ? 1 : 0))
    for time in [
      eventTimes.earliest, eventTimes.latest, ingestTimes.earliest, ingestTimes.latest,
    ] {
      record.append(time.microseconds)
    }
    let checksum = record.bytes.withBytes {
      CRC32C.of($0[start + 8..<start + BatchHeader.byteCount])
    }
    record.replace(at: start + 4, with: checksum)
  }
}

/// From the earliest to the latest of some times; of none, earliest lies behind latest.
public struct LogTimes: Sendable, Equatable {
  public var earliest = Timestamp.distantFuture
  public var latest = Timestamp.distantPast

  public init() {}

  init(_ earliest: Int64, _ latest: Int64) {
    self.earliest = Timestamp(microseconds: earliest)
    self.latest = Timestamp(microseconds: latest)
  }

  @inline(__always)
  mutating func include(_ time: Timestamp) {
    if time < earliest { earliest = time }
    if time > latest { latest = time }
  }

  mutating func include(_ others: LogTimes) {
    earliest = min(earliest, others.earliest)
    latest = max(latest, others.latest)
  }

  /// True if one of them may lie in the range.
  func mayMeet(_ range: Range<Timestamp>) -> Bool {
    earliest < range.upperBound && latest >= range.lowerBound
  }

  /// True if all of them lie in the range.
  func lie(in range: Range<Timestamp>) -> Bool {
    earliest >= range.lowerBound && latest < range.upperBound
  }
}

/// Little-endian numbers one behind the other.
struct LogRecordBytes {
  private(set) var bytes: [UInt8] = []

  init(capacity: Int = 0) { bytes.reserveCapacity(capacity) }

  mutating func removeAll() { bytes.removeAll(keepingCapacity: true) }
  mutating func append(_ part: Bytes) { bytes.append(contentsOf: part.buffer) }

  mutating func append(_ value: some FixedWidthInteger) {
    withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
  }

  /// An event's entry: two times and a length, one behind the other.
  mutating func append(_ time: Int64, _ ingested: Int64, _ length: UInt32) {
    withUnsafeBytes(of: (time.littleEndian, ingested.littleEndian, length.littleEndian)) {
      bytes.append(contentsOf: $0)
    }
  }

  mutating func replace(at index: Int, with value: UInt32) {
    for byte in 0..<4 { bytes[index + byte] = UInt8(truncatingIfNeeded: value >> UInt32(8 * byte)) }
  }
}

extension Bytes {
  @inline(__always)
  func uint32(_ index: Int) -> UInt32 {
    precondition(index >= 0 && index + 4 <= count, "four bytes lie there")
    return UInt32(
      littleEndian: UnsafeRawPointer(base).loadUnaligned(fromByteOffset: index, as: UInt32.self))
  }

  @inline(__always)
  func int64(_ index: Int) -> Int64 {
    precondition(index >= 0 && index + 8 <= count, "eight bytes lie there")
    return Int64(
      littleEndian: UnsafeRawPointer(base).loadUnaligned(fromByteOffset: index, as: Int64.self))
  }
}
