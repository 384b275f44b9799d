// Which of a cluster's 16,384 slots a key lies in: CRC-16 (XMODEM: polynomial 0x1021, from 0) of the key, or of what
// stands between the first `{` and the next `}` where that is not empty, so that keys with the same tag lie together.
// https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/

enum HashSlot {
  static let count = 16_384

  static func of(_ key: [UInt8]) -> Int { of(key[...]) }

  static func of(_ key: ArraySlice<UInt8>) -> Int {
    guard let open = key.firstIndex(of: UInt8(ascii: "{")),
      let close = key[(open + 1)...].firstIndex(of: UInt8(ascii: "}")), close > open + 1
    else { return Int(checksum(key)) % count }
    return Int(checksum(key[(open + 1)..<close])) % count
  }

  static func checksum(_ bytes: ArraySlice<UInt8>) -> UInt16 {
    var checksum: UInt16 = 0
    for byte in bytes {
      checksum = checksum << 8 ^ table[Int(UInt8(checksum >> 8) ^ byte)]
    }
    return checksum
  }

  private static let table: [UInt16] = (0..<256).map { index in
    var value = UInt16(index) << 8
    for _ in 0..<8 { value = value & 0x8000 == 0 ? value << 1 : value << 1 ^ 0x1021 }
    return value
  }
}
