// How a figure is taken, and how it is said.

import Core
import Foundation

struct Benchmark {
  /// One pass over little data: nothing is measured, all is run.
  let isSmall: Bool

  /// Seconds of the fastest of several passes.
  func best(_ body: () throws -> Void) rethrows -> Double {
    let clock = SystemClock()
    var best = Double.infinity
    for _ in 0..<(isSmall ? 1 : 7) {
      let start = clock.monotonicNanoseconds()
      try body()
      best = min(best, Double(clock.monotonicNanoseconds() - start) / 1e9)
    }
    return best
  }

  func report(_ what: String, bytes: Int, records: Int, seconds: Double) {
    let gigabytes = (Double(bytes) / seconds / 1e9).fixed(3)
    let rate = Int(Double(records) / seconds)
    print("{\"what\":\"\(what)\",\"gb_per_s\":\(gigabytes),\"records_per_s\":\(rate)}")
  }
}
