// bench pipeline --peers: what is handed to Python, what is made of its figures, and the library itself where there is one.

import Foundation
import TestSupport
import Testing

@Suite struct PipelinePeerTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private static let flights = Fixtures.root.appending(path: "flights")
  private static let streams =
    "<(head -60 week/scheduled.ndjson) <(head -30 week/departed.ndjson)"
  private static let line =
    "rtinfer bench pipeline --peers --summary --batch 1,7 --repeats 1 \(streams)"

  private func bash(_ line: String) throws -> Child.Outcome {
    try Child.bash("set -o pipefail; \(line)", in: Self.flights, home: folder.url)
  }

  private func records(_ text: String) throws -> [[String: Any]] {
    try text.split(separator: "\n").map { line in
      try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
    }
  }

  private func standIn(_ script: String) throws {
    try folder.write("#!/bin/sh\nrows=$7\n\(script)\n", "python3")
    try FileManager.default.setAttributes(
      [.posixPermissions: 0o755], ofItemAtPath: folder.path("python3"))
  }

  @Test func theEventsAreThoseThatAreDecided() throws {
    try standIn(
      """
      cp "${15}" "$HOME/events"; wc -c < "$5" > "$HOME/bytes"; echo $8 $9 $rows > "$HOME/words"
      for batch in 7 1; do
        echo "{\\"peer\\":\\"stand-in\\",\\"batch\\":$batch,\\"rows\\":$((rows / batch * batch)),\\"best\\":1,\\"median\\":$batch,\
      \\"p50\\":1000,\\"p99\\":2000,\\"difference\\":0.5}" >> "$6"
      done
      """)
    let outcome = try bash(
      "PATH=\"$HOME:$PATH\" \(Self.line) | tee $HOME/out | rtinfer budget check --budget 'count > 59'"
    )
    #expect(outcome.status == 0 && !outcome.errors.contains("--peers"), "\(outcome.errors)")
    let asked = try bash("head -60 week/scheduled.ndjson | diff - $HOME/events")
    #expect(asked.status == 0, "\(asked.output.prefix(400))")
    let words = try folder.text("words").split(whereSeparator: \.isWhitespace).compactMap {
      Int($0)
    }
    let bytes = Int(try folder.text("bytes").trimmingCharacters(in: .whitespacesAndNewlines))
    // Inputs and margins of sixty rows.
    #expect(words.count == 3 && words[2] == 60 && bytes == 8 * 60 * (words[0] + words[1]))
    let records = try records(try folder.text("out"))
    let own = records.filter { $0["what"] as? String == "pipeline" }
    let peers = records.filter { $0["what"] as? String == "peer" }
    #expect(peers.map { $0["batch"] as? Int } == [1, 7] && own.count == 2)
    #expect(peers.map { $0["rows"] as? Int } == [60, 56])
    for (ours, peer) in zip(own, peers) {
      // 90 events for 60 decisions.
      let layers = try #require(ours["us_per_event"] as? [String: Double])
      let median = layers.reduce(0) { $0 + ($1.key == "features" ? 0 : $1.value) } * 90 / 60
      let times = try #require(peer["times_longer"] as? Double)
      let theirs = try #require(peer["median_us_per_row"] as? Double)
      #expect(abs(times - theirs / median) < 1e-6 * times)
      #expect(peer["pipeline"] as? String == "late_arrival")
    }
  }

  @Test func withoutPythonOurOwnFiguresStand() throws {
    try standIn("exit 9")
    let outcome = try bash("PATH=\"$HOME:$PATH\" \(Self.line)")
    #expect(outcome.status == 0)
    #expect(
      try records(outcome.output).compactMap { $0["what"] as? String } == [
        "load", "pipeline", "pipeline",
      ])
    #expect(outcome.errors.contains("--peers: python3 ended with status 9, and nothing"))
  }

  private static let hasXGBoost: Bool = {
    guard let python = Binary.find("python3") else { return false }
    let child = try? Child(
      [python, "-c", "import numpy, xgboost"], stdin: "/dev/null",
      environment: ProcessInfo.processInfo.environment)
    return child?.wait().status == 0
  }()

  @Test(.enabled(if: hasXGBoost, "Python has no xgboost"))
  func theLibraryJudgesBehindAParser() throws {
    let outcome = try bash(Self.line)
    #expect(outcome.status == 0, "\(outcome.errors)")
    let peers = try records(outcome.output).filter { $0["what"] as? String == "peer" }
    try #require(peers.count == 2, "\(outcome.errors)")
    for peer in peers {
      let name = try #require(peer["peer"] as? String)
      #expect(name.hasPrefix("xgboost ") && name.contains(" behind "), "\(name)")
      #expect(try #require(peer["largest_difference"] as? Double) < 1e-5, "the same margins")
    }
  }
}
