// Events that go through the log, on a disk that is full or fails: what reaches the output is always in the
// log, as durably as the policy says, and what was accepted is not lost while there is a way to keep it.

import Core
import TestSupport
import Testing

@testable import Events

@Suite struct LoggedOutputTests {
  /// A run that writes numbered events through a log.
  private final class Run {
    let log: TestLog
    let sink = MemorySink()
    let writer: LogWriter
    let output: LoggedOutput

    init(_ log: TestLog, _ policy: FsyncPolicy) throws(Failure) {
      self.log = log
      writer = try log.open(policy, segmentBytes: 1 << 24)
      output = LoggedOutput(writer, OutputBuffer(sink))
    }

    /// Accepts events from `first` on, until something fails.
    func accept(_ numbers: Range<Int64>, passingOnEvery step: Int64 = 3) -> Failure? {
      failure { () throws(Failure) in
        for number in numbers {
          output.lines.append("{\"n\":")
          output.lines.append(number)
          output.lines.append("}")
          try output.endEvent(time: TestLog.time(number), ingested: log.clock.now())
          log.clock.advance(TimeSpan(microseconds: 40_000))
          if number % step == step - 1 { try output.passOn() }
        }
      }
    }
  }

  @Test(arguments: LogReadingTests.policies)
  func whatIsPassedOnIsWhatTheLogHolds(_ policy: FsyncPolicy) throws {
    let log = TestLog()
    let run = try Run(log, policy)
    #expect(run.accept(0..<10) == nil)
    #expect(run.sink.text == TestLog.lines(0..<9))
    #expect(try log.text() == run.sink.text)
    try run.output.finish()
    #expect(run.sink.text == TestLog.lines(0..<10))
    #expect(try log.text() == run.sink.text)
  }

  /// Under `always`, events that come without a pause share a sync, and none goes on before it.
  @Test func manyEventsShareASync() throws {
    let run = try Run(TestLog(), .always)
    let count = Int64(Limits.logBatchBytes / 8 * 3)
    #expect(run.accept(0..<count, passingOnEvery: .max) == nil)
    #expect(run.sink.bytes.isEmpty)
    try run.output.finish()
    #expect(run.sink.text == TestLog.lines(0..<count))
    #expect(run.log.disk.syncs < 8, "\(run.log.disk.syncs) syncs for \(count) events")
  }

  @Test(arguments: LogReadingTests.policies)
  func aFullDiskIsToldAndTheNextRunGoesOnWhenThereIsRoom(_ policy: FsyncPolicy) throws {
    for room in stride(from: 400, through: 1_500, by: 37) {
      let log = TestLog()
      let run = try Run(log, policy)
      log.disk.room = room
      let full = try #require(run.accept(0..<500))
      #expect(full.status == .inputOutput)
      #expect(full.message.hasSuffix("No space left on device"), "\(full)")
      _ = failure { () throws(Failure) in try run.output.finish() }
      let passedOn = run.sink.text
      log.disk.killProcess()
      log.disk.room = nil
      let next = try Run(log, policy)
      let text = try log.text()
      #expect(text == TestLog.lines(0..<next.writer.nextOffset))
      #expect(text.hasPrefix(passedOn), "room \(room): what was passed on is in the log")
      let offset = next.writer.nextOffset
      #expect(next.accept(offset..<offset + 5) == nil)
      try next.output.finish()
      #expect(try log.text() == TestLog.lines(0..<offset + 5))
      #expect(try LogVerification(TestLog.path, files: log.disk).isSpotless)
    }
  }

  /// When there is room again before the run has given up, nothing that was accepted is lost.
  @Test func whatWasAcceptedIsKeptAtTheEndIfThereIsRoomAgain() throws {
    let log = TestLog()
    let run = try Run(log, .always)
    log.disk.room = 600
    #expect(run.accept(0..<500) != nil)
    log.disk.room = nil
    try run.output.finish()
    #expect(run.writer.nextOffset > 2)
    #expect(run.sink.text == TestLog.lines(0..<run.writer.nextOffset))
    #expect(try log.text() == run.sink.text)
  }

  /// Every operation fails once in turn: nothing goes on that is not durable, and the log stays whole.
  @Test(arguments: LogReadingTests.policies, [5, 28] as [Int32])
  func everyOperationMayFail(_ policy: FsyncPolicy, _ number: Int32) throws {
    let whole = try Run(TestLog(), policy)
    let opening = whole.log.disk.operations
    #expect(whole.accept(0..<30) == nil)
    try whole.output.finish()
    for operation in 0..<whole.log.disk.operations - opening {
      let log = TestLog()
      let run = try Run(log, policy)
      log.disk.failOnce(afterOperations: operation, with: number)
      let failed = run.accept(0..<30)
      if failed != nil { _ = failure { () throws(Failure) in try run.output.finish() } }
      #expect(failed == nil || failed!.status == .inputOutput)
      let passedOn = run.sink.text
      var random = SplitMix64(seed: UInt64(operation))
      if policy == .always { log.disk.crash(using: &random) } else { log.disk.killProcess() }
      let next = try Run(log, policy)
      let text = try log.text()
      #expect(text == TestLog.lines(0..<next.writer.nextOffset))
      #expect(text.hasPrefix(passedOn), "operation \(operation)")
    }
  }

  /// A reader that has seen enough ends the run; the log keeps what was accepted and is left in order.
  @Test func aClosedOutputLeavesTheLogInOrder() throws {
    let log = TestLog()
    let writer = try log.open(.interval(TimeSpan(microseconds: 100_000)))
    let output = LoggedOutput(writer, OutputBuffer(FullSink(room: 0)))
    output.lines.append("{\"n\":0}")
    try output.endEvent(time: TestLog.time(0), ingested: log.clock.now())
    #expect(failure { () throws(Failure) in try output.finish() } != nil)
    #expect(try LogVerification(TestLog.path, files: log.disk).isSpotless)
    var random = SplitMix64(seed: 1)
    log.disk.crash(using: &random)
    #expect(try log.open().nextOffset == 1)
    #expect(try log.text() == TestLog.lines(0..<1))
  }
}
