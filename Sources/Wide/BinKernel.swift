// Rows into bins, sixteen rows at once and without a step that waits for another. The thresholds of an input stand in
// groups of sixteen, ascending:
//
//     thresholds    3 5 8 … 21 │ 22 30 31 … 40 │ 44 47 ∞ … ∞        the last group is never full
//     the value 33         ✓   │           ✗
//     its rank      16 × the groups whose last threshold it has reached + those of the next group that it has reached
//
// The groups are counted for all rows together, and what is reached within one by comparing one value with the whole
// group. A search by halves would need fewer comparisons, but each of them would wait for the one before.
//
// Values are compared as integers in the same order (their *keys*), 32 bits wide where all that a forest sees of an
// input is a float.

/// An input that splits ask for.
public struct BinInput: BitwiseCopyable, Sendable {
  let feature: Int32
  let firstBound: Int32
  let groups: Int32
  let zeroRank: Int32
  let firstColumn: Int32
  let columnCount: Int32

  /// - Parameters:
  ///   - feature: which value of a row.
  ///   - firstBound: its first bound, and in how many groups they are, at least one.
  ///   - zeroRank: the rank of zero, which a missing value has.
  ///   - firstColumn: the columns that its bins go to.
  public init(
    feature: Int, firstBound: Int, groups: Int, zeroRank: Int, firstColumn: Int, columnCount: Int
  ) {
    self.feature = Int32(feature)
    self.firstBound = Int32(firstBound)
    self.groups = Int32(groups)
    self.zeroRank = Int32(zeroRank)
    self.firstColumn = Int32(firstColumn)
    self.columnCount = Int32(columnCount)
  }
}

/// What a column makes of ranks.
public struct BinColumn: BitwiseCopyable, Sendable {
  /// What has a bin of its own.
  public enum Missing: UInt8, BitwiseCopyable, Sendable { case nothing, nan, nanAndZero }

  let firstRank: Int32
  let rankCount: Int32
  let missingBin: Int32
  let missing: Missing

  /// - Parameters:
  ///   - firstRank: of its first threshold.
  ///   - rankCount: its thresholds; a bin goes from 0 up to it.
  ///   - missingBin: of what is missing.
  public init(firstRank: Int32, rankCount: Int32, missing: Missing, missingBin: Int32) {
    self.firstRank = firstRank
    self.rankCount = rankCount
    self.missing = missing
    self.missingBin = missingBin
  }
}

/// What the kernel needs of a forest, borrowed.
public struct BinProgram {
  /// How a forest sees its inputs.
  public enum Sight: Sendable { case floats, doubles, doublesButTiny }

  let sight: Sight
  let inputCount: Int
  let inputs: UnsafeBufferPointer<BinInput>
  let columns: UnsafePointer<BinColumn>
  let floatBounds: UnsafePointer<Int32>
  let doubleBounds: UnsafePointer<Int64>

  /// - Parameters:
  ///   - sight: `doublesButTiny` takes for zero what is at most `BinKernel.tiny`.
  ///   - inputCount: values of a row.
  ///   - floatBounds: where floats are seen, `BinKernel.groupSize` for each group of an input, ascending: one less than
  ///     a threshold's key, and `.max` behind the last one, at least once.
  ///   - doubleBounds: the same where doubles are seen.
  public init(
    sight: Sight, inputCount: Int, inputs: UnsafeBufferPointer<BinInput>,
    columns: UnsafePointer<BinColumn>, floatBounds: UnsafePointer<Int32>,
    doubleBounds: UnsafePointer<Int64>
  ) {
    self.sight = sight
    self.inputCount = inputCount
    self.inputs = inputs
    self.columns = columns
    self.floatBounds = floatBounds
    self.doubleBounds = doubleBounds
  }
}

public enum BinKernel {
  /// Thresholds of a group.
  public static let groupSize = 16
  /// Rows that are looked at together.
  public static let rowsAtOnce = 16
  /// Bytes of a column of bins.
  public static let columnBytes = 256
  /// What is no farther from zero counts as zero for `doublesButTiny`.
  public static let tiny = Double(1e-35 as Float)

  /// Bins a block of rows.
  ///
  /// - Parameters:
  ///   - count: rows, 1 to `columnBytes`.
  ///   - bins: `columnBytes` for each column. Those of rows that are not there get bins too.
  /// - Complexity: O(count × inputs × groups), no allocation.
  public static func bin(
    _ program: BinProgram, _ rows: UnsafePointer<Double>, count: Int,
    into bins: UnsafeMutablePointer<UInt8>
  ) {
    switch program.sight {
    case .floats: bin(FloatLanes.self, program.floatBounds, program, rows, count, bins)
    case .doubles: bin(DoubleLanes.self, program.doubleBounds, program, rows, count, bins)
    case .doublesButTiny: bin(TinyLanes.self, program.doubleBounds, program, rows, count, bins)
    }
  }

  /// All inputs of sixteen rows before the next sixteen: those rows then stay in the first level of the cache.
  @inline(__always)
  private static func bin<Lanes: BinLanes>(
    _ lanes: Lanes.Type, _ bounds: UnsafePointer<Lanes.Key>, _ program: BinProgram,
    _ rows: UnsafePointer<Double>, _ count: Int, _ bins: UnsafeMutablePointer<UInt8>
  ) {
    withUnsafeTemporaryAllocation(of: Lanes.Key.self, capacity: 2 * rowsAtOnce) { keys in
      withUnsafeTemporaryAllocation(of: Int32.self, capacity: rowsAtOnce) { ranks in
        let (keys, ranks) = (keys.baseAddress!, ranks.baseAddress!)
        var row = 0
        while row < count {
          // Where sixteen are no longer left, the last one stands for those that are not there.
          let last = min(rowsAtOnce, count &- row) &- 1
          for input in program.inputs {
            let values = BinValues(
              first: rows + (row &* program.inputCount &+ Int(input.feature)),
              stride: program.inputCount, last: last)
            let missing = lanes.see(values, keys)
            findRanks(lanes, keys, bounds + Int(input.firstBound), Int(input.groups), ranks)
            let found = BinRanks(ranks, missing, zeroRank: input.zeroRank)
            for index in Int(input.firstColumn)..<Int(input.firstColumn &+ input.columnCount) {
              found.store(
                program.columns[index], bins + (index &* columnBytes &+ row))
            }
          }
          row &+= rowsAtOnce
        }
      }
    }
  }

  /// - Parameter keys: sixteen, and room for as many counts.
  @inline(__always)
  private static func findRanks<Lanes: BinLanes>(
    _ lanes: Lanes.Type, _ keys: UnsafeMutablePointer<Lanes.Key>,
    _ bounds: UnsafePointer<Lanes.Key>, _ groups: Int, _ ranks: UnsafeMutablePointer<Int32>
  ) {
    let counts = keys + rowsAtOnce
    lanes.countGroups(keys, bounds, groups, counts)
    for row in 0..<rowsAtOnce {
      let first = Int(counts[row]) &* groupSize
      ranks[row] = Int32(truncatingIfNeeded: first &+ lanes.reached(keys[row], bounds + first))
    }
  }
}

/// An input's values in sixteen rows; those behind the last are that one again.
struct BinValues {
  let first: UnsafePointer<Double>
  let stride: Int
  let last: Int

  @inline(__always)
  subscript(row: Int) -> Double { first[row &* stride] }
}

/// Comparisons of one width.
protocol BinLanes {
  associatedtype Key: FixedWidthInteger

  /// The keys of sixteen values, and which of them are missing.
  static func see(_ values: BinValues, _ keys: UnsafeMutablePointer<Key>) -> BinMissing
  /// For sixteen keys the groups whose last threshold they have reached; that of the last group nobody reaches.
  static func countGroups(
    _ keys: UnsafePointer<Key>, _ bounds: UnsafePointer<Key>, _ groups: Int,
    _ counts: UnsafeMutablePointer<Key>)
  /// How many thresholds of a group a key has reached.
  static func reached(_ key: Key, _ group: UnsafePointer<Key>) -> Int
}
