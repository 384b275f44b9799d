// The bytes on the disk, pinned: a log that was written once is read for ever.

import Core
import TestSupport
import Testing

@testable import Events

@Suite struct LogFormatTests {
  private func hex(_ bytes: [UInt8]) -> String {
    bytes.map { byte in
      let digits = String(byte, radix: 16)
      return digits.count == 1 ? "0" + digits : digits
    }.joined()
  }

  @Test func theSegmentHeaderIsPinned() throws {
    let header = SegmentHeader(base: 513, made: Timestamp(microseconds: 7), epoch: 3)
    let bytes = header.encoded()
    let checksum = hex(Array(bytes[12..<16]))
    #expect(
      hex(bytes) == "7274696e2e6c6f6701000000" + checksum + "0102000000000000"
        + "0700000000000000" + "0300000000000000")
    #expect(
      try bytes.withBytes { bytes throws(SegmentHeader.Problem) in try SegmentHeader(bytes) }
        == header)
  }

  @Test func anUnknownVersionIsRefusedByItsNumber() throws {
    let log = TestLog()
    try log.make(1)
    let path = log.segments[0]
    var bytes = log.disk[path]!
    bytes[8] = 2
    var checksum = CRC32C()
    Array(bytes[0..<12]).withBytes { checksum.update($0) }
    Array(bytes[16..<40]).withBytes { checksum.update($0) }
    for index in 0..<4 {
      bytes[12 + index] = UInt8(truncatingIfNeeded: checksum.value >> UInt32(8 * index))
    }
    log.disk[path] = bytes
    let expected = "\(path): a log of version 2, this rtinfer reads version 1"
    #expect(message { () throws(Failure) in _ = try log.text() } == expected)
    #expect(message { () throws(Failure) in _ = try log.open() } == expected)
  }

  @Test func headersAreReadAsTheyWereWritten() {
    var header = BatchHeader()
    header.bodyBytes = 70
    header.bodyChecksum = 0xDEAD_BEEF
    header.count = 3
    header.epoch = 9
    header.base = 1 << 40
    header.synced = 1_234
    header.countsOnceSynced = true
    header.eventTimes.include(Timestamp(microseconds: -5))
    header.eventTimes.include(Timestamp(microseconds: 6))
    header.ingestTimes.include(Timestamp(microseconds: 8))
    var record = LogRecordBytes()
    header.append(to: &record)
    #expect(record.bytes.count == BatchHeader.byteCount)
    #expect(record.bytes.withBytes { BatchHeader($0) } == header)
    #expect(Array(record.bytes[0..<4]) == BatchHeader.markerBytes)
    for bit in 0..<record.bytes.count * 8 {
      var flipped = record.bytes
      flipped[bit / 8] ^= 1 << UInt8(bit % 8)
      #expect(flipped.withBytes { BatchHeader($0) } == nil, "bit \(bit)")
    }
  }

  @Test func indexesAreReadAsTheyWereWrittenAndNotOtherwise() {
    var index = LogIndex(base: 10)
    for batch in 0..<3 {
      var header = BatchHeader()
      header.base = 10 + Int64(batch)
      header.count = 1
      header.bodyBytes = Limits.logIndexBytes
      header.eventTimes.include(Timestamp(microseconds: Int64(batch)))
      header.ingestTimes.include(Timestamp(microseconds: Int64(-batch)))
      index.add(header, at: 40 + batch * header.byteCount)
    }
    #expect(index.entries.count == 3 && index.next == 13)
    #expect(index.entry(holding: 9) == nil && index.entry(holding: 11)?.first == 11)
    let bytes = index.encoded()
    #expect(bytes.withBytes { LogIndex($0) } == index)
    for bit in 0..<bytes.count * 8 {
      var flipped = bytes
      flipped[bit / 8] ^= 1 << UInt8(bit % 8)
      #expect(flipped.withBytes { LogIndex($0) } == nil, "bit \(bit)")
    }
    for count in 0..<bytes.count {
      #expect(Array(bytes[..<count]).withBytes { LogIndex($0) } == nil, "cut to \(count)")
    }
  }

  @Test func policiesAreReadAndNamed() {
    for text in ["always", "never", "interval:100ms", "interval:2s"] {
      #expect(FsyncPolicy(text)?.description == text)
    }
    for text in ["", "Always", "interval", "interval:", "interval:0s", "interval:x", "100ms"] {
      #expect(FsyncPolicy(text) == nil, "\(text)")
    }
  }
}
