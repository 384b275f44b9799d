// A burst that comes in faster than anyone takes what goes out: whoever sends has to wait, and nothing is kept in memory
// or dropped meanwhile.

import Foundation
import TestSupport
import Testing

@Suite struct BackpressureTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func start(_ line: String) throws -> Child {
    try Child(
      [Binary.find("bash")!, "-c", line], in: folder.url,
      environment: Binary.environment(home: folder.url))
  }

  /// Bytes in the log once it has stopped to grow.
  private func bytesAtRest(_ log: String) throws -> Int {
    var (last, still) = (-1, 0)
    while still < 10 {
      usleep(50_000)
      let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path(log))) ?? []
      let bytes = try names.map {
        try FileManager.default.attributesOfItem(atPath: folder.path("\(log)/\($0)"))[.size] as! Int
      }.reduce(0, +)
      still = bytes == last && bytes > 0 ? still + 1 : 0
      last = bytes
    }
    return last
  }

  #if os(Linux)
    @Test(arguments: ["always", "interval:20ms"])
    func aReaderThatIsStuckHoldsTheSourceUp(_ policy: String) throws {
      let note = String(repeating: "x", count: 1_000)
      let events = (0..<30_000).map {
        "{\"n\":\($0),\"time\":\"2013-01-05T10:00:10Z\",\"note\":\"\(note)\"}\n"
      }
      let ingest = "exec rtinfer ingest --fsync \(policy)"
      let one = try start("\(ingest) --log=one")
      try one.write(events[0])
      #expect(one.waitForLines(1))
      let least = try #require(one.peakMemoryBytes)
      try one.closeInput()
      _ = one.wait()

      // The pipe on the way out is a named one, as its reader must not read before it is told.
      try folder.write(events.joined(), "burst.ndjson")
      #expect(try Child.bash("mkfifo out", in: folder.url, home: folder.url).status == 0)
      let reader = try start("exec 3< out; read told; cat <&3 > read")
      let burst = try start("\(ingest) --log=log burst.ndjson > out")
      let held = try bytesAtRest("log")
      #expect(burst.isRunning && held < 12 << 20, "\(held) bytes of 30 MB are in the log")
      // Lines that share a sync wait in memory, 8 MiB of them twice at most; no more is there however long it takes.
      let peak = try #require(burst.peakMemoryBytes)
      let bound = policy == "always" ? 20 << 20 : 4 << 20
      #expect(peak < least + bound, "\(peak) bytes in use, \(least) for one event")
      try reader.write("go on\n")
      let (ended, read) = (burst.wait(), reader.wait())
      #expect(ended.status == 0 && ended.errors == "" && read.status == 0, "\(ended.errors)")
      let replay = try Child.bash(
        "rtinfer ingest --replay --log=log | cmp - read && wc -l < read", in: folder.url,
        home: folder.url)
      #expect(replay.output == "30000\n", "what is read is what the log holds: \(replay.errors)")
    }
  #endif
}
