// What bench model, bench features and bench pipeline count beside times. Not every machine has a counter of instructions;
// each counts the nanoseconds that a thread was on a processor, which go the same way into records and tables.

import Core
import Foundation
import TestSupport
import Testing

@testable import rtinfer

@Suite struct InstructionCountTests {
  private static let canCount = (try? EventCounter(.processorTime)) != nil
  private let models = Fixtures.root.appending(path: "models/xgboost-json/binary-logistic")
  private let flights = Fixtures.root.appending(path: "flights")

  private func records(
    _ command: Command, _ words: [String], in folder: URL
  ) throws -> [[String: Any]] {
    try said(by: command, words + ["--json"], in: folder, counting: .processorTime)
      .split(separator: "\n").compactMap {
        try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any]
      }
  }

  @Test(.enabled(if: canCount, "this system does not let processes count"))
  func aModelsCallsAreCountedByTheirSize() throws {
    let words =
      ["--batch", "1,50", "--repeats", "3"] + [
        models.appending(path: "model.json").path(), models.appending(path: "rows.csv").path(),
      ]
    let records = try records(BenchModel.command, words, in: models)
    let counts = try records.map { try #require($0["call_instructions"] as? Double) }
    #expect(counts.count == 2 && counts[0] > 0 && counts[1] > 5 * counts[0], "\(counts)")
    let table = try said(by: BenchModel.command, words, in: models, counting: .processorTime)
    #expect(table.contains("call p99 us  instructions  kernel\n"), "\(table)")
  }

  @Test(.enabled(if: canCount, "this system does not let processes count"))
  func thePipelinesEventsAreCountedByLayer() throws {
    let folder = try TemporaryFolder()
    for stream in ["scheduled", "departed"] {
      let lines = try String(
        contentsOf: flights.appending(path: "week/\(stream).ndjson"), encoding: .utf8)
      let head = lines.split(separator: "\n").prefix(200).joined(separator: "\n")
      try Data(head.utf8).write(to: folder.url.appending(path: stream))
    }
    let words =
      ["--project", flights.appending(path: "rtinfer.json").path()]
      + ["--batch", "1,8", "--repeats", "1", "--summary"]
      + ["scheduled", "departed"].map { folder.url.appending(path: $0).path() }
    let all = try records(BenchPipeline.command, words, in: flights)
    let pipelines = all.filter { $0["what"] as? String == "pipeline" }
    try #require(pipelines.count == 2)
    for record in pipelines {
      let counts = try #require(record["instructions_per_event"] as? [String: Double])
      #expect(
        Set(counts.keys) == ["request", "features", "inference", "postprocess", "response"])
      // What is counted here is nanoseconds, so that the clock's are an upper bound but for what each reading takes.
      let times = try #require(record["us_per_event"] as? [String: Double])
      for layer in ["request", "features", "inference", "response"] {
        let (count, time) = (try #require(counts[layer]), try #require(times[layer]))
        #expect(count > 0 && count < 5e3 * time + 5e3, "\(layer): \(count) ns, \(time) us")
      }
    }
    let table = try said(by: BenchPipeline.command, words, in: flights, counting: .processorTime)
    #expect(table.contains("instructions/event by layer\n  1"), "\(table)")
  }

  @Test(.enabled(if: canCount, "this system does not let processes count"))
  func lookUpsAreCountedByTheCall() throws {
    let project = Fixtures.root.appending(path: "bench/features-hot-and-cold")
    let folder = try TemporaryFolder()
    let online = folder.url.appending(path: "online").path()
    let made = try Child.bash(
      "rtinfer materialize --for asked --online '\(online)' events.ndjson > /dev/null",
      in: project, home: folder.url)
    #expect(made.status == 0, "\(made.errors)")
    let words = [
      "--project", project.appending(path: "rtinfer.json").path(), "--for", "asked", "--online",
      online, "--batch", "1,100", "--repeats", "1", project.appending(path: "rows.ndjson").path(),
    ]
    let records = try records(BenchFeatures.command, words, in: project)
    let hot = try records.filter { $0["rows"] as? String == "hot" }.map {
      try #require($0["call_instructions"] as? Double)
    }
    #expect(records.count == 4 && hot.count == 2 && hot[0] > 0 && hot[1] > 5 * hot[0], "\(hot)")
  }

  @Test func whereNothingIsCountedATableSaysWhy() throws {
    let words =
      ["--batch", "1", "--repeats", "1"] + [
        models.appending(path: "model.json").path(), models.appending(path: "rows.csv").path(),
      ]
    let table = try said(by: BenchModel.command, words, in: models)
    let lack = EventCounter.lackOfInstructions()
    #expect(table.contains("instructions are not counted: ") == (lack != nil))
    #expect(table.contains("call p99 us  instructions  kernel\n") == (lack == nil))
  }
}
