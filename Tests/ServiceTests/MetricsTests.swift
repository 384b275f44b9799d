// The metrics are what a scraper reads, and they count what has happened.

import Core
import Foundation
import TestSupport
import Testing

@testable import HTTP
@testable import Service

/// Samples by name and labels; families by name. Nil for text that no scraper would take.
private func scrape(_ text: String) -> (samples: [String: Double], types: [String: String])? {
  var samples: [String: Double] = [:]
  var types: [String: String] = [:]
  for line in text.split(separator: "\n") {
    if line.hasPrefix("# TYPE ") {
      let words = line.split(separator: " ")
      guard types[String(words[2])] == nil else { return nil }
      types[String(words[2])] = String(words[3])
      continue
    }
    if line.hasPrefix("#") { continue }
    guard let match = line.wholeMatch(of: /([a-z_]+(?:\{[^}]*\})?) ([0-9.e+-]+)/),
      let value = Double(match.2), samples[String(match.1)] == nil
    else {
      // `{model}` in a route.
      guard let match = line.wholeMatch(of: /([a-z_]+\{.*\}) ([0-9.e+-]+)/),
        let value = Double(match.2), samples[String(match.1)] == nil
      else { return nil }
      samples[String(match.1)] = value
      continue
    }
    samples[String(match.1)] = value
  }
  return (samples, types)
}

@Suite struct MetricsTests {
  @Test func whatHasHappenedIsCounted() throws {
    let rules = "rules: [ { if: 'score >= 2', decide: 'never' }, { decide: 'always' } ]"
    let served = try Serving.served("m", "binary-logistic", rules)
    let test = TestService([served]) { $0.batchRowsMax = 2 }
    for _ in 0..<3 { #expect(test.ask("POST /decide/m", "{\"f0\":1}").status == 200) }
    _ = test.ask("POST /decide/m", "[]")
    _ = test.ask("GET /nowhere")
    let ndjson = ["Content-Type: application/x-ndjson"]
    _ = test.ask("POST /decide/m", fields: ndjson, "{}\n{}\n{}\nx\n")
    let reply = test.ask("GET /metrics")
    #expect(reply.field("Content-Type") == "text/plain; version=0.0.4; charset=utf-8")
    let (samples, types) = try #require(scrape(reply.body))
    let decide = "rtinfer_http_requests_total{route=\"/decide/{model}\",code="
    #expect(samples["\(decide)\"200\"}"] == 4)
    #expect(samples["\(decide)\"400\"}"] == 1)
    #expect(samples["rtinfer_http_requests_total{route=\"none\",code=\"404\"}"] == 1)
    #expect(samples["rtinfer_rows_total{model=\"m\"}"] == 6)
    #expect(samples["rtinfer_batch_rows_count{model=\"m\"}"] == 5)
    #expect(samples["rtinfer_batch_rows_bucket{model=\"m\",le=\"1\"}"] == 4)
    #expect(samples["rtinfer_batch_rows_bucket{model=\"m\",le=\"+Inf\"}"] == 5)
    #expect(samples["rtinfer_decisions_total{model=\"m\",decision=\"always\"}"] == 6)
    #expect(samples["rtinfer_decisions_total{model=\"m\",decision=\"never\"}"] == 0)
    #expect(samples["rtinfer_missing_inputs_total{model=\"m\"}"] == 21)
    #expect(samples["rtinfer_requests_refused_total{model=\"m\"}"] == 2)
    #expect(samples["rtinfer_request_duration_seconds_count{model=\"m\"}"] == 3)
    let layer =
      "rtinfer_layer_duration_seconds_bucket{model=\"m\",layer=\"inference\",le=\"0.00025\"}"
    #expect(samples[layer] == 3)
    let version = "{model=\"m\",version=\"\(served.version)\"}"
    #expect(samples["nv_inference_count\(version)"] == 6)
    #expect(samples["nv_inference_exec_count\(version)"] == 5)
    #expect(samples["nv_inference_request_success\(version)"] == 6)
    #expect(types["rtinfer_request_duration_seconds"] == "histogram")
    #expect((samples["process_resident_memory_bytes"] ?? 0) > 1e6)
    #expect((samples["process_cpu_seconds_total"] ?? 0) > 0)
    #expect((samples["process_open_fds"] ?? 1) > 0)
  }

  @Test func bucketsCountFromBelow() {
    var buckets = Buckets(Buckets.durations)
    for value: UInt64 in [0, 1_000, 1_001, 999_999_999, 1_000_000_000, 1_000_000_001] {
      buckets.record(value)
    }
    #expect(buckets.counts[0] == 2 && buckets.counts[1] == 1)
    #expect(buckets.counts.reduce(0, +) == 5 && buckets.count == 6)
    var other = Buckets(Buckets.durations)
    other.record(5, times: 3)
    buckets.merge(other)
    #expect(buckets.counts[0] == 5 && buckets.count == 9)
  }

  @Test func requestsThatWaitAreInFlight() throws {
    let test = TestService([try Serving.served("m", "binary-logistic")]) {
      $0.batchDelay = TimeSpan.seconds(1)
    }
    let connection = test.connect()
    test.send("POST /decide/m HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}", on: connection)
    _ = test.service.endTurn(now: 0)
    #expect(test.ask("GET /metrics").body.contains("\nrtinfer_http_requests_in_flight 1\n"))
    _ = test.service.endTurn(now: 2_000_000_000)
    #expect(test.ask("GET /metrics").body.contains("\nrtinfer_http_requests_in_flight 0\n"))
  }
}
