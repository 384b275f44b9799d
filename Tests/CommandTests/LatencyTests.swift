// At low rates nothing waits for a buffer to fill: a record crosses ingest, materialize and score, three processes
// joined by pipes, before the next one is sent. How fast is asserted only where RTINFER_LONG=1 says that
// the machine is ours; otherwise it is enough that it comes.

import Foundation
import TestSupport
import Testing

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// The three stages with both ends in hand; a collector of its own would look only every few milliseconds.
private final class Stages {
  private let process = Process()
  private let (input, output) = (Pipe(), Pipe())

  init(in folder: URL, program: String) throws {
    process.executableURL = URL(filePath: Binary.find("bash")!)
    process.arguments = [
      "-c", "'\(program)' ingest | '\(program)' materialize | '\(program)' score",
    ]
    process.currentDirectoryURL = folder
    process.environment = Binary.environment(home: folder)
    process.standardInput = input
    process.standardOutput = output
    try process.run()
  }

  /// Nanoseconds from the writing of a record to the end of the line that answers it; nil if none comes in time.
  func cross(_ record: String, secondsMax: Double) throws -> UInt64? {
    let start = DispatchTime.now().uptimeNanoseconds
    try input.fileHandleForWriting.write(contentsOf: Data(record.utf8))
    let descriptor = output.fileHandleForReading.fileDescriptor
    var state = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    var bytes = [UInt8](repeating: 0, count: 4_096)
    while true {
      let elapsed = Double(DispatchTime.now().uptimeNanoseconds - start) / 1e9
      let left = Int32((secondsMax - elapsed) * 1_000)
      guard left > 0 else { return nil }
      guard poll(&state, 1, left) > 0 else { continue }
      let count = read(descriptor, &bytes, bytes.count)
      guard count > 0 else { return nil }
      if bytes[count - 1] == UInt8(ascii: "\n") {
        return DispatchTime.now().uptimeNanoseconds - start
      }
    }
  }

  /// Ends the input; the status of the last stage.
  func finish() throws -> Int32 {
    try input.fileHandleForWriting.close()
    process.waitUntilExit()
    return process.terminationStatus
  }
}

@Suite struct LatencyTests {
  @Test func aRecordCrossesThreeStagesBeforeTheNextIsSent() throws {
    let folder = try GeneratedStream.folder()
    let isLong = MemoryTests.isLong
    let program = isLong ? try #require(Binary.optimised) : Binary.rtinfer
    let stages = try Stages(in: folder.url, program: program)
    var latencies: [UInt64] = []
    for number in 0..<(isLong ? 4_000 : 60) {
      let latency = try stages.cross(GeneratedStream.event(2 * number + 1), secondsMax: 30)
      latencies.append(try #require(latency, "record \(number) did not come"))
      let spent = latencies[number] / 1_000
      if spent < 5_000 { usleep(UInt32(5_000 - spent)) }
    }
    #expect(try stages.finish() == 0)
    // The first ones wait for the programs to start.
    let sorted = latencies.dropFirst(10).sorted()
    let (median, high) = (sorted[sorted.count / 2], sorted[sorted.count * 99 / 100])
    print("three stages: p50 \(median / 1_000) µs, p99 \(high / 1_000) µs")
    if isLong { #expect(high < 2_000_000, "p99 is \(high) ns") }
  }
}
