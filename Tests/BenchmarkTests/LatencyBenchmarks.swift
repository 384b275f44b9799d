// What a measurement costs the one who measures.

import Core
import Testing

@Suite struct LatencyBenchmarks {
  @Test(arguments: [5, 10]) func recordingALatency(_ bits: Int) {
    let count = Benchmark.isReal ? 20_000_000 : 20_000
    var random = SplitMix64(seed: 1)
    // As latencies lie: within a factor of a few, with a tail.
    let values = (0..<4_096).map { _ in
      200_000 + random.next() % 400_000 + (random.next() >> 58) * 90_000
    }
    var histogram = LatencyHistogram(bits: bits)
    let seconds = Benchmark.best {
      histogram.removeAll()
      for index in 0..<count { histogram.record(values[index & 4_095]) }
    }
    #expect(histogram.count == count)
    let each = (seconds / Double(count) * 1e9).fixed(2)
    Benchmark.report(
      "LatencyHistogram(bits: \(bits)).record: \(each) ns", bytes: count * 8, records: count,
      seconds: seconds)
  }
}
