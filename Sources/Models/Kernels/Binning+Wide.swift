// Rows into bins where the processor has AVX2: by `BinKernel`, but for inputs whose thresholds are so many that a search
// has fewer steps to take than there are groups to look at, and but for categories.

import Wide

extension Binning {
  /// Bins up to `blockRows` rows, as `bin` does.
  ///
  /// - Parameter bytes: `blockRows` for each column.
  func binWide(_ rows: UnsafePointer<Double>, count: Int, into bytes: UnsafeMutablePointer<UInt8>) {
    let program = BinProgram(
      sight: comparison.sight, inputCount: inputCount,
      inputs: UnsafeBufferPointer(start: wideInputs.base, count: wideInputs.count),
      columns: wideColumns.base, floatBounds: floatBounds.base, doubleBounds: doubleBounds.base)
    BinKernel.bin(program, rows, count: count, into: bytes)
    if otherInputs.count + categoryColumns.count > 0 {
      binBlock(otherInputs, rows, count, into: .columns(bytes))
    }
  }
}

extension Binning.Column {
  var wide: BinColumn {
    let treatment: (missing: BinColumn.Missing, bin: Int32) =
      switch missing {
      case .asZero: (.nothing, 0)
      case .left: (.nan, 0)
      case .right: (.nan, fullBin)
      case .zeroLeft: (.nanAndZero, 0)
      case .zeroRight: (.nanAndZero, fullBin)
      }
    return BinColumn(
      firstRank: firstRank, rankCount: rankCount, missing: treatment.missing,
      missingBin: treatment.bin)
  }
}

extension Forest.Comparison {
  var sight: BinProgram.Sight {
    switch self {
    case .floatBelow, .floatAtMost: .floats
    case .exactAtMost: .doubles
    case .doubleAtMost: .doublesButTiny
    }
  }
}

/// Sorts inputs into those for the kernel and others.
struct WideBinning {
  /// Groups that are looked at rather than searched.
  private static let groupsMax = 64

  private(set) var inputs: [BinInput] = []
  private(set) var others: [Binning.Input] = []
  private(set) var floatBounds: [Int32] = []
  private(set) var doubleBounds: [Int64] = []

  /// - Parameter thresholds: of each feature, ascending, as the least value that goes right.
  init(_ all: [Binning.Input], _ thresholds: [[Double]], _ sight: BinProgram.Sight) {
    for input in all {
      let feature = Int(input.feature)
      let groups = thresholds[feature].count / BinKernel.groupSize + 1
      guard groups <= Self.groupsMax else {
        others.append(input)
        continue
      }
      inputs.append(
        BinInput(
          feature: feature, firstBound: floatBounds.count + doubleBounds.count, groups: groups,
          zeroRank: Int(input.zeroRank), firstColumn: Int(input.firstColumn),
          columnCount: Int(input.columnCount)))
      if sight == .floats {
        floatBounds += bounds(thresholds[feature].map { Binning.key(leastFloat($0)) }, groups)
      } else {
        doubleBounds += bounds(thresholds[feature].map { Binning.key($0) }, groups)
      }
    }
  }

  /// One less than each threshold's key, filled up to whole groups.
  private func bounds<Key: FixedWidthInteger>(_ keys: [Key], _ groups: Int) -> [Key] {
    keys.map { $0 - 1 }
      + Array(repeating: .max, count: groups * BinKernel.groupSize - keys.count)
  }

  /// The least float that reaches a threshold.
  private func leastFloat(_ threshold: Double) -> Float {
    let nearest = Float(threshold)
    return Double(nearest) < threshold ? nearest.nextUp : nearest
  }
}
