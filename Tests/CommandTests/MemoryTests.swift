// Memory is bounded: by the limits where a line is of a bad size, and not at all by how long the stream is.
// Measured is the most that the process has had in use, asked for while it still runs.

import Foundation
import TestSupport
import Testing

@Suite(
  .enabled(
    if: FileManager.default.fileExists(atPath: "/proc/self/status"), "there is no /proc to ask"))
struct MemoryTests {
  private let folder: TemporaryFolder

  init() throws { folder = try GeneratedStream.folder() }

  static let isLong = ProcessInfo.processInfo.environment["RTINFER_LONG"] == "1"

  private func start(_ line: String, seconds: Double) throws -> Child {
    try Child(
      [Binary.find("bash")!, "-c", "exec \(line)"], in: folder.url,
      environment: Binary.environment(home: folder.url), seconds: seconds)
  }

  // MARK: Bad sizes

  /// A line of 100 MB, one nested 10,000 deep, and a good one.
  @Test(arguments: [
    ("ingest", GeneratedStream.event(1)), ("materialize", GeneratedStream.event(1)),
    ("score --model '\(GeneratedStream.model)'", GeneratedStream.row(1)),
  ])
  func linesOfBadSizesAreRejectedAndTheStreamGoesOn(_ words: String, _ good: String) throws {
    let child = try start("rtinfer \(words) --rejects bad.ndjson", seconds: 60)
    let megabyte = String(repeating: "x", count: 1_000_000)
    try child.write("{\"a\":\"")
    for _ in 0..<100 { try child.write(megabyte) }
    try child.write("\"}\n{\"a\":" + String(repeating: "[", count: 10_000))
    try child.write(String(repeating: "]", count: 10_000) + "}\n" + good)
    #expect(child.waitForLines(1), "the good record did not come: \(child.errorsSoFar)")
    // Twice the limit for a line, as the buffer doubles, and the program itself.
    let peak = try #require(child.peakMemoryBytes)
    #expect(peak < 72 << 20, "\(peak) bytes in use")
    try child.closeInput()
    let outcome = child.wait()
    #expect(outcome.status == 3)
    #expect(outcome.output.split(separator: "\n").count == 1)
    #expect(outcome.errors.contains("stdin:1: longer than 16777216 bytes"))
    #expect(outcome.errors.contains("stdin:2: not JSON: byte 516: nested more than 512 deep"))
    let rejects = try folder.text("bad.ndjson").split(separator: "\n")
    #expect(rejects.count == 2)
    // The beginning of what was too long, and all of what was not.
    #expect(rejects[0].utf8.count < 1_000 && rejects[0].contains(#""raw":"{\"a\":\"xxxx"#))
    #expect(rejects[1].contains(String(repeating: "[", count: 10_000)))
    #expect(rejects[1].contains("\"line\":2,\"byte\":100000009"))
  }

  // MARK: Many ids

  /// 120 MB of ids where a process may have 90 MB of its own: those beyond their bound lie in files.
  @Test func idsBeyondTheirBoundLieInFiles() throws {
    let folder = try TemporaryFolder()
    let head = Data("{\"id\":\"\(String(repeating: "x", count: 2_000))".utf8)
    var events = Data()
    for number in Array(0..<60_000) + Array(0..<1_000) {
      events.append(head)
      events.append(contentsOf: "\(number)\",\"time\":\"2026-01-01T10:00:00Z\"}\n".utf8)
    }
    try events.write(to: folder.url.appending(path: "ids.ndjson"))
    let outcome = try Child.bash(
      "ulimit -d 90000; rtinfer ingest --dedup 24h --dedup-memory 8MiB ids.ndjson | wc -l",
      in: folder.url, home: folder.url)
    #expect(Int(outcome.output.trimmingCharacters(in: .whitespacesAndNewlines)) == 60_000)
    let told = outcome.errors.split(separator: "\n")
    #expect(told.first?.contains("MiB in memory, 129 MiB in files of /var/tmp") == true, "\(told)")
    #expect(told.last?.contains("accepted 60,000, repeats dropped 1,000, rejected 0") == true)
  }

  // MARK: Long streams

  /// Without optimisation a tenth of it takes as long.
  private static let bytes =
    isLong ? 5_000_000_000 : Binary.optimised == nil ? 10_000_000 : 50_000_000

  /// The most memory in use for a stream of so many bytes.
  private func peak(_ command: String, bytes: Int) throws -> Int {
    let isScore = command == "score"
    let isSamples = command == "budget check"
    let program = Binary.optimised ?? Binary.rtinfer
    let words = isScore ? "score --model '\(GeneratedStream.model)'" : command
    let child = try start("'\(program)' \(words) > /dev/null", seconds: 3_600)
    var (written, number) = (0, 0)
    let line =
      isScore
      ? GeneratedStream.row : isSamples ? GeneratedStream.sample : GeneratedStream.event
    // Rows may repeat; events must not, as their time moves on.
    var chunk = ""
    while written < bytes {
      if chunk.isEmpty || !isScore { chunk = GeneratedStream.text(1_000, from: number, line) }
      try child.write(chunk)
      number += 1_000
      written += chunk.utf8.count
    }
    let peak = try #require(child.peakMemoryBytes)
    try child.closeInput()
    let outcome = child.wait()
    #expect(outcome.status == 0 && outcome.errors == "", "\(outcome.errors)")
    return peak
  }

  @Test(arguments: ["ingest", "materialize", "score", "budget check"])
  func memoryDoesNotGrowWithTheStream(_ command: String) throws {
    // Enough for all blocks that two threads have in hand.
    let short = try peak(command, bytes: command == "budget check" ? 6_000_000 : 1_000_000)
    let long = try peak(command, bytes: MemoryTests.bytes)
    #expect(
      long < short + 2 << 20,
      "\(short) bytes in use for a short one, \(long) for \(MemoryTests.bytes)")
  }
}
