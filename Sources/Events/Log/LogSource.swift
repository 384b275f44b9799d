// A log as an input: its lines one behind the other, as ingest passed them on, for whoever reads events from a stream.
// What is taken up and what is done with are not the same (a reader's buffer lies between), so the source knows for any
// event that it gave where a later reader goes on behind it.

public import Core

public final class LogSource: ByteSource {
  public let name: String
  private let reader: LogReader
  /// Waits for more at the end of the log.
  private let follows: Bool
  /// Lines of the batch at hand that were not given yet, valid until the next batch.
  private var runs: [Bytes] = []
  /// Behind each batch that was given, ascending; only the last where nobody asks for places.
  private var ends: [LogPosition] = []
  private let remembersPlaces: Bool
  /// The last byte that was given ended a line.
  private var isAtLineStart = true
  /// How often the end of a log is looked at: it has no way to wake its readers, and a look costs some microseconds.
  private static let patience = 5

  /// - Parameter remembersPlaces: `position` will be asked, again and again.
  public init(_ reader: LogReader, name: String, follows: Bool, remembersPlaces: Bool) {
    self.reader = reader
    self.name = name
    self.follows = follows
    self.remembersPlaces = remembersPlaces
  }

  /// True where nothing is at hand and nothing more was found.
  private func isEmpty() throws(Failure) -> Bool {
    guard runs.isEmpty else { return false }
    guard let events = try reader.next() else { return true }
    events.visitRuns { runs.append($0) }
    runs.reverse()
    if !remembersPlaces { ends.removeAll(keepingCapacity: true) }
    ends.append(reader.end)
    return false
  }

  public func read(into buffer: UnsafeMutableRawBufferPointer) throws(Failure) -> Int {
    while try isEmpty() {
      guard follows, !Signals.sleep(milliseconds: LogSource.patience) else { return 0 }
    }
    if Signals.drainStatus != nil, !endAtLineFeed() { return 0 }
    var filled = 0
    while filled < buffer.count, let run = runs.popLast() {
      let count = min(run.count, buffer.count - filled)
      buffer.baseAddress!.advanced(by: filled).copyMemory(from: run.base, byteCount: count)
      filled += count
      if count < run.count { runs.append(run[count..<run.count]) }
      isAtLineStart = run[count - 1] == UInt8(ascii: "\n")
    }
    return filled
  }

  /// Leaves of what is at hand only the rest of the line that was begun; false where none was.
  private func endAtLineFeed() -> Bool {
    guard !isAtLineStart, let run = runs.popLast() else { return false }
    runs.removeAll()
    let end = run.buffer.firstIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? run.count
    runs.append(run[0..<end])
    return true
  }

  public func mustWait() throws(Failure) -> Bool {
    guard follows else { return false }
    return try isEmpty()
  }

  public func mustWait(milliseconds: Int) throws(Failure) -> Bool {
    var left = milliseconds
    while try mustWait() {
      guard left > 0 else { return true }
      let pause = min(left, LogSource.patience)
      if Signals.sleep(milliseconds: pause) { return false }
      left -= pause
    }
    return false
  }

  /// Where a reader goes on that has done with all events before `offset`; nil where the source gave none of them.
  ///
  /// - Precondition: `offset` never falls from one call to the next.
  /// - Complexity: O(batches given since the last call).
  public func position(before offset: Int64) -> LogPosition? {
    guard let batch = ends.firstIndex(where: { $0.offset >= offset }) else { return nil }
    ends.removeFirst(batch)
    return LogPosition(offset: offset, epoch: ends[0].epoch)
  }
}
