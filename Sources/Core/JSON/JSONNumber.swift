// Numbers: exact where they are integers, correctly rounded where they are not.
//
// Short decimals take Clinger's path (William Clinger, "How to read floating point numbers accurately",
// 1990): a mantissa below 2^53 times or divided by a power of ten up to 10^22 is rounded once, hence
// correctly. Others of up to 19 digits take Eisel and Lemire's: the mantissa times 128 bits of the power
// of five is enough to round correctly (Noble Mushtak and Daniel Lemire, "Fast number parsing without
// fallback", 2023). Longer ones go to the C library's strtod, the slow and obvious twin of both.

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

public enum JSONNumber {
  /// A number as a scalar: an integer literal from -2^63 to 2^64 - 1 stays an integer; `-0`, a point, an
  /// exponent or more digits make it a double. Nil when it is beyond the range of a double.
  public static func scalar(_ text: Bytes) -> Scalar? {
    if let integer = integer(text), !(integer == 0 && text[0] == UInt8(ascii: "-")) {
      return .int(integer)
    }
    if let unsigned = unsigned(text) { return .uint(unsigned) }
    return double(text).map(Scalar.double)
  }

  /// The value of an integer literal, or nil if the text is not one that fits.
  public static func integer(_ text: Bytes) -> Int64? {
    let negative = text.count > 0 && text.base[0] == UInt8(ascii: "-")
    var index = negative ? 1 : 0
    guard index < text.count, text.count - index <= 19 else { return nil }
    // 19 digits stay below 10^19 < 2^64: no overflow check in the loop.
    var magnitude: UInt64 = 0
    while index < text.count {
      let digit = text.base[index] &- UInt8(ascii: "0")
      guard digit <= 9 else { return nil }
      magnitude = magnitude &* 10 &+ UInt64(digit)
      index += 1
    }
    if negative {
      return magnitude <= UInt64(Int64.max) + 1 ? Int64(truncatingIfNeeded: 0 &- magnitude) : nil
    }
    return Int64(exactly: magnitude)
  }

  /// The value of an integer literal from 2^63 to 2^64 - 1, or nil if the text is none.
  public static func unsigned(_ text: Bytes) -> UInt64? {
    // Only 9223372036854775808 and up: 19 or 20 digits, the first of 20 being a 1.
    guard text.count == 19 || text.count == 20 else { return nil }
    var magnitude: UInt64 = 0
    for index in 0..<text.count {
      let digit = text.base[index] &- UInt8(ascii: "0")
      guard digit <= 9 else { return nil }
      let (shifted, overflow) = magnitude.multipliedReportingOverflow(by: 10)
      let (sum, carry) = shifted.addingReportingOverflow(UInt64(digit))
      guard !overflow, !carry else { return nil }
      magnitude = sum
    }
    return magnitude > UInt64(Int64.max) ? magnitude : nil
  }

  /// Correctly rounded; nil when the magnitude is beyond a double's range or the text is not a number.
  public static func double(_ text: Bytes) -> Double? {
    if let decimal = Decimal19(text) {
      let value = decimal.clinger ?? decimal.eiselLemire
      return value.isFinite ? value : nil
    }
    guard let value = slowDouble(text), value.isFinite else { return nil }
    return value
  }

  /// Correctly rounded to 32 bits, nil when beyond a float's range.
  ///
  /// Rounding to a double first goes wrong only where that double lies exactly half-way between two floats
  /// or below the normal range; those few take the C library.
  public static func float(_ text: Bytes) -> Float? {
    guard let wide = double(text) else { return nil }
    let halfWay = wide.bitPattern & 0x1FFF_FFFF == 0x1000_0000
    if !halfWay, wide == 0 || wide.magnitude >= Double(Float.leastNormalMagnitude) {
      let value = Float(wide)
      return value.isFinite ? value : nil
    }
    let value = withTerminated(text) { strtof($0, nil) }
    return value.isFinite ? value : nil
  }

  /// The slow and obvious twin of the fast path.
  static func slowDouble(_ text: Bytes) -> Double? {
    guard let first = text.buffer.first, first == UInt8(ascii: "-") || first &- 0x30 <= 9 else {
      return nil
    }
    return withTerminated(text) { strtod($0, nil) }
  }

  private static func withTerminated<Value>(
    _ text: Bytes, _ body: (UnsafePointer<CChar>) -> Value
  ) -> Value {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: text.count + 1) { buffer in
      for index in 0..<text.count { buffer[index] = CChar(bitPattern: text.base[index]) }
      buffer[text.count] = 0
      return body(UnsafePointer(buffer.baseAddress!))
    }
  }
}

/// A decimal of at most 19 significant digits: mantissa × 10^exponent.
private struct Decimal19 {
  var negative = false
  var mantissa: UInt64 = 0
  var exponent = 0

  /// Nil when there are more digits than fit, or the text is no number.
  init?(_ text: Bytes) {
    var index = 0
    if index < text.count, text.base[0] == UInt8(ascii: "-") {
      negative = true
      index = 1
    }
    guard index < text.count else { return nil }
    var digits = 0
    var fraction = false
    while index < text.count {
      let byte = text.base[index]
      let digit = byte &- UInt8(ascii: "0")
      if digit <= 9 {
        if mantissa != 0 || digit != 0 { digits += 1 }
        guard digits <= 19 else { return nil }
        mantissa = mantissa &* 10 &+ UInt64(digit)
        if fraction { exponent -= 1 }
      } else if byte == UInt8(ascii: "."), !fraction {
        fraction = true
      } else if byte | 0x20 == UInt8(ascii: "e") {
        guard let power = Decimal19.power(text, from: index + 1) else { return nil }
        exponent += power
        return
      } else {
        return nil
      }
      index += 1
    }
  }

  private static func power(_ text: Bytes, from start: Int) -> Int? {
    var index = start
    var sign = 1
    if index < text.count,
      text.base[index] == UInt8(ascii: "-") || text.base[index] == UInt8(ascii: "+")
    {
      sign = text.base[index] == UInt8(ascii: "-") ? -1 : 1
      index += 1
    }
    guard index < text.count, text.count - index <= 4 else { return nil }
    var value = 0
    while index < text.count {
      let digit = text.base[index] &- UInt8(ascii: "0")
      guard digit <= 9 else { return nil }
      value = value * 10 + Int(digit)
      index += 1
    }
    return sign * value
  }

  /// The value where one correctly rounded operation gives it.
  var clinger: Double? {
    guard mantissa <= 1 << 53, exponent >= -22, exponent <= 22 else {
      return mantissa == 0 ? (negative ? -0.0 : 0.0) : nil
    }
    let value = Double(mantissa)
    let scaled =
      exponent < 0
      ? value / Decimal19.powersOfTen[-exponent] : value * Decimal19.powersOfTen[exponent]
    return negative ? -scaled : scaled
  }

  /// The value for any exponent; infinite beyond the range. The bits are those of the mantissa, shifted to the
  /// top, times the power of five; the exponent of two follows from the exponent of ten.
  var eiselLemire: Double {
    guard exponent >= PowersOfFive.least, mantissa != 0 else { return negative ? -0.0 : 0.0 }
    guard exponent <= PowersOfFive.greatest else { return negative ? -.infinity : .infinity }
    let zeros = mantissa.leadingZeroBitCount
    let product = Decimal19.product(mantissa << UInt64(zeros), exponent)
    let upper = Int(product.high >> 63)
    // 53 bits of the mantissa, one to round by and one more.
    let shift = UInt64(upper + 9)
    var bits = product.high >> shift
    var power = ((217_706 * exponent) >> 16) + 63 + upper - zeros + 1_023
    if power <= 0 {
      guard power > -63 else { return negative ? -0.0 : 0.0 }
      bits >>= UInt64(1 - power)
      bits = (bits + (bits & 1)) >> 1
      power = bits < 1 << 52 ? 0 : 1
      return assembled(bits, power)
    }
    // Exactly half-way between two doubles, which only small powers of five allow: round to even.
    if product.low <= 1, (-4...23).contains(exponent), bits & 3 == 1, bits << shift == product.high
    {
      bits &= ~1
    }
    bits = (bits + (bits & 1)) >> 1
    if bits >= 1 << 53 {
      bits = 1 << 52
      power += 1
    }
    return power >= 0x7FF ? (negative ? -.infinity : .infinity) : assembled(bits, power)
  }

  private func assembled(_ bits: UInt64, _ power: Int) -> Double {
    let pattern = bits & ~(1 << 52) | UInt64(power) << 52
    return Double(bitPattern: negative ? pattern | 1 << 63 : pattern)
  }

  /// The upper 128 bits of the mantissa times the power of five; the second half of the power is needed only
  /// where the first leaves the rounding open.
  private static func product(_ mantissa: UInt64, _ exponent: Int) -> (high: UInt64, low: UInt64) {
    let index = (exponent - PowersOfFive.least) * 2
    var (high, low) = mantissa.multipliedFullWidth(by: powersOfFiveWords[index])
    if high & 0x1FF == 0x1FF {
      let second = mantissa.multipliedFullWidth(by: powersOfFiveWords[index + 1]).high
      let (sum, overflow) = low.addingReportingOverflow(second)
      low = sum
      if overflow { high &+= 1 }
    }
    return (high, low)
  }

  private static let powersOfTen: [Double] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
    1e17, 1e18,
    1e19, 1e20, 1e21, 1e22,
  ]
}
