// The shortest decimal that reads back as the same double, for those of ordinary size: means, shares and rates. This is
// Schubfach (R. Giulietti, "The Schubfach way to render doubles", 2020). Where decimals go up to twenty places the powers
// of ten that it needs fit into one word, so that three multiplications give a double and the ends of what is
// rounded to it, and no table of 128 bits has to be in the cache. The standard library, which knows all doubles, is the
// twin.
//
//     value = c × 2^q      × 10^places ▶   vbl ····· vb ····· vbr      in quarters; the lowest bit stands for all below it
//                                             │ s ─┘              a tenth of s, s, or the one above, whichever fits first

enum ShortestDecimal {
  /// Appended as text: a sign, 17 digits, a point, and what stands before them in a number below 1.
  static let bytesMax = 24

  /// From here up to 2^50 every double that is no whole number is written.
  private static let least = 1e-3
  private static let limit = 0x1p50

  /// Writes the decimal.
  ///
  /// - Parameter text: has room for `bytesMax` bytes.
  /// - Returns: how many there are; 0 for a double that is left to the twin.
  @inline(__always)
  static func write(_ value: Double, to text: UnsafeMutablePointer<UInt8>) -> Int {
    guard value.magnitude >= least, value.magnitude < limit,
      var (digits, places) = shortest(value.magnitude)
    else { return 0 }
    while digits.isMultiple(of: 10) {
      digits /= 10
      places -= 1
    }
    guard places > 0 else { return 0 }
    var start = text
    if value < 0 {
      start.pointee = UInt8(ascii: "-")
      start += 1
    }
    return start - text + write(digits, places: places, to: start)
  }

  /// A number of so many decimal places; returns how many bytes it took.
  @inline(__always)
  private static func write(
    _ digits: UInt64, places: Int, to text: UnsafeMutablePointer<UInt8>
  ) -> Int {
    let count = DecimalDigits.count(digits)
    guard count > places else {
      let zeros = places &- count
      text[0] = UInt8(ascii: "0")
      text[1] = UInt8(ascii: ".")
      for index in 0..<zeros { text[2 &+ index] = UInt8(ascii: "0") }
      return 2 &+ zeros &+ DecimalDigits.write(digits, to: text + (2 &+ zeros))
    }
    // All behind the place of the point, then the whole part one to the left.
    _ = DecimalDigits.write(digits, to: text + 1)
    let whole = count &- places
    for index in 0..<whole { text[index] = text[index &+ 1] }
    text[whole] = UInt8(ascii: ".")
    return count &+ 1
  }

  /// The digits and how many of them are decimals; nil for a power of two, to which fewer numbers are rounded from below than
  /// from above.
  @inline(__always)
  private static func shortest(_ value: Double) -> (digits: UInt64, places: Int)? {
    guard value.significandBitPattern != 0 else { return nil }
    let significand = value.significandBitPattern | 1 << 52
    let exponent = Int(value.exponentBitPattern) &- 1_075
    // floor(log10(2^exponent)), and floor(log2(10^places)).
    let places = 0 &- (exponent &* 1_262_611) >> 22
    let shift = exponent &+ (places &* 1_741_647) >> 19 &+ 1
    let power = powers[places]
    let quarters = significand << 2
    let middle = roundedToOdd(power, quarters << UInt64(shift))
    // The ends belong to the double where it is even.
    let open = significand & 1
    let lower = roundedToOdd(power, (quarters &- 2) << UInt64(shift)) &+ open
    let upper = roundedToOdd(power, (quarters &+ 2) << UInt64(shift)) &- open
    let floor = middle >> 2
    let tenth = floor / 10
    let isBelow = lower <= tenth &* 40
    let isAbove = tenth &* 40 &+ 40 <= upper
    if isBelow != isAbove { return (tenth &+ (isAbove ? 1 : 0), places &- 1) }
    return (nearest(floor, middle, lower: lower, upper: upper), places)
  }

  /// Of the whole numbers around a number in quarters the one that lies between the ends, or the nearer of two.
  @inline(__always)
  private static func nearest(
    _ floor: UInt64, _ middle: UInt64, lower: UInt64, upper: UInt64
  ) -> UInt64 {
    let isBelow = lower <= floor &* 4
    let isAbove = floor &* 4 &+ 4 <= upper
    if isBelow != isAbove { return floor &+ (isAbove ? 1 : 0) }
    let half = floor &* 4 &+ 2
    return floor &+ (middle > half || (middle == half && floor & 1 != 0) ? 1 : 0)
  }

  /// The product's upper word, its lowest bit set if anything is below.
  @inline(__always)
  private static func roundedToOdd(_ power: UInt64, _ factor: UInt64) -> UInt64 {
    let (high, low) = power.multipliedFullWidth(by: factor)
    return high | (low != 0 ? 1 : 0)
  }

  /// 10 to the power of the index, its highest bit moved to the word's: exact, as 5^27 fits into 63 bits.
  nonisolated(unsafe) private static let powers: UnsafePointer<UInt64> = {
    let powers = UnsafeMutablePointer<UInt64>.allocate(capacity: 28)
    var power: UInt64 = 1
    for index in 0..<28 {
      powers[index] = power << UInt64(power.leadingZeroBitCount)
      if index < 27 { power *= 5 }
    }
    return UnsafePointer(powers)
  }()
}
