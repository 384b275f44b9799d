// Every aggregation by the name that the project file uses.

import Core

/// The kinds of values an aggregation takes.
enum AggregationArgument {
  case anything, numbers, ordered
  /// Hashes of anything.
  case hashes
}

/// An aggregation with its parameters, as one feature asks for it.
struct DeclaredAggregation: Sendable {
  let name: String
  /// Equal for two of the same name and parameters: their windows share partial states.
  let signature: String
  /// Whether the result is a list or an object, given as JSON.
  let givesDocument: Bool
  let family: @Sendable (Grouping, _ column: Int?) -> Family
  /// Of a state that has seen so many different numbers, as it is stored.
  let stateBytes: @Sendable (_ values: Int) -> Int
}

struct AggregationEntry: Sendable {
  let name: String
  let argument: AggregationArgument
  /// Whether it can be asked of whole events: "*".
  let takesEvents: Bool
  /// The keys of its parameters.
  let keys: [String]
  /// For the help: what comes out, and out of nothing.
  let summary: String
  /// Reads the parameters from the feature's declaration.
  let declare: @Sendable (ConfigNode) throws(Failure) -> DeclaredAggregation

  init<State: Aggregation>(
    _ name: String, _ type: State.Type, _ argument: AggregationArgument,
    events: Bool = false, keys: [String] = [], document: Bool = false,
    parameters: @escaping @Sendable (ConfigNode) throws(Failure) -> State.Parameters,
    _ summary: String
  ) {
    self.name = name
    self.argument = argument
    self.takesEvents = events
    self.keys = keys
    self.summary = summary
    self.declare = { (node) throws(Failure) in
      let parameters = try parameters(node)
      return DeclaredAggregation(
        name: name, signature: "\(name) \(parameters)", givesDocument: document,
        family: { grouping, column in
          TypedFamily<State>(parameters, grouping, column: column)
        },
        stateBytes: { values in
          var state = State(parameters)
          for value in 0..<values {
            let number = Scalar.double(Double(value) + 0.5)
            let cell =
              argument == .hashes ? Cell(hashOf: number) : Cell(number, strings: ByteTable())
            state.add(cell, at: Timestamp(microseconds: Int64(value)))
          }
          var bytes = StateWriter(strings: ByteTable())
          state.write(to: &bytes)
          return bytes.count
        })
    }
  }

  init<State: Aggregation>(
    _ name: String, _ type: State.Type, _ argument: AggregationArgument, events: Bool = false,
    _ summary: String
  ) where State.Parameters == NoParameters {
    self.init(
      name, type, argument, events: events,
      parameters: { (_) throws(Failure) in NoParameters() }, summary)
  }
}

enum AggregationTable {
  static let entries: [AggregationEntry] = [
    AggregationEntry(
      "count", Count.self, .anything, events: true,
      "how many events (\"*\") or values; 0 of nothing"),
    AggregationEntry("sum", Sum.self, .numbers, "exact for integers, compensated for floats"),
    AggregationEntry("mean", Mean.self, .numbers, "the arithmetic mean"),
    AggregationEntry("min", Minimum.self, .ordered, "the least value"),
    AggregationEntry("max", Maximum.self, .ordered, "the greatest value"),
    AggregationEntry(
      "variance", Variance.self, .numbers, "of the sample (n - 1); null of fewer than two"),
    AggregationEntry(
      "stddev", StandardDeviation.self, .numbers, "its square root; null of fewer than two"),
    AggregationEntry(
      "skew", Skewness.self, .numbers, "sqrt(n) M3 / M2^1.5; null where all values are equal"),
    AggregationEntry(
      "kurtosis", Kurtosis.self, .numbers, "n M4 / M2^2 - 3; null where all values are equal"),
    AggregationEntry("first", First.self, .anything, "the earliest value"),
    AggregationEntry("last", Last.self, .anything, "the latest value"),
    AggregationEntry(
      "first_n", FirstN.self, .anything, keys: ["n"], document: true,
      parameters: { (node) throws(Failure) in try ListLength(node, "n") },
      "the n earliest values, as a list"),
    AggregationEntry(
      "last_n", LastN.self, .anything, keys: ["n"], document: true,
      parameters: { (node) throws(Failure) in try ListLength(node, "n") },
      "the n latest values, earliest first, as a list"),
    AggregationEntry(
      "count_distinct", CountDistinct.self, .anything,
      "how many different values, exactly; 0 of nothing"),
    AggregationEntry(
      "approx_count_distinct", ApproximateCountDistinct.self, .hashes, keys: ["precision"],
      parameters: { (node) throws(Failure) in try RegisterCount(node) },
      "HyperLogLog; standard error 1.04 / sqrt(2^precision); 12, so 1.6 %"),
    AggregationEntry(
      "percentile", Percentile.self, .numbers, keys: ["p", "error"],
      parameters: { (node) throws(Failure) in try PercentileParameters(node) },
      "p: 0.99 is the 99th; DDSketch, within error: 0.01 of the true value"),
    AggregationEntry(
      "top_k", TopK.self, .ordered, keys: ["k"], document: true,
      parameters: { (node) throws(Failure) in try ListLength(node, "k") },
      "the k greatest values, greatest first, as a list"),
    AggregationEntry(
      "histogram", Histogram.self, .anything, keys: ["bounds"], document: true,
      parameters: { (node) throws(Failure) in try HistogramBounds(node) },
      "counts by value, an object; with bounds: [0, 10] by stretch, a list"),
    AggregationEntry(
      "ewma", DecayedMean.self, .numbers, keys: ["half_life"],
      parameters: { (node) throws(Failure) in try HalfLife(node) },
      "the mean with weights 2^(-age / half_life)"),
    AggregationEntry(
      "rate", Rate.self, .numbers, events: true, keys: ["per"],
      parameters: { (node) throws(Failure) in try RateUnit(node) },
      "events (\"*\") or the sum of values in each per: \"1s\"; 0 of nothing"),
    AggregationEntry(
      "time_since_last", TimeSinceLast.self, .anything, events: true,
      "seconds since the last event (\"*\") or value"),
  ]

  static let names: [String] = entries.map(\.name) + [Ratio.name]

  /// The keys of all parameters.
  static let keys: [String] = Array(Set(entries.flatMap(\.keys))).sorted()

  static func entry(_ name: String) -> AggregationEntry? { entries.first { $0.name == name } }
}

/// The table of aggregations for `rtinfer help project`.
public enum AggregationHelp {
  public static var text: String {
    AggregationTable.entries.map { entry in
      "  " + entry.name + String(repeating: " ", count: 24 - entry.name.count) + entry.summary
        + "\n"
    }.joined()
      + """
        ratio                   [{ sum: "x" }, { count: "*" }]: the first divided by the second
      Nulls are no values. Of nothing the result is null where nothing else is said.

      """
  }
}
