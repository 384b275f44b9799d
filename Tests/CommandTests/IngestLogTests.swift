// The durable log as users have it: a process that is killed at any moment, a source that is read again from
// its beginning, readers that come and go meanwhile.

import Foundation
import TestSupport
import Testing

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

@Suite struct IngestLogTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// `RTINFER_LONG=1` kills more often.
  private static let kills =
    ProcessInfo.processInfo.environment["RTINFER_LONG"] == "1" ? 501 : 24

  private func start(_ words: String...) throws -> Child {
    try Child(
      [Binary.rtinfer, "ingest"] + words, in: folder.url,
      environment: Binary.environment(home: folder.url), seconds: 60)
  }

  private func bash(_ line: String) throws -> Child.Outcome {
    try Child.bash(line, in: folder.url, home: folder.url)
  }

  private func replay(from offset: Int) throws -> [Substring] {
    // The first writers may be killed before there is a log.
    let files = try? FileManager.default.contentsOfDirectory(atPath: folder.path(".rtinfer/log"))
    guard files?.contains(where: { $0.hasSuffix(".log") }) == true else { return [] }
    let outcome = try bash("rtinfer ingest --replay --from-offset \(offset)")
    #expect(outcome.status == 0, "\(outcome.errors)")
    return outcome.output.split(separator: "\n")
  }

  private static func event(_ number: Int) -> String {
    let time = Date(timeIntervalSince1970: 1_700_000_000 + Double(number))
    return "{\"id\":\"e\(number)\",\"time\":\"\(time.ISO8601Format())\"}\n"
  }

  private static func id(_ line: Substring) -> String {
    line.firstMatch(of: #/"id":"(e[0-9]+)"/#).map { String($0.output.1) } ?? "none: \(line)"
  }

  private static func offset(_ line: Substring) -> Int {
    line.firstMatch(of: #/"offset":([0-9]+)/#).flatMap { Int($0.output.1) } ?? -1
  }

  // MARK: Killed at any moment

  /// What a line of output had said is in the log for ever; a reader that knows its own offset sees every
  /// event once; the source, read again from its beginning, adds only what is new.
  @Test(arguments: ["always", "interval:20ms", "never"])
  func aKilledWriterLosesNothingThatItPassedOn(_ policy: String) throws {
    var random = SystemRandomNumberGenerator()
    let kills = max(Self.kills / 3, 1)
    var passedOn: Set<Substring> = []
    var seen: [Substring] = []
    var sent = 0
    for kill in 0..<kills {
      let writer = try start(
        "--log", "--fsync", policy, "--dedup", "1d", "--lateness", "1d", "--segment-size",
        "64KiB", "--quiet")
      var end = Date(timeIntervalSinceNow: Double.random(in: 0.005...0.12, using: &random))
      // The source begins anew, in bursts of any size, and gets further than the last time or not.
      var number = 0
      while Date() < end {
        let burst = Int.random(in: 1...60, using: &random)
        let text = (number..<number + burst).map(Self.event).joined()
        try? writer.write(text)
        number += burst
        usleep(UInt32.random(in: 0...3_000, using: &random))
        // Every other writer lives until something has gone on.
        if kill % 2 == 1, number < 100_000, writer.outputSoFar.isEmpty { end += 0.01 }
      }
      sent = max(sent, number)
      writer.send(SIGKILL)
      let outcome = writer.wait()
      #expect(outcome.status == 128 + SIGKILL, "\(outcome.errors)")
      passedOn.formUnion(Self.wholeLines(outcome.output))
      seen += try replay(from: seen.count)
    }
    try finish(sent, policy)
    seen += try replay(from: seen.count)
    #expect(seen.map(Self.offset) == Array(0..<seen.count), "each event once, in order")
    #expect(seen == (try replay(from: 0)), "what was read is not taken back")
    #expect(seen.map(Self.id).sorted() == (0..<sent).map { "e\($0)" }.sorted())
    #expect(passedOn.isSubset(of: seen), "what was passed on is in the log, byte for byte")
    #expect(!passedOn.isEmpty, "the writers were killed at work")
    let verified = try bash("rtinfer ingest log verify")
    #expect(verified.status == 0, "\(verified.errors)")
  }

  private static func wholeLines(_ text: String) -> [Substring] {
    text[..<(text.lastIndex(of: "\n") ?? text.startIndex)].split(separator: "\n")
  }

  /// The source once more, this time to its end.
  private func finish(_ count: Int, _ policy: String) throws {
    try folder.write((0..<count).map(Self.event).joined(), "source.ndjson")
    let last = try bash(
      "rtinfer ingest --log --fsync \(policy) --dedup 1d --lateness 1d source.ndjson > /dev/null")
    #expect(last.status == 0, "\(last.errors)")
  }

  // MARK: Signals and readers

  @Test func aSignalLeavesTheLogInOrder() throws {
    let writer = try start("--log", "--fsync", "always")
    try writer.write(Self.event(0) + Self.event(1))
    #expect(writer.waitForLines(2))
    writer.send(SIGTERM)
    #expect(writer.wait().status == 143)
    let next = try bash("rtinfer ingest --log < /dev/null; rtinfer ingest log verify")
    #expect(next.output.contains(#""events":2,"#) && next.output.contains(#""state":"whole""#))
    #expect(!next.errors.contains("cut"))
  }

  /// The end of the pipe is closed: no error, and what was accepted stays in the log.
  @Test func spansMayBeAsLongAsTheyLike() throws {
    try folder.write(Self.event(0), "source.ndjson")
    for flags in ["--fsync interval:300000d", "--wait 300000d"] {
      let outcome = try bash("rtinfer ingest --log \(flags) source.ndjson")
      #expect(outcome.status == 0, "\(flags): \(outcome.errors)")
    }
  }

  @Test func aReaderThatHasSeenEnoughLeavesTheLogInOrder() throws {
    try folder.write((0..<20_000).map(Self.event).joined(), "source.ndjson")
    let outcome = try bash(
      "set -o pipefail; rtinfer ingest --log source.ndjson | head -1 > first;"
        + " rtinfer ingest --replay | head -1 | cmp - first && rtinfer ingest log verify")
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(outcome.output.contains(#""state":"whole""#))
  }

  @Test func aFollowingReaderSeesWhatIsWritten() throws {
    let writer = try start("--log", "--fsync", "always", "--segment-size", "64KiB")
    try writer.write(Self.event(0))
    #expect(writer.waitForLines(1))
    let reader = try start("--replay", "--follow")
    let late = try start("--replay", "--follow", "--from-offset", "600")
    #expect(reader.waitForLines(1))
    for number in 1..<1_000 { try writer.write(Self.event(number)) }
    #expect(reader.waitForLines(1_000) && late.waitForLines(400))
    #expect(reader.isRunning)
    try writer.closeInput()
    let written = writer.wait().output
    reader.send(SIGINT)
    late.send(SIGTERM)
    let (read, lateRead) = (reader.wait(), late.wait())
    #expect(read.status == 130 && lateRead.status == 143)
    #expect(read.output == written)
    #expect(written.hasSuffix(lateRead.output) && Self.offset(lateRead.output[...]) == 600)
  }

  /// One event at a time, each synced before it goes on.
  @Test func anEventDoesNotWaitForCompany() throws {
    for policy in ["always", "interval:10s", "never"] {
      let writer = try start("--log", "--fsync", policy, "--wait", "10s")
      for number in 1...3 {
        try writer.write(Self.event(number))
        #expect(writer.waitForLines(number), "\(policy): event \(number) did not come")
        usleep(20_000)
      }
      #expect(writer.isRunning)
      writer.send(SIGKILL)
      _ = writer.wait()
    }
    #expect(try replay(from: 0).count == 9)
  }

  @Test func aReplayKeepsThePace() throws {
    let lines = ["10:00:00", "10:00:02", "10:00:01", "10:00:04"].map {
      "{\"time\":\"2013-01-05T\($0)Z\"}\n"
    }
    try folder.write(lines.joined(), "source.ndjson")
    _ = try bash("rtinfer ingest --log source.ndjson")
    let begin = Date()
    #expect(
      try bash("rtinfer ingest --replay --speed 10x").output.split(separator: "\n").count == 4)
    let taken = Date().timeIntervalSince(begin)
    #expect(taken > 0.39 && taken < 10, "four seconds at ten times the pace: \(taken)")
  }

  // MARK: Growing files

  /// A file that grows, is renamed away with a line without an end, made anew, and emptied.
  @Test func aGrowingFileIsFollowedThroughItsRotation() throws {
    let path = folder.path("app.log")
    func append(_ text: String) throws {
      if !FileManager.default.fileExists(atPath: path) {
        #expect(FileManager.default.createFile(atPath: path, contents: nil))
      }
      let file = try FileHandle(forWritingTo: URL(filePath: path))
      try file.seekToEnd()
      try file.write(contentsOf: Data(text.utf8))
      try file.close()
    }
    try append(Self.event(0))
    let reader = try start("--follow", "--log", "app.log")
    #expect(reader.waitForLines(1))
    let next = Self.event(1)
    try append(String(next.prefix(20)))
    usleep(30_000)
    try append(next.dropFirst(20) + Self.event(2) + Self.event(3).dropLast())
    #expect(reader.waitForLines(3))
    try FileManager.default.moveItem(atPath: path, toPath: path + ".1")
    usleep(30_000)
    try append(Self.event(4))
    #expect(reader.waitForLines(5), "also the line without an end")
    try append(String(repeating: "\n", count: 500))
    usleep(500_000)
    try FileHandle(forWritingTo: URL(filePath: path)).truncate(atOffset: 0)
    usleep(500_000)
    try append(Self.event(5))
    #expect(reader.waitForLines(6))
    reader.send(SIGINT)
    let outcome = reader.wait()
    #expect(outcome.status == 130, "\(outcome.errors)")
    let lines = outcome.output.split(separator: "\n")
    #expect(lines.map(Self.id) == (0...5).map { "e\($0)" })
    #expect(lines == (try replay(from: 0)))
  }

  // MARK: A disk that refuses

  /// A folder that cannot hold more, where the system lets a process bound its files.
  @Test func aFullDiskEndsTheRunAndTheNextOneGoesOn() throws {
    try folder.write((0..<3_000).map(Self.event).joined(), "source.ndjson")
    let limited = try bash(
      "trap '' XFSZ; ulimit -f 64; rtinfer ingest --log --fsync always --dedup 1d source.ndjson"
        + " | cat > first.ndjson; exit ${PIPESTATUS[0]}")
    #expect(limited.status == 4, "\(limited)")
    #expect(limited.errors.contains(".log: write: File too large"), "\(limited.errors)")
    let next = try bash("rtinfer ingest --log --dedup 1d source.ndjson > second.ndjson")
    #expect(next.status == 0, "\(next.errors)")
    let whole = try bash("cat first.ndjson second.ndjson; rtinfer ingest log verify >&2")
    #expect(whole.status == 0, "\(whole.errors)")
    let lines = whole.output.split(separator: "\n")
    #expect(lines.map(Self.offset) == Array(0..<3_000))
    #expect(lines == (try replay(from: 0)))
  }
}
