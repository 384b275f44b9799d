// Look-ups in a table against a twin that scans all rows, on generated rows in any order, with ties, nulls and questions
// on, between and beyond the rows' times.

import TestSupport
import Testing

@testable import Core
@testable import Events
@testable import Features

@Suite struct TableTwinTests {
  private struct Row {
    let key: Int
    let second: Int64
    let value: Int?
  }

  private let schema = EventSchema(types: [
    EventType(
      name: "asked", idMember: nil,
      fields: [Field(name: "k", type: .integer, isOptional: true)])
  ])

  private func definitions(ttl: String) throws -> FeatureDefinitions {
    let fields = "{ k: 'integer', at: { type: 'time', unit: 's' }, v: 'integer?' }"
    return try FeatureDefinitions(
      try ConfigNode.members(
        """
        { t: { entity: ['k'], \(ttl) table: { time: 'at', time_unit: 's', fields: \(fields) },
          features: { v: 'v', twice: 'v * 2' } } }
        """), schema: schema)
  }

  /// The newest row up to the second, of those the last in the file; nil where there is none or it is too old.
  private func truth(_ rows: [Row], _ key: Int, _ second: Int64, ttl: Int64) -> Int? {
    var newest: Row?
    for row in rows where row.key == key && row.second <= second {
      if newest.map({ $0.second <= row.second }) ?? true { newest = row }
    }
    guard let newest, newest.second + ttl >= second else { return nil }
    return newest.value
  }

  @Test(arguments: [(text: "ttl: '40s',", seconds: Int64(40)), (text: "", seconds: 1 << 40)])
  func theNewestRowWithinTheTTL(_ ttl: (text: String, seconds: Int64)) throws {
    var random = SplitMix64(seed: 21)
    let definitions = try definitions(ttl: ttl.text)
    let table = TableRows(definitions.tables[0])
    var rows: [Row] = []
    for _ in 0..<2_000 {
      let row = Row(
        key: Int.random(in: 0..<20, using: &random),
        second: Int64.random(in: -500..<500, using: &random),
        value: Int.random(in: 0..<5, using: &random) == 0
          ? nil : Int.random(in: 0..<1_000, using: &random))
      rows.append(row)
      let value = row.value.map(String.init) ?? "null"
      try Array("{\"k\":\(row.key),\"at\":\(row.second),\"v\":\(value)}".utf8).withBytes {
        (line) throws(BadRecord) in try table.add(line)
      }
    }
    #expect(table.count == rows.count)
    let engine = FeatureEngine(definitions, schema: schema, tables: [table])
    let plan = engine.plan(requestsOf: 0, schema: schema)
    #expect(plan.answers.map(\.name) == ["t:v", "t:twice"])
    let decoder = EventDecoder(schema)
    var values: [Scalar] = []
    for _ in 0..<3_000 {
      let key = Int.random(in: 0..<22, using: &random)
      let second = Int64.random(in: -520..<560, using: &random)
      let time = Timestamp(microseconds: second * 1_000_000)
      try Array("{\"time\":\"\(time.rfc3339)\",\"k\":\(key)}".utf8).withBytes {
        (line) throws(BadRecord) in _ = try decoder.decode(line)
      }
      engine.lookUp(plan, decoder.scalars, at: time, into: &values)
      let expected = truth(rows, key, second, ttl: ttl.seconds)
      #expect(values.count == 2)
      #expect(values[0].number == expected.map(Double.init))
      #expect(values[1].number == expected.map { Double($0 * 2) })
    }
  }

  @Test func aRowWithoutItsEntityIsRefused() throws {
    let table = TableRows(try definitions(ttl: "").tables[0])
    #expect(throws: BadRecord.self) {
      try Array("{\"at\":1,\"v\":1}".utf8).withBytes { (line) throws(BadRecord) in
        try table.add(line)
      }
    }
    #expect(table.count == 0)
  }
}
