// Decimal numbers that come from a file's text rather than from JSON.

import Core

extension Bytes {
  /// Whether this is a decimal number and nothing else: `-12`, `.5`, `1e-05`. The numbers' parser
  /// takes that for granted, since JSON has it checked before.
  var isDecimal: Bool {
    var index = 0
    func skipDigits() -> Int {
      let start = index
      while index < count, base[index] &- UInt8(ascii: "0") <= 9 { index += 1 }
      return index - start
    }
    if index < count, base[index] == UInt8(ascii: "-") { index += 1 }
    var digits = skipDigits()
    if index < count, base[index] == UInt8(ascii: ".") {
      index += 1
      digits += skipDigits()
    }
    guard digits > 0 else { return false }
    guard index < count, base[index] | 0x20 == UInt8(ascii: "e") else { return index == count }
    index += 1
    if index < count, base[index] == UInt8(ascii: "-") || base[index] == UInt8(ascii: "+") {
      index += 1
    }
    return skipDigits() > 0 && index == count
  }
}
