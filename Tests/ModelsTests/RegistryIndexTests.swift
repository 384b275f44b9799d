// The index is never what decides: deleted, old, cut, garbled or made for another log, it changes no answer.

import Core
import TestSupport
import Testing

@testable import Models

@Suite struct RegistryIndexTests {
  private static let path = "state/registry/index"

  private static func filled() throws -> TestRegistry {
    let registry = TestRegistry()
    try registry.fill()
    try registry.add(try registry.writer(), "another")
    return registry
  }

  /// What is asked of a registry, and answered through the index where there is one to be trusted.
  private static func answers(_ registry: TestRegistry) throws -> [String] {
    var answers = [try registry.listing(), try registry.listing("m")]
    for uri in ["models:/m@latest", "models:/another@latest", "models:/m@production"] {
      answers.append("\(try registry.view().number(ModelURI(uri)))")
    }
    answers.append(
      failure { () throws(Failure) in _ = try registry.listing("none") }?.message ?? "none")
    answers.append(
      failure { () throws(Failure) in _ = try registry.view().number(ModelURI("models:/x@latest"))
      }?
      .message ?? "none")
    return answers
  }

  @Test func itIsUsedAndSaysWhatTheLogSays() throws {
    let registry = try Self.filled()
    let index = try #require(try registry.view().index(), "there is one, and it is of this log")
    #expect(index.newest(of: "m") == 2 && index.newest(of: "another") == 1)
    #expect(index.newest(of: "none") == nil)
    #expect(try registry.listing() == registry.listingOfLog())
    #expect(try registry.listing("m").split(separator: "\n").count == 2)
    // That it is what answers is seen where the log cannot be read, but for its end.
    let log = registry.disk["state/registry/log.ndjson"]!
    registry.disk["state/registry/log.ndjson"] = [UInt8](repeating: 0, count: 9) + log[9...]
    #expect(try registry.listing().split(separator: "\n").count == 3)
    #expect(failure { () throws(Failure) in _ = try registry.view().state() } != nil)
  }

  @Test func withoutItTheAnswersAreTheSame() throws {
    let registry = try Self.filled()
    let expected = try Self.answers(registry)
    registry.disk[Self.path] = nil
    #expect(try registry.view().index() == nil)
    #expect(try Self.answers(registry) == expected)
    // The next change makes it again.
    try registry.promote(try registry.writer(), 1)
    #expect(try registry.view().index() != nil)
  }

  @Test func anOldOneIsNotBelieved() throws {
    let registry = try Self.filled()
    let old = registry.disk[Self.path]!
    try registry.promote(try registry.writer(), 1)
    try registry.add(try registry.writer())
    let expected = try Self.answers(registry)
    registry.disk[Self.path] = old
    #expect(try registry.view().index() == nil)
    #expect(try Self.answers(registry) == expected)
  }

  /// One of another registry whose log is as long.
  @Test func oneOfAnotherLogIsNotBelieved() throws {
    let (registry, other) = (try Self.filled(), TestRegistry())
    try other.fill()
    try other.add(try other.writer(), "ANOTHER")
    #expect(
      other.disk["state/registry/log.ndjson"]!.count
        == registry.disk["state/registry/log.ndjson"]!.count)
    let expected = try Self.answers(registry)
    registry.disk[Self.path] = other.disk[Self.path]
    #expect(try Self.answers(registry) == expected)
  }

  @Test func whateverIsWrongWithItNoAnswerChanges() throws {
    let registry = try Self.filled()
    let (whole, expected) = (registry.disk[Self.path]!, try Self.answers(registry))
    for place in whole.indices {
      var garbled = whole
      garbled[place] ^= 1 << UInt8(place % 8)
      registry.disk[Self.path] = garbled
      #expect(try registry.view().index() == nil, "a flipped bit at \(place)")
      if place % 97 == 0 {
        #expect(try Self.answers(registry) == expected, "a flipped bit at \(place)")
      }
    }
    for length in stride(from: 0, to: whole.count, by: 13) {
      registry.disk[Self.path] = Array(whole[..<length])
      #expect(try registry.view().index() == nil, "cut at \(length)")
    }
    #expect(try Self.answers(registry) == expected)
  }

  /// A change that was written down and not yet put in place is in no index.
  @Test func aChangeUnderWayIsSeen() throws {
    let registry = try Self.filled()
    let before = try registry.listing()
    registry.disk.cutPower(afterOperations: 14)
    _ = failure { () throws(Failure) in try registry.promote(try registry.writer(), 1) }
    registry.disk.killProcess()
    #expect(registry.disk.exists("state/registry/pending"))
    #expect(try registry.listing() == registry.listingOfLog())
    #expect(try registry.listing() != before)
  }

  // MARK: Digests

  private static let manifest = "state/registry/models/m/versions/2.json"

  private static func digests(_ registry: TestRegistry) throws -> [String?] {
    [1, 2, 3].map { RegistryDigests.digest(of: "m", $0, in: registry.folder) }
      + [RegistryDigests.digest(of: "none", 1, in: registry.folder)]
  }

  @Test func digestsAreThoseOfTheLog() throws {
    let registry = try Self.filled()
    let state = try registry.view().state()
    let expected = state.models["m"]!.versions.map { Optional($0.manifest) } + [nil, nil]
    #expect(try Self.digests(registry) == expected)
    // They are found where a change is under way, and in an index of an older log.
    registry.disk["state/registry/head"] = [1]
    #expect(try Self.digests(registry) == expected)
  }

  /// More models than the first read of the index has, so that it is read whole.
  @Test func digestsAreFoundAmongManyModels() throws {
    var state = RegistryState()
    var expected: [String: String] = [:]
    for number in 0..<3_000 {
      let name = "a-model-with-a-rather-long-name-\(number)"
      var entry = RegistryEntry(.add, model: name, version: 7 + number)
      entry.digest = String(repeating: "a", count: 64)
      entry.manifest = SHA256.hex(of: Bytes(owning: name))
      entry.format = "xgboost-json"
      _ = entry.seal(
        sequence: number + 1, previous: state.hash, time: Timestamp(microseconds: 1))
      #expect(state.apply(entry) == nil)
      expected[name] = entry.manifest
    }
    let registry = TestRegistry()
    try registry.fill()
    registry.disk[Self.path] = RegistryIndex.encode(
      state, RegistryIndex.Mark(bytes: 1, lines: 1, hash: "x"))
    for (index, name) in expected.keys.sorted().enumerated() where index % 100 == 0 {
      let number = 7 + Int(name.split(separator: "-").last!)!
      #expect(RegistryDigests.digest(of: name, number, in: registry.folder) == expected[name])
      #expect(RegistryDigests.digest(of: name, number + 1, in: registry.folder) == nil)
    }
  }

  /// With an index, without one, and with one that says otherwise: a manifest that was edited is named, and one that
  /// was not is read.
  @Test func anEditedManifestIsNamed() throws {
    let registry = try Self.filled()
    let (index, whole) = (registry.disk[Self.path]!, registry.disk[Self.manifest]!)
    var edited = String(decoding: whole, as: UTF8.self)
    edited = edited.replacing("\"auc\":0.9", with: "\"auc\":0.99")
    let digest = whole.withBytes { SHA256.hex(of: $0) }
    let garbled = String(decoding: index, as: UTF8.self).replacing(
      digest, with: String(digest.reversed()))
    let forged = String(decoding: index, as: UTF8.self).replacing(
      digest, with: Array(edited.utf8).withBytes { SHA256.hex(of: $0) })
    for (name, other) in [
      ("whole", index), ("none", nil), ("cut", Array(index[..<300])),
      ("garbled", Array(garbled.utf8)), ("of version 1", Array("rtinfer-index 1 0 0 0 x\n".utf8)),
    ] {
      registry.disk[Self.path] = other
      registry.disk[Self.manifest] = whole
      #expect(try registry.view().manifest(ModelURI("models:/m/2")).version == 2, "\(name)")
      registry.disk[Self.manifest] = Array(edited.utf8)
      let problem = failure { () throws(Failure) in
        _ = try registry.view().manifest(ModelURI("models:/m/2"))
      }
      #expect(problem?.status == .inputOutput, "\(name)")
      #expect(
        problem?.message == "\(Self.manifest): changed since it was registered", "\(name)")
      #expect(try registry.view().manifest(ModelURI("models:/m/1")).version == 1, "\(name)")
    }
    // The index answers, and not the log: one that was forged as well is what verify is for.
    registry.disk[Self.path] = Array(forged.utf8)
    #expect(try registry.view().manifest(ModelURI("models:/m/2")).metrics == ["auc": 0.99])
    #expect(try registry.problems.count == 1)
  }
}
