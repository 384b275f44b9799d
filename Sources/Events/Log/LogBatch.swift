// Events on their way into the log: their lines one behind the other, and for each its times and length. What
// is gathered here becomes one batch, one write and at most one sync: the group of a group commit.

public import Core

public final class LogBatch {
  /// Where the lines are appended. Not to be flushed.
  public let lines = OutputBuffer(MemorySink(), capacity: Limits.logBatchBytes * 2)
  private(set) var header = BatchHeader()
  /// The batch's entries as they stand on the disk, with room for the header before them.
  private var record = LogRecordBytes()
  private var lineStart = 0

  public init() {}

  /// Events in the batch.
  public var count: Int { header.count }
  /// Bytes of their lines.
  public var lineBytes: Int { lineStart }
  public var isEmpty: Bool { header.count == 0 }
  /// Enough for one commit.
  public var isFull: Bool { lineStart >= Limits.logBatchBytes }

  /// All lines, borrowed until the batch changes.
  public var text: Bytes { lines.pending[0..<lineStart] }

  /// Ends the line that was appended to `lines`.
  public func endEvent(time: Timestamp, ingested: Timestamp) {
    lines.append(UInt8(ascii: "\n"))
    header.eventTimes.include(time)
    header.ingestTimes.include(ingested)
    header.count += 1
    record.append(time.microseconds, ingested.microseconds, UInt32(lines.count - lineStart))
    lineStart = lines.count
  }

  public func removeAll() {
    lines.rewind(to: 0)
    record.removeAll()
    header = BatchHeader()
    lineStart = 0
  }

  /// Header and entries, as `head`, in front of the lines; lends them to `body`.
  func withEncoded(
    _ stamp: (inout BatchHeader) -> Void, into head: inout LogRecordBytes
  ) -> BatchHeader {
    var stamped = header
    stamp(&stamped)
    stamped.bodyBytes = record.bytes.count + lineStart
    var checksum = CRC32C()
    record.bytes.withBytes { checksum.update($0) }
    checksum.update(text)
    stamped.bodyChecksum = checksum.value
    head.removeAll()
    stamped.append(to: &head)
    record.bytes.withBytes { head.append($0) }
    return stamped
  }
}
