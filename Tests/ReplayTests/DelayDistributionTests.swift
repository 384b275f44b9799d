// Delays that are drawn have the percentiles that were asked for, and are those that another program draws by the same rule.

import Core
import Replay
import Testing

@Suite struct DelayDistributionTests {
  private func distribution(_ text: String, seed: UInt64 = 1) throws -> DelayDistribution {
    try DelayDistribution(text, seed: seed)
  }

  private func delay(
    _ distribution: DelayDistribution, _ type: String, _ id: String, _ time: Int64
  ) -> TimeSpan {
    Array(id.utf8).withBytes {
      distribution.delay(type: type, id: $0, at: Timestamp(microseconds: time))
    }
  }

  @Test(arguments: [
    ("p50=200ms,p99=3s", [1.0, 10, 50, 90, 99, 99.9]),
    ("p10=1s,p50=2s,p99.9=1h", [1, 10, 30, 50, 90, 99]),
    // Nine in ten alike, then a tail.
    ("p5=1s,p90=1s,p99=1m", [90, 95, 99]),
  ])
  func drawsHaveThePercentiles(_ text: String, _ percents: [Double]) throws {
    let distribution = try distribution(text)
    let count = 100_000
    let drawn = (0..<count).map { delay(distribution, "told", "\"\($0)\"", Int64($0) * 1_000) }
    for percent in percents {
      let bound = distribution.delay(ofShare: percent / 100)
      let share = Double(drawn.count { $0 <= bound }) / Double(count)
      let spread = 4 * (percent / 100 * (1 - percent / 100) / Double(count)).squareRoot()
      // Where many are alike more than that share are no later.
      let isFlat = drawn.count { $0 == bound } > count / 10
      #expect(share >= percent / 100 - spread, "p\(percent): \(share)")
      #expect(isFlat || share <= percent / 100 + spread, "p\(percent): \(share)")
    }
    #expect(drawn.allSatisfy { $0 <= distribution.longest })
    for percentile in distribution.percentiles {
      let own = distribution.delay(ofShare: percentile.percent / 100)
      #expect(abs(own.microseconds - percentile.delay.microseconds) <= 1)
    }
  }

  /// By `Delays` in Fixtures/flights/ab.py.
  @Test(arguments: [
    ("p50=200ms,p99=3s", "departed", "\"20131204-0515-UA1545\"", 1_386_134_100_000_000, 681_629),
    ("p50=200ms,p99=3s", "told", "\"7\"", 0, 74_112),
    ("p50=200ms,p99=3s", "told", "7", 1, 252_378),
    (
      "p10=1s,p50=2s,p99.9=1h", "departed", "\"20131204-0515-UA1545\"", 1_386_134_100_000_000,
      25_740_968
    ),
    ("p10=1s,p50=2s,p99.9=1h", "told", "\"7\"", 0, 1_260_982),
    ("p10=1s,p50=2s,p99.9=1h", "told", "7", 1, 3_247_315),
  ])
  func anotherProgramDrawsTheSame(
    _ text: String, _ type: String, _ id: String, _ time: Int64, _ expected: Int64
  ) throws {
    let found = delay(try distribution(text), type, id, time)
    #expect(abs(found.microseconds - expected) <= 1, "\(found.microseconds)")
  }

  @Test func anEventHasOneDelayAndOthersHaveOthers() throws {
    let distribution = try distribution("p50=200ms,p99=3s")
    let one = delay(distribution, "told", "\"a\"", 0)
    #expect(delay(distribution, "told", "\"a\"", 0) == one)
    #expect(delay(distribution, "known", "\"a\"", 0) != one)
    #expect(delay(distribution, "told", "\"b\"", 0) != one)
    #expect(delay(distribution, "told", "\"a\"", 1) != one)
    #expect(delay(try self.distribution("p50=200ms,p99=3s", seed: 2), "told", "\"a\"", 0) != one)
    #expect(distribution.text == "p50=200ms,p99=3s")
    #expect(try self.distribution("p50=90s,p99.9=1h").text == "p50=1m30s,p99.9=1h")
  }

  @Test(arguments: [
    ("p50=1s", "'p50=1s' is one percentile, and a distribution has two or more"),
    ("p50=1s,", "'' is no percentile from p0.0001 to p99.9999 with its delay"),
    ("50=1s,p99=2s", "'50=1s' is no percentile from p0.0001 to p99.9999 with its delay"),
    ("p0=1s,p99=2s", "'p0=1s' is no percentile from p0.0001 to p99.9999 with its delay"),
    ("p50=1s,p100=2s", "'p100=2s' is no percentile from p0.0001 to p99.9999 with its delay"),
    ("p5e-324=1s,p50=2s", "'p5e-324=1s' is no percentile from p0.0001 to p99.9999 with its delay"),
    ("p50=1s,p50.00001=2s", "'p50.00001=2s' stands behind p50"),
    ("pnan=1s,p99=2s", "'pnan=1s' is no percentile from p0.0001 to p99.9999 with its delay"),
    ("p50=soon,p99=2s", "'soon' is not a duration"),
    ("p50=0s,p99=2s", "p50=0s: a percentile's delay is above 0s and up to 30d"),
    ("p50=1s,p99=31d", "p99=31d: a percentile's delay is above 0s and up to 30d"),
    ("p99=2s,p50=1s", "'p50=1s' stands behind p99"),
    ("p50=2s,p50=3s", "'p50=3s' stands behind p50"),
    ("p50=2s,p99=1s", "'p99=1s' is below p50, which is 2s"),
  ])
  func whatIsNoDistributionIsRefused(_ text: String, _ message: String) throws {
    do throws(DelayDistribution.Mistake) {
      _ = try DelayDistribution(text, seed: 1)
      Issue.record("\(text) is taken")
    } catch {
      #expect(error.message.hasPrefix(message), "\(error.message)")
      #expect(!error.hint.isEmpty)
    }
  }
}
