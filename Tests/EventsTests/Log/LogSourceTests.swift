// A log as an input: the lines that a reader gives, in pieces of any size, and for each event where to go on behind it.

import Core
import TestSupport
import Testing

@testable import Events

@Suite struct LogSourceTests {
  private let log = TestLog()

  private func source(_ range: LogRange = LogRange(), follows: Bool = false) throws -> LogSource {
    LogSource(
      try LogReader(TestLog.path, range: range, files: log.disk), name: "log", follows: follows,
      remembersPlaces: true)
  }

  private func read(_ source: LogSource, _ capacity: Int) throws -> String {
    var bytes = [UInt8](repeating: 0, count: capacity)
    let count = try bytes.withUnsafeMutableBytes { try source.read(into: $0) }
    return String(decoding: bytes.prefix(count), as: UTF8.self)
  }

  private func rest(_ source: LogSource, _ capacity: Int) throws -> String {
    var text = ""
    while true {
      let piece = try read(source, capacity)
      if piece.isEmpty { return text }
      text += piece
    }
  }

  @Test(arguments: [1, 2, 7, 8, 9, 64, 1 << 16]) func linesComeInPiecesOfAnySize(_ capacity: Int)
    throws
  {
    try log.make(1, 5, 2, 40, segmentBytes: 400)
    #expect(try rest(try source(), capacity) == TestLog.lines(0..<48))
    #expect(try rest(try source(.offsets(3..<7)), capacity) == TestLog.lines(3..<7))
    // Single events out of a batch.
    #expect(
      try rest(try source(.events(TestLog.time(20)..<TestLog.time(23))), capacity)
        == TestLog.lines(20..<23))
  }

  @Test func thePlaceBehindAnyEventIsAReadersOwn() throws {
    try log.make(3, 4)
    try log.make(5)
    for offset in Int64(1)...12 {
      let source = try source()
      #expect(source.position(before: offset) == nil, "nothing was given yet")
      _ = try rest(source, 16)
      let position = try #require(source.position(before: offset))
      #expect(position.offset == offset)
      #expect(position.epoch == source.position(before: offset)?.epoch)
      let later = try LogReader(TestLog.path, after: position, files: log.disk)
      #expect(try TestLog.rest(later) == TestLog.lines(offset..<12))
    }
    let source = try source()
    _ = try rest(source, 16)
    let epochs = try (Int64(1)...12).map { try #require(source.position(before: $0)?.epoch) }
    #expect(epochs[..<7].allSatisfy { $0 == epochs[0] })
    #expect(epochs[7...].allSatisfy { $0 == epochs[11] } && epochs[0] != epochs[11])
    #expect(source.position(before: 13) == nil)
  }

  @Test func aFollowingSourceWaitsForMore() throws {
    let writer = try log.open()
    try log.write(writer, 2)
    let source = try source(follows: true)
    #expect(try !source.mustWait())
    #expect(try read(source, 100) == TestLog.lines(0..<2))
    #expect(try source.mustWait())
    #expect(try source.mustWait(milliseconds: 6))
    try log.write(writer, 1)
    #expect(try !source.mustWait(milliseconds: 6))
    #expect(try read(source, 100) == TestLog.lines(2..<3))
    // One that does not follow is at its end.
    let once = try self.source()
    #expect(try rest(once, 100) == TestLog.lines(0..<3))
    #expect(try !once.mustWait())
  }
}
