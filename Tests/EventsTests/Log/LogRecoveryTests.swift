// A log that was cut, flipped, lost its index or its power: what can be mended is mended and said, what
// cannot is an error that names the place, and nothing is ever silently wrong.

import Core
import TestSupport
import Testing

@testable import Events

@Suite struct LogRecoveryTests {
  private let log = TestLog()

  private func verification() throws -> LogVerification {
    try LogVerification(TestLog.path, files: log.disk)
  }

  @Test func aTailCutAtAnyByteIsMendedToWholeBatches() throws {
    try log.make(2, 3, 1)
    let path = log.segments[0]
    let whole = log.disk[path]!
    var kept: Set<Int64> = []
    for count in 0..<whole.count {
      log.disk[path] = Array(whole[..<count])
      let writer = try log.open()
      kept.insert(writer.nextOffset)
      #expect([0, 2, 5, 6].contains(writer.nextOffset), "cut to \(count)")
      #expect(try log.text() == TestLog.lines(0..<writer.nextOffset), "cut to \(count)")
      // Where the cut is not between two batches it is said.
      if let cut = writer.recovery.cut {
        #expect(cut.damage.offset == writer.nextOffset && cut.damage.byte + cut.bytes == count)
        #expect(cut.events == 0)
      }
      let next = writer.nextOffset
      try log.write(writer, 2)
      try writer.close()
      #expect(try log.text() == TestLog.lines(0..<next + 2))
      #expect(try verification().isSpotless)
    }
    #expect(kept == [0, 2, 5, 6])
  }

  @Test func zerosAtTheEndAreNoEvents() throws {
    try log.make(2)
    let path = log.segments[0]
    log.disk[path] = log.disk[path]! + [UInt8](repeating: 0, count: 5_000)
    #expect(try log.text() == TestLog.lines(0..<2))
    let writer = try log.open()
    #expect(writer.recovery.cut?.bytes == 5_000 && writer.nextOffset == 2)
    #expect(
      writer.recovery.sentences == [
        "\(path): cut a torn tail of 5,000 bytes at byte \(log.disk[path]!.count - 72), offset 2"
          + " (no batch header stands there, or its checksum does not hold)"
      ])
  }

  /// Every bit of a log of two segments, one at a time.
  @Test func everyFlippedBitIsNoticed() throws {
    try log.make(2, 3, 2, 1, segmentBytes: 500)
    #expect(log.segments.count == 2)
    let files = log.segments.map { ($0, log.disk[$0]!) }
    for (path, whole) in files {
      for bit in 0..<whole.count * 8 {
        var flipped = whole
        flipped[bit / 8] ^= 1 << UInt8(bit % 8)
        log.disk[path] = flipped
        try checkFlipped(path, bit: bit)
        for (path, bytes) in files { log.disk[path] = bytes }
      }
    }
  }

  private func checkFlipped(_ path: String, bit: Int) throws {
    let place = "\(path), bit \(bit)"
    let found = try verification()
    #expect(!found.isSpotless, "\(place): verify finds it")
    for damage in found.segments.compactMap(\.damage) {
      #expect(damage.byte <= bit / 8 && damage.segment == path, "\(place): at the right place")
    }
    let (text, problem) = read()
    #expect(TestLog.lines(0..<8).hasPrefix(text), "\(place): nothing wrong is read")
    // A finished segment is not read again when the log is opened; whoever reads it is told, or has
    // met the flip in a seal that no reader needs.
    if path != log.segments.last {
      #expect(problem != nil || text == TestLog.lines(0..<8), "\(place): a reader is told")
      return
    }
    do throws(Failure) {
      let writer = try log.open(segmentBytes: 500)
      // Everything but the last seal is known to have been on the disk.
      #expect(writer.recovery.cut?.bytes == BatchHeader.byteCount, "\(place): it says what it cut")
      #expect(problem == nil && writer.nextOffset == 8, "\(place): no event is lost")
      #expect(read().0 == TestLog.lines(0..<8), "\(place)")
    } catch {
      #expect(error.message.contains("damaged at byte"), "\(place): \(error.message)")
      #expect(error == problem && error.status == .inputOutput, Comment(rawValue: place))
    }
  }

  private func read() -> (String, Failure?) {
    var text = ""
    let problem = failure { () throws(Failure) in
      let reader = try LogReader(TestLog.path, files: log.disk)
      while let events = try reader.next() { events.visitRuns { text += $0.string } }
    }
    return (text, problem)
  }

  @Test func corruptionBeforeTheTailNamesSegmentOffsetAndByte() throws {
    try log.make(2, 3, 2)
    let path = log.segments[0]
    var bytes = log.disk[path]!
    // Inside the second batch: header, seal, first batch, seal, header.
    let second = 40 + 72 + (72 + 2 * 28) + 72
    bytes[second + 100] ^= 0x10
    log.disk[path] = bytes
    let expected =
      "\(path): damaged at byte \(second), offset 2: the batch's checksum does not hold"
    #expect(message { () throws(Failure) in _ = try log.open() } == expected)
    #expect(message { () throws(Failure) in _ = try log.text() } == expected)
    #expect(try verification().corruption.map(\.failure.message) == [expected])
  }

  @Test func aLostOrDamagedIndexIsMadeAgain() throws {
    try log.make(4, 4, 4, 4, 4, segmentBytes: 400)
    let path = log.indexes[0]
    let whole = log.disk[path]!
    for damaged in [nil, [], Array(whole.dropLast()), whole.reversed()] as [[UInt8]?] {
      log.disk[path] = damaged
      #expect(try log.text(.offsets(3..<9)) == TestLog.lines(3..<9))
      let state = try verification().segments[0].index
      #expect(state == (damaged == nil ? .missing : .damaged))
      let writer = try log.open(segmentBytes: 400)
      #expect(writer.recovery.sentences == ["\(path): made again"])
      #expect(log.disk[path] == whole)
      try writer.close()
    }
  }

  @Test func aMissingSegmentIsNoticed() throws {
    try log.make(4, 4, 4, 4, 4, segmentBytes: 400)
    #expect(log.segments.count > 2)
    let lost = log.segments[1]
    log.disk[lost] = nil
    let reader = message { () throws(Failure) in _ = try log.text() }
    #expect(reader.contains("the segment ends, and the next one begins with offset"))
    #expect(message { () throws(Failure) in _ = try log.open() } == reader)
    #expect(try !verification().corruption.isEmpty)
  }

  @Test func leftoversAreSweptUp() throws {
    try log.make(4, 4, 4, segmentBytes: 300)
    let strays = ["state/log/00000000000000000000.log.new", "state/log/00000000000000000777.index"]
    for stray in strays { log.disk[stray] = Array("x") }
    try log.open().close()
    for stray in strays { #expect(!log.disk.exists(stray)) }
  }
}
