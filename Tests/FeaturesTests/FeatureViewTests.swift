// Declarations of views: what is read, what is refused, where windows start.

import TestSupport
import Testing

@testable import Core
@testable import Events
@testable import Features

@Suite struct FeatureViewTests {
  private func view(_ text: String) throws(Failure) -> FeatureView {
    try FeatureView(try ConfigNode.member("{ v: \(text) }"), schema: FeatureStream.schema())
  }

  private func feature(_ declaration: String) throws(Failure) -> Feature {
    try view("{ entity: ['k'], from: 'e', features: { f: { \(declaration) } } }").features[0]
  }

  @Test func readsADeclaration() throws {
    let view = try view(
      """
      { entity: ['k', 's'], from: 'e', where: 'x > 0.0', features: {
        n: { count: '*' }, m: { mean: 'x', window: '2h' }, h: { max: 'x', window: '2h', every: '7m' },
        l: { last: 's' }, } }
      """)
    #expect(
      view.name == "v" && view.entity == ["k", "s"] && view.sources.map(\.eventType) == [0]
        && view.sources[0].filter != nil)
    #expect(view.features.map(\.name) == ["v:n", "v:m", "v:h", "v:l"])
    #expect(view.features.map(\.columnName) == ["v__n", "v__m", "v__h", "v__l"])
    #expect(
      view.features.map(\.term.column) == [nil, 0, 0, 1], "one column for each distinct value")
    #expect(view.columns.map(\.text) == ["x", "s"])
  }

  @Test(
    arguments: [
      ("{ from: 'e', features: { n: { count: '*' } } }", "v: the key 'entity' is missing"),
      ("{ entity: ['k'], features: {} }", "v: the key 'from' is missing"),
      ("{ entity: ['k'], from: 'e' }", "v: the key 'features' is missing"),
      ("{ entity: [], from: 'e', features: {} }", "v.entity: an entity has at least one member"),
      ("{ entity: ['k'], from: 'f', features: {} }", "v.from: no event type 'f' is declared"),
      ("{ entity: ['k'], from: 'e', features: {} }", "v: a view has at least one feature"),
      ("{ entity: ['kk'], from: 'e', features: {} }", "v.entity[0]: `kk`: column 1"),
      (
        "{ entity: ['x + 1.0'], from: 'e', features: {} }",
        "v.entity: 'x + 1.0' is not a member of 'e'"
      ),
      ("{ entity: ['k'], from: 'e', where: 'x', features: { n: { count: '*' } } }", "v.where: `x`"),
      (
        "{ entity: ['k'], from: 'e', features: { a__b: { count: '*' } } }",
        "v.features.a__b: 'a__b' is no name for a view or feature"
      ),
      (
        "{ entity: ['k'], from: 'e', features: { _a: { count: '*' } } }",
        "v.features._a: '_a' is no name"
      ),
      (
        "{ entity: ['k'], from: 'e', features: { 'a:b': { count: '*' } } }",
        "v.features.a:b: 'a:b' is no name"
      ),
      ("{ entity: ['k'], from: 'e', feature: {} }", "v.feature: unknown key 'feature'"),
    ])
  func refusesWrongViews(_ text: String, _ expected: String) {
    let found = message { () throws(Failure) in _ = try view(text) }
    #expect(found.hasPrefix("test.json:1: \(expected)"), "\(found)")
  }

  @Test(
    arguments: [
      ("", "v.features.f: names no aggregation (count, sum,"),
      ("sum: 'x', mean: 'x'", "v.features.f: names several aggregations: sum, mean"),
      ("summ: 'x'", "v.features.f.summ: unknown key 'summ'"),
      (
        "sum: '*'",
        "v.features.f.sum: '*' stands for whole events: only count, rate, time_since_last take them"
      ),
      ("first_n: 's'", "v.features.f: the key 'n' is missing"),
      ("first_n: 's', n: 0", "v.features.f.n: 0 is not between 1 and 1000"),
      ("first_n: 's', n: 1.5", "v.features.f.n: expected a whole number, found a number"),
      ("sum: 'x', n: 3", "v.features.f.n: sum has no parameter 'n'"),
      ("percentile: 'x', p: 99", "v.features.f.p: 99.0 is no share between 0 and 1"),
      ("percentile: 'x', p: 1, error: 0", "v.features.f.error: 0.0 is not between"),
      ("approx_count_distinct: 's', precision: 3", "v.features.f.precision: 3 is not between 4"),
      ("histogram: 'x', bounds: []", "v.features.f.bounds: expected 1 to 1000 bounds, found 0"),
      ("histogram: 'x', bounds: [1, 1]", "v.features.f.bounds[1]: bounds ascend: 1.0 is not above"),
      ("ewma: 'x'", "v.features.f: the key 'half_life' is missing"),
      ("rate: '*'", "v.features.f: a rate needs a window of some length"),
      ("ratio: [{ sum: 'x' }]", "v.features.f.ratio: expected two aggregations"),
      ("ratio: [{ sum: 'x' }, { first_n: 'x', n: 1 }]", "v.features.f.ratio[1]: first_n gives no"),
      ("ratio: [{ sum: 'x' }, {}]", "v.features.f.ratio[1]: names no aggregation"),
      (
        "ratio: [{ sum: 'x' }, { count: '*' }], sum: 'x'",
        "v.features.f: names several aggregations"
      ),
      ("count: '*', window: '1m', session: '1m'", "v.features.f: has several windows: window, ses"),
      ("count: '*', session: '1m', every: '1m'", "v.features.f.every: a session window has no hop"),
      (
        "count: '*', cumulative: '1h', every: '7m'",
        "v.features.f.every: 1h is no multiple of the step"
      ),
      ("sum: 's'", "v.features.f.sum: sum takes numbers, 's' is a string"),
      ("mean: 'time'", "v.features.f.mean: mean takes numbers, 'time' is a time"),
      ("max: 's'", "v.features.f.max: max takes numbers, 's' is a string"),
      ("sum: 'y'", "v.features.f.sum: `y`: column 1"),
      ("sum: 5", "v.features.f.sum: expected a string, found a number"),
      ("count: '*', window: '0s'", "v.features.f.window: 0s is below the minimum 1us"),
      ("count: '*', window: 'day'", "v.features.f.window: 'day' is not a duration"),
      (
        "count: '*', every: '1m'",
        "v.features.f.every: 'every' is the hop of a window, and there is none"
      ),
      (
        "count: '*', window: '1m', every: '2m'",
        "v.features.f.every: 2m is longer than the window 1m"
      ), ("count: '*', window: '1m', every: '0s'", "v.features.f.every: 0s is below the minimum"),
      ("count: '*', window: '1m', every: 'often'", "v.features.f.every: 'often' is not a duration"),
    ])
  func refusesWrongFeatures(_ declaration: String, _ expected: String) {
    let found = message { () throws(Failure) in _ = try feature(declaration) }
    #expect(found.hasPrefix("test.json:1: \(expected)"), "\(found)")
  }

  @Test func namesOfViewsAreWordsToo() throws {
    let member = try ConfigNode.member("{ 'a b': { entity: ['k'], from: 'e', features: {} } }")
    let found = message { () throws(Failure) in
      _ = try FeatureView(member, schema: FeatureStream.schema())
    }
    #expect(found.contains("'a b' is no name for a view or feature"))
  }

  // MARK: Where windows start

  @Test(
    arguments: [
      ("1us", nil, "2013-01-20T13:37:41.499999Z"), ("30m", nil, "2013-01-20T13:07:41.5Z"),
      ("59m59s", nil, "2013-01-20T12:37:42.5Z"),
      ("1h", nil, "2013-01-20T12:35:00Z"), ("11h59m", nil, "2013-01-20T01:35:00Z"),
      ("12h", nil, "2013-01-20T01:00:00Z"),
      ("11d", nil, "2013-01-09T13:00:00Z"), ("12d", nil, "2013-01-08T00:00:00Z"),
      ("365d", nil, "2012-01-21T00:00:00Z"),
      ("12d", "exact", "2013-01-08T13:37:41.5Z"), ("1h", "1h", "2013-01-20T12:00:00Z"),
      ("10m", "7s", "2013-01-20T13:27:37Z"),
    ] as [(String, String?, String)])
  func theStartIsRoundedDownToTheHop(_ window: String, _ hop: String?, _ expected: String) throws {
    let every = hop.map { ", every: '\($0)'" } ?? ""
    let feature = try feature("count: '*', window: '\(window)'\(every)")
    let question = Timestamp("2013-01-20T13:37:41.5Z")
    let start = feature.window.stretch(at: question).start
    #expect(start.rfc3339 == expected)
    let reach = try #require(feature.window.reach)
    #expect(question - reach <= start, "the reach covers the window")
  }

  @Test func withoutAWindowEverythingCounts() throws {
    let feature = try feature("count: '*'")
    #expect(feature.window == .unbounded && feature.window.reach == nil)
    #expect(feature.window.stretch(at: Timestamp(microseconds: 0)).start == .distantPast)
  }

  // MARK: Entity keys

  private func key(_ scalars: [Scalar]) -> [UInt8]? {
    let key = EntityKey()
    return key.assign(KeySlots(owning: Array(scalars.indices)), scalars)
      ? Array(key.bytes.buffer) : nil
  }

  @Test func differentEntitiesHaveDifferentKeys() {
    let entities: [[Scalar]] = [
      [], [.int(1)], [.int(2)], [.double(1.5)], [.bool(true)], [.text(Bytes(""))],
      [.text(Bytes("1"))],
      [.text(Bytes("a")), .text(Bytes("bc"))], [.text(Bytes("ab")), .text(Bytes("c"))],
      [.text(Bytes("abc"))], [.time(Timestamp(microseconds: 1))], [.int(1), .int(1)],
      [.text(Bytes("")), .text(Bytes("a"))], [.text(Bytes("a")), .text(Bytes(""))],
    ]
    #expect(Set(entities.map { key($0)! }).count == entities.count)
    #expect(key([.int(1)]) == key([.double(1)]) && key([.double(0)]) == key([.double(-0.0)]))
    #expect(key([.int(1), .null]) == nil)
  }

  // MARK: Definitions

  /// The text by which a store knows what its rows are made of.
  private func definition(
    sum: String = "{ sum: 'x', from: 'a' }", member: String = "number", tier: String = "tier",
    ttl: String = "7d", time: String = "time"
  ) throws -> [UInt8] {
    let types = try ["a", "b"].map { name in
      try EventType(
        ConfigNode.member(
          "{ \(name): { time: '\(time)', fields: { k: 'string', x: '\(member)', y: 'number' } } }"))
    }
    let table = try ConfigNode.member(
      """
      { t: { entity: ['k'], ttl: '\(ttl)', table: { time: 'at', fields: { k: 'string', at: 'time', tier: 'integer' } },
        features: { tier: "\(tier)" } } }
      """)
    let view = try ConfigNode.member(
      "{ v: { entity: ['k'], from: ['a', 'b'], where: 't__tier > 2', features: { s: \(sum) } } }")
    let schema = EventSchema(types: types)
    return try FeatureDefinitions([table, view], schema: schema).views[0].digest
  }

  /// Rows that were made by another definition are not taken for this one's.
  @Test func aDefinitionIsAllThatItsStateDependsOn() throws {
    let own = try definition()
    #expect(try own == definition())
    #expect(try own != definition(sum: "{ sum: 'x', from: 'b' }"))
    #expect(try own != definition(sum: "{ sum: 'x', from: 'a', window: '1h' }"))
    #expect(try own != definition(member: "integer"))
    #expect(try own != definition(tier: "tier - 2"))
    #expect(try own != definition(ttl: "1s"))
    #expect(try own != definition(time: "when"))
    // What becomes of a value that is out of bounds is no part of the state.
    #expect(try own == definition(sum: "{ sum: 'x', from: 'a', max: 5, broken: 'flag' }"))
  }
}
