// Folders that MLflow itself wrote (`Fixtures/mlflow/make.py`): they are registered as they are, and score as the
// models that MLflow loads from them.

import Foundation
import TestSupport
import Testing

@Suite struct MLflowTests {
  private static let fixtures = Fixtures.root.appending(path: "mlflow")

  private struct Scores: Decodable {
    let values: [Double]

    private enum Key: CodingKey { case score }

    init(from decoder: any Decoder) throws {
      let members = try decoder.container(keyedBy: Key.self)
      if let one = try? members.decode(Double.self, forKey: .score) {
        values = [one]
      } else {
        values = try members.decode([Double].self, forKey: .score)
      }
    }
  }

  private static func scores(_ text: String) throws -> [[Double]] {
    try text.split(separator: "\n").map {
      try JSONDecoder().decode(Scores.self, from: Data($0.utf8)).values
    }
  }

  private static func run(_ words: [String], in folder: TemporaryFolder) throws -> Child.Outcome {
    try Child(
      [Binary.rtinfer] + words, in: folder.url, stdin: "/dev/null",
      environment: Binary.environment(home: folder.url), seconds: 60
    ).wait()
  }

  @Test(arguments: [
    ("xgboost-json", "xgboost-json"), ("xgboost-ubj", "xgboost-ubjson"),
    ("lightgbm-binary", "lightgbm"), ("lightgbm-multiclass", "lightgbm"),
  ])
  func aFolderOfMLflowImportsAndScoresEqual(_ name: String, _ format: String) throws {
    let fixture = Self.fixtures.appending(path: name)
    let folder = try TemporaryFolder()
    let rows = fixture.appending(path: "rows.csv").path()
    let added = try Self.run(
      ["registry", "add", "m", fixture.appending(path: "model").path(), "--rows", rows], in: folder)
    #expect(added.status == 0, "\(added.errors)")
    #expect(added.output.contains("\"format\":\"\(format)"), "\(added.output)")
    let shown = try Self.run(["registry", "show", "m", "1"], in: folder).output
    for file in ["MLmodel", "conda.yaml", "requirements.txt", "input_example.json"] {
      #expect(shown.contains("\"name\":\"\(file)\""), "\(file) is kept beside it")
    }
    for input in ["distance", "delay", "load", "hour"] {
      #expect(shown.contains("{\"name\":\"\(input)\""), "\(input) is an input by its name")
    }
    let outcome = try Self.run(["score", "--model", "models:/m@latest", rows], in: folder)
    #expect(outcome.status == 0, "\(outcome.errors)")
    let found = try Self.scores(outcome.output)
    let expected = try Self.scores(
      String(contentsOf: fixture.appending(path: "expected.ndjson"), encoding: .utf8))
    #expect(found.count == 40 && expected.count == 40)
    for (row, pair) in zip(found, expected).enumerated() {
      #expect(pair.0.count == pair.1.count, "row \(row)")
      for (own, theirs) in zip(pair.0, pair.1) {
        // XGBoost's scores are 32-bit floats; exp is the C library's in both, so the last bit may differ.
        let isNear =
          format == "lightgbm"
          ? abs(own - theirs) <= 2 * theirs.ulp
          : abs(Float(own) - Float(theirs)) <= Float(theirs).ulp
        #expect(isNear, "row \(row): \(own), not \(theirs)")
      }
    }
  }
}
