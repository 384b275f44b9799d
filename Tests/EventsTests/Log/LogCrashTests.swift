// A log whose disk fails at every possible operation: the power is cut and un-synced writes are torn, kept
// in any selection or garbled; a write or a sync fails once; the disk is full. Whatever happens, what
// was acknowledged is there, in order, and a reader with a checkpoint sees each event exactly once.

import Core
import TestSupport
import Testing

@testable import Events

@Suite struct LogCrashTests {
  /// One life of a log: batches of a few events, committed one by one, read along by a reader, until
  /// something fails.
  private struct Life {
    let log = TestLog()
    /// Events that were committed: they must be in the log for ever after.
    var acknowledged: Int64 = 0
    /// Events that were appended: more there cannot be.
    var appended: Int64 = 0
    /// What a reader has seen, and where it goes on.
    var seen = ""
    var checkpoint = LogPosition(offset: 0)

    mutating func live(_ policy: FsyncPolicy, batches: Int) -> Failure? {
      failure { () throws(Failure) in
        let writer = try log.open(policy, segmentBytes: 420)
        appended = max(appended, writer.nextOffset)
        #expect(writer.nextOffset >= acknowledged, "what was acknowledged is there")
        // Where there is no room for a seal readers wait; what they do see is right.
        try lookUp(atLeast: 0)
        for number in 0..<batches {
          try writer.append(log.batch(writer, count: 1 + number % 3))
          appended = max(appended, writer.nextOffset)
          if number % 2 == 0 {
            try writer.commit()
            acknowledged = writer.nextOffset
          }
          log.clock.advance(TimeSpan(microseconds: 300_000))
          try read()
        }
        try writer.close()
        acknowledged = writer.nextOffset
        try read()
      }
    }

    /// A reader that goes on from its checkpoint.
    mutating func read() throws(Failure) {
      let reader = try LogReader(TestLog.path, after: checkpoint, files: log.disk)
      seen += try TestLog.rest(reader)
      checkpoint = reader.end
    }

    /// What the log holds after it was opened again.
    func lookUp(atLeast: Int64? = nil) throws(Failure) {
      let text = try log.text()
      let count = Int64(text.split(separator: "\n").count)
      #expect(text == TestLog.lines(0..<count), "in order, nothing twice, nothing wrong")
      #expect(count >= atLeast ?? acknowledged, "what was acknowledged is there: \(acknowledged)")
      #expect(
        count <= max(appended, count == 0 ? 0 : appended), "nothing is there that was not sent")
    }
  }

  private static func operations(_ policy: FsyncPolicy) -> Int {
    var life = Life()
    #expect(life.live(policy, batches: 9) == nil)
    return life.log.disk.operations
  }

  /// Only under `always` does what was committed survive a power cut at once; then it always does.
  @Test func powerCutsAtEveryOperationLoseNothingAcknowledged() throws {
    let count = Self.operations(.always)
    #expect(count > 40)
    var cuts = 0
    for operation in 0...count {
      for seed in UInt64(0)..<12 {
        var life = Life()
        life.log.disk.cutPower(afterOperations: operation)
        _ = life.live(.always, batches: 9)
        var random = SplitMix64(seed: seed &* 1_000 &+ UInt64(operation))
        life.log.disk.crash(using: &random)
        let writer = try life.log.open(segmentBytes: 420)
        if writer.recovery.cut != nil { cuts += 1 }
        try life.log.write(writer, 2)
        life.appended = max(life.appended, writer.nextOffset)
        try writer.close()
        try life.lookUp()
        try life.read()
        #expect(
          life.seen == TestLog.lines(0..<writer.nextOffset), "exactly once: \(operation), \(seed)")
      }
    }
    #expect(cuts > 50, "the power was cut in time")
  }

  /// One failed operation after another, with power cuts in between, in one long life.
  @Test(arguments: 0..<40) func aLongLifeOfFailures(_ seed: Int) throws {
    var random = SplitMix64(seed: UInt64(seed))
    var life = Life()
    for _ in 0..<12 {
      let operation = Int.random(in: 0..<60, using: &random)
      switch Int.random(in: 0..<3, using: &random) {
      case 0: life.log.disk.cutPower(afterOperations: operation)
      case 1: life.log.disk.failOnce(afterOperations: operation, with: 5)
      default: life.log.disk.failOnce(afterOperations: operation, with: 28)
      }
      let problem = life.live(.always, batches: 7)
      #expect(problem == nil || problem!.status == .inputOutput, "\(problem!)")
      if Bool.random(using: &random) {
        life.log.disk.crash(using: &random)
      } else {
        life.log.disk.killProcess()
      }
    }
    let writer = try life.log.open(segmentBytes: 420)
    life.appended = max(life.appended, writer.nextOffset)
    try life.lookUp()
    try life.read()
    #expect(life.seen == TestLog.lines(0..<writer.nextOffset))
  }

  /// A killed process loses nothing that it committed, whatever the policy.
  @Test(arguments: LogReadingTests.policies)
  func aKilledProcessLosesNothing(_ policy: FsyncPolicy) throws {
    for operation in 0...Self.operations(policy) {
      var life = Life()
      life.log.disk.cutPower(afterOperations: operation)
      _ = life.live(policy, batches: 9)
      life.log.disk.killProcess()
      let writer = try life.log.open(policy, segmentBytes: 420)
      life.appended = max(life.appended, writer.nextOffset)
      try writer.close()
      try life.lookUp()
      try life.read()
      #expect(life.seen == TestLog.lines(0..<writer.nextOffset), "operation \(operation)")
    }
  }

  /// Where readers may read what is not synced, a power cut can take it back: never silently.
  @Test func aReaderIsToldThatTheLogHasLostWhatItHadRead() throws {
    var told = 0
    for seed in UInt64(0)..<60 {
      let log = TestLog()
      let writer = try log.open(.never)
      try log.write(writer, 2, 2, 2)
      let reader = try LogReader(TestLog.path, files: log.disk)
      #expect(try TestLog.rest(reader) == TestLog.lines(0..<6))
      var random = SplitMix64(seed: seed)
      if seed % 3 == 0 { log.disk.killProcess() } else { log.disk.crash(using: &random) }
      let next = try log.open(.never)
      let kept = next.nextOffset
      let later = try LogReader(TestLog.path, after: reader.end, files: log.disk)
      if kept < 6 {
        told += 1
        #expect(message { () throws(Failure) in _ = try later.next() }.contains("has lost events"))
      }
      while next.nextOffset < 9 { try log.write(next, 1) }
      let latest = try LogReader(TestLog.path, after: reader.end, files: log.disk)
      let found = message { () throws(Failure) in _ = try latest.next() }
      #expect(found.contains("has lost events") == (kept < 6), "\(kept): \(found)")
    }
    #expect(told > 10 && told < 60)
  }

  // MARK: A disk that refuses

  @Test func aFullDiskIsAnErrorAndTheLogGoesOnWhenThereIsRoom() throws {
    for room in stride(from: 150, through: 900, by: 7) {
      let log = TestLog()
      let writer = try log.open(segmentBytes: 300)
      log.disk.room = room
      var full: Failure?
      var committed = writer.nextOffset
      while full == nil {
        full = failure { () throws(Failure) in
          try log.write(writer, 2)
          committed = writer.nextOffset
        }
      }
      #expect(full?.status == .inputOutput)
      #expect(full?.message.hasSuffix("No space left on device") == true, "\(full!)")
      // Where there was room for the batch but not for its seal, readers wait.
      let text = try log.text()
      let texts = [committed, committed - 2].map { TestLog.lines(0..<max($0, 0)) }
      #expect(texts.contains(text), "room \(room)")
      log.disk.room = nil
      try log.write(writer, 3)
      #expect(writer.nextOffset == committed + 3)
      #expect(try log.text() == TestLog.lines(0..<committed + 3))
      try writer.close()
      #expect(try LogVerification(TestLog.path, files: log.disk).isSpotless)
    }
  }

  @Test func aFailedSyncIsTheEndOfTheWriter() throws {
    let log = TestLog()
    let writer = try log.open()
    try log.write(writer, 2)
    // The batch's header, its lines, then the sync.
    log.disk.failOnce(afterOperations: 2, with: 5)
    let failed = failure { () throws(Failure) in try log.write(writer, 2) }
    #expect(failed?.status == .inputOutput)
    #expect(failed?.message == "state/log/00000000000000000000.log: simulated: Input/output error")
    for _ in 0..<2 {
      #expect(failure { () throws(Failure) in try log.write(writer, 1) } == failed)
      #expect(failure { () throws(Failure) in try writer.close() } == failed)
    }
    #expect(try log.text() == TestLog.lines(0..<2), "nobody sees what was not synced")
    withExtendedLifetime(writer) {}
  }

  /// What a failed sync gave up looks written to whoever opens the log next, and no sync of that file
  /// brings it to the disk: it must be written again.
  @Test func whatAFailedSyncGaveUpIsWrittenAgain() throws {
    for seed in UInt64(0)..<30 {
      let log = TestLog()
      var writer: LogWriter? = try log.open()
      try log.write(writer!, 2)
      log.disk.failOnce(afterOperations: 2, with: 5)
      #expect(failure { () throws(Failure) in try log.write(writer!, 2) } != nil)
      writer = nil
      let next = try log.open()
      #expect(next.nextOffset == 4)
      try log.write(next, 1)
      var random = SplitMix64(seed: seed)
      log.disk.crash(using: &random)
      #expect(try log.open().nextOffset == 5)
      #expect(try log.text() == TestLog.lines(0..<5), "seed \(seed)")
    }
  }
}
