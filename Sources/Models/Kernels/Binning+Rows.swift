// Rows into bins: for each input the ranks of a block's values are searched, four at a time and without a branch, and
// then written into the input's columns. Columns of a wide processor are `Binning+Wide`'s, to which this is the twin.

import Core

extension Binning {
  /// Where the bins of a block go.
  enum Layout {
    /// Column after column, `blockRows` bytes each.
    case columns(UnsafeMutablePointer<UInt8>)
    /// Row after row, `columnCount` bytes each.
    case rows(UnsafeMutablePointer<UInt8>)
    /// Row after row, `columnCount` words each.
    case wordRows(UnsafeMutablePointer<UInt16>)
  }

  /// Bins up to `blockRows` rows.
  ///
  /// - Parameters:
  ///   - rows: `count × inputCount` inputs, row after row.
  ///   - wide: with AVX2, which the processor must have.
  /// - Complexity: O(count × inputs × log thresholds), but for `binWide`; no allocation.
  func bin(
    _ rows: UnsafePointer<Double>, count: Int, into layout: Layout, wide: Bool = Processor.isWide
  ) {
    precondition(count <= Self.blockRows, "a block of rows")
    if count < 4 {
      for row in 0..<count { binRow(rows + row &* inputCount, row, into: layout) }
    } else if wide, case .columns(let bytes) = layout {
      binWide(rows, count: count, into: bytes)
    } else {
      binBlock(inputs, rows, count, into: layout)
    }
  }

  /// Some inputs one after another, four rows at once, and all categories.
  func binBlock(
    _ inputs: Frozen<Input>, _ rows: UnsafePointer<Double>, _ count: Int, into layout: Layout
  ) {
    // For few rows little enough for the stack.
    withUnsafeTemporaryAllocation(of: Double.self, capacity: max(1, count)) { values in
      withUnsafeTemporaryAllocation(of: Int32.self, capacity: max(1, count)) { ranks in
        let (values, ranks) = (values.baseAddress!, ranks.baseAddress!)
        for index in 0..<inputs.count {
          let input = inputs.base[index]
          see(rows + Int(input.feature), count, into: values)
          findRanks(input, values, count, into: ranks)
          for column in Int(input.firstColumn)..<Int(input.firstColumn &+ input.columnCount) {
            write(columns.base[column], column, values, ranks, count, layout)
          }
        }
        for index in 0..<categoryColumns.count {
          let column = categoryColumns.base[index]
          see(rows + Int(column.feature), count, into: values)
          for row in 0..<count { ranks[row] = holds(column, values[row]) ? 1 : 0 }
          write(Column.ofCategories, columns.count &+ index, values, ranks, count, layout)
        }
      }
    }
  }

  /// One input of each row, as a split sees it.
  private func see(
    _ first: UnsafePointer<Double>, _ count: Int, into values: UnsafeMutablePointer<Double>
  ) {
    for row in 0..<count { values[row] = see(first[row &* inputCount]) }
  }

  @inline(__always)
  func see(_ value: Double) -> Double {
    switch comparison {
    case .doubleAtMost: Forest.Comparison.doubleAtMost.seen(value)
    case .exactAtMost: value
    case .floatBelow, .floatAtMost: Double(Float(value))
    }
  }

  /// How many thresholds each value has reached; a missing one counts as zero.
  ///
  /// Each step of a search has to wait for the one before it, so four searches are under way at once. A step is
  /// arithmetic, since a comparison would become a branch that is guessed wrong every other time: the sign of a
  /// difference, which cannot overflow between halves of keys. The bit that the halves have lost can matter
  /// for the last threshold only, and is looked at in the end.
  @inline(never)
  private func findRanks(
    _ input: Input, _ values: UnsafePointer<Double>, _ count: Int,
    into ranks: UnsafeMutablePointer<Int32>
  ) {
    let keys = keys.base + Int(input.firstKey)
    let searched = searched.base + Int(input.firstKey)
    let steps = input.steps
    var row = 0
    while row &+ 4 <= count {
      let (w, x) = (Self.key(values[row]), Self.key(values[row &+ 1]))
      let (y, z) = (Self.key(values[row &+ 2]), Self.key(values[row &+ 3]))
      var (a, b, c, d) = (1, 1, 1, 1)
      for _ in 0..<steps {
        a = Self.next(searched, a, w)
        b = Self.next(searched, b, x)
        c = Self.next(searched, c, y)
        d = Self.next(searched, d, z)
      }
      ranks[row] = Self.rank(a, steps, keys, w)
      ranks[row &+ 1] = Self.rank(b, steps, keys, x)
      ranks[row &+ 2] = Self.rank(c, steps, keys, y)
      ranks[row &+ 3] = Self.rank(d, steps, keys, z)
      row &+= 4
    }
    while row < count {
      let key = Self.key(values[row])
      var place = 1
      for _ in 0..<steps { place = Self.next(searched, place, key) }
      ranks[row] = Self.rank(place, steps, keys, key)
      row &+= 1
    }
    for row in 0..<count where values[row].isNaN { ranks[row] = input.zeroRank }
  }

  /// To the right, if the threshold has been reached.
  @inline(__always)
  static func next(_ searched: UnsafePointer<Int64>, _ place: Int, _ key: Int64) -> Int {
    let difference = searched[place] &- (key &>> 1 &+ 1)
    return place &+ place &+ Int(truncatingIfNeeded: UInt64(bitPattern: difference) &>> 63)
  }

  /// One less than the search found, where the last threshold lies above the value after all.
  @inline(__always)
  static func rank(
    _ place: Int, _ steps: Int32, _ keys: UnsafePointer<Int64>, _ key: Int64
  ) -> Int32 {
    let rank = place &- 1 &<< Int(steps)
    return Int32(truncatingIfNeeded: rank &- (keys[rank] == key &+ 1 ? 1 : 0))
  }

  private func write(
    _ column: Column, _ index: Int, _ values: UnsafePointer<Double>, _ ranks: UnsafePointer<Int32>,
    _ count: Int, _ layout: Layout
  ) {
    switch layout {
    case .columns(let bytes):
      write(column, values, ranks, count, bytes + index &* Self.blockRows, stride: 1)
    case .rows(let bytes):
      write(column, values, ranks, count, bytes + index, stride: columnCount)
    case .wordRows(let words):
      write(column, values, ranks, count, words + index, stride: columnCount)
    }
  }

  @inline(__always)
  private func write<Bin: FixedWidthInteger>(
    _ column: Column, _ values: UnsafePointer<Double>, _ ranks: UnsafePointer<Int32>, _ count: Int,
    _ bins: UnsafeMutablePointer<Bin>, stride: Int
  ) {
    for row in 0..<count {
      bins[row &* stride] = Bin(truncatingIfNeeded: bin(column, values[row], ranks[row]))
    }
  }

  /// The bin of a value of this rank.
  @inline(__always)
  func bin(_ column: Column, _ value: Double, _ rank: Int32) -> Int32 {
    if column.missing != .asZero {
      let countsZero = column.missing == .zeroLeft || column.missing == .zeroRight
      if value.isNaN || countsZero && value == 0 {
        let goesLeft = column.missing == .left || column.missing == .zeroLeft
        return goesLeft ? 0 : column.fullBin
      }
    }
    return min(max(rank &- column.firstRank, 0), column.rankCount)
  }

  /// Whether a categorical split sends a value to the right.
  func holds(_ column: CategoryColumn, _ seen: Double) -> Bool {
    if seen.isNaN { return column.missing == .right || column.missing == .zeroRight }
    guard let category = comparison.category(seen), category >> 5 < column.set.wordCount else {
      return false
    }
    let word = categoryWords.base[Int(column.set.firstWord) + category >> 5]
    return word >> UInt32(category & 31) & 1 == 1
  }
}
