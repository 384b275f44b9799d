// Percentiles against the sorted values themselves.

import Testing

@testable import Core

@Suite struct LatencyHistogramTests {
  private static let percents = [0.0, 1, 10, 50, 90, 95, 99, 99.9, 99.99, 100]

  /// The value that at least so many of a thousandth of a percent do not exceed, by counting.
  private func exact(_ sorted: [UInt64], _ percent: Double) -> UInt64 {
    let scaled = Int((percent * 1_000).rounded())
    let rank = max(1, (scaled * sorted.count + 99_999) / 100_000)
    return sorted[rank - 1]
  }

  private func values(_ random: inout SplitMix64, _ count: Int, spread: UInt64) -> [UInt64] {
    (0..<count).map { _ in random.next() >> UInt64.random(in: 0...spread, using: &random) }
  }

  @Test(arguments: [1, 2, 3, 10, 99, 100, 101, 1_000, 5_000], [UInt64(20), 40, 63])
  func percentilesAreAtMostOnePartIn32Above(_ count: Int, _ spread: UInt64) throws {
    var random = SplitMix64(seed: UInt64(count))
    let values = values(&random, count, spread: spread)
    var histogram = LatencyHistogram()
    for value in values { histogram.record(value) }
    let sorted = values.sorted()
    for percent in Self.percents {
      let truth = exact(sorted, percent)
      let found = try #require(histogram.percentile(percent))
      let isNear = found >= truth && found - truth <= truth / 32
      #expect(isNear, "p\(percent) of \(count): \(found) for \(truth)")
    }
    #expect(histogram.percentile(100) == sorted.last && histogram.maximum == sorted.last)
    #expect(histogram.count == count)
  }

  @Test(arguments: [1, 5, 10, 14])
  func manyAtOnceAreAsOneAfterAnother(_ bits: Int) {
    var random = SplitMix64(seed: 11)
    let ends: [UInt64] = [0, 1, 1 << UInt64(bits) - 1, 1 << UInt64(bits), .max - 1, .max]
    var (one, many) = (LatencyHistogram(bits: bits), LatencyHistogram(bits: bits))
    for part in [[], ends, values(&random, 1_000, spread: 63), values(&random, 7, spread: 40)] {
      for value in part { one.record(value) }
      part.withUnsafeBufferPointer { many.record(contentsOf: $0) }
      #expect(many.count == one.count && many.sum == one.sum && many.maximum == one.maximum)
      var buckets: [[UInt64]] = []
      one.forEachBucket { buckets.append([$0, $1, UInt64($2)]) }
      many.forEachBucket { #expect([$0, $1, UInt64($2)] == buckets.removeFirst()) }
      #expect(buckets.isEmpty)
    }
  }

  @Test func tenBitsAreExactToAThousandth() throws {
    var random = SplitMix64(seed: 9)
    let values = values(&random, 20_000, spread: 40)
    var histogram = LatencyHistogram(bits: 10)
    for value in values { histogram.record(value) }
    let sorted = values.sorted()
    for rank in [1, 2, 500, 10_000, 19_999, 20_000] {
      let truth = sorted[rank - 1]
      let (low, high) = (histogram.lowest(atRank: rank), histogram.value(atRank: rank))
      #expect(low <= truth && truth <= high && high - low <= truth / 1_024)
    }
    let bound = sorted[15_000]
    let above = values.count { $0 > bound }
    #expect(histogram.count(above: histogram.value(atRank: 15_001)) <= above)
    var total = 0
    histogram.forEachBucket { low, high, count in
      #expect(low <= high)
      total += count
    }
    #expect(total == 20_000)
    histogram.removeAll()
    #expect(histogram.percentile(50) == nil && histogram.maximum == 0)
  }

  @Test func aThousandValuesHaveTheirRanks() {
    var histogram = LatencyHistogram()
    for value in UInt64(1)...31 { histogram.record(value) }
    #expect(histogram.percentile(50) == 16)
    var thousand = LatencyHistogram()
    for _ in 0..<999 { thousand.record(1) }
    thousand.record(30)
    #expect(thousand.percentile(99.9) == 1 && thousand.percentile(99.91) == 30)
  }

  @Test func bucketsFollowOneAnotherWithoutGaps() {
    for bits in [5, 10] {
      let histogram = LatencyHistogram(bits: bits)
      var next: UInt64 = 0
      let last = histogram.bucket(.max)
      for index in 0...last {
        #expect(histogram.bucket(next) == index)
        let end = histogram.upperEnd(index)
        #expect(histogram.bucket(end) == index)
        #expect(end - next <= next >> UInt64(bits))
        next = end &+ 1
      }
      #expect(next == 0, "the last bucket ends with the largest value")
    }
  }

  @Test func mergingIsRecordingBoth() {
    var random = SplitMix64(seed: 2)
    let (left, right) = (values(&random, 500, spread: 50), values(&random, 30, spread: 60))
    var (one, other, both) = (LatencyHistogram(), LatencyHistogram(), LatencyHistogram())
    for value in left { one.record(value) }
    for value in right { other.record(value) }
    for value in left + right { both.record(value) }
    one.merge(other)
    #expect(one.count == both.count && one.sum == both.sum && one.maximum == both.maximum)
    for percent in Self.percents { #expect(one.percentile(percent) == both.percentile(percent)) }
    var empty = LatencyHistogram()
    empty.merge(LatencyHistogram())
    #expect(empty.percentile(50) == nil)
    empty.merge(both)
    #expect(empty.percentile(50) == both.percentile(50))
  }

  @Test func nothingHasNoPercentile() {
    let empty = LatencyHistogram()
    #expect(empty.percentile(50) == nil && empty.count == 0 && empty.maximum == 0)
  }

  @Test func theLargestValuesAreRecordedToo() {
    var histogram = LatencyHistogram()
    histogram.record(.max)
    histogram.record(0)
    #expect(histogram.percentile(50) == 0 && histogram.percentile(100) == .max)
  }
}
