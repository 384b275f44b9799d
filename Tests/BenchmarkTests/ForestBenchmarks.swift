// How long a score takes: one row, a few, many. The model is a real one where RTINFER_BENCH_MODEL and
// RTINFER_BENCH_ROWS name a file and its rows (CSV without a header), as the comparison with other libraries does
// (Tests/Peers/forests.py); else a small fixture.

import Core
import Foundation
import Models
import TestSupport
import Testing

@Suite(.serialized) struct ForestBenchmarks {
  func model() throws -> (model: Model, rows: [Double]) {
    let environment = ProcessInfo.processInfo.environment
    let modelPath = environment["RTINFER_BENCH_MODEL"]
    let bytes =
      try modelPath.map { [UInt8](try Data(contentsOf: URL(filePath: $0))) }
      ?? Fixtures.bytes("models/xgboost-json/binary-logistic/model.json")
    let model = try bytes.withBytes { (bytes) throws(Failure) in
      try ModelLoader.load(bytes, source: modelPath ?? "binary-logistic")
    }
    guard let path = environment["RTINFER_BENCH_ROWS"] else {
      var random = SplitMix64(seed: 1)
      return (model, (0..<200 * model.inputCount).map { _ in .random(in: -3...3, using: &random) })
    }
    let text = try String(contentsOfFile: path, encoding: .utf8)
    let cells = text.split(whereSeparator: { $0 == "," || $0.isNewline })
    return (model, cells.map { Double($0) ?? .nan })
  }

  /// Every call takes other rows than the one before: the same ones again would flatter whoever guesses branches.
  @Test(arguments: [1, 16, 256, 20_000])
  func scoresRows(_ batch: Int) throws {
    let (model, rows) = try model()
    let rowCount = rows.count / model.inputCount
    let batch = min(batch, rowCount)
    let calls = rowCount / batch
    var margins = [Double](repeating: 0, count: batch * model.outputCount)
    let seconds = rows.withUnsafeBufferPointer { rows in
      margins.withUnsafeMutableBufferPointer { margins in
        Benchmark.best {
          for call in 0..<calls {
            let first = call * batch * model.inputCount
            model.margins(
              UnsafeBufferPointer(rebasing: rows[first...]), rowCount: batch, into: margins)
          }
        }
      }
    }
    let nanoseconds = seconds * 1e9 / Double(calls * batch)
    print("score, batches of \(batch): \(nanoseconds.fixed(0)) ns a row, \(model.treeCount) trees")
    let areFinite = margins.allSatisfy { $0.isFinite }
    #expect(areFinite)
  }
}
