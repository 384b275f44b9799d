// A stream of events in a test, with the engine that it runs through.

import TestSupport

@testable import Core
@testable import Events
@testable import Features

/// What a test says of an event; nil is a null member.
struct TestEvent {
  var time: Timestamp
  var key: String?
  var x: Double?
  var text: String?

  var line: [UInt8] {
    func quoted(_ text: String?) -> String { text.map { "\"\($0)\"" } ?? "null" }
    let number = x.map { "\($0)" } ?? "null"
    return Array(
      "{\"time\":\"\(time.rfc3339)\",\"k\":\(quoted(key)),\"x\":\(number),\"s\":\(quoted(text))}")
  }
}

/// The engine over one view "v" of events with members k, x and s.
final class FeatureStream {
  let engine: FeatureEngine
  private let decoder: EventDecoder
  private let plan: RequestPlan
  private var order: Int64

  static func schema() -> EventSchema {
    EventSchema(types: [
      EventType(
        name: "e", idMember: nil,
        fields: [
          Field(name: "k", type: .string, isOptional: true),
          Field(name: "x", type: .number, isOptional: true),
          Field(name: "s", type: .string, isOptional: true),
        ])
    ])
  }

  /// - Parameters:
  ///   - features: as in the project file, such as `n: { count: "*", window: "1h" }`.
  ///   - order: of the first event.
  init(_ features: String, filter: String? = nil, order: Int64 = 0) throws {
    self.order = order
    let schema = FeatureStream.schema()
    let condition = filter.map { "where: '\($0)'," } ?? ""
    let member = try ConfigNode.member(
      "{ v: { entity: ['k'], from: 'e', \(condition) features: { \(features) } } }")
    engine = FeatureEngine(try FeatureDefinitions([member], schema: schema), schema: schema)
    plan = engine.plan(requestsOf: 0, schema: schema)
    decoder = EventDecoder(schema)
  }

  private func decode<Result>(_ event: TestEvent, _ body: (Event) -> Result) throws -> Result {
    try event.line.withBytes { (bytes) throws(BadRecord) in body(try decoder.decode(bytes)) }
  }

  func apply(_ event: TestEvent, watermark: Timestamp = .distantPast) throws {
    try decode(event) {
      engine.apply(
        type: $0.type, decoder.scalars, at: $0.time, order: order, watermark: watermark)
    }
    order += 1
  }

  /// Values as text: numbers as doubles, so that one comparison serves all.
  func ask(_ key: String?, at time: Timestamp) throws -> [String] {
    try decode(TestEvent(time: time, key: key)) { _ in
      var values: [Scalar] = []
      engine.lookUp(plan, decoder.scalars, at: time, into: &values)
      return values.map(FeatureStream.text)
    }
  }

  static func text(_ value: Scalar) -> String {
    switch value {
    case .null: "null"
    case .text(let text): text.string
    default: value.number.map { "\($0)" } ?? "?"
    }
  }
}
