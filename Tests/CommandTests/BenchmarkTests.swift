// The benchmarks run, and say all that Tests/Peers/records.py asks of them. No figure is judged.

import Foundation
import TestSupport
import Testing

@Suite struct BenchmarkTests {
  @Test func eachSaysItsFigure() throws {
    let folder = try TemporaryFolder()
    let outcome = try Child(
      [Binary.folder.appending(path: "benchmarks").path(), "--small"], stdin: "/dev/null",
      environment: Binary.environment(home: folder.url)
    ).wait()
    #expect(outcome.status == 0, "\(outcome.errors)")
    struct Figure: Decodable {
      let what: String
      let gbPerS: Double
      let recordsPerS: Double
    }
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    let figures = try outcome.output.split(separator: "\n").map {
      try decoder.decode(Figure.self, from: Data($0.utf8))
    }
    let records = ["lines", "three members", "all members"]
    #expect(
      figures.map(\.what)
        == ["300 bytes", "180 bytes"].flatMap { size in records.map { "\($0), \(size)" } }
        + ["record a latency, 5 bits", "record a latency, 10 bits"])
    #expect(figures.allSatisfy { $0.gbPerS > 0 && $0.recordsPerS > 0 })
  }
}
