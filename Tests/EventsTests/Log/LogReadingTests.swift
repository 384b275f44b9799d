// What is written into a log is read from it, from any place and between any times, while it grows,
// by any number of readers.

import Core
import TestSupport
import Testing

@testable import Events

@Suite struct LogReadingTests {
  private let log = TestLog()

  static let policies: [FsyncPolicy] = [.always, .never, .interval(.seconds(1))]

  @Test(arguments: policies) func whatIsWrittenIsRead(_ policy: FsyncPolicy) throws {
    let writer = try log.open(policy)
    #expect(writer.nextOffset == 0 && writer.recovery == LogRecovery())
    try log.write(writer, 1, 3, 2)
    #expect(writer.nextOffset == 6)
    #expect(try log.text() == TestLog.lines(0..<6))
    try writer.close()
    #expect(try log.text() == TestLog.lines(0..<6))
  }

  @Test func eachEventHasItsOffsetAndTimes() throws {
    let writer = try log.open()
    try log.write(writer, 2)
    log.clock.advance(.minutes(1))
    try log.write(writer, 1)
    var found: [(Int64, Timestamp, Timestamp, String)] = []
    let reader = try LogReader(TestLog.path, files: log.disk)
    while let events = try reader.next() {
      events.visit { found.append(($0.offset, $0.time, $0.ingested, $0.line.string)) }
    }
    let made = Timestamp("2020-01-01T00:00:00Z")
    for (number, event) in found.enumerated() {
      let number = Int64(number)
      #expect(event.0 == number && event.1 == TestLog.time(number))
      #expect(event.2 == (number < 2 ? made : made + .minutes(1)))
      #expect(event.3 == TestLog.line(number))
    }
    #expect(found.count == 3)
  }

  @Test func aLogIsTakenUpWhereItEnded() throws {
    for round in Int64(0)..<5 {
      let writer = try log.open()
      #expect(writer.nextOffset == round * 4 && writer.recovery.sentences.isEmpty)
      try log.write(writer, 1, 3)
      try writer.close()
    }
    #expect(try log.text() == TestLog.lines(0..<20))
  }

  @Test func segmentsAreNamedByTheirFirstOffsetAndIndexedWhenFinished() throws {
    let writer = try log.open(segmentBytes: 400)
    for _ in 0..<10 { try log.write(writer, 4) }
    #expect(log.segments.count > 2 && log.indexes.count == log.segments.count - 1)
    #expect(log.segments[0] == "state/log/00000000000000000000.log")
    for path in log.segments { #expect(log.disk[path]!.count <= 400 + 72) }
    #expect(try log.text() == TestLog.lines(0..<40))
    try writer.close()
    #expect(try log.text() == TestLog.lines(0..<40))
    #expect(try LogVerification(TestLog.path, files: log.disk).isSpotless)
  }

  @Test(arguments: [400, 1 << 20], [true, false])
  func anyRangeIsFound(segmentBytes: Int, withIndexes: Bool) throws {
    let writer = try log.open(segmentBytes: segmentBytes)
    for count in [1, 5, 2, 1, 7, 4] {
      try log.write(writer, count)
      log.clock.advance(.seconds(10))
    }
    try writer.close()
    if !withIndexes { for path in log.indexes { log.disk[path] = nil } }
    for first in Int64(0)..<21 {
      for end in first..<22 {
        let lines = TestLog.lines(first..<min(end, 20))
        guard first <= 20 else { continue }
        #expect(try log.text(.offsets(first..<end)) == lines, "\(first) ..< \(end)")
        let times = TestLog.time(first)..<TestLog.time(end)
        #expect(try log.text(.events(times)) == lines, "by time, \(first) ..< \(end)")
      }
    }
    let made = Timestamp("2020-01-01T00:00:00Z")
    let ingested = made + .seconds(10)..<made + .seconds(21)
    #expect(try log.text(.ingested(ingested)) == TestLog.lines(1..<8))
  }

  @Test func eventsOutOfOrderAreFoundByTheirTime() throws {
    let writer = try log.open(segmentBytes: 300)
    var random = SplitMix64(seed: 3)
    var times: [Int64] = []
    for _ in 0..<60 {
      let batch = LogBatch()
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        let second = Int64.random(in: 0..<1_000, using: &random)
        batch.lines.append("{\"n\":\(second)}")
        batch.endEvent(time: TestLog.time(second), ingested: log.clock.now())
        times.append(second)
      }
      try writer.append(batch)
    }
    try writer.close()
    for _ in 0..<50 {
      let first = Int64.random(in: 0..<1_000, using: &random)
      let end = Int64.random(in: first...1_000, using: &random)
      let expected = times.filter { $0 >= first && $0 < end }.map(TestLog.line).joined()
      #expect(try log.text(.events(TestLog.time(first)..<TestLog.time(end))) == expected)
    }
  }

  @Test func readersFollowAGrowingLogThroughItsSegments() throws {
    let writer = try log.open(segmentBytes: 300)
    let early = try LogReader(TestLog.path, files: log.disk)
    #expect(try early.next() == nil)
    var text = ""
    for round in 0..<12 {
      try log.write(writer, 1 + round % 3)
      text += try TestLog.rest(early)
      #expect(text == TestLog.lines(0..<writer.nextOffset))
      #expect(early.end.offset == writer.nextOffset)
      let late = try LogReader(TestLog.path, after: early.end, files: log.disk)
      #expect(try late.next() == nil)
    }
    #expect(log.segments.count > 3)
  }

  @Test func aReaderGoesOnWhereAnotherStopped() throws {
    try log.make(3, 2, 5, 1, 4, segmentBytes: 300)
    let first = try LogReader(TestLog.path, files: log.disk)
    var text = ""
    while text.count < 20, let events = try first.next() {
      events.visitRuns { text += $0.string }
    }
    let second = try LogReader(TestLog.path, after: first.end, files: log.disk)
    text += try TestLog.rest(second)
    #expect(text == TestLog.lines(0..<15))
  }

  /// What is not on the disk yet may be taken back: under `always` nobody sees it.
  @Test func unsyncedEventsAreNotReadUnderAlways() throws {
    let writer = try log.open(.always)
    try writer.append(log.batch(writer, count: 2))
    #expect(try log.text() == "")
    try writer.append(log.batch(writer, count: 2))
    #expect(try log.text() == "")
    try writer.commit()
    #expect(try log.text() == TestLog.lines(0..<4))
    let lax = TestLog()
    let other = try lax.open(.never)
    try other.append(lax.batch(other, count: 2))
    #expect(try lax.text() == TestLog.lines(0..<2))
  }

  @Test func theIntervalSyncsWhenItIsDue() throws {
    let writer = try log.open(.interval(.seconds(1)))
    #expect(writer.nanosecondsUntilSync == nil)
    try log.write(writer, 1)
    #expect(writer.nanosecondsUntilSync == 1_000_000_000)
    log.clock.advance(TimeSpan(microseconds: 400_000))
    try log.write(writer, 1)
    #expect(writer.nanosecondsUntilSync == 600_000_000)
    let before = log.disk.operations
    log.clock.advance(.seconds(1))
    #expect(writer.nanosecondsUntilSync == 0)
    try writer.commit()
    #expect(log.disk.operations == before + 2 && writer.nanosecondsUntilSync == nil)
  }

  @Test func oneWriterAtATime() throws {
    let writer = try log.open()
    let refused = failure { () throws(Failure) in _ = try log.open() }
    #expect(refused?.status == .locked)
    #expect(refused?.message == "state/log: process 4711 is writing this log")
    try writer.close()
    withExtendedLifetime(writer) {}
  }

  @Test func aMissingLogAndAMissingOffsetAreSaid() throws {
    #expect(
      message { () throws(Failure) in _ = try log.text() } == "state/log: no log there")
    let writer = try log.open(segmentBytes: 200, retention: LogRetention(bytes: 1))
    for _ in 0..<6 { try log.write(writer, 4) }
    let found = message { () throws(Failure) in _ = try log.text(.offsets(2..<9)) }
    #expect(found == "state/log: offset 2 is gone: the log begins with offset 20")
    #expect(try log.text() == TestLog.lines(20..<24))
  }
}
