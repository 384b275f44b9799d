// bench model beside the library that the file is from: the same margins, and figures for the same calls.

import Core
import Foundation
import TestSupport
import Testing

@Suite struct BenchModelTests {
  private struct Figures: Decodable {
    let what: String
    let peer: String?
    let batch: Int
    let rows: Int
    let medianUsPerRow: Double
    let timesLonger: Double?
    let largestDifference: Double?
  }

  private static let libraries = ["xgboost", "lightgbm", "catboost", "onnxruntime"].filter {
    library in
    guard let python = Binary.find("python3") else { return false }
    let child = try? Child(
      [python, "-c", "import numpy, \(library)"], stdin: "/dev/null",
      environment: ProcessInfo.processInfo.environment)
    return child?.wait().status == 0
  }

  @Test(
    .enabled(
      if: !libraries.isEmpty, "Python has none of xgboost, lightgbm, catboost and onnxruntime"),
    arguments: libraries)
  func theLibraryJudgesTheSameRowsInTheSameCalls(_ library: String) throws {
    let model = [
      "xgboost": "xgboost-json/softprob/model.json",
      "lightgbm": "lightgbm/multiclass/model.txt", "catboost": "catboost/ctr/model.json",
      "onnxruntime": "onnx/lightgbm-binary/model.onnx",
    ][library]!
    let path = Fixtures.root.appending(path: "models/\(model)")
    let rows = path.deletingLastPathComponent().appending(path: "rows.csv")
    let folder = try TemporaryFolder()
    let outcome = try Child.bash(
      "TMPDIR=$PWD rtinfer bench model --peers --batch 1,7 --repeats 1 '\(path.path())' '\(rows.path())'",
      in: folder.url, home: folder.url)
    #expect(outcome.status == 0)
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    let figures = try outcome.output.split(separator: "\n").map {
      try decoder.decode(Figures.self, from: Data($0.utf8))
    }
    // Of categories that are texts CatBoost will not have the codes.
    guard library != "catboost" else {
      #expect(figures.count == 2 && outcome.errors.contains("--peers: "), "\(outcome.errors)")
      return
    }
    try #require(figures.count == 4, "\(outcome.errors)")
    for (own, peer) in zip(figures[..<2], figures[2...]) {
      #expect(own.what == "model" && peer.what == "peer")
      #expect(own.batch == peer.batch && own.rows == peer.rows)
      #expect(peer.peer?.hasPrefix("\(library) ") == true)
      let difference = try #require(peer.largestDifference)
      #expect(difference < 1e-5, "the same margins")
      let times = try #require(peer.timesLonger)
      #expect(abs(times - peer.medianUsPerRow / own.medianUsPerRow) < 1e-6 * times)
    }
    // What onnxruntime keeps for itself is hidden.
    let left = try FileManager.default.contentsOfDirectory(atPath: folder.url.path())
    #expect(left.allSatisfy { $0.hasPrefix(".") })
  }

  /// The rounds up to the best, which scikit-learn's wrapper takes, and a linear booster, which has another call.
  @Test(
    .enabled(if: libraries.contains("xgboost"), "Python has no xgboost"),
    arguments: [
      "xgboost-json/early-stopped-sklearn/model.json",
      "xgboost-ubjson/early-stopped-sklearn/model.ubj",
      "xgboost-json/gblinear/model.json", "xgboost-ubjson/gblinear-softprob/model.ubj",
    ])
  func xgboostTakesTheRoundsThatWeTake(_ model: String) throws {
    let path = Fixtures.root.appending(path: "models/\(model)")
    let rows = path.deletingLastPathComponent().appending(path: "rows.csv")
    let folder = try TemporaryFolder()
    let outcome = try Child.bash(
      "rtinfer bench model --peers --batch 1 --repeats 1 '\(path.path())' '\(rows.path())' | tail -1",
      in: folder.url, home: folder.url)
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    let figures = try decoder.decode(Figures.self, from: Data(outcome.output.utf8))
    #expect(figures.what == "peer", "\(outcome.errors)")
    #expect(try #require(figures.largestDifference) < 1e-5, "the same margins")
  }
}
