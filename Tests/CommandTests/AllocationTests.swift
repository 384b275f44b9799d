// No allocation per record, counted: ten times as many records may ask for memory no more often. The counter is
// a small library that is loaded before the C library (Tests/Allocations/counter.swift). Only optimised code
// is held to it: without optimisation many a small value is put on the heap.

import Foundation
import TestSupport
import Testing

/// The built counter; nil where it cannot be built.
private enum Counter {
  private static let folder = try? TemporaryFolder()

  static let path: String? = {
    #if os(Linux)
      guard let folder, let compiler = Binary.find("swiftc") else { return nil }
      let source = Fixtures.package.appending(path: "Tests/Allocations/counter.swift").path()
      let functions = ["malloc", "calloc", "realloc", "aligned_alloc", "posix_memalign"]
      let names = functions.flatMap { ["-Xlinker", "--defsym=\($0)=counted_\($0)"] }
      let library = folder.path("libcounter.so")
      let words = [
        "-O", "-parse-as-library", "-swift-version", "6", "-enforce-exclusivity=unchecked",
        "-emit-library", source, "-o", library,
      ]
      let outcome = try? Child(
        [compiler] + words + names, stdin: "/dev/null",
        environment: Binary.environment(home: folder.url)
      ).wait()
      return outcome?.status == 0 ? library : nil
    #else
      return nil
    #endif
  }()
}

@Suite(
  .enabled(
    if: Binary.optimised != nil, "no optimised build of these sources: swift build -c release"),
  .enabled(if: Counter.path != nil, "the counter needs Linux and swiftc")
)
struct AllocationTests {
  private let folder: TemporaryFolder

  init() throws { folder = try GeneratedStream.folder() }

  private func bash(_ line: String) throws -> Child.Outcome {
    let outcome = try Child.bash(line, in: folder.url, home: folder.url)
    #expect(outcome.status == 0, "\(outcome)")
    return outcome
  }

  /// How often a command asks for memory while it reads a file.
  private func count(_ words: String, _ file: String) throws -> Int {
    let library = try #require(Counter.path)
    let line = "LD_PRELOAD='\(library)' '\(Binary.optimised!)' \(words) \(file) > /dev/null"
    let found = try bash(line).errors.firstMatch(of: #/allocations: ([0-9]+)/#)
    return Int(try #require(found).output.1)!
  }

  /// Buffers grow to their final size within the first records; the slack of one in a hundred is for the state of
  /// each user, which does so now and then.
  private func expectNone(_ words: String, small: String, large: String, records: Int) throws {
    let (few, many) = (try count(words, small), try count(words, large))
    #expect(few > 100, "the counter counts")
    #expect(many - few < records / 100, "\(words): \(few) allocations, then \(many)")
  }

  @Test func eventsCostNoAllocation() throws {
    for (count, file) in [(2_000, "few"), (20_000, "many")] {
      try folder.write(GeneratedStream.text(count, GeneratedStream.event), "\(file).raw")
      _ = try bash(
        """
        '\(Binary.optimised!)' ingest \(file).raw > \(file).events \
        && '\(Binary.optimised!)' materialize \(file).events > \(file).rows
        """)
    }
    for (words, kind) in [("ingest", "raw"), ("materialize", "events"), ("score", "rows")] {
      try expectNone(words, small: "few.\(kind)", large: "many.\(kind)", records: 18_000)
    }
  }

  @Test func plainRowsCostNoAllocation() throws {
    for (count, file) in [(2_000, "few"), (20_000, "many")] {
      try folder.write(GeneratedStream.text(count, GeneratedStream.row), "\(file).ndjson")
      try folder.write(
        GeneratedStream.header + GeneratedStream.text(count, GeneratedStream.cells), "\(file).csv")
    }
    for kind in ["ndjson", "csv"] {
      try expectNone(
        "score --model '\(GeneratedStream.model)'", small: "few.\(kind)", large: "many.\(kind)",
        records: 18_000)
    }
  }

  /// Two models and a third on top, each asked for its own inputs.
  @Test func ensemblesCostNoAllocation() throws {
    let files = Fixtures.root.appending(path: "models/ensemble").path()
    let members = "\"\(files)/xgboost.json\", \"\(files)/lightgbm.txt\""
    try folder.write(
      """
      { models: {
        mean: { combine: { mean: [\(members)] } },
        stack: { combine: { stack: "\(files)/passthrough.json", of: [\(members)] } },
      } }
      """, "ensembles.json")
    for (count, file) in [(2_000, "few"), (20_000, "many")] {
      try folder.write(
        GeneratedStream.text(count) {
          "{\"distance\":\($0 % 900 + 80),\"hour\":\($0 % 24),\"delay\":null,\"carrier\":\($0 % 9)}\n"
        }, "\(file).ndjson")
    }
    for model in ["mean", "stack"] {
      try expectNone(
        "score --project ensembles.json --model \(model)", small: "few.ndjson",
        large: "many.ndjson", records: 18_000)
    }
  }
}
