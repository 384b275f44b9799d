// The online store in a cluster of three servers: slots that move while they are read and written, and a server that goes
// away and comes back.

import Core
import Foundation
import TestSupport
import Testing

@Suite(.serialized, .enabled(if: RedisProcess.isInstalled, "\(RedisProcess.missing)"))
struct RedisClusterTests {
  private let folder: TemporaryFolder
  private let nodes: [RedisProcess]
  private var store: String { "redis://\(hosts)?cluster" }
  private var hosts: String { nodes.map { "127.0.0.1:\($0.port)" }.joined(separator: ",") }

  init() throws {
    folder = try GeneratedStream.folder()
    let folder = folder
    nodes = try (0..<3).map { number in
      try RedisProcess(
        in: folder,
        [
          "--cluster-enabled", "yes", "--cluster-config-file", "nodes-\(number).conf",
          "--cluster-port", String(try RedisProcess.freePort()), "--cluster-node-timeout", "2000",
          "--appendonly", "yes", "--appendfsync", "always", "--appenddirname", "aof-\(number)",
        ])
    }
    try folder.write(GeneratedStream.text(4_000, GeneratedStream.event), "raw.ndjson")
    let made = try bash(
      """
      rtinfer ingest raw.ndjson > events.ndjson
      redis-cli --cluster create \(hosts.replacingOccurrences(of: ",", with: " ")) --cluster-yes
      """)
    try #require(made.output.contains("All 16384 slots covered"), "\(made)")
    for node in nodes { try waitUntil("cluster_state:ok", node) }
  }

  private func waitUntil(_ words: String, _ node: RedisProcess) throws {
    for _ in 0..<400 {
      if try node.ask("CLUSTER", "INFO").contains(words) { return }
      usleep(25_000)
    }
  }

  private func bash(_ line: String) throws -> Child.Outcome {
    try Child.bash(line, in: folder.url, home: folder.url, seconds: 110)
  }

  private func score(_ store: String) throws -> Child.Outcome {
    let questions = (0..<50).map { number in
      #"{"type":"asked","id":"q\#(number)","time":"2024-05-01T10:16:41Z","user":"u\#(number)","f0":2.5}"#
    }
    try folder.write(questions.joined(separator: "\n") + "\n", "questions.ndjson")
    return try bash("rtinfer score --online '\(store)' questions.ndjson")
  }

  private func rows(_ store: String) throws -> [Substring] {
    try score(store).output.split(separator: "\n").map {
      $0.prefix(upTo: $0.firstRange(of: ",\"_rt\"")!.lowerBound)
    }
  }

  @Test func rowsLieOnAllServersAndAnswerAsFromAFolder() throws {
    let written = try bash("rtinfer materialize --online '\(store)' events.ndjson > rows.ndjson")
    #expect(written.status == 0, "\(written.errors)")
    #expect(try bash("rtinfer materialize --online online events.ndjson > rows.ndjson").status == 0)
    for node in nodes { #expect(try !node.ask("KEYS", "rtinfer:{*}:taps:*:*").isEmpty) }
    #expect(try rows(store) == rows("online"))
    // Any of the servers is an entrance.
    #expect(try rows("redis://127.0.0.1:\(nodes[2].port)?cluster") == rows("online"))
    let alone = try score("redis://127.0.0.1:\(nodes[0].port)")
    #expect(alone.status == 4 && alone.errors.contains("say ?cluster"), "\(alone.errors)")
    let stat = try bash("rtinfer materialize stat --online '\(store)'").output
    #expect(stat.contains(#""rows":25"#), "\(stat)")
  }

  /// All slots of the first server move to the second, while a writer writes and a reader reads.
  @Test func slotsMayMoveWhileTheyAreReadAndWritten() throws {
    let lines = try folder.text("events.ndjson").split(separator: "\n")
    let writer = try Child(
      [Binary.rtinfer, "materialize", "--online", store], in: folder.url,
      environment: Binary.environment(home: folder.url), seconds: 110)
    try writer.write(lines[..<1_000].joined(separator: "\n") + "\n")
    #expect(writer.waitForLines(500))
    let reader = try Child(
      [Binary.rtinfer, "score", "--online", store, "--online-deadline", "20s"], in: folder.url,
      environment: Binary.environment(home: folder.url), seconds: 110)
    let ids = try nodes.map { try $0.ask("CLUSTER", "MYID") }
    let reshard = try Child(
      [
        RedisProcess.client!, "--cluster", "reshard", "127.0.0.1:\(nodes[0].port)",
        "--cluster-from", ids[0], "--cluster-to", ids[1], "--cluster-slots", "5000",
        "--cluster-yes",
      ], in: folder.url, environment: Binary.environment(home: folder.url), seconds: 110)
    var written = 1_000
    var asked = 0
    while reshard.isRunning || written < 2_000 {
      if written < 3_900 {
        try writer.write(lines[written..<written + 10].joined(separator: "\n") + "\n")
        written += 10
      }
      let question =
        #"{"type":"asked","id":"r","time":"2024-05-01T10:04:20Z","user":"u\#(asked % 25 * 2)","f0":2.5}"#
      try reader.write(question + "\n")
      asked += 1
      usleep(15_000)
    }
    let moved = reshard.wait()
    #expect(moved.status == 0, "\(moved.errors) \(moved.output.suffix(300))")
    #expect(try nodes[0].ask("KEYS", "rtinfer:{*}:taps:*:*").split(separator: "\n").count < 5)
    try writer.write(lines[written...].joined(separator: "\n") + "\n")
    try writer.closeInput()
    let ended = writer.wait()
    #expect(ended.status == 0, "\(ended.errors)")
    try reader.closeInput()
    let read = reader.wait()
    #expect(read.status == 0, "\(read.errors)")
    #expect(read.output.split(separator: "\n").count == asked)
    // Nobody was left without an answer, and none of those who are known was said not to be.
    for word in ["unanswered", "stale", "damaged", "absent"] {
      #expect(!read.output.contains("\"\(word)\""), "\(word)")
    }
    #expect(try bash("rtinfer materialize --online online events.ndjson > rows.ndjson").status == 0)
    #expect(try rows(store) == rows("online"))
  }

  @Test func aServerMayGoAwayAndComeBack() throws {
    let lines = try folder.text("events.ndjson").split(separator: "\n")
    let writer = try Child(
      [Binary.rtinfer, "materialize", "--online", store], in: folder.url,
      environment: Binary.environment(home: folder.url), seconds: 110)
    try writer.write(lines[..<2_000].joined(separator: "\n") + "\n")
    #expect(writer.waitForLines(1_000))
    nodes[1].stop()
    // No more than a pipe holds: nobody reads while the writer waits.
    try writer.write(lines[2_000..<2_100].joined(separator: "\n") + "\n")
    // Until then they answer for what is theirs.
    try waitUntil("cluster_state:fail", nodes[0])
    #expect(writer.isRunning, "\(writer.errorsSoFar)")
    let without = try score(store)
    // Named is whoever says so first: the one that is gone, or those that are left.
    let isNamed = ["CLUSTERDOWN", "Connection refused"].contains { without.errors.contains($0) }
    #expect(without.status == 4 && isNamed, "\(without)")
    try nodes[1].start()
    try writer.write(lines[2_100...].joined(separator: "\n") + "\n")
    try writer.closeInput()
    let ended = writer.wait()
    #expect(ended.status == 0, "\(ended.errors)")
    #expect(try bash("rtinfer materialize --online online events.ndjson > rows.ndjson").status == 0)
    #expect(try rows(store) == rows("online"))
  }
}
