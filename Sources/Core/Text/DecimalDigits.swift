// Whole numbers as decimals, two digits at a time.

enum DecimalDigits {
  /// Writes a number as its digits.
  ///
  /// - Parameter text: has room for 20 bytes.
  /// - Returns: how many digits there are.
  @inline(__always)
  static func write(_ value: UInt64, to text: UnsafeMutablePointer<UInt8>) -> Int {
    guard value >= 10 else {
      text[0] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: value)
      return 1
    }
    let digits = count(value)
    var rest = value
    var index = digits
    while rest >= 100 {
      index &-= 2
      let (quotient, pair) = rest.quotientAndRemainder(dividingBy: 100)
      write(pair: UInt32(truncatingIfNeeded: pair), to: text + index)
      rest = quotient
    }
    if rest >= 10 {
      write(pair: UInt32(truncatingIfNeeded: rest), to: text)
    } else {
      text[0] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest)
    }
    return digits
  }

  /// Writes a number below 100 as two digits.
  @inline(__always)
  static func write(pair value: UInt32, to text: UnsafeMutablePointer<UInt8>) {
    // A tenth, by a multiplication that is exact below 100.
    let tens = (value &* 205) >> 11
    let ones = value &- tens &* 10
    text[0] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: tens)
    text[1] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: ones)
  }

  /// How many digits a number above 0 has.
  @inline(__always)
  static func count(_ value: UInt64) -> Int {
    // 1233 / 4096 is log10(2): right or one too few.
    let guess = ((64 &- value.leadingZeroBitCount) &* 1_233) >> 12
    return guess &+ (value >= powers[guess] ? 1 : 0)
  }

  /// 10 to the power of the index; no array, which would be counted and checked.
  nonisolated(unsafe) private static let powers: UnsafePointer<UInt64> = {
    let powers = UnsafeMutablePointer<UInt64>.allocate(capacity: 20)
    var power: UInt64 = 1
    for index in 0..<20 {
      powers[index] = power
      if index < 19 { power *= 10 }
    }
    return UnsafePointer(powers)
  }()
}
