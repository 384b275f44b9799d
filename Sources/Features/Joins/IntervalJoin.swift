// Two streams matched by a key and by time, as what a view draws from: an impression and its click within half an hour.
//
//     ad_clicks: {
//       entity: ["ad"],
//       join: { left: "impression", right: "click", on: "impression_id", within: "30m", outer: true },
//       features: { ctr_1h: { mean: "has(click.id) ? 1.0 : 0.0", window: "1h" } },
//     }
//
// A left event at l and a right one at r match if their keys are equal and l - before ≤ r ≤ l + after. Each matching pair
// is one record, whose time is that of the later of the two: before it, the pair was not there to be known. With `outer`
// a left event without a match is a record as well, with nulls for the right one, whose time is l + after: until then a match
// might still have come.
//
//     left      l1 ────── before … after ──────┤            keys equal
//     right              r1       r2                         r3: too late
//     records            l1 r1    l1 r2                      times of r1 and r2
//
// All matches count: an event with several is in several records, and one that comes twice is two events. An event never
// matches itself, where both streams are of one type. A key with a null in it matches nothing, as in SQL. What waits for a
// match is kept until the watermark has passed the end of its interval, so that no match can come any more.

import Core
import Events

struct IntervalJoin: Sendable {
  let left: JoinedStream
  let right: JoinedStream
  /// Whether left events without a match are records too.
  let keepsUnmatched: Bool
  /// Values in a record: those members of both events that the view reads.
  let slotCount: Int
  /// By member of the view's entity: the event type whose member it is.
  let entityTypes: [Int]

  /// What its records depend on, as text.
  func definition(_ schema: EventSchema) -> String {
    "join \(left.definition(schema))\n\(right.definition(schema))\nouter \(keepsUnmatched)"
  }

  func reads(_ eventType: Int) -> Bool {
    left.eventType == eventType || right.eventType == eventType
  }
}

/// One of the two streams.
struct JoinedStream: Sendable {
  /// As members are called by: `click` in `click.id`.
  let name: String
  /// Index in the schema.
  let eventType: Int
  /// Only events for which this is true take part.
  let filter: Expression?
  /// What is equal in events that match, over an event's own members.
  let key: [Expression]
  /// How long after an event one of the other stream may match it.
  let reach: TimeSpan
  /// What a record takes from an event.
  let members: [(event: Int, record: Int)]

  /// The least and the greatest time of what matches an event of this time.
  func interval(_ time: Timestamp, of other: JoinedStream) -> ClosedRange<Timestamp> {
    time - other.reach...time + reach
  }

  fileprivate func definition(_ schema: EventSchema) -> String {
    let read = Set(members.map(\.event) + key.flatMap(\.slots) + (filter?.slots ?? []))
    // By their order in the record, which its bytes depend on.
    let members = members.map {
      "\($0.record)=\(schema.plan.paths[$0.event].joined(separator: "."))"
    }
    let keys = key.map { "\($0.text):\($0.type)" }
    return
      ([name, schema.types[eventType].name, reach.description, filter?.text ?? ""] + keys + members
      + schema.definition(of: eventType, reading: read)).joined(separator: " ")
  }
}
