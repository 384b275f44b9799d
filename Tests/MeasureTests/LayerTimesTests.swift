import Core
import TestSupport
import Testing

@testable import Measure

@Suite struct LayerTimesTests {
  private let budget = """
    { b: { total: { p99: '1ms' }, layers: { request: '10us', inference: '100us' } } }
    """

  private func times(_ rows: [[UInt64]]) -> LayerTimes {
    var times = LayerTimes()
    for row in rows { times.record(row) }
    return times
  }

  @Test func showsLayersAndTheirSum() {
    let lines = times(Array(repeating: [1, 20, 30, 4, 5], count: 10)).table(nil).split(
      separator: "\n")
    #expect(
      lines.map { $0.split(separator: " ").joined(separator: " ") } == [
        "layer p50 p95 p99", "request 1 ns 1 ns 1 ns", "features 20 ns 20 ns 20 ns",
        "inference 30 ns 30 ns 30 ns", "postprocess 4 ns 4 ns 4 ns", "response 5 ns 5 ns 5 ns",
        "total 60 ns 60 ns 60 ns",
      ])
    #expect(Set(lines.map(\.count)).count == 1, "the columns are aligned")
  }

  @Test func saysWhetherTheBudgetHolds() throws {
    let budget = try Budget(try ConfigNode.member(budget))
    let lines = times([[5_000, 1, 100_001, 1, 1]]).table(budget).split(separator: "\n")
    #expect(lines[0].hasSuffix("budget at p99"))
    #expect(lines[1].hasSuffix("10us     ok"))
    #expect(lines[3].hasSuffix("100us    over"))
    #expect(lines[6].hasSuffix("1ms      ok"))
    #expect(lines[2].hasSuffix("1 ns"), "a layer without a share has no verdict")
  }

  @Test func aBoundBeyondAllNanosecondsHolds() throws {
    let wide = try Budget(try ConfigNode.member("{ b: { total: { p99: '11000000d' } } }"))
    #expect(times([[.max >> 3, 0, 0, 0, 0]]).table(wide).contains("ok"))
  }

  @Test func nothingRecordedIsNoTable() { #expect(LayerTimes().table(nil) == "") }

  @Test(
    arguments: [
      (0, "0 ns"), (999, "999 ns"), (1_000, "1.00 µs"), (3_124, "3.12 µs"), (12_345, "12.3 µs"),
      (999_499, "999 µs"),
      (1_000_000, "1.00 ms"), (250_000_000, "250 ms"), (1_500_000_000, "1.50 s"),
      (90_000_000_000, "90.0 s"),
    ])
  func timesHaveThreeDigitsAndAUnit(_ nanoseconds: Int, _ expected: String) {
    #expect(LayerTimes.readable(UInt64(nanoseconds)) == expected)
  }
}
