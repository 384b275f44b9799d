// Benchmarks as tests: by default each runs once over a little data, so that it cannot rot; with
// RTINFER_BENCH=1 and a release build it is a measurement:
//
//     RTINFER_BENCH=1 swift test -c release --filter BenchmarkTests
//
// Each figure is the best of several runs over the same data, as the noise of a shared machine only
// ever adds time. Nothing fails on a figure.

import Core
import Foundation

enum Benchmark {
  static let isReal = ProcessInfo.processInfo.environment["RTINFER_BENCH"] == "1"

  /// Seconds of the fastest of several runs (one, when it is only a smoke test).
  static func best(_ body: () throws -> Void) rethrows -> Double {
    let clock = SystemClock()
    var best = Double.infinity
    for _ in 0..<(isReal ? 7 : 1) {
      let start = clock.monotonicNanoseconds()
      try body()
      best = min(best, Double(clock.monotonicNanoseconds() - start) / 1e9)
    }
    return best
  }

  /// A line of a table, and for scripts the same as JSON where RTINFER_BENCH_OUT names a file.
  static func report(_ what: String, bytes: Int, records: Int, seconds: Double) {
    let gigabytes = Double(bytes) / seconds / 1e9
    let rate = Double(records) / seconds
    print("\(what): \(gigabytes.fixed(3)) GB/s, \(Int(rate).grouped) records/s")
    guard let path = ProcessInfo.processInfo.environment["RTINFER_BENCH_OUT"] else { return }
    let line = "{\"what\":\"\(what)\",\"gb_per_s\":\(gigabytes),\"records_per_s\":\(rate)}\n"
    if !FileManager.default.fileExists(atPath: path) {
      _ = FileManager.default.createFile(atPath: path, contents: nil)
    }
    guard let file = FileHandle(forWritingAtPath: path) else { return }
    file.seekToEndOfFile()
    file.write(Data(line.utf8))
  }
}
