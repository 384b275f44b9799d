// What a window is folded into. An aggregation is a partial state that values are added to in the order of
// their events and that merges with the state of a later stretch: merge only, nothing is ever taken
// back out, since a minimum cannot give back what it has swallowed and a variance loses its digits.
// A new aggregation is one file here and one line in `AggregationTable`.

import Core

protocol Aggregation: Sendable {
  /// The state of no values.
  init()
  /// Takes the next value in event order. Nulls are left to the aggregation.
  mutating func add(_ cell: Cell)
  /// Takes the state of the values that come after this one's.
  mutating func merge(_ later: Self)
  var result: Cell { get }
}

extension Aggregation {
  /// Folds rows of one column onto `base`, a state of this very type.
  ///
  /// - Complexity: O(rows). Time is spent here.
  @inline(__always)
  static func fold(
    _ cells: UnsafePointer<Cell>, stride: Int, rows: Int, onto base: (any Aggregation)?
  ) -> Self {
    var state = Self()
    if let base { state = base as! Self }
    var index = 0
    for _ in 0..<rows {
      state.add(cells[index])
      index += stride
    }
    return state
  }

  /// What `fold` comes to, without making a state that outlives the call.
  static func value(
    _ cells: UnsafePointer<Cell>, stride: Int, rows: Int, onto base: (any Aggregation)?
  ) -> Cell {
    fold(cells, stride: stride, rows: rows, onto: base).result
  }
}

/// The kinds of values an aggregation takes.
enum AggregationArgument {
  case anything, numbers, ordered
}

struct AggregationEntry: Sendable {
  let name: String
  let type: any Aggregation.Type
  let argument: AggregationArgument
  /// For the help: what comes out, and out of nothing.
  let summary: String
}

/// Every aggregation by the name that the project file uses.
enum AggregationTable {
  static let entries: [AggregationEntry] = [
    AggregationEntry(
      name: "count", type: Count.self, argument: .anything,
      summary: "how many events (\"*\") or values that are not null; 0 of nothing"),
    AggregationEntry(
      name: "sum", type: Sum.self, argument: .numbers,
      summary: "exact for integers, compensated for floats; null of nothing"),
    AggregationEntry(
      name: "mean", type: Mean.self, argument: .numbers, summary: "null of nothing"),
    AggregationEntry(
      name: "min", type: Minimum.self, argument: .ordered, summary: "null of nothing"),
    AggregationEntry(
      name: "max", type: Maximum.self, argument: .ordered, summary: "null of nothing"),
    AggregationEntry(
      name: "stddev", type: StandardDeviation.self, argument: .numbers,
      summary: "of the sample (n - 1); null of fewer than two"),
    AggregationEntry(
      name: "first", type: First.self, argument: .anything,
      summary: "the earliest value that is not null; null of nothing"),
    AggregationEntry(
      name: "last", type: Last.self, argument: .anything,
      summary: "the latest value that is not null; null of nothing"),
    AggregationEntry(
      name: "count_distinct", type: CountDistinct.self, argument: .anything,
      summary: "exact; nulls are not counted; 0 of nothing"),
  ]

  static var names: [String] { entries.map(\.name) }

  static func entry(_ name: String) -> AggregationEntry? { entries.first { $0.name == name } }
}

/// The table of aggregations for `rtinfer help project`.
public enum AggregationHelp {
  public static var text: String {
    AggregationTable.entries.map { entry in
      "  " + entry.name + String(repeating: " ", count: 16 - entry.name.count) + entry.summary
        + "\n"
    }.joined()
  }
}
