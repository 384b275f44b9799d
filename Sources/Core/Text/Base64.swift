// RFC 4648 section 4, with padding: for raw bytes in JSON that are not UTF-8.

public enum Base64 {
  private static let alphabet = Array(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
  /// By byte: the digit's value, 64 for what is none.
  private static let values: [UInt8] = (0..<256).map { byte in
    UInt8(alphabet.firstIndex(of: UInt8(byte)) ?? 64)
  }

  public static func encode(_ bytes: Bytes, _ emit: (UInt8) -> Void) {
    var index = 0
    while index < bytes.count {
      let left = min(3, bytes.count - index)
      var group = UInt32(bytes[index]) << 16
      if left > 1 { group |= UInt32(bytes[index + 1]) << 8 }
      if left > 2 { group |= UInt32(bytes[index + 2]) }
      for position in 0..<4 {
        let digit = Int(group >> UInt32(18 - 6 * position)) & 63
        emit(position <= left ? alphabet[digit] : UInt8(ascii: "="))
      }
      index += 3
    }
  }

  /// Nil when the text is not padded base64.
  public static func decode(_ text: Bytes) -> [UInt8]? {
    guard text.count.isMultiple(of: 4) else { return nil }
    var result: [UInt8] = []
    result.reserveCapacity(text.count / 4 * 3)
    var group: UInt32 = 0
    var padding = 0
    for index in 0..<text.count {
      let byte = text[index]
      if byte == UInt8(ascii: "=") {
        guard index >= text.count - 2 else { return nil }
        padding += 1
        group <<= 6
      } else {
        let digit = values[Int(byte)]
        guard padding == 0, digit < 64 else { return nil }
        group = group << 6 | UInt32(digit)
      }
      if index % 4 == 3 {
        for part in 0..<(3 - padding) {
          result.append(UInt8(truncatingIfNeeded: group >> UInt32(16 - 8 * part)))
        }
        group = 0
      }
    }
    return result
  }
}
