// The registry as processes use it: many at once, some of them killed.

import Foundation
import TestSupport
import Testing

@Suite struct RegistryTests {
  private static let model = Fixtures.root.appending(
    path: "models/xgboost-json/gblinear/model.json"
  ).path()

  private static func start(_ words: [String], in folder: TemporaryFolder) throws -> Child {
    try Child(
      [Binary.rtinfer, "registry"] + words, in: folder.url, stdin: "/dev/null",
      environment: Binary.environment(home: folder.url), seconds: 120)
  }

  private static func run(_ words: [String], in folder: TemporaryFolder) throws -> Child.Outcome {
    try start(words, in: folder).wait()
  }

  /// The members of each line of the log that say who was promoted and what was before.
  private static func promotions(in folder: TemporaryFolder) throws -> [(version: Int, from: Int?)]
  {
    try folder.text(".rtinfer/registry/log.ndjson").split(separator: "\n").compactMap { line in
      let entry = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
      guard entry?["action"] as? String == "promote" else { return nil }
      return (entry?["version"] as! Int, entry?["from"] as? Int)
    }
  }

  @Test func fortyProcessesPromotingAtOnceTellOneTrueOrder() throws {
    let folder = try TemporaryFolder()
    for _ in 0..<40 {
      #expect(try Self.run(["add", "m", Self.model], in: folder).status == 0)
    }
    let children = try (1...40).map { number in
      try Self.start(["promote", "m", "\(number)", "production", "--wait", "100s"], in: folder)
    }
    for child in children {
      let outcome = child.wait()
      #expect(outcome.status == 0, "\(outcome.errors)")
    }
    let promotions = try Self.promotions(in: folder)
    #expect(promotions.map(\.version).sorted() == Array(1...40), "none is lost, none comes twice")
    #expect(promotions.map(\.from) == [nil] + promotions.dropLast().map(\.version))
    let alias = try folder.text(".rtinfer/registry/models/m/aliases/production")
    #expect(alias == "\(promotions.last!.version)\n")
    #expect(try Self.run(["verify"], in: folder).status == 0)
  }

  /// Killed at any moment: what is there is whole, and what was said to be done is done.
  @Test func killedProcessesLeaveAWholeRegistry() throws {
    let folder = try TemporaryFolder()
    for _ in 0..<2 { #expect(try Self.run(["add", "m", Self.model], in: folder).status == 0) }
    var acknowledged = 0
    for round in 0..<40 {
      let child = try Self.start(["promote", "m", "\(round % 2 + 1)", "alias\(round)"], in: folder)
      usleep(UInt32(round) * 1_000)
      child.send(SIGKILL)
      let outcome = child.wait()
      if outcome.output.hasSuffix("}\n") { acknowledged += 1 }
      let verified = try Self.run(["verify"], in: folder)
      #expect(verified.status == 0, "\(round): \(verified.errors)")
    }
    #expect(try Self.promotions(in: folder).count >= acknowledged)
    #expect(try Self.run(["add", "m", Self.model], in: folder).status == 0)
    #expect(try Self.run(["verify"], in: folder).status == 0)
  }

  @Test func aRegistryThatIsHeldIsNamed() throws {
    let folder = try TemporaryFolder()
    #expect(try Self.run(["add", "m", Self.model], in: folder).status == 0)
    let lock = folder.path(".rtinfer/registry/lock")
    let holder = try Child(
      ["/usr/bin/env", "flock", lock, "sleep", "30"], stdin: "/dev/null",
      environment: Binary.environment(home: folder.url))
    defer { holder.send(SIGKILL) }
    var outcome = try Self.run(["tag", "m", "1", "--set", "a=b", "--wait", "0s"], in: folder)
    for _ in 0..<200 where outcome.status == 0 {
      usleep(10_000)
      outcome = try Self.run(["tag", "m", "1", "--set", "a=b", "--wait", "0s"], in: folder)
    }
    #expect(outcome.status == 75)
    #expect(outcome.errors.contains("another process"))
    // Readers never wait.
    #expect(try Self.run(["list"], in: folder).status == 0)
    #expect(try Self.run(["resolve", "models:/m/1"], in: folder).status == 0)
  }
}
