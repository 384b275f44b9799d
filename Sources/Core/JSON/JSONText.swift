// Strings in JSON: checking UTF-8 and escapes while scanning, and resolving escapes when a value is taken.
// A lone surrogate (`\ud800` without its partner) has no UTF-8 form and is an error, as RFC 8259 section 8.2
// warns that everything else about it is unpredictable.

enum JSONText {
  /// The index after the UTF-8 scalar that starts at `index` (a byte ≥ 0x80), or nil if it is ill-formed:
  /// overlong forms, surrogates and values above U+10FFFF included (RFC 3629 section 4).
  static func endOfUTF8Scalar(_ base: UnsafePointer<UInt8>, _ index: Int, _ end: Int) -> Int? {
    let lead = base[index]
    func continues(_ offset: Int, _ range: ClosedRange<UInt8> = 0x80...0xBF) -> Bool {
      index + offset < end && range.contains(base[index + offset])
    }
    switch lead {
    case 0xC2...0xDF:
      return continues(1) ? index + 2 : nil
    case 0xE0...0xEF:
      let second: ClosedRange<UInt8> =
        lead == 0xE0 ? 0xA0...0xBF : lead == 0xED ? 0x80...0x9F : 0x80...0xBF
      return continues(1, second) && continues(2) ? index + 3 : nil
    case 0xF0...0xF4:
      let second: ClosedRange<UInt8> =
        lead == 0xF0 ? 0x90...0xBF : lead == 0xF4 ? 0x80...0x8F : 0x80...0xBF
      return continues(1, second) && continues(2) && continues(3) ? index + 4 : nil
    default:
      return nil
    }
  }

  /// The index after the escape that starts at `index` (a backslash); a surrogate pair is one escape.
  static func endOfEscape(
    _ base: UnsafePointer<UInt8>, _ index: Int, _ end: Int
  ) throws(JSONError) -> Int {
    guard index + 1 < end else { throw JSONError("the text ends inside a string", at: end) }
    switch base[index + 1] {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"),
      UInt8(ascii: "f"),
      UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
      return index + 2
    case UInt8(ascii: "u"):
      guard let unit = hexUnit(base, index + 2, end) else {
        throw JSONError("\\u needs four hexadecimal digits", at: index)
      }
      guard unit & 0xF800 == 0xD800 else { return index + 6 }
      guard unit < 0xDC00, index + 7 < end, base[index + 6] == UInt8(ascii: "\\"),
        base[index + 7] == UInt8(ascii: "u"), let low = hexUnit(base, index + 8, end),
        low & 0xFC00 == 0xDC00
      else { throw JSONError("half of a surrogate pair stands alone", at: index) }
      return index + 12
    default:
      throw JSONError("an unknown escape", at: index)
    }
  }

  private static func hexUnit(_ base: UnsafePointer<UInt8>, _ index: Int, _ end: Int) -> UInt32? {
    guard index + 4 <= end else { return nil }
    var unit: UInt32 = 0
    for offset in 0..<4 {
      let byte = base[index + offset]
      let digit: UInt8
      switch byte {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = byte - UInt8(ascii: "0")
      case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = byte - UInt8(ascii: "a") + 10
      case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = byte - UInt8(ascii: "A") + 10
      default: return nil
      }
      unit = unit << 4 | UInt32(digit)
    }
    return unit
  }

  /// Resolves the escapes of a string that the scanner has accepted. What comes out is never longer
  /// than what went in.
  static func unescape(_ text: Bytes, _ emit: (UInt8) -> Void) {
    var index = 0
    while index < text.count {
      let byte = text.base[index]
      guard byte == UInt8(ascii: "\\") else {
        emit(byte)
        index += 1
        continue
      }
      switch text.base[index + 1] {
      case UInt8(ascii: "b"): emit(0x08)
      case UInt8(ascii: "f"): emit(0x0C)
      case UInt8(ascii: "n"): emit(0x0A)
      case UInt8(ascii: "r"): emit(0x0D)
      case UInt8(ascii: "t"): emit(0x09)
      case UInt8(ascii: "u"):
        index += emitUnicode(text, index, emit)
        continue
      case let plain: emit(plain)
      }
      index += 2
    }
  }

  /// Returns how many bytes the escape took: 6, or 12 for a surrogate pair.
  private static func emitUnicode(_ text: Bytes, _ index: Int, _ emit: (UInt8) -> Void) -> Int {
    var value = hexUnit(text.base, index + 2, text.count)!
    var taken = 6
    if value & 0xFC00 == 0xD800 {
      let low = hexUnit(text.base, index + 8, text.count)!
      value = 0x10000 + (value & 0x3FF) << 10 + low & 0x3FF
      taken = 12
    }
    for byte in UTF8.encode(Unicode.Scalar(value)!)! { emit(byte) }
    return taken
  }
}
