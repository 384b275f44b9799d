// The values that nearly all members have: plain strings, numbers of a few digits without an exponent, and the
// three words. Everything else (escapes, text beyond ASCII, long numbers, exponents, arrays, objects, mistakes)
// is left to the cursor. Sixteen bytes are loaded at once and turned into a mask with a bit for each, so that
// the length of a value costs no mispredicted branch.

#if arch(x86_64)
  import SystemHeaders
#endif

enum FastValue {
  /// Bytes behind a text that must be loadable for these.
  static let padding = 17
  /// Beyond the end of any text.
  static let none = Int.max

  /// Where the value that starts at `start` ends, or `Int.max` if it is none of the simple ones. What is accepted here the
  /// cursor would accept, and end at the same place, provided that the end lies within the text: that is
  /// for the caller to check.
  ///
  /// - Parameter end: of the text; `padding` bytes behind the larger of `start` and `end` may be loaded.
  @inline(__always)
  static func end(_ base: UnsafePointer<UInt8>, _ start: Int, end: Int) -> Int {
    #if arch(x86_64)
      let first = base[start]
      if first == UInt8(ascii: "\"") {
        var index = start &+ 1
        var special = PlainText.specialSixteen(base + index)
        while special == 0 {
          index &+= 16
          guard index < end else { return none }
          special = PlainText.specialSixteen(base + index)
        }
        index &+= special.trailingZeroBitCount
        return base[index] == UInt8(ascii: "\"") ? index &+ 1 : none
      }
      return first >= UInt8(ascii: "A")
        ? endOfWord(base, start) : endOfNumber(base, start, first, digits(base + start))
    #else
      return portableEnd(base, start, end: end)
    #endif
  }

  /// The twin for other processors.
  static func portableEnd(_ base: UnsafePointer<UInt8>, _ start: Int, end: Int) -> Int {
    let first = base[start]
    if first == UInt8(ascii: "\"") {
      let index = PlainText.end(base, from: start + 1, to: end, readable: end + padding)
      return index < end && base[index] == UInt8(ascii: "\"") ? index + 1 : none
    }
    return first >= UInt8(ascii: "A")
      ? endOfWord(base, start) : endOfNumber(base, start, first, slowDigits(base + start))
  }

  /// A minus sign, digits, and a point with digits: fifteen bytes in all.
  ///
  /// - Parameters:
  ///   - first: the byte at `start`.
  ///   - digits: one bit for each of the sixteen bytes at `start`, set where it is a digit.
  @inline(__always)
  private static func endOfNumber(
    _ base: UnsafePointer<UInt8>, _ start: Int, _ first: UInt8, _ digits: UInt32
  ) -> Int {
    // Where runs of digits end; a minus sign in front is no end. Above the sixteenth bit all are set.
    let ends = ~digits & ~1
    let whole = ends.trailingZeroBitCount
    // One comparison for both signs, as which it is cannot be foreseen: 0 or 1 byte before the digits.
    let sign = first == UInt8(ascii: "-") ? 1 : 0
    guard digits >> UInt32(truncatingIfNeeded: sign) & 1 != 0 else { return none }
    if base[start &+ sign] == UInt8(ascii: "0"), whole > sign &+ 1 { return none }
    var length = whole
    if base[start &+ whole] == UInt8(ascii: ".") {
      length = (ends & (ends &- 1)).trailingZeroBitCount
      guard length > whole &+ 1 else { return none }
    }
    guard length < 16 else { return none }
    return base[start &+ length] | 0x20 != UInt8(ascii: "e") ? start &+ length : none
  }

  /// `true`, `false` or `null`.
  @inline(__always)
  private static func endOfWord(_ base: UnsafePointer<UInt8>, _ start: Int) -> Int {
    let word = UInt32(
      littleEndian: UnsafeRawPointer(base + start).loadUnaligned(as: UInt32.self))
    if word == 0x6C6C_756E || word == 0x6575_7274 { return start &+ 4 }  // "null", "true"
    // "false"
    return word == 0x736C_6166 && base[start &+ 4] == UInt8(ascii: "e") ? start &+ 5 : none
  }

  #if arch(x86_64)
    @inline(__always)
    private static func digits(_ bytes: UnsafePointer<UInt8>) -> UInt32 {
      let block = UnsafeRawPointer(bytes).loadUnaligned(as: __m128i.self)
      let value = _mm_sub_epi8(block, _mm_set1_epi8(0x30))
      let isDigit = _mm_cmpeq_epi8(_mm_min_epu8(value, _mm_set1_epi8(9)), value)
      return UInt32(truncatingIfNeeded: _mm_movemask_epi8(isDigit))
    }
  #endif

  /// The slow and obvious twin.
  private static func slowDigits(_ bytes: UnsafePointer<UInt8>) -> UInt32 {
    (0..<16).reduce(0) { $0 | (bytes[$1] &- 0x30 <= 9 ? 1 << UInt32($1) : 0) }
  }
}
