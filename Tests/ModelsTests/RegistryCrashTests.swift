// Whatever stops a change at whatever operation, the registry is the one before it or the one after it, and
// verification finds nothing wrong; the next writer goes on from there.

import Core
import TestSupport
import Testing

@testable import Models

/// A registry on a simulated disk.
struct TestRegistry {
  let disk = SimulatedFileSystem()
  let clock = ManualClock(Timestamp("2013-01-05T00:00:00Z"))
  var folder: RegistryFolder { RegistryFolder("state/registry", files: disk) }

  static let contents = Array(TinyModel().text.utf8)

  func writer() throws(Failure) -> RegistryWriter { try RegistryWriter(folder, clock: clock) }
  func view() throws(Failure) -> RegistryView { try RegistryView(folder) }

  func add(_ writer: RegistryWriter, _ model: String = "m") throws(Failure) {
    let loaded = try TestRegistry.contents.withBytes { (bytes) throws(Failure) in
      try ModelLoader.load(bytes, source: "tiny")
    }
    var facts = VersionFacts(by: "ann")
    facts.metrics = ["auc": 0.9]
    _ = try writer.add(
      model: model, contents: TestRegistry.contents, name: "tiny.json", loaded: loaded, facts: facts
    )
  }

  func promote(_ writer: RegistryWriter, _ version: Int) throws(Failure) {
    _ = try writer.promote(
      model: "m", version: version, alias: "production", author: ChangeAuthor(by: "ann"))
  }

  /// Two versions, the first and then the second in production.
  func fill() throws(Failure) {
    let writer = try writer()
    try add(writer)
    try add(writer)
    try promote(writer, 1)
    try promote(writer, 2)
  }

  /// What `list` prints, through the index where that can be trusted.
  func listing(_ model: String? = nil) throws(Failure) -> String {
    let sink = MemorySink()
    try view().list(model, to: OutputBuffer(sink))
    return sink.text
  }

  /// The same from the log alone.
  func listingOfLog() throws(Failure) -> String {
    let output = OutputBuffer(MemorySink(), capacity: 1 << 10)
    for (_, model) in try view().state().models.sorted(by: { $0.key < $1.key }) {
      model.append(to: output)
    }
    return output.pending.string
  }

  var problems: [String] {
    get throws { try RegistryVerification(try view(), isLocked: true).problems }
  }
}

@Suite struct RegistryCrashTests {
  /// What is stopped half-way, each on a registry that `TestRegistry.fill` made.
  enum Change: CaseIterable {
    case add, promote, refuse, rollback, tag, measure, remove, take

    func run(_ registry: TestRegistry) throws(Failure) {
      let writer = try registry.writer()
      let author = ChangeAuthor(by: "bob")
      switch self {
      case .add: try registry.add(writer)
      case .promote:
        _ = try writer.promote(model: "m", version: 1, alias: "canary", author: author)
      case .refuse:
        _ = try writer.refuse(
          model: "m", version: 1, alias: "production", gate: "auc > 0.95", metrics: ["auc": 0.9],
          failed: ["auc > 0.95"], inconclusive: [], author: author)
      case .rollback: _ = try writer.rollback(model: "m", alias: "production", author: author)
      case .tag: _ = try writer.tag(model: "m", version: 1, tags: ["a": "b"], author: author)
      case .measure:
        _ = try writer.measure(
          model: "m", version: 1, metrics: ["p99_us": 500], source: "bench", machine: "this one",
          author: author)
      case .take:
        // An archive of two versions of another model.
        _ = try writer.add(
          try ImportedVersions(RegistryCrashTests.archive, source: "a.tar"), author: author)
      case .remove: _ = try writer.collect(RegistryGarbage(keeping: 1), author: author)
      }
    }
  }

  private static let archive: [UInt8] = {
    let registry = TestRegistry()
    let sink = MemorySink()
    do {
      for _ in 0..<2 { try registry.add(try registry.writer(), "taken") }
      let view = try registry.view()
      try RegistryArchive.export(
        try view.state().model("taken").versions, of: view, to: OutputBuffer(sink))
    } catch {
      Issue.record(error)
    }
    return sink.bytes
  }()

  /// What an `add` that was cut off left there: a blob that no version names.
  private static let stray = "state/registry/blobs/ab/ab0123"

  private static func filled() throws -> TestRegistry {
    let registry = TestRegistry()
    try registry.fill()
    // For `remove`: a version that nothing needs, with the newest behind it.
    let writer = try registry.writer()
    try registry.add(writer)
    try registry.add(writer)
    try registry.disk.makeFolder("state/registry/blobs/ab")
    registry.disk[stray] = [1, 2, 3]
    return registry
  }

  @Test(arguments: Change.allCases) func powerCutsAtEveryOperation(_ change: Change) throws {
    let model = try Self.filled()
    let before = try model.view().state()
    let start = model.disk.operations
    try change.run(model)
    #expect(model.disk.exists(Self.stray) == (change != .remove), "gc takes away what nobody needs")
    let operations = model.disk.operations - start
    let after = try model.view().state()
    #expect(before != after, "the change changes something")
    #expect(operations > 10)
    var (stayed, happened) = (0, 0)
    for operation in 0..<operations {
      for seed in UInt64(0)..<6 {
        let registry = try Self.filled()
        registry.disk.cutPower(afterOperations: operation)
        let refusal = failure { () throws(Failure) in try change.run(registry) }
        if seed == 0 {
          registry.disk.killProcess()
        } else {
          var random = SplitMix64(seed: seed &* 1_000 &+ UInt64(operation))
          registry.disk.crash(using: &random)
        }
        let problems = try registry.problems
        #expect(problems.isEmpty, "\(operation), \(seed): \(problems)")
        let found = try registry.view().state()
        // Only the index, which undoes nothing, may go missing without a word.
        #expect(refusal != nil || found == after, "\(operation), \(seed)")
        #expect(try registry.listing() == registry.listingOfLog(), "\(operation), \(seed)")
        if found == before { stayed += 1 } else { happened += 1 }
        // Those that remove or add several versions do so one by one.
        #expect(
          found == before || found == after || change == .remove || change == .take,
          "\(operation), \(seed)")
        // The next one goes on.
        try registry.add(try registry.writer(), "other")
        #expect(try registry.problems.isEmpty, "afterwards: \(operation), \(seed)")
        #expect(try registry.view().state().models["other"]?.versions.count == 1)
      }
    }
    #expect(stayed > 10 && happened > 10, "both were seen: \(stayed), \(happened)")
  }

  @Test func powerCutsWhileARegistryIsMade() throws {
    let model = TestRegistry()
    try model.fill()
    for operation in 0..<model.disk.operations {
      let registry = TestRegistry()
      registry.disk.cutPower(afterOperations: operation)
      _ = failure { () throws(Failure) in try registry.fill() }
      var random = SplitMix64(seed: UInt64(operation))
      registry.disk.crash(using: &random)
      if failure({ () throws(Failure) in _ = try registry.view() }) == nil {
        #expect(try registry.problems.isEmpty, "\(operation)")
      }
      try registry.add(try registry.writer(), "other")
      #expect(try registry.problems.isEmpty, "afterwards: \(operation)")
    }
  }

  /// A full disk refuses the change, by name; it is as if it had not been tried, or it is finished later.
  @Test func aFullDiskIsNamed() throws {
    var (refused, states) = (0, Set<Int>())
    for room in stride(from: 1_000, through: 7_000, by: 200) {
      let registry = TestRegistry()
      registry.disk.room = room
      let problem = failure { () throws(Failure) in try registry.fill() }
      if let problem {
        refused += 1
        #expect(problem.status == .inputOutput)
        #expect(problem.message.contains("state/registry"), "\(problem.message)")
        #expect(problem.message.contains("No space left on device"), "\(problem.message)")
      }
      registry.disk.killProcess()
      registry.disk.room = nil
      if registry.disk.exists("state/registry/format") {
        #expect(try registry.problems.isEmpty, "\(room)")
        states.insert(try registry.view().state().count)
      }
      try registry.add(try registry.writer(), "other")
      #expect(try registry.problems.isEmpty, "afterwards: \(room)")
    }
    #expect(refused > 5 && states.count > 2, "\(refused) \(states)")
  }

  /// A disk that can only be read, from some operation on or from the first.
  @Test func aReadOnlyDiskIsNamed() throws {
    var refused = 0
    for operation in 0..<30 {
      let registry = try Self.filled()
      let before = try registry.view().state()
      registry.disk.failOnce(afterOperations: operation, with: 30)
      let problem = failure { () throws(Failure) in try Change.promote.run(registry) }
      registry.disk.killProcess()
      guard let problem else { continue }
      refused += 1
      #expect(problem.status == .inputOutput)
      #expect(problem.message.contains("Read-only file system"), "\(problem.message)")
      #expect(problem.message.contains("state/registry"), "\(problem.message)")
      #expect(try registry.problems.isEmpty)
      #expect(try registry.view().state().count - before.count <= 1)
    }
    #expect(refused > 20)
  }

  /// What a gate refused is written down, and nothing but the log is another.
  @Test func whatWasRefusedChangesNothing() throws {
    let registry = try Self.filled()
    let before = try registry.view().state()
    let alias = registry.disk["state/registry/models/m/aliases/production"]
    try Change.refuse.run(registry)
    let after = try registry.view().state()
    #expect(after.models == before.models && after.count == before.count + 1)
    #expect(registry.disk["state/registry/models/m/aliases/production"] == alias)
    #expect(try registry.view().state(at: before.time).models == before.models)
    let line = try registry.view().log().split(separator: UInt8(ascii: "\n")).last!
    let text = String(decoding: line, as: UTF8.self)
    #expect(text.hasPrefix("{\"kind\":\"refusal\","))
    #expect(
      text.contains(
        "\"alias\":\"production\",\"from\":2,\"require\":\"auc > 0.95\",\"metrics\":{\"auc\":0.9},"
          + "\"failed\":[\"auc > 0.95\"],\"by\":\"bob\""), "\(text)")
    #expect(try registry.problems.isEmpty)
    // A rollback knows nothing of it.
    try Change.rollback.run(registry)
    #expect(try registry.view().number(ModelURI("models:/m@production")) == 1)
  }

  /// Nothing is written behind a log whose end is missing, or that is an old copy: it would hide what is missing.
  @Test func aLogWithoutItsEndIsNotGoneOnWith() throws {
    let registry = try Self.filled()
    let log = registry.disk["state/registry/log.ndjson"]!
    let end = log.dropLast().lastIndex(of: UInt8(ascii: "\n"))! + 1
    registry.disk["state/registry/log.ndjson"] = Array(log[..<end])
    let problem = failure { () throws(Failure) in try Change.tag.run(registry) }
    #expect(problem?.status == .inputOutput)
    #expect(
      problem?.message
        == "state/registry/log.ndjson: ends with line 5, and head tells of another end:"
        + " nothing is changed", "\(problem?.message ?? "")")
    #expect(registry.disk["state/registry/log.ndjson"] == Array(log[..<end]))
    registry.disk["state/registry/log.ndjson"] = log
    try Change.tag.run(registry)
    #expect(try registry.problems.isEmpty)
  }

  @Test func oneWriterAtATime() throws {
    let registry = TestRegistry()
    let writer = try registry.writer()
    let problem = failure { () throws(Failure) in _ = try registry.writer() }
    #expect(problem?.status == .locked)
    #expect(problem?.message.contains("(4711)") == true)
    withExtendedLifetime(writer) {}
  }

  /// A reader that opens while a change is under way sees all of it or nothing of it.
  @Test func readersSeeThroughAChangeUnderWay() throws {
    let registry = try Self.filled()
    registry.disk.cutPower(afterOperations: 24)
    _ = failure { () throws(Failure) in try Change.rollback.run(registry) }
    registry.disk.killProcess()
    let view = try registry.view()
    let alias = try view.number(ModelURI("models:/m@production"))
    #expect(alias == (try view.state().models["m"]?.aliases["production"]?.last))
  }
}
