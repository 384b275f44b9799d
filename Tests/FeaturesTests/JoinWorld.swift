// Two streams "l" and "r" in a test, the view "v" over their join, and its twin: all pairs of all events, looked at anew
// for each question.

import TestSupport

@testable import Core
@testable import Events
@testable import Features

struct JoinEvent {
  var isLeft: Bool
  var id: Int
  var second: Int64
  /// Of the join; nil is a null.
  var key: Int?
  var ad: Int
  var x: Int

  var time: Timestamp { Timestamp(microseconds: second * 1_000_000) }

  var line: [UInt8] {
    let key = key.map { "\"k\($0)\"" } ?? "null"
    return Array("{\"time\":\"\(time.rfc3339)\",\"k\":\(key),\"a\":\(ad),\"x\":\(x)}".utf8)
  }

  /// Times are whole seconds, so that ties are many; some events come twice, some have no key.
  static func generate(_ count: Int, _ random: inout SplitMix64) -> [JoinEvent] {
    var second: Int64 = -100
    var events: [JoinEvent] = []
    for id in 0..<count {
      second += Int64.random(in: 0...3, using: &random)
      let event = JoinEvent(
        isLeft: Bool.random(using: &random), id: id, second: second,
        key: Int.random(in: 0...9, using: &random) == 0
          ? nil : Int.random(in: 0...4, using: &random),
        ad: Int.random(in: 0...2, using: &random), x: Int.random(in: 0...99, using: &random))
      events.append(event)
      if Int.random(in: 0...9, using: &random) == 0 { events.append(event) }
    }
    return events
  }

  /// The same events in an order of arrival in which none is later than `late` seconds.
  static func shuffled(
    _ events: [JoinEvent], late: Int64, _ random: inout SplitMix64
  ) -> [JoinEvent] {
    let arrivals = events.map { event in
      (event.second * 1_000 + Int64.random(in: 0...late * 1_000, using: &random), event)
    }
    return arrivals.sorted { $0.0 < $1.0 }.map(\.1)
  }
}

/// How far apart what matches may lie, in seconds, and what becomes of left events without a match.
struct JoinShape {
  var before: Int64 = 0
  var after: Int64
  var isOuter = false

  var text: String {
    "{ left: 'l', right: 'r', on: 'k', within: { before: '\(before)s', after: '\(after)s' }, outer: \(isOuter) }"
  }
}

final class JoinWorld {
  static let features = """
    n: { count: '*' }, matched: { count: 'r.x' }, sum: { sum: 'l.x * 100 + r.x' },
    last: { last: 'l.x * 1000 + coalesce(r.x, 0 - 1)' }, recent: { count: '*', window: '30s', every: 'exact' },
    wait: { max: 'r.time - l.time', window: '1m', every: 'exact' }
    """

  static func schema() -> EventSchema {
    let fields = [
      Field(name: "k", type: .string, isOptional: true), Field(name: "a", type: .integer),
      Field(name: "x", type: .integer),
    ]
    return EventSchema(
      types: ["l", "r"].map { EventType(name: $0, idMember: nil, fields: fields) })
  }

  let engine: FeatureEngine
  private let decoder: EventDecoder
  private let plan: RequestPlan

  init(_ shape: JoinShape) throws {
    let schema = JoinWorld.schema()
    let member = try ConfigNode.member(
      "{ v: { entity: ['a'], join: \(shape.text), features: { \(JoinWorld.features) } } }")
    engine = FeatureEngine(try FeatureDefinitions([member], schema: schema), schema: schema)
    plan = engine.plan(requestsOf: 0, schema: schema)
    decoder = EventDecoder(schema)
  }

  func apply(_ event: JoinEvent, order: Int, watermark: Timestamp) throws {
    try event.line.withBytes { (line) throws(BadRecord) in
      _ = try decoder.decode(line, as: event.isLeft ? 0 : 1)
      engine.apply(
        type: event.isLeft ? 0 : 1, decoder.scalars, at: event.time, order: Int64(order),
        watermark: watermark)
    }
  }

  func ask(_ ad: Int, at time: Timestamp) throws -> [Double?] {
    let event = JoinEvent(isLeft: true, id: 0, second: 0, key: nil, ad: ad, x: 0)
    return try event.line.withBytes { (line) throws(BadRecord) in
      _ = try decoder.decode(line, as: 0)
      var values: [Scalar] = []
      engine.lookUp(plan, decoder.scalars, at: time, into: &values)
      return values.map(\.number)
    }
  }
}

/// A pair, or a left event without a match.
struct JoinRecord {
  let left: JoinEvent
  let right: JoinEvent?
  let time: Timestamp
  /// Decides between records of one time.
  let rank: [Int64]

  /// What is known of these events, each with its order, when none before `complete` is missing.
  static func all(
    _ events: [(event: JoinEvent, order: Int)], _ shape: JoinShape, complete: Timestamp
  ) -> [JoinRecord] {
    var records: [JoinRecord] = []
    for (left, leftOrder) in events where left.isLeft {
      var isMatched = false
      for (right, rightOrder) in events where !right.isLeft {
        guard let key = left.key, key == right.key, right.second >= left.second - shape.before,
          right.second <= left.second + shape.after
        else { continue }
        isMatched = true
        let (other, otherOrder) = leftOrder < rightOrder ? (left, leftOrder) : (right, rightOrder)
        records.append(
          JoinRecord(
            left: left, right: right, time: max(left.time, right.time),
            rank: [0, Int64(max(leftOrder, rightOrder)), other.second, Int64(otherOrder)]))
      }
      let end = left.time + .seconds(shape.after)
      guard shape.isOuter, !isMatched, end < complete else { continue }
      records.append(
        JoinRecord(left: left, right: nil, time: end, rank: [1, Int64(leftOrder), 0, 0]))
    }
    return records.sorted {
      $0.time != $1.time ? $0.time < $1.time : $0.rank.lexicographicallyPrecedes($1.rank)
    }
  }

  /// The features of `JoinWorld`.
  static func answer(_ records: [JoinRecord], _ ad: Int, at time: Timestamp) -> [Double?] {
    let seen = records.filter { $0.left.ad == ad && $0.time < time }
    let pairs = seen.compactMap { record in record.right.map { (record.left, $0, record.time) } }
    let waits = pairs.filter { $0.2 >= time - .seconds(60) }.map { $0.1.second - $0.0.second }
    return [
      Double(seen.count), Double(pairs.count),
      pairs.isEmpty ? nil : Double(pairs.reduce(0) { $0 + $1.0.x * 100 + $1.1.x }),
      seen.last.map { Double($0.left.x * 1_000 + ($0.right?.x ?? -1)) },
      Double(seen.count { $0.time >= time - .seconds(30) }), waits.max().map(Double.init),
    ]
  }
}
