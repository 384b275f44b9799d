// What goes from a log's beginning and what stays, and the consumers that have a say in it.

import Core
import TestSupport
import Testing

@testable import Events

@Suite struct LogRetentionTests {
  private let log = TestLog()

  private var consumers: LogConsumers { LogConsumers(TestLog.path, files: log.disk) }

  /// Ten segments of four events, an hour apart.
  private func fill(_ retention: LogRetention) throws {
    let writer = try log.open(segmentBytes: 300, retention: retention)
    for _ in 0..<10 {
      try log.write(writer, 4)
      log.clock.advance(.hours(1))
    }
    try writer.close()
  }

  private func firstOffset() throws -> Int64 {
    try LogVerification(TestLog.path, files: log.disk).segments[0].base
  }

  @Test func nothingGoesUnlessItIsSaid() throws {
    try fill(LogRetention())
    #expect(try log.text() == TestLog.lines(0..<40))
  }

  @Test func oldSegmentsGo() throws {
    try fill(LogRetention())
    // The first seven were ingested more than three and a half hours ago.
    let writer = try log.open(retention: LogRetention(age: .minutes(210)))
    #expect(try log.text() == TestLog.lines(28..<40))
    #expect(try writer.trim() == 0)
    #expect(log.indexes.count == log.segments.count - 1)
  }

  @Test func theLogIsKeptBelowASize() throws {
    try fill(LogRetention(bytes: 1_000))
    let total = log.segments.reduce(0) { $0 + log.disk[$1]!.count }
    #expect(total <= 1_000 + 300 && total > 600)
    let first = try firstOffset()
    #expect(first > 20 && first % 4 == 0)
    #expect(try log.text() == TestLog.lines(first..<40))
  }

  @Test func theActiveSegmentStays() throws {
    try fill(LogRetention())
    log.clock.advance(.days(400))
    let writer = try log.open(retention: LogRetention(age: .seconds(1), bytes: 1))
    #expect(log.segments.count == 1)
    #expect(try log.text() == TestLog.lines(36..<40))
    #expect(writer.nextOffset == 40)
  }

  @Test func whatAConsumerHasYetToReadStaysUnlessForced() throws {
    try fill(LogRetention())
    try consumers.commit(LogConsumer(name: "slow", position: LogPosition(offset: 9, epoch: 1)))
    try consumers.commit(LogConsumer(name: "fast", position: LogPosition(offset: 30, epoch: 1)))
    var retention = LogRetention(age: .minutes(1))
    try log.open(segmentBytes: 300, retention: retention).close()
    #expect(try log.text() == TestLog.lines(8..<40), "the segment with offset 9 stays")
    try consumers.remove("slow")
    try log.open(segmentBytes: 300, retention: retention).close()
    #expect(try log.text() == TestLog.lines(28..<40))
    retention.ignoresConsumers = true
    try log.open(segmentBytes: 300, retention: retention).close()
    #expect(try log.text() == TestLog.lines(36..<40))
  }

  @Test func consumersAreRememberedWhole() throws {
    _ = try log.open()
    #expect(try consumers.all() == [])
    #expect(try consumers.position(of: "views") == nil)
    let position = LogPosition(offset: 12, epoch: 3)
    try consumers.commit(LogConsumer(name: "views", position: position))
    try consumers.commit(LogConsumer(name: "a.b-c_D", position: LogPosition(offset: 0)))
    #expect(try consumers.position(of: "views") == position)
    #expect(try consumers.all().map(\.name) == ["a.b-c_D", "views"])
    let path = "state/log/consumers/views"
    let whole = log.disk[path]!
    #expect(whole.text.hasPrefix("rtinfer-consumer 1 12 3 "))
    for bit in 0..<whole.count * 8 {
      var flipped = whole
      flipped[bit / 8] ^= 1 << UInt8(bit % 8)
      log.disk[path] = flipped
      let found = message { () throws(Failure) in _ = try consumers.all() }
      #expect(found == "\(path): not a consumer's offset, or damaged", "bit \(bit)")
    }
  }

  @Test func namesOfConsumersAreNamesOfFiles() {
    for name in ["views", "a", "A-1_b.c"] { #expect(LogConsumers.isName(name)) }
    for name in ["", ".hidden", "a/b", "ä", "a b", String(repeating: "x", count: 65)] {
      #expect(!LogConsumers.isName(name), "\(name)")
    }
  }
}
