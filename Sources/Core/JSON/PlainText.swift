// The inner loop of reading text: how far does it go on as plain ASCII, with no quote, no escape, no control
// character and nothing beyond ASCII? Sixteen bytes at a time with SSE2, which every x86-64 processor has;
// eight at a time elsewhere; one at a time where fewer are left to read. All three give the same index.

#if arch(x86_64)
  import SystemHeaders
#endif

enum PlainText {
  /// Bytes that are looked at together, at most.
  static let blockBytes = 16

  /// The index of the first byte from `index` on that is no plain text, or `end`.
  ///
  /// - Parameter readable: bytes up to here may be loaded; at least `end`.
  @inline(__always)
  static func end(
    _ base: UnsafePointer<UInt8>, from index: Int, to end: Int, readable: Int
  ) -> Int {
    var index = index
    #if arch(x86_64)
      while index < end, index + 16 <= readable {
        let special = specialSixteen(base + index)
        if special != 0 { return min(index + special.trailingZeroBitCount, end) }
        index += 16
      }
    #else
      while index < end, index + 8 <= readable {
        let special = specialEight(base + index)
        if special != 0 { return min(index + special.trailingZeroBitCount / 8, end) }
        index += 8
      }
    #endif
    return min(slowEnd(base, from: index, to: end), end)
  }

  /// The slow and obvious twin.
  static func slowEnd(_ base: UnsafePointer<UInt8>, from index: Int, to end: Int) -> Int {
    var index = index
    while index < end, isPlain(base[index]) { index += 1 }
    return index
  }

  @inline(__always)
  static func isPlain(_ byte: UInt8) -> Bool {
    byte >= 0x20 && byte < 0x80 && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\")
  }

  #if arch(x86_64)
    /// One bit for each of sixteen bytes, set where it is not plain.
    @inline(__always)
    static func specialSixteen(_ bytes: UnsafePointer<UInt8>) -> UInt32 {
      let block = UnsafeRawPointer(bytes).loadUnaligned(as: __m128i.self)
      let quote = _mm_cmpeq_epi8(block, _mm_set1_epi8(0x22))
      let backslash = _mm_cmpeq_epi8(block, _mm_set1_epi8(0x5C))
      // Signed: everything beyond ASCII is negative and falls below a space with the control characters.
      let low = _mm_cmplt_epi8(block, _mm_set1_epi8(0x20))
      let special = _mm_or_si128(_mm_or_si128(quote, backslash), low)
      return UInt32(truncatingIfNeeded: _mm_movemask_epi8(special))
    }
  #endif

  /// The top bit of each of eight bytes (the first lowest), set where it is not plain; bits above the first
  /// set one mean nothing.
  @inline(__always)
  static func specialEight(_ bytes: UnsafePointer<UInt8>) -> UInt64 {
    let word = UInt64(littleEndian: UnsafeRawPointer(bytes).loadUnaligned(as: UInt64.self))
    let ones: UInt64 = 0x0101_0101_0101_0101
    let tops: UInt64 = 0x8080_8080_8080_8080
    let quotes = word ^ (ones &* 0x22)
    let backslashes = word ^ (ones &* 0x5C)
    // A byte below n borrows from its top bit (Mycroft); the first one found is always right.
    let low = (word &- ones &* 0x20) & ~word
    return ((quotes &- ones) & ~quotes | (backslashes &- ones) & ~backslashes | low | word) & tops
  }

  /// Whether those of sixteen bytes are equal whose bits are set in `mask`; all sixteen are loaded.
  @inline(__always)
  static func equalSixteen(
    _ left: UnsafePointer<UInt8>, _ right: UnsafePointer<UInt8>, _ mask: UInt32
  ) -> Bool {
    #if arch(x86_64)
      let one = UnsafeRawPointer(left).loadUnaligned(as: __m128i.self)
      let other = UnsafeRawPointer(right).loadUnaligned(as: __m128i.self)
      let equal = UInt32(truncatingIfNeeded: _mm_movemask_epi8(_mm_cmpeq_epi8(one, other)))
      return equal & mask == mask
    #else
      return slowEqualSixteen(left, right, mask)
    #endif
  }

  /// The slow and obvious twin.
  static func slowEqualSixteen(
    _ left: UnsafePointer<UInt8>, _ right: UnsafePointer<UInt8>, _ mask: UInt32
  ) -> Bool {
    (0..<16).allSatisfy { mask >> UInt32($0) & 1 == 0 || left[$0] == right[$0] }
  }
}
