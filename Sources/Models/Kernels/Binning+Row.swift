// One row into bins. A search has to wait at each of its steps, and a single row has no neighbours to search for in the
// meantime; so four inputs are searched at once.

extension Binning {
  /// Writes the bins of one row, which is the `row`th of its block.
  ///
  /// - Complexity: O(inputs × log thresholds), no allocation.
  func binRow(_ values: UnsafePointer<Double>, _ row: Int, into layout: Layout) {
    switch layout {
    case .columns(let bytes): binRow(values, bytes + row, stride: Self.blockRows)
    case .rows(let bytes): binRow(values, bytes + row &* columnCount, stride: 1)
    case .wordRows(let words): binRow(values, words + row &* columnCount, stride: 1)
    }
  }

  @inline(__always)
  private func binRow<Bin: FixedWidthInteger>(
    _ values: UnsafePointer<Double>, _ bins: UnsafeMutablePointer<Bin>, stride: Int
  ) {
    var index = 0
    while index &+ 4 <= inputs.count {
      let four = inputs.base + index
      // They stand in the order of their steps.
      if four[0].steps == four[3].steps {
        let (a, b, c, d) = (
          see(values, four[0]), see(values, four[1]), see(values, four[2]), see(values, four[3])
        )
        let ranks = ranks(four, (a, b, c, d))
        write(four[0], a, ranks.0, bins, stride)
        write(four[1], b, ranks.1, bins, stride)
        write(four[2], c, ranks.2, bins, stride)
        write(four[3], d, ranks.3, bins, stride)
        index &+= 4
      } else {
        binInput(four, values, bins, stride)
        index &+= 1
      }
    }
    while index < inputs.count {
      binInput(inputs.base + index, values, bins, stride)
      index &+= 1
    }
    for index in 0..<categoryColumns.count {
      let column = categoryColumns.base[index]
      let holds = holds(column, see(values[Int(column.feature)]))
      bins[(columns.count &+ index) &* stride] = holds ? 1 : 0
    }
  }

  @inline(__always)
  private func binInput<Bin: FixedWidthInteger>(
    _ input: UnsafePointer<Input>, _ values: UnsafePointer<Double>,
    _ bins: UnsafeMutablePointer<Bin>, _ stride: Int
  ) {
    let value = see(values, input[0])
    let key = Self.key(value)
    var place = 1
    for _ in 0..<input[0].steps {
      place = Self.next(searched.base + Int(input[0].firstKey), place, key)
    }
    let rank = Self.rank(place, input[0].steps, keys.base + Int(input[0].firstKey), key)
    write(input[0], value, rank, bins, stride)
  }

  /// The ranks of four values of four inputs with the same number of steps.
  @inline(__always)
  private func ranks(
    _ four: UnsafePointer<Input>, _ values: (Double, Double, Double, Double)
  ) -> (Int32, Int32, Int32, Int32) {
    let (k, l) = (Int(four[0].firstKey), Int(four[1].firstKey))
    let (m, n) = (Int(four[2].firstKey), Int(four[3].firstKey))
    let (w, x) = (Self.key(values.0), Self.key(values.1))
    let (y, z) = (Self.key(values.2), Self.key(values.3))
    let steps = four[0].steps
    var (a, b, c, d) = (1, 1, 1, 1)
    for _ in 0..<steps {
      a = Self.next(searched.base + k, a, w)
      b = Self.next(searched.base + l, b, x)
      c = Self.next(searched.base + m, c, y)
      d = Self.next(searched.base + n, d, z)
    }
    return (
      Self.rank(a, steps, keys.base + k, w), Self.rank(b, steps, keys.base + l, x),
      Self.rank(c, steps, keys.base + m, y), Self.rank(d, steps, keys.base + n, z)
    )
  }

  @inline(__always)
  private func see(_ values: UnsafePointer<Double>, _ input: Input) -> Double {
    see(values[Int(input.feature)])
  }

  @inline(__always)
  private func write<Bin: FixedWidthInteger>(
    _ input: Input, _ value: Double, _ rank: Int32, _ bins: UnsafeMutablePointer<Bin>,
    _ stride: Int
  ) {
    let rank = value.isNaN ? input.zeroRank : rank
    for index in Int(input.firstColumn)..<Int(input.firstColumn &+ input.columnCount) {
      bins[index &* stride] = Bin(truncatingIfNeeded: bin(columns.base[index], value, rank))
    }
  }
}
