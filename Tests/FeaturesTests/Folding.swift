// Aggregations in a test: cells folded one by one, whole or in stretches that are merged.

import TestSupport

@testable import Core
@testable import Features

/// One aggregation with its parameters.
struct Folding {
  /// The result of cells one second apart, folded in stretches that end at the cuts.
  let merged: (_ cells: [Cell], _ cuts: [Int]) -> Cell

  init<State: Aggregation>(_ type: State.Type, _ parameters: State.Parameters) {
    merged = { cells, cuts in
      var whole = State(parameters)
      var start = 0
      for end in cuts + [cells.count] {
        var part = State(parameters)
        for index in start..<end { part.add(cells[index], at: Folding.time(index)) }
        whole.merge(part)
        start = end
      }
      return whole.result(
        Question(
          time: Folding.time(cells.count), start: Folding.time(0), end: Folding.time(cells.count),
          texts: Folding.texts))
    }
  }

  /// Those without parameters, by their name in the project file.
  nonisolated(unsafe) static let byName: [String: Folding] = [
    "count": Folding(Count.self, NoParameters()), "sum": Folding(Sum.self, NoParameters()),
    "mean": Folding(Mean.self, NoParameters()), "min": Folding(Minimum.self, NoParameters()),
    "max": Folding(Maximum.self, NoParameters()),
    "variance": Folding(Variance.self, NoParameters()),
    "stddev": Folding(StandardDeviation.self, NoParameters()),
    "first": Folding(First.self, NoParameters()), "last": Folding(Last.self, NoParameters()),
    "count_distinct": Folding(CountDistinct.self, NoParameters()),
    "skew": Folding(Skewness.self, NoParameters()),
    "kurtosis": Folding(Kurtosis.self, NoParameters()),
  ]

  nonisolated(unsafe) static let texts = AnswerTexts(strings: ByteTable())

  /// A list or an object that was the result.
  static func document(_ cell: Cell) -> String {
    guard case .document(let index) = cell else { return "no document" }
    return texts.document(Int(index)).string
  }

  static func time(_ index: Int) -> Timestamp {
    Timestamp(microseconds: Int64(index) * 1_000_000)
  }
}
