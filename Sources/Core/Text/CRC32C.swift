// CRC-32C (Castagnoli, RFC 3720 appendix B.4): the checksum of every format of ours on a disk. It finds each
// error burst of up to 32 bits and all errors of up to five bits in records of the sizes written here.
//
// Eight tables of 256 entries take eight bytes a step (Kounavis and Berry, "Novel Table Lookup-Based
// Algorithms for High-Performance CRC Generation"): table k holds what a byte does that k more bytes follow.
// Where the processor has an instruction for it, that is used instead: it is compiled in the module Wide, since it
// must be switched on for a whole module.

#if arch(x86_64)
  import Wide
#endif

public struct CRC32C: Sendable {
  private var state: UInt32 = ~0

  public init() {}

  /// The checksum of all bytes so far.
  public var value: UInt32 { ~state }

  /// - Complexity: O(count): about half a nanosecond a byte by the tables, an eighth by the instruction.
  public mutating func update(_ bytes: Bytes) {
    #if arch(x86_64)
      if Processor.isWide {
        state = ChecksumKernel.advance(state, UnsafeRawPointer(bytes.base), bytes.count)
        return
      }
    #endif
    updateByTables(bytes)
  }

  /// The twin for other processors.
  mutating func updateByTables(_ bytes: Bytes) {
    state = CRC32C.advance(state, UnsafeRawPointer(bytes.base), bytes.count)
  }

  public static func of(_ bytes: Bytes) -> UInt32 {
    var checksum = CRC32C()
    checksum.update(bytes)
    return checksum.value
  }

  private static func advance(
    _ initial: UInt32, _ bytes: UnsafeRawPointer, _ count: Int
  ) -> UInt32 {
    tables.withUnsafeBufferPointer { tables in
      // Checked once: the indices below are a table's number and a byte.
      let table = tables.baseAddress!
      var state = initial
      var index = 0
      while index &+ 8 <= count {
        let low = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: index, as: UInt32.self))
        let high = UInt32(
          littleEndian: bytes.loadUnaligned(fromByteOffset: index &+ 4, as: UInt32.self))
        let first = low ^ state
        state =
          table[0x700 | Int(first & 0xFF)] ^ table[0x600 | Int(first >> 8 & 0xFF)]
          ^ table[0x500 | Int(first >> 16 & 0xFF)] ^ table[0x400 | Int(first >> 24)]
          ^ table[0x300 | Int(high & 0xFF)] ^ table[0x200 | Int(high >> 8 & 0xFF)]
          ^ table[0x100 | Int(high >> 16 & 0xFF)] ^ table[Int(high >> 24)]
        index &+= 8
      }
      while index < count {
        let byte = bytes.load(fromByteOffset: index, as: UInt8.self)
        state = table[Int((state ^ UInt32(byte)) & 0xFF)] ^ state >> 8
        index &+= 1
      }
      return state
    }
  }

  /// The polynomial 0x1EDC6F41 with its bits reversed.
  private static let polynomial: UInt32 = 0x82F6_3B78

  /// Eight tables, one behind the other.
  private static let tables: [UInt32] = {
    var tables = [UInt32](repeating: 0, count: 8 * 256)
    for byte in 0..<256 {
      var state = UInt32(byte)
      for _ in 0..<8 { state = state & 1 == 0 ? state >> 1 : state >> 1 ^ polynomial }
      tables[byte] = state
    }
    for index in 256..<tables.count {
      let shorter = tables[index - 256]
      tables[index] = tables[Int(shorter & 0xFF)] ^ shorter >> 8
    }
    return tables
  }()
}
