import Core
import Events
import TestSupport
import Testing

@Suite struct WatermarkTests {
  private func at(_ minutes: Int64) -> Timestamp { Timestamp(microseconds: 0) + .minutes(minutes) }

  @Test func isTheLatestTimeOfTheSlowestPartitionLessTheLateness() {
    var watermark = Watermark(partitions: 2, lateness: .minutes(5))
    #expect(watermark.current == .distantPast)
    watermark.observe(at(10), partition: 0)
    #expect(watermark.current == .distantPast, "a silent partition holds it back")
    watermark.observe(at(7), partition: 1)
    #expect(watermark.current == at(2))
    watermark.observe(at(12), partition: 1)
    #expect(watermark.current == at(5))
  }

  @Test func neverGoesBack() {
    var watermark = Watermark(partitions: 1, lateness: .zero)
    watermark.observe(at(10), partition: 0)
    watermark.observe(at(3), partition: 0)
    #expect(watermark.current == at(10))
  }

  @Test func aPartitionThatEndsNoLongerHoldsBack() {
    var watermark = Watermark(partitions: 3, lateness: .minutes(1))
    watermark.observe(at(10), partition: 0)
    watermark.observe(at(20), partition: 1)
    watermark.end(partition: 2)
    #expect(watermark.current == at(9))
    watermark.end(partition: 0)
    #expect(watermark.current == at(19))
    watermark.end(partition: 1)
    #expect(watermark.current == at(19), "the last to end leaves it where it is")
    watermark.observe(at(99), partition: 1)
    #expect(watermark.current == at(19))
  }

  @Test func agreesWithAMinimumOverAllThatWasSeen() {
    var random = SplitMix64(seed: 12)
    for _ in 0..<200 {
      var watermark = Watermark(partitions: 3, lateness: .minutes(4))
      var seen: [[Int64]] = [[], [], []]
      var expected = Timestamp.distantPast
      for _ in 0..<30 {
        let partition = Int.random(in: 0..<3, using: &random)
        let minute = Int64.random(in: 0...60, using: &random)
        seen[partition].append(minute)
        watermark.observe(at(minute), partition: partition)
        let latest = seen.compactMap { $0.max() }
        if latest.count == 3 { expected = max(expected, at(latest.min()! - 4)) }
        #expect(watermark.current == expected)
      }
    }
  }
}
