// How long an explanation takes, beside the score: one row, and many. The model is that of
// `ForestBenchmarks`; Tests/Peers/contributions.py asks the libraries the same.

import Core
import Foundation
import Models
import TestSupport
import Testing

@Suite(.serialized) struct ContributionBenchmarks {
  /// Every call takes other rows than the one before.
  @Test(arguments: [1, 2_000])
  func explainsRows(_ batch: Int) throws {
    let (model, rows) = try ForestBenchmarks().model()
    let explainer = try Explainer(model, source: "model")
    let rowCount = min(rows.count / model.inputCount, 2_000)
    let batch = min(batch, rowCount)
    let calls = rowCount / batch
    var values = [Double](repeating: 0, count: batch * explainer.width)
    let seconds = rows.withUnsafeBufferPointer { rows in
      values.withUnsafeMutableBufferPointer { values in
        Benchmark.best {
          for call in 0..<calls {
            let first = call * batch * model.inputCount
            explainer.contributions(
              UnsafeBufferPointer(rebasing: rows[first...]), rowCount: batch, into: values)
          }
        }
      }
    }
    let microseconds = seconds * 1e6 / Double(calls * batch)
    print(
      "contributions, batches of \(batch): \(microseconds.fixed(1)) µs a row, \(model.treeCount) trees"
    )
    let areFinite = values.allSatisfy { $0.isFinite }
    #expect(areFinite)
  }
}
