// Benchmarks of what no command measures by itself: the record layer, and what recording a latency costs.
// A line of JSON for each figure, the best of several passes over the same data, as the noise of a shared
// machine only ever adds time:
//
//     swift run -c release benchmarks            about a minute
//     swift run benchmarks --small               one pass over little: so the tests keep it from rotting
//
// Nothing fails on a figure. The models' figures are `rtinfer bench model`'s.

import Core
import Foundation

let words = CommandLine.arguments.dropFirst()
guard words.allSatisfy({ $0 == "--small" }) else {
  FileHandle.standardError.write(Data("benchmarks [--small]\n".utf8))
  exit(2)
}
let benchmark = Benchmark(isSmall: !words.isEmpty)
try benchmark.records()
benchmark.latencies()
