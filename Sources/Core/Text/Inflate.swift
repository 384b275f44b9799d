// What `gzip` and zlib have made small, made large again (RFC 1950, 1951, 1952), into a buffer with a bound: a few bytes
// can stand for gigabytes, and whoever sends them does not say how many. Of zlib's own code nothing is used,
// since only system headers come from outside.
//
//     gzip:  1f 8b 08 flags time xfl os [extra] [name] [comment] [crc16]  blocks  crc32 length
//     zlib:  78 xx                                                        blocks  adler32
//     block: last? kind  stored | codes known beforehand | its own codes first
//
// A code is looked up by counting: of each length how many codes there are, in order (Huffman codes are
// canonical here), so that a table of a few hundred numbers does for any of them. The same idea as in
// Mark Adler's `puff`.

public enum InflateError: Error, Sendable, Equatable {
  /// It ends too early.
  case truncated
  /// It is no such stream, or a damaged one.
  case damaged
  /// It would be larger than the bound.
  case tooLarge
}

public enum Inflate {
  public enum Wrapping: Sendable { case gzip, zlib }

  /// - Parameters:
  ///   - bytes: one stream, or for gzip several behind one another, and nothing else.
  ///   - bytesMax: of what it becomes.
  /// - Complexity: O(bytes + result).
  public static func inflate(
    _ bytes: Bytes, _ wrapping: Wrapping, bytesMax: Int
  ) throws(InflateError) -> [UInt8] {
    var stream = InflateStream(bytes, bytesMax: bytesMax)
    switch wrapping {
    case .zlib:
      try zlib(&stream)
      guard stream.position == bytes.count else { throw .damaged }
    case .gzip:
      repeat { try gzip(&stream) } while stream.position < bytes.count
    }
    return stream.output
  }

  private static func zlib(_ stream: inout InflateStream) throws(InflateError) {
    let (method, flags) = (try stream.byte(), try stream.byte())
    guard method & 15 == 8, method >> 4 <= 7, (Int(method) << 8 | Int(flags)) % 31 == 0,
      flags & 0x20 == 0
    else { throw .damaged }
    try stream.blocks()
    var (low, high): (UInt32, UInt32) = (1, 0)
    for byte in stream.output {
      low = (low + UInt32(byte)) % 65_521
      high = (high + low) % 65_521
    }
    var sum: UInt32 = 0
    for _ in 0..<4 { sum = sum << 8 | UInt32(try stream.byte()) }
    guard sum == high << 16 | low else { throw .damaged }
  }

  private static func gzip(_ stream: inout InflateStream) throws(InflateError) {
    guard try stream.byte() == 0x1F, try stream.byte() == 0x8B, try stream.byte() == 8 else {
      throw .damaged
    }
    let flags = try stream.byte()
    guard flags & 0xE0 == 0 else { throw .damaged }
    for _ in 0..<6 { _ = try stream.byte() }
    if flags & 4 != 0 {
      let count = Int(try stream.byte()) | Int(try stream.byte()) << 8
      for _ in 0..<count { _ = try stream.byte() }
    }
    // A name and a comment, each to its zero byte.
    for flag: UInt8 in [8, 16] where flags & flag != 0 {
      while try stream.byte() != 0 {}
    }
    if flags & 2 != 0 { for _ in 0..<2 { _ = try stream.byte() } }
    let start = stream.output.count
    try stream.blocks()
    var (sum, count): (UInt32, UInt32) = (0, 0)
    for place in 0..<4 { sum |= UInt32(try stream.byte()) << UInt32(place * 8) }
    for place in 0..<4 { count |= UInt32(try stream.byte()) << UInt32(place * 8) }
    let made = stream.output[start...]
    guard count == UInt32(truncatingIfNeeded: made.count), sum == checksum(made) else {
      throw .damaged
    }
  }

  /// CRC-32 as in gzip.
  private static func checksum(_ bytes: ArraySlice<UInt8>) -> UInt32 {
    var sum = ~UInt32(0)
    for byte in bytes { sum = sum >> 8 ^ table[Int((sum ^ UInt32(byte)) & 0xFF)] }
    return ~sum
  }

  private static let table: [UInt32] = (0..<256).map { index in
    (0..<8).reduce(UInt32(index)) { value, _ in
      value & 1 == 1 ? value >> 1 ^ 0xEDB8_8320 : value >> 1
    }
  }
}

/// Bits in, bytes out.
private struct InflateStream {
  private let input: Bytes
  private(set) var position = 0
  private var bits: UInt32 = 0
  private var bitCount = 0
  private let bytesMax: Int
  private(set) var output: [UInt8] = []

  init(_ input: Bytes, bytesMax: Int) {
    self.input = input
    self.bytesMax = bytesMax
    output.reserveCapacity(min(bytesMax, input.count * 4))
  }

  /// The next whole byte; bits that are left of the one before are passed over.
  mutating func byte() throws(InflateError) -> UInt8 {
    bits = 0
    bitCount = 0
    guard position < input.count else { throw .truncated }
    position += 1
    return input.base[position - 1]
  }

  /// - Parameter count: at most 16.
  private mutating func take(_ count: Int) throws(InflateError) -> Int {
    while bitCount < count {
      guard position < input.count else { throw .truncated }
      bits |= UInt32(input.base[position]) << UInt32(bitCount)
      position += 1
      bitCount += 8
    }
    let value = bits & (1 << UInt32(count) - 1)
    bits >>= UInt32(count)
    bitCount -= count
    return Int(value)
  }

  private mutating func emit(_ byte: UInt8) throws(InflateError) {
    guard output.count < bytesMax else { throw .tooLarge }
    output.append(byte)
  }

  // MARK: Blocks

  mutating func blocks() throws(InflateError) {
    var isLast = false
    while !isLast {
      isLast = try take(1) == 1
      switch try take(2) {
      case 0: try stored()
      case 1: try coded(InflateCode.fixedLengths, InflateCode.fixedDistances)
      case 2:
        let (lengths, distances) = try codes()
        try coded(lengths, distances)
      default: throw .damaged
      }
    }
  }

  private mutating func stored() throws(InflateError) {
    let count = Int(try byte()) | Int(try byte()) << 8
    let check = Int(try byte()) | Int(try byte()) << 8
    guard count == ~check & 0xFFFF else { throw .damaged }
    for _ in 0..<count { try emit(try byte()) }
  }

  private static let lengthBases = [
    3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131,
    163, 195, 227, 258,
  ]
  private static let lengthBits = [
    0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0,
  ]
  private static let distanceBases = [
    1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1_025, 1_537,
    2_049, 3_073, 4_097, 6_145, 8_193, 12_289, 16_385, 24_577,
  ]
  private static let distanceBits = [
    0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13,
    13,
  ]

  private mutating func coded(
    _ lengths: InflateCode, _ distances: InflateCode
  ) throws(InflateError) {
    while true {
      let symbol = try decode(lengths)
      if symbol < 256 {
        try emit(UInt8(symbol))
        continue
      }
      if symbol == 256 { return }
      guard symbol < 286 else { throw .damaged }
      let length = Self.lengthBases[symbol - 257] + (try take(Self.lengthBits[symbol - 257]))
      let code = try decode(distances)
      guard code < 30 else { throw .damaged }
      let distance = Self.distanceBases[code] + (try take(Self.distanceBits[code]))
      guard distance <= output.count else { throw .damaged }
      guard output.count + length <= bytesMax else { throw .tooLarge }
      // One by one: what is copied may be what was just copied.
      for _ in 0..<length { output.append(output[output.count - distance]) }
    }
  }

  /// A bit at a time: the codes of each length follow those of the length before.
  private mutating func decode(_ code: InflateCode) throws(InflateError) -> Int {
    var (value, first, index) = (0, 0, 0)
    for length in 1...15 {
      value |= try take(1)
      let count = code.counts[length]
      if value - count < first { return code.symbols[index + value - first] }
      index += count
      first = (first + count) << 1
      value <<= 1
    }
    throw .damaged
  }

  /// The order in which a block tells the lengths of the codes that tell its codes' lengths.
  private static let order = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]

  private mutating func codes() throws(InflateError) -> (InflateCode, InflateCode) {
    let lengthCount = try take(5) + 257
    let distanceCount = try take(5) + 1
    let codeCount = try take(4) + 4
    guard lengthCount <= 286, distanceCount <= 30 else { throw .damaged }
    var lengths = [Int](repeating: 0, count: 19)
    for index in 0..<codeCount { lengths[Self.order[index]] = try take(3) }
    let code = try InflateCode(lengths[...], mustBeComplete: true)
    lengths = []
    while lengths.count < lengthCount + distanceCount {
      let symbol = try decode(code)
      switch symbol {
      case 0..<16: lengths.append(symbol)
      case 16:
        guard let last = lengths.last else { throw .damaged }
        lengths += Array(repeating: last, count: 3 + (try take(2)))
      case 17: lengths += Array(repeating: 0, count: 3 + (try take(3)))
      default: lengths += Array(repeating: 0, count: 11 + (try take(7)))
      }
    }
    // A block that cannot end is none.
    guard lengths.count == lengthCount + distanceCount, lengths[256] > 0 else { throw .damaged }
    return (
      try InflateCode(lengths[..<lengthCount], mustBeComplete: false),
      try InflateCode(lengths[lengthCount...], mustBeComplete: false)
    )
  }
}

/// A canonical Huffman code: of each length so many codes, and their symbols in order.
private struct InflateCode: Sendable {
  private(set) var counts = [Int](repeating: 0, count: 16)
  private(set) var symbols: [Int]

  /// - Parameter mustBeComplete: a code with one symbol may leave the rest unused, others may not.
  init(_ lengths: ArraySlice<Int>, mustBeComplete: Bool) throws(InflateError) {
    for length in lengths { counts[length] += 1 }
    var left = 1
    for length in 1...15 {
      left = left << 1 - counts[length]
      guard left >= 0 else { throw .damaged }
    }
    let used = lengths.count - counts[0]
    guard left == 0 || !mustBeComplete && used <= 1 else { throw .damaged }
    symbols = (1...15).flatMap { length in
      lengths.enumerated().filter { $0.element == length }.map(\.offset)
    }
  }

  private init(known lengths: [Int]) {
    for length in lengths { counts[length] += 1 }
    symbols = (1...15).flatMap { length in
      lengths.indices.filter { lengths[$0] == length }
    }
  }

  /// The codes that need not be told.
  static let fixedLengths = InflateCode(
    known: (0..<288).map { $0 < 144 ? 8 : $0 < 256 ? 9 : $0 < 280 ? 7 : 8 })
  static let fixedDistances = InflateCode(known: Array(repeating: 5, count: 30))
}
