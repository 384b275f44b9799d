// The values that nearly all members have: short plain strings, and numbers without an exponent. Everything else
// (escapes, text beyond ASCII, exponents, words, arrays, objects, mistakes) is left to the cursor.

enum FastValue {
  /// Where the value that starts at `start` ends, or 0 if it is none of the simple ones. What is accepted
  /// here the cursor would accept, and end at the same place.
  @inline(__always)
  static func end(
    _ base: UnsafePointer<UInt8>, _ start: Int, end: Int, readable: Int
  ) -> Int {
    #if arch(x86_64)
      let byte = base[start]
      if byte == UInt8(ascii: "\"") {
        var index = start &+ 1
        while index &+ 16 <= readable {
          let special = PlainText.specialSixteen(base + index)
          if special != 0 {
            index &+= special.trailingZeroBitCount
            return index < end && base[index] == UInt8(ascii: "\"") ? index &+ 1 : 0
          }
          index &+= 16
        }
        return 0
      }
      return endOfNumber(base, start, end: end)
    #else
      return base[start] == UInt8(ascii: "\"") ? 0 : endOfNumber(base, start, end: end)
    #endif
  }

  @inline(__always)
  private static func endOfNumber(_ base: UnsafePointer<UInt8>, _ start: Int, end: Int) -> Int {
    var index = base[start] == UInt8(ascii: "-") ? start &+ 1 : start
    let whole = index
    while index < end, base[index] &- 0x30 <= 9 { index &+= 1 }
    // No digit, or a zero in front of others: not for here.
    guard index > whole, base[whole] != 0x30 || index == whole &+ 1, index < end else { return 0 }
    if base[index] == UInt8(ascii: ".") {
      let fraction = index &+ 1
      index = fraction
      while index < end, base[index] &- 0x30 <= 9 { index &+= 1 }
      guard index > fraction, index < end else { return 0 }
    }
    return base[index] | 0x20 == UInt8(ascii: "e") ? 0 : index
  }

  /// The value that `end` has found.
  @inline(__always)
  static func raw(_ base: UnsafePointer<UInt8>, _ start: Int, _ end: Int) -> JSONRaw {
    base[start] == UInt8(ascii: "\"")
      ? JSONRaw(kind: .string, bytes: Bytes(base: base + start + 1, count: end &- start &- 2))
      : JSONRaw(kind: .number, bytes: Bytes(base: base + start, count: end &- start))
  }
}
