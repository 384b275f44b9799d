// Inputs become small integers before trees look at them. All that a split asks of an input is on which side of a
// threshold it lies; so of an input only its rank among the forest's thresholds for it matters. That is exact,
// whatever the input's type, and it settles once a row what every split would have to ask again: rounding, missing
// values, categories.
//
//     thresholds of one input      0.5      2.0      7.5
//     rank of a value           0   |   1    |   2    |   3
//     the split `x < 2.0`       goes right ⇔ rank > 1, that is, bin > 1
//
// A *column* holds one such integer for each row. An input has a column for each treatment of missing values that
// its splits ask for, and more than one where its thresholds are too many for the column's integers (a column of
// bytes holds 254): each then covers a run of them, lower ranks being 0 and higher ones its last. A categorical split
// has a column of its own, shared by those with the same set: 1 where the category is in it.

import Wide

struct Binning: Sendable {
  /// One input that splits ask for.
  struct Input: BitwiseCopyable {
    let feature: Int32
    /// Its thresholds from here on, in 2^steps places, of which the first is not used.
    let firstKey: Int32
    let steps: Int32
    /// The rank of zero.
    let zeroRank: Int32
    /// Its columns.
    let firstColumn: Int32
    let columnCount: Int32
  }

  struct Column: BitwiseCopyable {
    let missing: Forest.Missing
    /// Of its first threshold.
    let firstRank: Int32
    /// Its thresholds. Bins go up to it, and a missing value that goes right has one more.
    let rankCount: Int32

    @inline(__always) var fullBin: Int32 { rankCount + 1 }

    /// One whose ranks, 0 and 1, are its bins.
    static let ofCategories = Column(missing: .asZero, firstRank: 0, rankCount: 1)
  }

  /// The column of a categorical split.
  struct CategoryColumn: BitwiseCopyable {
    let feature: Int32
    let set: CategorySet
    let missing: Forest.Missing
  }

  /// What a split asks: it sends a row to the right where the bin in `column` is greater than `rank`.
  struct Test {
    var column: Int
    var rank: Int
  }

  let inputCount: Int
  let comparison: Forest.Comparison
  /// By their number of steps, so that neighbours can be searched together.
  let inputs: Frozen<Input>
  /// The thresholds' keys, each input's ascending from place 1; behind them keys that no value has.
  let keys: Frozen<Int64>
  /// Halves of the same, each input's in the order in which a search meets them: the middle one at place 1, the
  /// middles of its lower and upper half at 2 and 3, and so on.
  let searched: Frozen<Int64>
  /// What `BinKernel` needs: inputs with not too many thresholds, and their bounds, of 32 bits where values are seen
  /// as floats, else of 64.
  let wideInputs: Frozen<BinInput>
  let wideColumns: Frozen<BinColumn>
  let floatBounds: Frozen<Int32>
  let doubleBounds: Frozen<Int64>
  /// The other inputs.
  let otherInputs: Frozen<Input>
  let columns: Frozen<Column>
  let categoryColumns: Frozen<CategoryColumn>
  let categoryWords: Frozen<UInt32>

  var columnCount: Int { columns.count + categoryColumns.count }

  /// The greatest bin of a column; a categorical one has only two.
  func fullBin(_ column: Int) -> Int { column < columns.count ? Int(columns[column].fullBin) : 1 }

  /// Rows that are binned together.
  static let blockRows = BinKernel.columnBytes

  /// An integer for each value that is no NaN, in the same order.
  @inline(__always)
  static func key(_ value: Double) -> Int64 {
    // Adding zero makes -0 the same as 0.
    let bits = Int64(bitPattern: (value + 0).bitPattern)
    return bits ^ (bits &>> 63 & .max)
  }

  static func key(_ value: Float) -> Int32 {
    let bits = Int32(bitPattern: (value + 0).bitPattern)
    return bits ^ (bits &>> 31 & .max)
  }
}

// MARK: Making one

/// Sorts a forest's splits into columns.
struct BinningBuilder {
  private struct CategoryKey: Hashable {
    let feature: Int32
    let set: Int32
    let missing: Forest.Missing
  }

  private let forest: Forest
  private let ranksPerColumn: Int
  /// By input: the distinct thresholds, ascending, as the least value that goes right.
  private var thresholds: [[Double]]
  /// By input: the treatments of missing values, in the order in which they came.
  private var treatments: [[Forest.Missing]]
  private var firstColumn: [Int] = []
  private var numericColumns = 0
  private var categoryColumns: [CategoryKey: Int] = [:]
  private var categoryOrder: [CategoryKey] = []

  init(_ forest: Forest, ranksPerColumn: Int) {
    self.forest = forest
    self.ranksPerColumn = ranksPerColumn
    thresholds = Array(repeating: [], count: forest.inputCount)
    treatments = Array(repeating: [], count: forest.inputCount)
    collect()
  }

  /// Only splits are asked, not leaves; a categorical split is one with an entry.
  private mutating func collect() {
    for node in 0..<forest.nodeCount where forest.left[node] >= 0 {
      let feature = Int(forest.feature[node])
      guard forest.entry[node] < 0 else {
        let key = categoryKey(node)
        if categoryColumns[key] == nil {
          categoryColumns[key] = categoryOrder.count
          categoryOrder.append(key)
        }
        continue
      }
      if let least = leastRight(node) { thresholds[feature].append(least) }
      if !treatments[feature].contains(forest.missing[node]) {
        treatments[feature].append(forest.missing[node])
      }
    }
    for feature in thresholds.indices {
      thresholds[feature].sort()
      thresholds[feature] = thresholds[feature].reduce(into: []) { distinct, next in
        if distinct.last != next { distinct.append(next) }
      }
      firstColumn.append(numericColumns)
      numericColumns += runs(feature) * treatments[feature].count
    }
  }

  private func categoryKey(_ node: Int) -> CategoryKey {
    CategoryKey(
      feature: forest.feature[node], set: forest.entry[node], missing: forest.missing[node])
  }

  /// The least value that goes right; nil where none does.
  private func leastRight(_ node: Int) -> Double? {
    let threshold = forest.value[node]
    if forest.comparison == .floatBelow { return threshold }
    return threshold == .infinity ? nil : threshold.nextUp
  }

  /// Columns for each treatment.
  private func runs(_ feature: Int) -> Int {
    max(1, (thresholds[feature].count + ranksPerColumn - 1) / ranksPerColumn)
  }

  private func rankCount(_ feature: Int, run: Int) -> Int {
    min(thresholds[feature].count - run * ranksPerColumn, ranksPerColumn)
  }

  func test(_ node: Int) -> Binning.Test {
    let feature = Int(forest.feature[node])
    guard forest.entry[node] < 0 else {
      return Binning.Test(column: numericColumns + categoryColumns[categoryKey(node)]!, rank: 0)
    }
    let treatment = treatments[feature].firstIndex(of: forest.missing[node])!
    let first = firstColumn[feature] + treatment * runs(feature)
    // A rank that only a missing value exceeds.
    guard let least = leastRight(node) else {
      return Binning.Test(column: first, rank: rankCount(feature, run: 0))
    }
    let rank = lowerBound(thresholds[feature], least)
    return Binning.Test(column: first + rank / ranksPerColumn, rank: rank % ranksPerColumn)
  }

  private func lowerBound(_ sorted: [Double], _ value: Double) -> Int {
    var (low, high) = (0, sorted.count)
    while low < high {
      let middle = (low + high) / 2
      if sorted[middle] < value { low = middle + 1 } else { high = middle }
    }
    return low
  }

  /// The place, in ascending order, of what a search of so many steps meets at a place.
  private func rank(searched place: Int, _ steps: Int) -> Int {
    guard place > 0 else { return 0 }
    let level = Int.bitWidth - 1 - place.leadingZeroBitCount
    return (2 * (place - 1 << level) + 1) << (steps - 1 - level)
  }

  func binning() -> Binning {
    var inputs: [Binning.Input] = []
    var keys: [Int64] = []
    var searched: [Int64] = []
    var columns: [Binning.Column] = []
    for feature in thresholds.indices where !treatments[feature].isEmpty {
      let sorted = thresholds[feature]
      let steps = Int.bitWidth - sorted.count.leadingZeroBitCount
      inputs.append(
        Binning.Input(
          feature: Int32(feature), firstKey: Int32(keys.count), steps: Int32(steps),
          zeroRank: Int32(lowerBound(sorted, Double(0).nextUp)), firstColumn: Int32(columns.count),
          columnCount: Int32(runs(feature) * treatments[feature].count)))
      let places = [.max] + sorted.map { Binning.key($0) }
      let padded = places + Array(repeating: .max, count: 1 << steps - places.count)
      keys += padded
      searched += (0..<1 << steps).map { padded[rank(searched: $0, steps)] >> 1 }
      for missing in treatments[feature] {
        for run in 0..<runs(feature) {
          columns.append(
            Binning.Column(
              missing: missing, firstRank: Int32(run * ranksPerColumn),
              rankCount: Int32(rankCount(feature, run: run))))
        }
      }
    }
    inputs.sort { $0.steps < $1.steps }
    let wide = WideBinning(inputs, thresholds, forest.comparison.sight)
    return Binning(
      inputCount: forest.inputCount, comparison: forest.comparison, inputs: Frozen(inputs),
      keys: Frozen(keys), searched: Frozen(searched),
      wideInputs: Frozen(wide.inputs), wideColumns: Frozen(columns.map(\.wide)),
      floatBounds: Frozen(wide.floatBounds), doubleBounds: Frozen(wide.doubleBounds),
      otherInputs: Frozen(wide.others), columns: Frozen(columns),
      categoryColumns: Frozen(
        categoryOrder.map {
          Binning.CategoryColumn(
            feature: $0.feature, set: forest.categorySets[Int($0.set)], missing: $0.missing)
        }), categoryWords: Frozen(forest.categoryWords))
  }
}
