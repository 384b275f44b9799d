// The events of one batch that a reader asked for. Their lines stay where they were read to, and lie as they
// did in ingest's output.

public import Core

/// Some events of a log, in order. Borrowed until the reader is asked for the next batch.
public struct LogEvents {
  private let header: BatchHeader
  private let body: Bytes
  private let range: LogRange
  /// Of the batch's events: the first that the range's offsets hold, and the first behind them.
  private let wanted: Range<Int>
  /// True if no event in between need be left out by its times.
  private let areAllWanted: Bool

  init(_ header: BatchHeader, _ body: Bytes, _ range: LogRange, from offset: Int64) {
    self.header = header
    self.body = body
    self.range = range
    let first = Int(min(max(offset - header.base, 0), Int64(header.count)))
    let end = Int(min(max(range.offsets.upperBound - header.base, 0), Int64(header.count)))
    wanted = first..<max(first, end)
    areAllWanted =
      header.eventTimes.lie(in: range.eventTimes) && header.ingestTimes.lie(in: range.ingestTimes)
  }

  var isEmpty: Bool { wanted.isEmpty }

  /// One event.
  public struct Event {
    public let offset: Int64
    public let time: Timestamp
    public let ingested: Timestamp
    /// As it was emitted, with its mark and its line feed.
    public let line: Bytes
  }

  private func entry(_ number: Int) -> (time: Timestamp, ingested: Timestamp, bytes: Int) {
    let place = number * BatchHeader.entryBytes
    return (
      Timestamp(microseconds: body.int64(place)), Timestamp(microseconds: body.int64(place + 8)),
      Int(body.uint32(place + 16))
    )
  }

  /// Each wanted event, in order.
  public func visit<Problem: Error>(
    _ take: (Event) throws(Problem) -> Void
  ) throws(Problem) {
    var place = header.count * BatchHeader.entryBytes
    for number in 0..<wanted.upperBound {
      let entry = entry(number)
      let lineStart = place
      place += entry.bytes
      guard number >= wanted.lowerBound,
        areAllWanted
          || range.eventTimes.contains(entry.time) && range.ingestTimes.contains(entry.ingested)
      else { continue }
      try take(
        Event(
          offset: header.base + Int64(number), time: entry.time, ingested: entry.ingested,
          line: body[lineStart..<place]))
    }
  }

  /// The lines of all wanted events, in as few runs as there are.
  public func visitRuns<Problem: Error>(
    _ take: (Bytes) throws(Problem) -> Void
  ) throws(Problem) {
    if areAllWanted, wanted == 0..<header.count {
      return try take(body[header.count * BatchHeader.entryBytes..<body.count])
    }
    var run: Bytes?
    try visit { (event) throws(Problem) in
      if let known = run, known.base + known.count == event.line.base {
        run = Bytes(base: known.base, count: known.count + event.line.count)
      } else {
        if let known = run { try take(known) }
        run = event.line
      }
    }
    if let run { try take(run) }
  }
}
