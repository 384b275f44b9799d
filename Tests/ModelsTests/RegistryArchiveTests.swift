// Versions that go from one registry to another, and archives that nobody should take.

import Core
import TestSupport
import Testing

@testable import Models

@Suite struct RegistryArchiveTests {
  private static func archive(of registry: TestRegistry, _ model: String = "m") throws -> [UInt8] {
    let sink = MemorySink()
    let view = try registry.view()
    try RegistryArchive.export(
      try view.state().model(model).versions, of: view, to: OutputBuffer(sink))
    return sink.bytes
  }

  /// Two versions, of which more was learned since.
  private static func filled() throws -> TestRegistry {
    let registry = TestRegistry()
    try registry.fill()
    let (writer, author) = (try registry.writer(), ChangeAuthor(by: "ann"))
    for (machine, p99) in [("a, 2 cores", 900.0), ("b, 8 cores", 400.0), ("a, 2 cores", 500.0)] {
      _ = try writer.measure(
        model: "m", version: 2, metrics: ["p99_us": p99], source: "bench model", machine: machine,
        author: author)
    }
    _ = try writer.tag(model: "m", version: 2, tags: ["team": "ops"], author: author)
    return registry
  }

  private static func take(
    _ archive: [UInt8], into registry: TestRegistry
  ) throws(Failure) -> (lines: [[UInt8]], known: Int) {
    let imported = try ImportedVersions(archive, source: "a.tar")
    return try registry.writer().add(imported, author: ChangeAuthor(by: "bob"))
  }

  @Test func versionsAreTheSameElsewhere() throws {
    let (here, there) = (try Self.filled(), TestRegistry())
    let archive = try Self.archive(of: here)
    #expect(try Self.take(archive, into: there).known == 0)
    #expect(try there.problems.isEmpty)
    let (old, new) = (try here.view().state().model("m"), try there.view().state().model("m"))
    #expect(old.versions.map(\.manifest) == new.versions.map(\.manifest))
    #expect(old.versions.map(\.digest) == new.versions.map(\.digest))
    #expect(old.versions.map(\.metrics) == new.versions.map(\.metrics))
    #expect(old.versions.map(\.machines) == new.versions.map(\.machines))
    #expect(new[2]?.machines["a, 2 cores"] == ["p99_us": 500])
    #expect(old.versions.map(\.tags) == new.versions.map(\.tags))
    #expect(new.aliases.isEmpty, "what decides is decided there")
    #expect(try Self.archive(of: there) == archive, "the same versions make the same bytes")
    #expect(try Self.take(archive, into: there) == ([], 2), "they are there already")
    #expect(try there.listing() == there.listingOfLog())
  }

  @Test func aNumberThatIsAnotherVersionIsRefused() throws {
    let (here, there) = (try Self.filled(), TestRegistry())
    there.clock.advance(.seconds(60))
    try there.add(try there.writer())
    let before = try there.view().state()
    let archive = try Self.archive(of: here)
    let problem = failure { () throws(Failure) in _ = try Self.take(archive, into: there) }
    #expect(problem?.status == .usage)
    #expect(problem?.message.contains("version 1 of 'm' is another one here") == true)
    #expect(try there.view().state() == before && there.problems.isEmpty)
  }

  @Test func aDamagedFileIsNotPassedOn() throws {
    let registry = try Self.filled()
    let blob = registry.disk.paths.first { $0.contains("/blobs/") }!
    registry.disk[blob]![40] ^= 1
    let view = try registry.view()
    let versions = try view.state().model("m").versions
    let problem = failure { () throws(Failure) in
      try RegistryArchive.export(versions, of: view, to: OutputBuffer(MemorySink()))
    }
    #expect(problem?.status == .inputOutput)
    #expect(problem?.message.contains("\(blob): changed") == true)
  }

  // MARK: Hostile archives

  /// An archive of these files and no others.
  private static func tar(_ files: [(name: String, bytes: [UInt8])]) throws -> [UInt8] {
    let sink = MemorySink()
    let output = OutputBuffer(sink)
    for file in files { try TarArchive.append(file.bytes, name: file.name, to: output) }
    try TarArchive.appendEnd(to: output)
    return sink.bytes
  }

  private static func files(of archive: [UInt8]) throws -> [(name: String, bytes: [UInt8])] {
    try TarArchive(archive, source: "a.tar").files.map { ($0.name, Array(archive[$0.bytes])) }
  }

  private static func refusal(of archive: [UInt8]) -> Failure? {
    failure { () throws(Failure) in _ = try ImportedVersions(archive, source: "a.tar") }
  }

  /// Sets a header's bytes, and its sum right again.
  private static func patched(
    _ archive: [UInt8], at place: Int, _ bytes: [UInt8]
  ) -> [UInt8] {
    var archive = archive
    archive.replaceSubrange(place..<place + bytes.count, with: bytes)
    archive.replaceSubrange(148..<156, with: [UInt8](repeating: 0x20, count: 8))
    let sum = String(archive[..<512].reduce(0) { $0 + Int($1) }, radix: 8)
    let digits = String(repeating: "0", count: 6 - sum.count) + sum + "\0 "
    archive.replaceSubrange(148..<156, with: Array(digits.utf8))
    return archive
  }

  @Test(arguments: [
    "../../etc/passwd", "/etc/passwd", "blobs/../../x", "models/m/versions/../1.json",
    "models/../versions/1.json", "models/m/versions/01.json", "models/m/versions/1.json/x",
    "blobs/ab/abcd", "log.ndjson", "models/m/aliases/production",
    "blobs/00/ff00000000000000000000000000000000000000000000000000000000000000",
  ])
  func namesOutsideARegistryAreRefused(_ name: String) throws {
    var files = try Self.files(of: try Self.archive(of: try Self.filled()))
    files.append((name, Array("x".utf8)))
    let problem = Self.refusal(of: try Self.tar(files))
    #expect(problem?.status == .badData)
    #expect(problem?.message.contains("'\(name)' is no file of a registry") == true)
  }

  @Test(arguments: ["1", "2", "3", "4", "5", "6", "x", "g", "L"])
  func whatIsNoPlainFileIsRefused(_ kind: String) throws {
    let archive = try Self.archive(of: try Self.filled())
    let problem = Self.refusal(of: Self.patched(archive, at: 156, Array(kind.utf8)))
    #expect(problem?.status == .badData)
    #expect(problem?.message.contains("no plain file but of tar's kind '\(kind)'") == true)
  }

  @Test(arguments: ["77777777777", "00000100000", "zzz", "-0000000001"])
  func wrongSizesAreRefused(_ size: String) throws {
    let archive = try Self.archive(of: try Self.filled())
    let problem = Self.refusal(of: Self.patched(archive, at: 124, Array("\(size)\0".utf8)))
    #expect(problem?.status == .badData)
    #expect(problem?.message.contains("export.ndjson") == true, "\(problem?.message ?? "")")
  }

  @Test func whereverItIsCutItIsRefused() throws {
    let archive = try Self.archive(of: try Self.filled())
    for length in stride(from: 0, to: archive.count, by: 101) {
      #expect(Self.refusal(of: Array(archive[..<length]))?.status == .badData, "\(length)")
    }
    #expect(Self.refusal(of: Array(archive.dropLast(512)))?.status == .badData)
    #expect(Self.refusal(of: archive + [1])?.status == .badData)
    #expect(Self.refusal(of: archive) == nil)
  }

  /// Wherever a bit is flipped, it is found.
  @Test func aFlippedBitIsFound() throws {
    let archive = try Self.archive(of: try Self.filled())
    var taken = 0
    for place in stride(from: 0, to: archive.count, by: 7) {
      var flipped = archive
      flipped[place] ^= 1 << UInt8(place % 8)
      if Self.refusal(of: flipped) == nil { taken += 1 }
    }
    // The byte behind the sum in a header says nothing.
    #expect(taken <= 3, "\(taken)")
  }

  @Test func whatIsMissingOrTooMuchIsNamed() throws {
    let files = try Self.files(of: try Self.archive(of: try Self.filled()))
    for index in files.indices {
      var fewer = files
      fewer.remove(at: index)
      #expect(Self.refusal(of: try Self.tar(fewer))?.status == .badData, "\(files[index].name)")
      let twice = Self.refusal(of: try Self.tar(files + [files[index]]))
      #expect(twice?.message.contains("a second time") == true)
    }
    let stray = Array("stray".utf8)
    let digest = stray.withBytes { SHA256.hex(of: $0) }
    var problem = Self.refusal(of: try Self.tar(files + [(RegistryFolder.blob(digest), stray)]))
    #expect(problem?.message.contains("no version names the file \(digest)") == true)
    problem = Self.refusal(
      of: try Self.tar(files + [("models/m/versions/9.json", files[1].bytes)]))
    #expect(problem?.message.contains("is not in its export.ndjson") == true)
    var changed = files
    changed[1].bytes[5] ^= 1
    problem = Self.refusal(of: try Self.tar(changed))
    #expect(problem?.message.contains("does not have the digest") == true)
  }

  /// The index claims a metric that no gate could name, or one that is another model's.
  @Test func whatIsSaidOfAVersionIsChecked() throws {
    var files = try Self.files(of: try Self.archive(of: try Self.filled()))
    let text = String(decoding: files[0].bytes, as: UTF8.self)
    for (from, to) in [
      ("\"auc\"", "\"a c\""), ("\"version\":2", "\"version\":3"), ("\"team\"", "\"../x\""),
      ("{\"kind\"", "[\"kind\""), ("\"machines\"", "\"unknown\""),
    ] {
      let lines = Array(text.split(separator: "\n").dropLast().joined(separator: "\n").utf8)
      let changed = Array(
        (String(decoding: lines, as: UTF8.self) + "\n").replacing(from, with: to).utf8)
      #expect(changed != lines)
      files[0].bytes = changed + Array(changed.withBytes { RegistryArchive.end(of: $0) }.utf8)
      let problem = Self.refusal(of: try Self.tar(files))
      #expect(problem?.status == .badData, "\(from)")
      #expect(problem?.message.contains("its own digest") == false)
      files[0].bytes = changed
      #expect(
        Self.refusal(of: try Self.tar(files))?.message.contains("its own digest") == true)
    }
  }

  /// Names of more than a hundred bytes are cut in two, as tar has it.
  @Test func longNamesComeBack() throws {
    let name = "models/\(String(repeating: "n", count: 128))/versions/12345.json"
    let bytes = [UInt8](repeating: 7, count: 513)
    let archive = try Self.tar([(name, bytes), ("empty", [])])
    #expect(archive.count == 512 + 1024 + 512 + 1024)
    let files = try Self.files(of: archive)
    #expect(files.map(\.name) == [name, "empty"] && files.map(\.bytes) == [bytes, []])
  }
}
