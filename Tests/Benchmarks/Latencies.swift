// What a measurement costs the one who measures.

import Core

extension Benchmark {
  func latencies() {
    for bits in [5, 10] {
      let count = isSmall ? 20_000 : 20_000_000
      var random = SplitMix64(seed: 1)
      // As latencies lie: within a factor of a few, with a tail.
      let values = (0..<4_096).map { _ in
        200_000 + random.next() % 400_000 + (random.next() >> 58) * 90_000
      }
      var histogram = LatencyHistogram(bits: bits)
      let seconds = best {
        histogram.removeAll()
        for index in 0..<count { histogram.record(values[index & 4_095]) }
      }
      precondition(histogram.count == count, "latencies were not recorded")
      report(
        "record a latency, \(bits) bits", bytes: count * 8, records: count, seconds: seconds)
    }
  }
}
