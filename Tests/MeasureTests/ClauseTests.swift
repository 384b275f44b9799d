// The grammar of budgets: what is understood, and that nothing else is taken for something.

import Core
import Testing

@testable import Measure

@Suite struct ClauseTests {
  private func clause(_ text: String) throws -> Clause {
    let clauses = try Clause.parse(text, origin: "--budget")
    try #require(clauses.count == 1)
    return clauses[0]
  }

  @Test func understandsEachMetric() throws {
    #expect(try clause("p99 < 50ms").metric == .percentile(.total, 99))
    #expect(try clause("p99<50ms").bound == 50e6)
    #expect(try clause("features.p99.9 <= 1.5ms").metric == .percentile(.layer(1), 99.9))
    #expect(try clause("service.max < 1s").metric == .maximum(.service))
    #expect(try clause("latency.mean < 200us").bound == 200e3)
    #expect(try clause("errors < 0.1%").bound == 0.001)
    #expect(try clause("availability >= 0.999").isUpperBound == false)
    #expect(try clause("rate > 1900/s").bound == 1_900)
    #expect(try clause("count > 1000").metric == .count)
    #expect(try clause("burn < 14.4 over 1h").window == .seconds(3_600))
    let several = try Clause.parse("p50 < 1ms  &&  errors < 1% && p99 < 9ms over 10s", origin: "")
    #expect(several.map(\.text) == ["p50 < 1ms", "errors < 1%", "p99 < 9ms over 10s"])
  }

  @Test(arguments: [
    "", "p99", "p99 <", "< 50ms", "p99 < 50", "p99 < 50 ms", "p99 = 50ms", "p99 == 50ms",
    "p99 < 50ms &&", "&& p99 < 50ms", "p99 < 50ms || errors < 1%", "p99 > 50ms", "p100 < 1s",
    "p0 < 1s",
    "p(99) < 50ms", "pp99 < 50ms", "latancy.p99 < 50ms", "featuers.p99 < 5ms",
    "features.errors < 1%",
    "eror < 1%", "errors < 101%", "errors < -1%", "errors > 1%", "availability < 99%",
    "p99 < 50ms over",
    "p99 < 50ms over 10", "p99 < 50ms within 10s", "features.p99 < 5ms over 10s", "rate < x",
    "p99 < 0s",
    "p99 < nan", "errors < nan", "count > inf", "p99 < 50ms errors < 1%",
  ])
  func refusesEverythingElse(_ text: String) {
    #expect(throws: Failure.self) { try Clause.parse(text, origin: "--budget") }
  }

  @Test func namesWhatItDoesNotKnow() throws {
    let failure = try #require(throws: Failure.self) {
      try Clause.parse("p99 < 50ms && eror < 1%", origin: "--budget")
    }
    #expect(failure.message == "--budget: in 'eror < 1%': 'eror' is not a metric")
    #expect(failure.hint == "did you mean 'errors'?")
    #expect(failure.status == .usage)
  }
}
