import Core
import Events
import TestSupport
import Testing

@Suite struct EventTypeTests {
  private func type(_ text: String) throws(Failure) -> EventType {
    try EventType(try ConfigNode.member("{ departed: \(text) }"))
  }

  @Test func readsADeclaration() throws {
    let type = try type(
      """
      { id: "key", time: "at", time_unit: "ms", lateness: "30m", max_future_skew: "1m", dedup: "24h",
        unknown: "drop", fields: { carrier: "string", delay: { type: "number", min: -120 } } }
      """)
    #expect(type.name == "departed" && type.idMember == "key" && type.timeMember == "at")
    #expect(type.timeUnit == .ms && type.lateness == .minutes(30) && type.dedup == .hours(24))
    #expect(type.maxFutureSkew == .minutes(1) && type.unknown == .drop)
    #expect(type.fields.map(\.name) == ["carrier", "delay"] && type.fields[1].minimum == -120)
  }

  @Test func hasDefaults() throws {
    let type = try type("{}")
    #expect(type.idMember == nil && type.timeMember == "time" && type.timeUnit == .rfc3339)
    #expect(type.lateness == .minutes(5) && type.maxFutureSkew == .minutes(5))
    #expect(type.dedup == nil && type.unknown == .keep && type.fields.isEmpty)
  }

  @Test(
    arguments: [
      ("{ latenes: '1m' }", "departed.latenes: unknown key 'latenes'"),
      ("[]", "departed: expected an object, found a list"),
      ("{ dedup: '1h' }", "departed: dedup needs an id: name the member"),
      ("{ id: 'id', dedup: '0s' }", "departed.dedup: 0s is below the minimum 1us"),
      ("{ unknown: 'reject' }", "departed: unknown: \"reject\" needs fields"),
      ("{ unknown: 'drop', fields: {} }", "departed: unknown: \"drop\" needs fields"),
      ("{ unknown: 'dorp' }", "departed.unknown: 'dorp' is none of: keep, drop, reject"),
      ("{ lateness: 5 }", "departed.lateness: expected a string, found a number"),
      ("{ id: 5 }", "departed.id: expected a string"),
      ("{ time_unit: 'min' }", "departed.time_unit: 'min' is none of"),
      ("{ fields: { a: 'strng' } }", "departed.fields.a: 'strng' is no type"),
      ("{ fields: ['a'] }", "departed.fields: expected an object, found a list"),
    ])
  func refusesWrongDeclarations(_ text: String, _ expected: String) {
    let found = message { () throws(Failure) in _ = try type(text) }
    #expect(found.hasPrefix("test.json:1: \(expected)"), "\(found)")
  }
}
