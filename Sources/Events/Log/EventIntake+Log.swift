// Going on behind a log: offsets follow those that are in it, the watermark stands where it stood, and the ids
// of the log's last stretch are known, so that a source that is read again gives only what is new.

public import Core

extension EventIntake {
  /// Takes up what the events of a log have left.
  ///
  /// - Parameter nextOffset: the offset of the next event, as the log's writer says.
  /// - Returns: how many events were read for their ids and times.
  /// - Complexity: O(events of one dedup stretch and the lateness).
  @discardableResult
  public func resume(
    _ path: String, nextOffset: Int64, schema: EventSchema, files: any FileSystem
  ) throws(Failure) -> Int {
    let decoder = EventDecoder(schema, trustsMarks: true)
    var last = LogRange()
    last.offsets = max(nextOffset - 1, 0)..<nextOffset
    var watermark = Timestamp.distantPast
    try EventIntake.visit(path, last, decoder, files) { event, _ in
      watermark = event.mark?.watermark ?? watermark
    }
    resume(at: nextOffset, watermark: watermark)
    if unwraps {
      resume(try SourcePartitions(log: path, files: files, keepsSummary: true))
    }
    var range = LogRange()
    range.offsets = 0..<nextOffset
    // The latest event lies behind the watermark, whatever the lateness was then.
    range.eventTimes = (watermark - (memory ?? .zero))..<Timestamp.distantFuture
    var count = 0
    let marks = unwraps ? OriginMarks() : nil
    try EventIntake.visit(path, range, decoder, files) { event, line in
      remember(event, marks?.read(line))
      count += 1
    }
    return count
  }

  private static func visit(
    _ path: String, _ range: LogRange, _ decoder: EventDecoder, _ files: any FileSystem,
    _ take: (Event, Bytes) -> Void
  ) throws(Failure) {
    let reader = try LogReader(path, range: range, files: files)
    while let events = try reader.next() {
      events.visit { logged in
        // What the project file does not know any more cannot come again either.
        guard let event = try? decoder.decode(logged.line[0..<logged.line.count - 1]) else {
          return
        }
        take(event, logged.line)
      }
    }
  }
}
