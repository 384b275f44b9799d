// Ids of events that are about to come. Where many are remembered, each lies in memory that no cache holds, and an event
// would wait a hundred nanoseconds to hear that its id is new. Producers put the id at the same place of every line,
// so the next ones are looked for where the last one stood, and what the table knows of them is fetched together.
//
//     {"id":"9f2c…","type":…      the line at hand
//     {"id":"03d1…","type":…  ┐
//     {"id":"77ab…","type":…  ├─  read already: sixteen slots at once
//     …                       ┘
//
// It is a hint and nothing else: a place that holds something else costs its time and changes nothing.

import Core

struct IdsAhead {
  /// So many lines at a time.
  private static let linesMax = 16
  /// From so many ids on; fewer are in the cache anyway.
  private static let idsMin = 1 << 15

  /// Lines until it looks again.
  private var left = 0
  /// Keeps reads from being left out.
  private var sink: UInt64 = 0

  /// A line was read whose event has an id.
  ///
  /// - Parameters:
  ///   - id: as it stands in `line`.
  ///   - records: what the line is from.
  @inline(__always)
  mutating func follow(
    _ id: Bytes, in line: Bytes, _ records: RecordInput, _ deduplicator: Deduplicator
  ) {
    left &-= 1
    if left < 0 { look(id, in: line, records, deduplicator) }
  }

  @inline(never)
  private mutating func look(
    _ id: Bytes, in line: Bytes, _ records: RecordInput, _ deduplicator: Deduplicator
  ) {
    left = IdsAhead.linesMax
    let start = id.base - line.base
    // An id with its escapes resolved, or of a member that was hidden, is in no line.
    guard deduplicator.count >= IdsAhead.idsMin, start >= 0, start + id.count <= line.count else {
      return
    }
    // One after the other, or the processor would not reach far enough to wait for several at a time.
    withUnsafeTemporaryAllocation(of: UInt64.self, capacity: IdsAhead.linesMax) { hashes in
      var count = 0
      records.peekLines(IdsAhead.linesMax) { next in
        guard start + id.count <= next.count else { return }
        hashes[count] = ByteTable.hash(Bytes(base: next.base + start, count: id.count))
        count += 1
      }
      sink ^= deduplicator.touch(hashes[..<count])
    }
  }
}
