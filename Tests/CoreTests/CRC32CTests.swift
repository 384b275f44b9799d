// The checksum against the values of RFC 3720 (appendix B.4), against a bit-by-bit twin, and in pieces.

import TestSupport
import Testing

@testable import Core

@Suite struct CRC32CTests {
  private func checksum(_ bytes: [UInt8]) -> UInt32 { bytes.withBytes { CRC32C.of($0) } }

  /// The definition, one bit at a time.
  private func slowly(_ bytes: [UInt8]) -> UInt32 {
    var state: UInt32 = ~0
    for byte in bytes {
      state ^= UInt32(byte)
      for _ in 0..<8 { state = state & 1 == 0 ? state >> 1 : state >> 1 ^ 0x82F6_3B78 }
    }
    return ~state
  }

  @Test func goldenValues() {
    #expect(checksum([]) == 0)
    #expect(checksum(Array("123456789")) == 0xE306_9283)
    #expect(checksum(Array("a")) == 0xC1D0_4330)
    #expect(checksum([UInt8](repeating: 0, count: 32)) == 0x8A91_36AA)
    #expect(checksum([UInt8](repeating: 0xFF, count: 32)) == 0x62A8_AB43)
    #expect(checksum(Array(0..<32)) == 0x46DD_794E)
    #expect(checksum(Array((0..<32).reversed())) == 0x113F_DB5C)
  }

  @Test func theInstructionAndTheTablesAgreeWithTheDefinitionAtEveryLengthAndAlignment() {
    var random = SplitMix64(seed: 7)
    let bytes = (0..<300).map { _ in UInt8.random(in: 0...255, using: &random) }
    for start in 0..<9 {
      for count in 0..<(bytes.count - start) {
        let part = Array(bytes[start..<start + count])
        let found = bytes.withBytes { CRC32C.of($0[start..<start + count]) }
        #expect(found == slowly(part), "\(start) + \(count)")
        var tables = CRC32C()
        bytes.withBytes { tables.updateByTables($0[start..<start + count]) }
        #expect(tables.value == found, "\(start) + \(count)")
      }
    }
  }

  @Test func piecesGiveTheSameAsTheWhole() {
    let bytes = Array("a checksum does not care where its pieces end, and neither may we")
    for cut in 0...bytes.count {
      var pieces = CRC32C()
      Array(bytes[..<cut]).withBytes { pieces.update($0) }
      Array(bytes[cut...]).withBytes { pieces.update($0) }
      #expect(pieces.value == checksum(bytes))
    }
  }
}
