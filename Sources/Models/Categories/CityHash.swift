// CityHash64 in its first version, of 2011, with which CatBoost numbers texts (Geoff Pike and Jyrki
// Alakuijala, "Introducing CityHash"). Later versions give other numbers. Short texts take a way of
// their own by length; from 65 bytes on, 56 bytes of state go over blocks of 64.

import Core

enum CityHash {
  private static let k0: UInt64 = 0xc3a5_c85c_97cb_3127
  private static let k1: UInt64 = 0xb492_b66f_be98_f273
  private static let k2: UInt64 = 0x9ae1_6a3b_2f90_404f
  private static let k3: UInt64 = 0xc949_d7c7_509e_6557
  private static let fold: UInt64 = 0x9ddf_ea08_eb38_2d69

  /// - Complexity: O(count).
  static func hash(_ text: Bytes) -> UInt64 {
    switch text.count {
    case 0: k2
    case 1...3: upTo3(text)
    case 4...8: upTo8(text)
    case 9...16: upTo16(text)
    case 17...32: upTo32(text)
    case 33...64: upTo64(text)
    default: longer(text)
    }
  }

  // MARK: By length

  private static func upTo3(_ text: Bytes) -> UInt64 {
    let count = text.count
    let front = UInt32(text[0]) + UInt32(text[count >> 1]) << 8
    let back = UInt32(count) + UInt32(text[count - 1]) << 2
    return mixed(UInt64(front) &* k2 ^ UInt64(back) &* k3) &* k2
  }

  private static func upTo8(_ text: Bytes) -> UInt64 {
    let count = text.count
    return folded(UInt64(count) &+ word32(text, 0) << 3, word32(text, count - 4))
  }

  private static func upTo16(_ text: Bytes) -> UInt64 {
    let count = text.count
    let last = word(text, count - 8)
    return folded(word(text, 0), rotated(last &+ UInt64(count), count)) ^ last
  }

  private static func upTo32(_ text: Bytes) -> UInt64 {
    let count = text.count
    let a = word(text, 0) &* k1
    let b = word(text, 8)
    let c = word(text, count - 8) &* k2
    let d = word(text, count - 16) &* k0
    return folded(
      rotated(a &- b, 43) &+ rotated(c, 30) &+ d,
      a &+ rotated(b ^ k3, 20) &- c &+ UInt64(count))
  }

  private static func upTo64(_ text: Bytes) -> UInt64 {
    let count = text.count
    let z = word(text, 24)
    let start = word(text, 0) &+ (UInt64(count) &+ word(text, count - 16)) &* k0
    let v = half(start, z, word(text, 8), word(text, 16))
    let w = half(
      word(text, 16) &+ word(text, count - 32), word(text, count - 8), word(text, count - 24),
      word(text, count - 16))
    let r = mixed((v.first &+ w.second) &* k2 &+ (w.first &+ v.second) &* k0)
    return mixed(r &* k0 &+ v.second) &* k2
  }

  /// One half of a text of 33 to 64 bytes.
  private static func half(
    _ start: UInt64, _ z: UInt64, _ second: UInt64, _ third: UInt64
  ) -> (first: UInt64, second: UInt64) {
    let b = rotated(start &+ z, 52)
    let a = start &+ second
    let c = rotated(start, 37) &+ rotated(a, 7)
    let sum = a &+ third
    return (sum &+ z, b &+ rotated(sum, 31) &+ c)
  }

  private static func longer(_ text: Bytes) -> UInt64 {
    let count = text.count
    var x = word(text, 0)
    var y = word(text, count - 16) ^ k1
    var z = word(text, count - 56) ^ k0
    var v = weak(text, count - 64, UInt64(count), y)
    var w = weak(text, count - 32, UInt64(count) &* k1, k0)
    z = z &+ mixed(v.second) &* k1
    x = rotated(z &+ x, 39) &* k1
    y = rotated(y, 33) &* k1
    for at in stride(from: 0, to: (count - 1) & ~63, by: 64) {
      x = rotated(x &+ y &+ v.first &+ word(text, at + 16), 37) &* k1 ^ w.second
      y = rotated(y &+ v.second &+ word(text, at + 48), 42) &* k1 ^ v.first
      z = rotated(z ^ w.first, 33)
      v = weak(text, at, v.second &* k1, x &+ w.first)
      w = weak(text, at + 32, z &+ w.second, y)
      swap(&z, &x)
    }
    return folded(
      folded(v.first, w.first) &+ mixed(y) &* k1 &+ z, folded(v.second, w.second) &+ x)
  }

  /// 32 bytes and two seeds, quickly.
  private static func weak(
    _ text: Bytes, _ at: Int, _ seedA: UInt64, _ seedB: UInt64
  ) -> (first: UInt64, second: UInt64) {
    let last = word(text, at + 24)
    let start = seedA &+ word(text, at)
    let sum = start &+ word(text, at + 8) &+ word(text, at + 16)
    let turned = rotated(seedB &+ start &+ last, 21) &+ rotated(sum, 44)
    return (sum &+ last, turned &+ start)
  }

  // MARK: Steps

  private static func folded(_ low: UInt64, _ high: UInt64) -> UInt64 {
    let a = mixed((low ^ high) &* fold)
    return mixed((high ^ a) &* fold) &* fold
  }

  private static func mixed(_ value: UInt64) -> UInt64 { value ^ (value >> 47) }

  private static func rotated(_ value: UInt64, _ bits: Int) -> UInt64 {
    value >> UInt64(bits) | value << UInt64(64 - bits)
  }

  private static func word(_ text: Bytes, _ at: Int) -> UInt64 {
    UInt64(
      littleEndian: UnsafeRawPointer(text[at..<at + 8].base).loadUnaligned(as: UInt64.self))
  }

  private static func word32(_ text: Bytes, _ at: Int) -> UInt64 {
    UInt64(
      UInt32(
        littleEndian: UnsafeRawPointer(text[at..<at + 4].base).loadUnaligned(as: UInt32.self)))
  }
}
