// The values that nearly all members have: plain strings, and numbers of a few digits without an exponent.
// Everything else (escapes, text beyond ASCII, long numbers, exponents, words, arrays, objects, mistakes) is
// left to the cursor. Sixteen bytes are loaded at once and turned into a mask with a bit for each, so that
// the length of a value costs no mispredicted branch.

#if arch(x86_64)
  import SystemHeaders
#endif

enum FastValue {
  /// Bytes behind a text that must be loadable for these.
  static let padding = 16

  /// Where the value that starts at `start` ends, or 0 if it is none of the simple ones. What is accepted
  /// here the cursor would accept, and end at the same place.
  ///
  /// - Precondition: `start < end`, and `padding` bytes behind `end` may be loaded.
  @inline(__always)
  static func end(_ base: UnsafePointer<UInt8>, _ start: Int, end: Int) -> Int {
    #if arch(x86_64)
      guard base[start] == UInt8(ascii: "\"") else { return endOfNumber(base, start, end: end) }
      var index = start &+ 1
      while index < end {
        let special = PlainText.specialSixteen(base + index)
        if special != 0 {
          index &+= special.trailingZeroBitCount
          return index < end && base[index] == UInt8(ascii: "\"") ? index &+ 1 : 0
        }
        index &+= 16
      }
      return 0
    #else
      return 0
    #endif
  }

  #if arch(x86_64)
    /// A minus sign, digits, and a point with digits: fifteen bytes in all.
    @inline(__always)
    private static func endOfNumber(_ base: UnsafePointer<UInt8>, _ start: Int, end: Int) -> Int {
      let isNegative = base[start] == UInt8(ascii: "-")
      let whole = isNegative ? 1 : 0
      let others = ~digits(base + start)
      // Above the sixteenth bit all are set: nothing runs on.
      let wholeEnd = (others >> UInt32(whole)).trailingZeroBitCount &+ whole
      guard wholeEnd > whole, wholeEnd < 16 else { return 0 }
      if base[start &+ whole] == UInt8(ascii: "0"), wholeEnd > whole &+ 1 { return 0 }
      var last = wholeEnd
      if base[start &+ wholeEnd] == UInt8(ascii: ".") {
        let fraction = wholeEnd &+ 1
        last = (others >> UInt32(fraction)).trailingZeroBitCount &+ fraction
        guard last > fraction, last < 16 else { return 0 }
      }
      let index = start &+ last
      return index < end && base[index] | 0x20 != UInt8(ascii: "e") ? index : 0
    }

    /// One bit for each of sixteen bytes, set where it is a digit.
    @inline(__always)
    private static func digits(_ bytes: UnsafePointer<UInt8>) -> UInt32 {
      let block = UnsafeRawPointer(bytes).loadUnaligned(as: __m128i.self)
      let value = _mm_sub_epi8(block, _mm_set1_epi8(0x30))
      let isDigit = _mm_cmpeq_epi8(_mm_min_epu8(value, _mm_set1_epi8(9)), value)
      return UInt32(truncatingIfNeeded: _mm_movemask_epi8(isDigit))
    }
  #endif

  /// The value that `end` has found.
  @inline(__always)
  static func raw(_ base: UnsafePointer<UInt8>, _ start: Int, _ end: Int) -> JSONRaw {
    base[start] == UInt8(ascii: "\"")
      ? JSONRaw(kind: .string, bytes: Bytes(base: base + start + 1, count: end &- start &- 2))
      : JSONRaw(kind: .number, bytes: Bytes(base: base + start, count: end &- start))
  }
}
