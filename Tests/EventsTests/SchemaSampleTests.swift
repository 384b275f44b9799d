// Schemas from samples: what is inferred accepts the sample it came from, and a difference is found where one was
// made and nowhere else.

import Core
import TestSupport
import Testing

@testable import Events

@Suite struct SchemaSampleTests {
  private func sample(_ lines: [String], type: String? = nil) throws -> SchemaSample {
    let sample = SchemaSample(typeMember: "type", fixedType: type)
    for line in lines {
      try Array(line.utf8).withBytes { (bytes) throws(BadRecord) in try sample.add(bytes) }
    }
    return sample
  }

  private func schema(_ sample: SchemaSample) throws -> EventSchema {
    var text = "{"
    for kind in sample.kinds {
      text += sample.declaration(kind, try sample.naming(kind, id: "id", time: nil, unit: nil))
    }
    var types: [EventType] = []
    for member in try ConfigNode.members(text + "}") { types.append(try EventType(member)) }
    return EventSchema(types: types)
  }

  /// Random events: what is inferred from them accepts each of them, and shows no difference.
  @Test(arguments: 0..<40) func whatIsInferredAcceptsItsSample(_ seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    let makers: [(inout SplitMix64) -> String] = [
      { "\(Int.random(in: -1_000...1_000, using: &$0))" },
      { "\(Double.random(in: -1e9...1e9, using: &$0))" }, { _ in "true" }, { _ in "\"text\"" },
      { _ in "\"2013-01-05T10:00:00Z\"" }, { _ in "null" }, { _ in "[1,{\"a\":2}]" },
    ]
    let names = ["a", "b c", "dep_delay", "é", "\\u0061b"]
    let kinds = names.map { _ in
      (0..<2).map { _ in Int.random(in: 0..<makers.count, using: &random) }
    }
    let lines = (0..<30).map { number in
      var line = "{\"id\":\"\(number)\",\"time\":\"2013-01-05T10:00:\(10 + number)Z\""
      for (name, choice) in zip(names, kinds) where Bool.random(using: &random) || seed % 2 == 0 {
        line += ",\"\(name)\":\(makers[choice.randomElement(using: &random)!](&random))"
      }
      return line + (number % 3 == 0 && seed % 5 == 0 ? ",\"type\":\"x y\"}" : ",\"type\":\"t\"}")
    }
    let sample = try sample(lines)
    let schema = try schema(sample)
    #expect(sample.differences(from: schema).isEmpty)
    let decoder = EventDecoder(schema)
    for line in lines {
      let problem = Array(line.utf8).withBytes { bytes in
        failure { () throws(BadRecord) in _ = try decoder.decode(bytes) }
      }
      #expect(problem == nil, "\(line): \(problem?.reason ?? "")")
    }
  }

  private static let declared = #"""
    { t: { id: "id", time: "time", fields: { id: "string", n: { type: "integer", min: 0 }, s: "string?" } } }
    """#

  @Test(arguments: [
    (#""n":1,"s":"a""#, []), (#""n":1"#, ["s gone"]), (#""n":1,"s":2"#, ["s retyped"]),
    (#""n":-1,"s":"a""#, ["n out of bounds"]), (#""n":1.5,"s":"a""#, ["n retyped"]),
    (#""n":1,"s":"a","m":1"#, ["m new"]), (#""s":"a""#, ["n gone"]),
  ]) func aDifferenceIsFoundWhereOneWasMade(_ members: String, _ changes: [String]) throws {
    var types: [EventType] = []
    for member in try ConfigNode.members(Self.declared) { types.append(try EventType(member)) }
    let line = #"{"type":"t","id":"1","time":"2013-01-05T10:00:00Z",\#(members)}"#
    let found = try sample([line]).differences(from: EventSchema(types: types))
    #expect(found.map { "\($0.member) \($0.change.rawValue)" } == changes)
    let other = try sample([line.replacing(#""type":"t""#, with: #""type":"u""#)])
    #expect(other.differences(from: EventSchema(types: types)).map(\.change) == [.newType])
  }

  @Test func whereTheTimeIsMustBeKnown() throws {
    for (line, time, unit) in [
      (#"{"ts":1357034400,"v":1}"#, "ts", TimeUnit.s), (#"{"ts":1357034400123}"#, "ts", .ms),
      (#"{"ts":1357034400123000.5}"#, "ts", .us), (#"{"ts":1357034400123000000}"#, "ts", .ns),
      (#"{"b":"x","a":"2013-01-05T10:00:00Z"}"#, nil, .rfc3339),
    ] as [(String, String?, TimeUnit)] {
      let sample = try sample([line])
      #expect(try sample.naming(sample.kinds[0], id: "id", time: time, unit: nil).unit == unit)
    }
    let none = try sample([#"{"ts":1357034400}"#, #"{"v":1}"#])
    for time in [nil, "ts", "v", "w"] {
      let problem = failure { () throws(Failure) in
        _ = try none.naming(none.kinds[0], id: "id", time: time, unit: nil)
      }
      #expect(problem?.status == .badData)
    }
  }
}
