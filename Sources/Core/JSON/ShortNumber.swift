// Numbers of up to eight bytes, which is nearly all of them, without a loop and without a branch that depends on how
// many digits there are: all eight bytes are moved, masked and multiplied as one word.
//
//     "-46.04"   word  4 6 . 0 4      the sign is shifted out
//                      4 6 0 4        the point is closed up: two digits behind it
//                      0 0 0 0 4 6 0 4   shifted to the end, zeros in front
//                      4604 / 10^2, negative        one division, correctly rounded

enum ShortNumber {
  static let bytesMax = 8

  /// The number as `JSONNumber.scalar` gives it; nil for one with an exponent.
  ///
  /// - Parameters:
  ///   - text: a valid JSON number of `count` bytes, 1 to 8; eight bytes may be loaded.
  @inline(__always)
  static func scalar(_ text: UnsafePointer<UInt8>, count: Int) -> Scalar? {
    var word = UInt64(littleEndian: UnsafeRawPointer(text).loadUnaligned(as: UInt64.self))
    let isNegative = word & 0xFF == UInt64(UInt8(ascii: "-"))
    let sign = isNegative ? 1 : 0
    var digits = count &- sign
    word = (word >> UInt64(sign &* 8)) & ~0 >> UInt64((8 &- digits) &* 8)
    // Of all that may stand in a number only an `e` has this bit.
    guard word & (ones &* 0x40) == 0 else { return nil }
    let points = zeroBytes(word ^ (ones &* 0x2E))
    guard points != 0 else {
      let value = Int64(bitPattern: number(word, digits))
      return isNegative && value == 0 ? .double(-0.0) : .int(isNegative ? 0 &- value : value)
    }
    let whole = points.trailingZeroBitCount & ~7
    let below: UInt64 = 1 << UInt64(whole) &- 1
    word = word & below | (word >> 8) & ~below
    digits &-= 1
    let value =
      Double(number(word, digits)) / powersOfTen[digits &- whole / 8]
    return .double(isNegative ? -value : value)
  }

  /// A number as JSON has it, without an exponent; nil for anything else.
  ///
  /// - Parameters:
  ///   - text: any `count` bytes, 1 to 8; eight bytes may be loaded.
  @inline(__always)
  static func plainDecimal(_ text: UnsafePointer<UInt8>, count: Int) -> Double? {
    var word = UInt64(littleEndian: UnsafeRawPointer(text).loadUnaligned(as: UInt64.self))
    // As arithmetic, since a branch on what is a sign half of the time is guessed wrong half of the time: 1 or 0.
    let sign = ((word & 0xFF ^ UInt64(UInt8(ascii: "-"))) &- 1) >> 63
    var digits = count &- Int(truncatingIfNeeded: sign)
    guard digits > 0 else { return nil }
    word = (word >> (sign &* 8)) & ~0 >> UInt64((8 &- digits) &* 8)
    let points = zeroBytes(word ^ (ones &* 0x2E))
    var decimals = 0
    if points != 0 {
      let whole = points.trailingZeroBitCount & ~7
      let below: UInt64 = 1 << UInt64(whole) &- 1
      decimals = digits &- 1 &- whole / 8
      guard whole > 0, decimals > 0 else { return nil }
      word = word & below | (word >> 8) & ~below
      digits &-= 1
    }
    // 007 is a text.
    guard word & 0xFF != 0x30 || digits &- decimals == 1, isDigits(word, digits) else { return nil }
    let value = Double(Int64(bitPattern: number(word, digits))) / powersOfTen[decimals]
    return Double(bitPattern: value.bitPattern | sign << 63)
  }

  /// Whether the first `count` bytes are digits; those behind are 0.
  @inline(__always)
  private static func isDigits(_ word: UInt64, _ count: Int) -> Bool {
    let values = word ^ (ones &* 0x30) & ~0 >> UInt64((8 &- count) &* 8)
    // What is above 9 reaches the top bit; what carries over from a byte below was there before.
    return (values &+ ones &* 0x76 | values) & (ones &* 0x80) == 0
  }

  /// A number of 0 or more, with three decimals at most, in thousandths; nil for any other.
  ///
  /// - Parameters:
  ///   - text: a valid JSON number of `count` bytes, 1 to 8; eight bytes may be loaded.
  @inline(__always)
  static func thousandths(_ text: UnsafePointer<UInt8>, count: Int) -> UInt64? {
    var word = UInt64(littleEndian: UnsafeRawPointer(text).loadUnaligned(as: UInt64.self))
    guard word & 0xFF != UInt64(UInt8(ascii: "-")) else { return nil }
    word &= ~0 >> UInt64((8 &- count) &* 8)
    guard word & (ones &* 0x40) == 0 else { return nil }
    let points = zeroBytes(word ^ (ones &* 0x2E))
    guard points != 0 else { return number(word, count) &* 1_000 }
    let whole = points.trailingZeroBitCount & ~7
    let decimals = count &- 1 &- whole / 8
    guard decimals <= 3 else { return nil }
    let below: UInt64 = 1 << UInt64(whole) &- 1
    word = word & below | (word >> 8) & ~below
    let scale: UInt64 = decimals == 3 ? 1 : decimals == 2 ? 10 : 100
    return number(word, count &- 1) &* scale
  }

  /// The same for 9 to 12 bytes of which the last four are a point and three decimals, as microseconds are written from ten
  /// milliseconds on; nil for any other.
  ///
  /// - Parameter text: a valid JSON number that begins with a digit.
  @inline(__always)
  static func longThousandths(_ text: UnsafePointer<UInt8>, count: Int) -> UInt64? {
    let whole = count &- 4
    let word = UInt64(littleEndian: UnsafeRawPointer(text).loadUnaligned(as: UInt64.self))
    let end = UInt32(
      littleEndian: UnsafeRawPointer(text + whole).loadUnaligned(as: UInt32.self))
    // What stands before the first point of a number is digits; behind it an `e` may stand, which alone has this bit.
    guard end & 0xFF == UInt32(UInt8(ascii: ".")), end & 0x4040_4040 == 0 else { return nil }
    return number(word, whole) &* 1_000 &+ number(UInt64(end >> 8), 3)
  }

  private static let ones: UInt64 = 0x0101_0101_0101_0101

  /// The top bit of each zero byte, the first one being right.
  @inline(__always)
  private static func zeroBytes(_ word: UInt64) -> UInt64 {
    (word &- ones) & ~word & (ones &* 0x80)
  }

  /// The value of `count` digits, the first in the lowest byte: pairs, then fours, then all eight are joined.
  @inline(__always)
  private static func number(_ digits: UInt64, _ count: Int) -> UInt64 {
    var word = (digits << UInt64((8 &- count) &* 8)) & 0x0F0F_0F0F_0F0F_0F0F
    word = (word &* (10 << 8 | 1)) >> 8
    word = ((word & 0x00FF_00FF_00FF_00FF) &* (100 << 16 | 1)) >> 16
    return ((word & 0x0000_FFFF_0000_FFFF) &* (10_000 << 32 | 1)) >> 32
  }

  private static let powersOfTen: InlineArray<8, Double> = [1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7]
}
