// The page needs nothing from elsewhere, and every figure that it shows is one of the metrics'.

import Core
import Events
import Features
import Foundation
import TestSupport
import Testing

@testable import HTTP
@testable import Service

@Suite struct LivePageTests {
  @Test func thePageReadsTheMetrics() throws {
    let served = try Serving.served(
      "m", "binary-logistic", "rules: [ { decide: 'always' } ]")
    let views = try ConfigNode.members(
      "{ v: { entity: ['k'], from: 'e', features: { n: { count: '*', window: '1h' } } } }")
    let schema = EventSchema(types: [
      EventType(name: "e", fields: [Field(name: "k", type: .string)])
    ])
    let live = LiveState(try FeatureDefinitions(views, schema: schema), schema: schema)
    let decoder = EventDecoder(schema)
    live.apply(
      type: 0, decoder.scalars, at: Timestamp(microseconds: 1_000), offset: 0,
      watermark: Timestamp(microseconds: 1_000))
    let queue = try EventQueue()
    let test = TestService([served]) {
      $0.events = queue
      $0.liveState = live
    }
    _ = test.ask("POST /decide/m", "{}")
    let page = test.ask("GET /")
    #expect(page.status == 200)
    #expect(page.field("Content-Type") == "text/html; charset=utf-8")
    #expect(page.field("Content-Security-Policy")?.hasPrefix("default-src 'none';") == true)
    let metrics = test.ask("GET /metrics").body
    let names = Set(
      page.body.matches(of: /"((?:rtinfer|nv|process)_[a-z_]+)"/).map { String($0.1) })
    #expect(names.count >= 12)
    for name in names {
      #expect(metrics.contains("\n\(name){") || metrics.contains("\n\(name) "), "\(name)")
    }
    // Nothing is loaded from elsewhere; the one address is SVG's name.
    let addresses = page.body.matches(of: /https?:\/\/[^"']+/).map { String($0.0) }
    #expect(addresses == ["http://www.w3.org/2000/svg"])
    #expect(test.ask("HEAD /").bytes.isEmpty)
  }
}
