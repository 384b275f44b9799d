// A log on a simulated disk, its events numbered: event n reads {"n":n} and happened n seconds after
// the start, so that whatever is read can be checked against its offset alone.

import Core
import Events
import TestSupport

struct TestLog {
  static let path = "state/log"
  static let start = Timestamp("2013-01-05T00:00:00Z")

  let disk = SimulatedFileSystem()
  let clock = ManualClock(Timestamp("2020-01-01T00:00:00Z"))

  func open(
    _ fsync: FsyncPolicy = .always, segmentBytes: Int = 1 << 20,
    retention: LogRetention = LogRetention()
  ) throws(Failure) -> LogWriter {
    try LogWriter(
      TestLog.path,
      settings: LogSettings(fsync: fsync, segmentBytes: segmentBytes, retention: retention),
      files: disk, clock: clock)
  }

  static func line(_ number: Int64) -> String { "{\"n\":\(number)}\n" }
  static func lines(_ numbers: Range<Int64>) -> String { numbers.map(line).joined() }
  static func time(_ number: Int64) -> Timestamp { start + .seconds(number) }

  /// A batch of `count` events from the offset that the writer is at.
  func batch(_ writer: LogWriter, count: Int) -> LogBatch {
    let batch = LogBatch()
    for number in writer.nextOffset..<writer.nextOffset + Int64(count) {
      batch.lines.append("{\"n\":")
      batch.lines.append(number)
      batch.lines.append("}")
      batch.endEvent(time: TestLog.time(number), ingested: clock.now())
    }
    return batch
  }

  /// Appends and commits one batch for each count.
  func write(_ writer: LogWriter, _ counts: Int...) throws(Failure) {
    for count in counts {
      try writer.append(batch(writer, count: count))
      try writer.commit()
    }
  }

  /// Writes a log and closes it.
  func make(_ counts: Int..., segmentBytes: Int = 1 << 20) throws(Failure) {
    let writer = try open(segmentBytes: segmentBytes)
    for count in counts { try write(writer, count) }
    try writer.close()
  }

  /// All lines that a reader gets.
  func text(_ range: LogRange = LogRange()) throws(Failure) -> String {
    try TestLog.rest(try LogReader(TestLog.path, range: range, files: disk))
  }

  /// What a reader has yet to give.
  static func rest(_ reader: LogReader) throws(Failure) -> String {
    var text = ""
    while let events = try reader.next() { events.visitRuns { text += $0.string } }
    return text
  }

  var segments: [String] { disk.paths.filter { $0.hasSuffix(".log") } }
  var indexes: [String] { disk.paths.filter { $0.hasSuffix(".index") } }
}

extension LogRange {
  static func offsets(_ range: Range<Int64>) -> LogRange {
    var result = LogRange()
    result.offsets = range
    return result
  }

  static func events(_ range: Range<Timestamp>) -> LogRange {
    var result = LogRange()
    result.eventTimes = range
    return result
  }

  static func ingested(_ range: Range<Timestamp>) -> LogRange {
    var result = LogRange()
    result.ingestTimes = range
    return result
  }
}
