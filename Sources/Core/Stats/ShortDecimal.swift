// An edge between two values may lie anywhere between them: the one with the fewest digits is the one to read and to
// write.

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

public enum ShortDecimal {
  /// The number with the fewest decimal digits that is at least `low` and below `high`.
  /// - Precondition: `low < high`, both finite.
  public static func between(_ low: Double, _ high: Double) -> Double {
    precondition(low < high, "a low end below the high one")
    if low <= 0, high > 0 { return 0 }
    let magnitude = log10(max(abs(low), abs(high))).rounded(.up)
    for digits in 0..<17 {
      let exponent = Int(magnitude) - digits
      guard abs(exponent) <= 22 else { continue }
      let power = pow(10.0, Double(abs(exponent)))
      // Dividing by a power of ten rounds correctly; multiplying by its inverse would not.
      let value =
        exponent >= 0 ? (low / power).rounded(.up) * power : (low * power).rounded(.up) / power
      if value >= low, value < high { return value }
    }
    return low
  }
}
