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
}
