// The comparisons of `BinKernel`: sixteen values as two vectors of floats or four of doubles.

#if arch(x86_64)
  import SystemHeaders
#endif

#if arch(x86_64)
  /// Sixteen integers of 32 bits; as a mask, all bits or none of each.
  struct Sixteen {
    var low: __m256i
    var high: __m256i
  }

  struct BinMissing {
    let nan: Sixteen
    let zero: Sixteen
  }

  struct BinRanks {
    private let ranks: Sixteen
    private let missing: BinMissing

    @inline(__always)
    init(_ ranks: UnsafePointer<Int32>, _ missing: BinMissing, zeroRank: Int32) {
      let zeroRank = _mm256_set1_epi32(zeroRank)
      self.ranks = Sixteen(
        low: _mm256_blendv_epi8(load(ranks), zeroRank, missing.nan.low),
        high: _mm256_blendv_epi8(load(ranks + 8), zeroRank, missing.nan.high))
      self.missing = missing
    }

    @inline(__always)
    func store(_ column: BinColumn, _ bins: UnsafeMutablePointer<UInt8>) {
      var (low, high) = (bin(ranks.low, column), bin(ranks.high, column))
      if column.missing != .nothing {
        let bin = _mm256_set1_epi32(column.missingBin)
        low = _mm256_blendv_epi8(low, bin, missing.nan.low)
        high = _mm256_blendv_epi8(high, bin, missing.nan.high)
        if column.missing == .nanAndZero {
          low = _mm256_blendv_epi8(low, bin, missing.zero.low)
          high = _mm256_blendv_epi8(high, bin, missing.zero.high)
        }
      }
      // Packing takes four from each in turn.
      let pairs = _mm256_packs_epi32(low, high)
      let bytes = _mm256_permutevar8x32_epi32(
        _mm256_packus_epi16(pairs, pairs), _mm256_setr_epi32(0, 4, 1, 5, 0, 4, 1, 5))
      UnsafeMutableRawPointer(bins).storeBytes(
        of: _mm256_castsi256_si128(bytes), as: __m128i.self)
    }

    @inline(__always)
    private func bin(_ ranks: __m256i, _ column: BinColumn) -> __m256i {
      let above = _mm256_sub_epi32(ranks, _mm256_set1_epi32(column.firstRank))
      return _mm256_min_epi32(
        _mm256_max_epi32(above, _mm256_setzero_si256()), _mm256_set1_epi32(column.rankCount))
    }
  }

  extension BinValues {
    @inline(__always)
    func four(_ row: Int) -> __m256d {
      if row &+ 3 <= last {
        let first = first + row &* stride
        return _mm256_set_pd(
          first[3 &* stride], first[2 &* stride], first[stride], first[0])
      }
      return _mm256_set_pd(
        self[min(row &+ 3, last)], self[min(row &+ 2, last)], self[min(row &+ 1, last)],
        self[min(row, last)])
    }
  }

  enum FloatLanes: BinLanes {
    @inline(__always)
    static func see(_ values: BinValues, _ keys: UnsafeMutablePointer<Int32>) -> BinMissing {
      let (low, high) = (bits(values, 0), bits(values, 8))
      let (lowKeys, highKeys) = (key(low), key(high))
      store(lowKeys, keys)
      store(highKeys, keys + 8)
      let zero = _mm256_setzero_si256()
      return BinMissing(
        nan: Sixteen(low: isNaN(low), high: isNaN(high)),
        zero: Sixteen(
          low: _mm256_cmpeq_epi32(lowKeys, zero), high: _mm256_cmpeq_epi32(highKeys, zero)))
    }

    @inline(__always)
    private static func bits(_ values: BinValues, _ row: Int) -> __m256i {
      let low = _mm256_cvtpd_ps(values.four(row))
      let high = _mm256_cvtpd_ps(values.four(row &+ 4))
      // Adding zero makes -0 the same as 0.
      let floats = _mm256_add_ps(_mm256_set_m128(high, low), _mm256_setzero_ps())
      return _mm256_castps_si256(floats)
    }

    @inline(__always)
    private static func isNaN(_ bits: __m256i) -> __m256i {
      _mm256_cmpgt_epi32(
        _mm256_and_si256(bits, _mm256_set1_epi32(.max)),
        _mm256_set1_epi32(Int32(bitPattern: Float.infinity.bitPattern)))
    }

    @inline(__always)
    private static func key(_ bits: __m256i) -> __m256i {
      _mm256_xor_si256(bits, _mm256_srli_epi32(_mm256_srai_epi32(bits, 31), 1))
    }

    @inline(__always)
    static func countGroups(
      _ keys: UnsafePointer<Int32>, _ bounds: UnsafePointer<Int32>, _ groups: Int,
      _ counts: UnsafeMutablePointer<Int32>
    ) {
      let (low, high) = (load(keys), load(keys + 8))
      var (a, b) = (_mm256_setzero_si256(), _mm256_setzero_si256())
      var last = bounds + (BinKernel.groupSize &- 1)
      for _ in 1..<groups {
        let bound = _mm256_set1_epi32(last.pointee)
        a = _mm256_sub_epi32(a, _mm256_cmpgt_epi32(low, bound))
        b = _mm256_sub_epi32(b, _mm256_cmpgt_epi32(high, bound))
        last += BinKernel.groupSize
      }
      store(a, counts)
      store(b, counts + 8)
    }

    @inline(__always)
    static func reached(_ key: Int32, _ group: UnsafePointer<Int32>) -> Int {
      let key = _mm256_set1_epi32(key)
      let low = _mm256_cmpgt_epi32(key, load(group))
      let high = _mm256_cmpgt_epi32(key, load(group + 8))
      // A bit for each of 32 bytes, two for each threshold.
      return _mm256_movemask_epi8(_mm256_packs_epi32(low, high)).nonzeroBitCount &>> 1
    }
  }

  protocol SixtyFourBits: BinLanes where Key == Int64 {
    /// A value as the forest sees it.
    static func seen(_ values: __m256d) -> __m256d
  }

  enum DoubleLanes: SixtyFourBits {
    @inline(__always)
    static func seen(_ values: __m256d) -> __m256d { values }
  }

  enum TinyLanes: SixtyFourBits {
    @inline(__always)
    static func seen(_ values: __m256d) -> __m256d {
      let magnitude = _mm256_and_si256(_mm256_castpd_si256(values), _mm256_set1_epi64x(.max))
      let tiny = _mm256_set1_epi64x(Int64(bitPattern: BinKernel.tiny.bitPattern))
      let isMore = _mm256_castsi256_pd(_mm256_cmpgt_epi64(magnitude, tiny))
      return _mm256_and_pd(values, isMore)
    }
  }

  extension SixtyFourBits {
    @inline(__always)
    static func see(_ values: BinValues, _ keys: UnsafeMutablePointer<Int64>) -> BinMissing {
      let (a, b) = (see(values.four(0), keys), see(values.four(4), keys + 4))
      let (c, d) = (see(values.four(8), keys + 8), see(values.four(12), keys + 12))
      return BinMissing(
        nan: Sixteen(low: join(a.nan, b.nan), high: join(c.nan, d.nan)),
        zero: Sixteen(low: join(a.zero, b.zero), high: join(c.zero, d.zero)))
    }

    @inline(__always)
    private static func see(
      _ values: __m256d, _ keys: UnsafeMutablePointer<Int64>
    ) -> (nan: __m256i, zero: __m256i) {
      // Adding zero makes -0 the same as 0.
      let bits = _mm256_castpd_si256(_mm256_add_pd(seen(values), _mm256_setzero_pd()))
      let zero = _mm256_setzero_si256()
      let isNegative = _mm256_cmpgt_epi64(zero, bits)
      let key = _mm256_xor_si256(bits, _mm256_srli_epi64(isNegative, 1))
      store(key, keys)
      let magnitude = _mm256_and_si256(bits, _mm256_set1_epi64x(.max))
      let infinity = _mm256_set1_epi64x(Int64(bitPattern: Double.infinity.bitPattern))
      return (_mm256_cmpgt_epi64(magnitude, infinity), _mm256_cmpeq_epi64(key, zero))
    }

    /// Two masks of four as one of eight.
    @inline(__always)
    private static func join(_ low: __m256i, _ high: __m256i) -> __m256i {
      // Packing takes two from each in turn.
      _mm256_permutevar8x32_epi32(
        _mm256_packs_epi32(low, high), _mm256_setr_epi32(0, 1, 4, 5, 2, 3, 6, 7))
    }

    @inline(__always)
    static func countGroups(
      _ keys: UnsafePointer<Int64>, _ bounds: UnsafePointer<Int64>, _ groups: Int,
      _ counts: UnsafeMutablePointer<Int64>
    ) {
      let (first, second) = (load(keys), load(keys + 4))
      let (third, fourth) = (load(keys + 8), load(keys + 12))
      var (a, b) = (_mm256_setzero_si256(), _mm256_setzero_si256())
      var (c, d) = (a, b)
      var last = bounds + (BinKernel.groupSize &- 1)
      for _ in 1..<groups {
        let bound = _mm256_set1_epi64x(last.pointee)
        a = _mm256_sub_epi64(a, _mm256_cmpgt_epi64(first, bound))
        b = _mm256_sub_epi64(b, _mm256_cmpgt_epi64(second, bound))
        c = _mm256_sub_epi64(c, _mm256_cmpgt_epi64(third, bound))
        d = _mm256_sub_epi64(d, _mm256_cmpgt_epi64(fourth, bound))
        last += BinKernel.groupSize
      }
      store(a, counts)
      store(b, counts + 4)
      store(c, counts + 8)
      store(d, counts + 12)
    }

    @inline(__always)
    static func reached(_ key: Int64, _ group: UnsafePointer<Int64>) -> Int {
      let key = _mm256_set1_epi64x(key)
      let low = _mm256_packs_epi32(
        _mm256_cmpgt_epi64(key, load(group)), _mm256_cmpgt_epi64(key, load(group + 4)))
      let high = _mm256_packs_epi32(
        _mm256_cmpgt_epi64(key, load(group + 8)), _mm256_cmpgt_epi64(key, load(group + 12)))
      // A bit for each of 32 bytes, two for each threshold.
      return _mm256_movemask_epi8(_mm256_packs_epi16(low, high)).nonzeroBitCount &>> 1
    }
  }

  @inline(__always)
  private func load(_ numbers: UnsafeRawPointer) -> __m256i {
    numbers.loadUnaligned(as: __m256i.self)
  }

  @inline(__always)
  private func store(_ vector: __m256i, _ numbers: UnsafeMutableRawPointer) {
    numbers.storeBytes(of: vector, as: __m256i.self)
  }
#else
  /// The same value by value, for processors on which it is never chosen.
  struct BinMissing {
    var nan: [Bool] = []
    var zero: [Bool] = []
  }

  struct BinRanks {
    let ranks: UnsafePointer<Int32>
    let missing: BinMissing
    let zeroRank: Int32

    init(_ ranks: UnsafePointer<Int32>, _ missing: BinMissing, zeroRank: Int32) {
      self.ranks = ranks
      self.missing = missing
      self.zeroRank = zeroRank
    }

    func store(_ column: BinColumn, _ bins: UnsafeMutablePointer<UInt8>) {
      for row in 0..<BinKernel.rowsAtOnce {
        let rank = missing.nan[row] ? zeroRank : ranks[row]
        let isMissing =
          column.missing != .nothing && missing.nan[row]
          || column.missing == .nanAndZero && missing.zero[row]
        let bin =
          isMissing ? column.missingBin : min(max(rank - column.firstRank, 0), column.rankCount)
        bins[row] = UInt8(bin)
      }
    }
  }

  protocol PlainLanes: BinLanes {
    static func key(_ value: Double) -> Key
  }

  enum FloatLanes: PlainLanes {
    typealias Key = Int32

    static func key(_ value: Double) -> Int32 {
      let bits = Int32(bitPattern: (Float(value) + 0).bitPattern)
      return bits ^ (bits &>> 31 & .max)
    }
  }

  enum DoubleLanes: PlainLanes {
    typealias Key = Int64

    static func key(_ value: Double) -> Int64 {
      let bits = Int64(bitPattern: (value + 0).bitPattern)
      return bits ^ (bits &>> 63 & .max)
    }
  }

  enum TinyLanes: PlainLanes {
    typealias Key = Int64

    static func key(_ value: Double) -> Int64 {
      DoubleLanes.key(value.magnitude <= BinKernel.tiny ? 0 : value)
    }
  }

  extension PlainLanes {
    static func see(_ values: BinValues, _ keys: UnsafeMutablePointer<Key>) -> BinMissing {
      var missing = BinMissing()
      for row in 0..<BinKernel.rowsAtOnce {
        let value = values[min(row, values.last)]
        keys[row] = key(value)
        missing.nan.append(value.isNaN)
        missing.zero.append(keys[row] == 0)
      }
      return missing
    }

    static func countGroups(
      _ keys: UnsafePointer<Key>, _ bounds: UnsafePointer<Key>, _ groups: Int,
      _ counts: UnsafeMutablePointer<Key>
    ) {
      for row in 0..<BinKernel.rowsAtOnce {
        counts[row] = Key(
          (1..<groups).count(where: { keys[row] > bounds[$0 * BinKernel.groupSize - 1] }))
      }
    }

    static func reached(_ key: Key, _ group: UnsafePointer<Key>) -> Int {
      (0..<BinKernel.groupSize).count(where: { key > group[$0] })
    }
  }
#endif
