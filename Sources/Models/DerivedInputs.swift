// What CatBoost makes of a row before its trees see it: whether a category is this one (one-hot), and
// what the training knew of a combination of categories (CTR: how often it came, how often with the
// target in question). Each is one more input of the forest, behind the row's own:
//
//     row       [ x0 | hash of x1 | x2 ]
//     forest    [ x0 | hash of x1 | x2 | x1 is "UA" | x1 is "DL" | Borders of x1 | Counter of x1, x3 ]
//
// The arithmetic is in 32-bit floats (catboost/libs/model/static_ctr_provider.cpp, online_ctr.h).
//
// The graph of an ONNX file has numbers of its own, each made from one input: see `DerivedNumber`.

import Core

struct DerivedInputs: Sendable {
  /// The row's own inputs, in front.
  let inputCount: Int
  let categories: [OneHot]
  let statistics: [CategoryStatistic]
  var numbers: [DerivedNumber] = []

  var count: Int { categories.count + statistics.count + numbers.count }

  /// 1 where a category has this hash, else 0.
  struct OneHot: Sendable {
    let input: Int
    let hash: Int32

    func holds(_ row: UnsafeBufferPointer<Double>) -> Bool {
      DerivedInputs.hash(row[input]) == hash
    }
  }

  /// The row's own inputs that one behind them is made from, once for each time.
  ///
  /// - Parameter input: at least `inputCount`.
  func sources(ofInput input: Int) -> [Int] {
    let number = input - inputCount - categories.count - statistics.count
    if number >= 0 { return [numbers[number].input] }
    guard let statistic = statistic(input) else { return [categories[input - inputCount].input] }
    return statistic.elements.map { element in
      switch element {
      case .category(let input), .above(let input, _, _): input
      case .oneHot(let category): category.input
      }
    }
  }

  /// The row's own inputs that explain one behind them, as the library has it: of a combination only
  /// the categories that count with all their values.
  ///
  /// - Parameter input: at least `inputCount`.
  func explainingSources(ofInput input: Int) -> [Int] {
    let categories = statistic(input)?.elements.compactMap { element in
      if case .category(let input) = element { input } else { nil }
    }
    guard let categories, !categories.isEmpty else { return sources(ofInput: input) }
    return categories
  }

  private func statistic(_ input: Int) -> CategoryStatistic? {
    let place = input - inputCount - categories.count
    return statistics.indices.contains(place) ? statistics[place] : nil
  }

  /// Values that are extended at a time: half a megabyte, which stays in the cache that is nearest but
  /// one.
  private static let blockValues = 1 << 16

  /// Rows as the forest takes them, some at a time, so that any of its kernels may evaluate them.
  ///
  /// - Parameters:
  ///   - rows: `rowCount × inputCount` values, row after row.
  ///   - body: takes extended rows, and which of all rows they are.
  /// - Complexity: O(rows × (inputs + count × log entries)).
  func extend(
    _ rows: UnsafeBufferPointer<Double>, rowCount: Int,
    _ body: (UnsafeBufferPointer<Double>, Range<Int>) -> Void
  ) {
    let own = inputCount
    let width = own + count
    let block = max(1, min(rowCount, Self.blockValues / width))
    withUnsafeTemporaryAllocation(of: Double.self, capacity: block * width) { extended in
      var first = 0
      while first < rowCount {
        let last = min(rowCount, first + block)
        for row in first..<last {
          let start = (row - first) * width
          let whole = UnsafeMutableBufferPointer(rebasing: extended[start..<start + width])
          _ = whole.update(fromContentsOf: rows[row * own..<(row + 1) * own])
          fill(whole)
        }
        body(UnsafeBufferPointer(rebasing: extended[..<((last - first) * width)]), first..<last)
        first = last
      }
    }
  }

  /// Fills what is behind the row's own inputs.
  ///
  /// - Parameter row: `inputCount + count` values, of which the first `inputCount` are given.
  /// - Complexity: O(count × log entries), no allocation.
  private func fill(_ row: UnsafeMutableBufferPointer<Double>) {
    let given = UnsafeBufferPointer(row)
    var next = inputCount
    for category in categories {
      row[next] = category.holds(given) ? 1 : 0
      next += 1
    }
    for statistic in statistics {
      row[next] = Double(statistic.value(given))
      next += 1
    }
    for number in numbers {
      row[next] = number.value(given)
      next += 1
    }
  }

  /// A row's category as its hash. A missing one is the empty text, as where the library reads files.
  static func hash(_ input: Double) -> Int32 {
    guard !input.isNaN else { return missingHash }
    guard input.magnitude < 4_294_967_296 else { return 0 }
    return Int32(truncatingIfNeeded: Int64(input))
  }

  private static let missingHash = CategoryCodes.hash(Bytes.empty)
}

/// What the training knew of a combination of values, as a number.
struct CategoryStatistic: Sendable {
  enum Kind: String, Sendable {
    /// Rows beyond a border of the target, of all rows.
    case borders = "Borders"
    /// Rows in a bucket of the target, of all rows.
    case buckets = "Buckets"
    /// The sum of the target, by rows.
    case binarizedMean = "BinarizedTargetMeanValue"
    case floatMean = "FloatTargetMeanValue"
    /// Rows, by the most frequent combination's or by all.
    case counter = "Counter"
    case frequency = "FeatureFreq"

    var isMean: Bool { self == .binarizedMean || self == .floatMean }
    var isCount: Bool { self == .counter || self == .frequency }
  }

  /// One part of the combination.
  enum Element: Sendable {
    case category(input: Int)
    case above(input: Int, border: Double, missingIsAbove: Bool)
    case oneHot(DerivedInputs.OneHot)
  }

  /// The counts of each combination that the training saw.
  struct Table: Sendable {
    /// Rising.
    let hashes: [UInt64]
    /// `width` values for each hash.
    let values: [Double]
    let width: Int
    let denominator: Float
  }

  let kind: Kind
  let elements: [Element]
  let table: Table
  let targetBorder: Int
  let priorNumerator: Float
  let priorDenominator: Float
  let shift: Float
  let scale: Float

  fileprivate func value(_ row: UnsafeBufferPointer<Double>) -> Float {
    let (good, total) = counts(combinationHash(row))
    return ((good + priorNumerator) / (total + priorDenominator) + shift) * scale
  }

  private static let multiplier: UInt64 = 0x4906_ba49_4954_cb65

  private func combinationHash(_ row: UnsafeBufferPointer<Double>) -> UInt64 {
    var hash: UInt64 = 0
    for element in elements {
      let part: UInt64
      switch element {
      case .category(let input):
        part = UInt64(bitPattern: Int64(DerivedInputs.hash(row[input])))
      case .above(let input, let border, let missingIsAbove):
        let value = Double(Float(row[input]))
        part = (value.isNaN ? missingIsAbove : value > border) ? 1 : 0
      case .oneHot(let category): part = category.holds(row) ? 1 : 0
      }
      hash = Self.multiplier &* (hash &+ Self.multiplier &* part)
    }
    return hash
  }

  private func counts(_ hash: UInt64) -> (good: Float, total: Float) {
    let place = table.hashes.indices.firstPlace { table.hashes[$0] >= hash }
    guard place < table.hashes.count, table.hashes[place] == hash else {
      return (0, kind.isCount ? table.denominator : 0)
    }
    let first = place * table.width
    if kind.isCount { return (Float(table.values[first]), table.denominator) }
    if kind.isMean { return (Float(table.values[first]), Float(table.values[first + 1])) }
    var good = 0.0
    var total = 0.0
    for bucket in 0..<table.width {
      let rows = table.values[first + bucket]
      total += rows
      // With two classes there is one border, whatever the file calls it.
      let isGood =
        kind == .buckets
        ? bucket == targetBorder : bucket > (table.width > 2 ? targetBorder : 0)
      if isGood { good += rows }
    }
    return (Float(good), Float(total))
  }
}
