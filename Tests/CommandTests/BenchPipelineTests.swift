// bench pipeline against the pipes that it stands for: the same events lead to the same decisions.

import Core
import Foundation
import TestSupport
import Testing

@Suite(.serialized) struct BenchPipelineTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private static let flights = Fixtures.root.appending(path: "flights")
  /// Most of the first day of the week: aircraft that come back, and windows that are full.
  private static let streams =
    "<(head -500 week/scheduled.ndjson) <(head -400 week/departed.ndjson)"
    + " <(head -400 week/arrived.ndjson)"
  /// A decision without the marks that say when and where it was made.
  private static let unmarked = #"sed 's/,"_rt".*//'"#

  private func bash(_ line: String) throws -> Child.Outcome {
    try Child.bash("set -o pipefail; \(line)", in: BenchPipelineTests.flights, home: folder.url)
  }

  private func records(_ text: some StringProtocol) throws -> [[String: Any]] {
    try text.split(separator: "\n").map { line in
      try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
    }
  }

  @Test func decidesAsThePipesDo() throws {
    let (streams, unmarked) = (BenchPipelineTests.streams, BenchPipelineTests.unmarked)
    let pipes = try bash(
      "rtinfer ingest \(streams) | rtinfer materialize | rtinfer score | \(unmarked) > $HOME/pipes")
    #expect(pipes.status == 0, "\(pipes.errors)")
    // The second size must not write: it would find other decisions after the first.
    for sizes in ["1", "7,1"] {
      let outcome = try bash(
        "rtinfer bench pipeline --batch \(sizes) --repeats 1 --summary --decisions $HOME/d \(streams)"
          + " && \(unmarked) $HOME/d | diff -q - $HOME/pipes")
      #expect(outcome.status == 0, "\(sizes): \(outcome.output.suffix(300)) \(outcome.errors)")
    }
    #expect(try bash("wc -l < $HOME/pipes").output == "500\n")
  }

  @Test func layersAddUpToTheTotalOfEverySample() throws {
    let streams = "<(head -150 week/scheduled.ndjson) <(head -100 week/departed.ndjson)"
    let outcome = try bash(
      "rtinfer bench pipeline --batch 1,4 --repeats 2 \(streams)")
    #expect(outcome.status == 0, "\(outcome.errors)")
    let records = try records(outcome.output)
    let samples = records.filter { $0["kind"] as? String == "sample" }
    #expect(samples.count == 300)
    var dues: [Timestamp] = []
    for sample in samples {
      let layers = try #require(sample["layers_us"] as? [String: Double])
      #expect(Set(layers.keys) == ["request", "features", "inference", "postprocess", "response"])
      let latency = try #require(sample["latency_us"] as? Double)
      // Layers follow each other without a gap, so only the last digit may differ.
      #expect(abs(layers.values.reduce(0, +) - latency) < 0.01)
      #expect(layers.values.allSatisfy { $0 > 0 } && sample["status"] as? Int == 200)
      let due = try #require(sample["due"] as? String)
      dues.append(try #require(Array(due.utf8).withBytes { Timestamp(rfc3339: $0) }))
    }
    #expect(zip(dues, dues.dropFirst()).allSatisfy { $0 <= $1 })
    let run = records[samples.count]
    #expect(run["what"] as? String == "run" && run["requests"] as? Int == 300)
    #expect(run["load"] as? String == "closed" && run["valid"] as? Bool == true)
    let pipelines = records.dropFirst(samples.count + 1)
    #expect(pipelines.map { $0["batch"] as? Int } == [1, 4])
    for record in pipelines {
      #expect(record["events"] as? Int == 250 && record["decided"] as? Int == 150)
      #expect(record["refused"] as? Int == 0 && record["repeats"] as? Int == 2)
      let rate = try #require(record["events_per_s"] as? Double)
      #expect(rate > 0 && rate <= record["best_events_per_s"] as? Double ?? 0)
      #expect(record["clock_ns"] as? Double ?? 0 > 0)
      let decided = try #require(record["decided_us"] as? [String: [String: Double]])
      for (_, percentiles) in decided {
        let figures = ["p50", "p99", "p99.9", "max"].compactMap { percentiles[$0] }
        #expect(figures.count == 4 && figures == figures.sorted())
      }
    }
    // 100 departures, one at a time.
    #expect(pipelines.first?["told_us"] != nil)
  }

  @Test func aBudgetReadsItsSamplesAndItsHistogramsAlike() throws {
    let streams = "<(head -80 week/scheduled.ndjson)"
    let budget = "rtinfer budget check --budget 'p50 < 1m' --format ndjson"
    for flag in ["", "--summary"] {
      let outcome = try bash(
        "rtinfer bench pipeline \(flag) --batch 1 --repeats 2 \(streams) | \(budget)")
      #expect(outcome.status == 0, "\(outcome.errors)")
      let verdict = try #require(try records(outcome.output).first)
      #expect(verdict["verdict"] as? String == "pass" && verdict["n"] as? Int == 160)
      #expect(outcome.errors.contains("closed loop"))
    }
  }

  @Test func badEventsAreToldOnceHoweverOftenTheyAreRead() throws {
    let outcome = try bash(
      "(head -50 week/scheduled.ndjson; echo '{\"id\":'; echo '{}') > $HOME/events;"
        + " rtinfer bench pipeline --batch 1,2 --repeats 3 --rejects $HOME/rejects --type scheduled"
        + " $HOME/events > $HOME/out; echo $?; wc -l < $HOME/rejects")
    #expect(outcome.output == "3\n2\n", "\(outcome.errors)")
    #expect(outcome.errors.components(separatedBy: "events:51:").count == 2)
  }
}
