// SHA-256 (FIPS 180-4, sections 4.1.2, 4.2.2, 5 and 6.2), for fingerprints of files: a model's
// version is the digest of its bytes. Where the processor has wide registers, longer runs of blocks go
// through a kernel of the module Wide, eight at a time; here is the twin for all others. The processors' SHA
// instructions are not used: a model file of a few megabytes takes some milliseconds, once. Not for passwords.

#if arch(x86_64)
  import Wide
#endif

/// A digest of bytes that arrive in pieces.
public struct SHA256: Sendable {
  private var state: [UInt32] = [
    0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab,
    0x5be0_cd19,
  ]
  /// The start of a block that is not yet full; always fewer than 64 bytes.
  private var pending: [UInt8] = []
  private var byteCount: UInt64 = 0
  /// For tests of the twin: every block goes its way.
  var isPlain = false

  public init() {}

  /// The hexadecimal digest of `bytes`: 64 lower-case digits.
  ///
  /// - Complexity: O(count).
  public static func hex(of bytes: Bytes) -> String {
    var digest = SHA256()
    digest.update(bytes)
    return hex(digest.finalize())
  }

  /// Takes the next piece; how the bytes are cut into pieces makes no difference.
  public mutating func update(_ bytes: Bytes) {
    byteCount &+= UInt64(bytes.count)
    var start = 0
    if !pending.isEmpty {
      start = min(64 - pending.count, bytes.count)
      pending.append(contentsOf: bytes[0..<start].buffer)
      guard pending.count == 64 else { return }
      pending.withUnsafeBufferPointer {
        SHA256.compress($0.baseAddress!, blocks: 1, into: &state)
      }
      pending.removeAll(keepingCapacity: true)
    }
    let blocks = (bytes.count - start) / 64
    compress(bytes.base + start, blocks: blocks)
    pending.append(contentsOf: bytes[start + blocks * 64..<bytes.count].buffer)
  }

  /// The digest of all that was taken: 32 bytes. The value must not be updated afterwards.
  public mutating func finalize() -> [UInt8] {
    let bitCount = byteCount &* 8
    var padding: [UInt8] = [0x80]
    let used = (pending.count + 1) % 64
    padding.append(contentsOf: repeatElement(0, count: used <= 56 ? 56 - used : 120 - used))
    for shift in stride(from: 56, through: 0, by: -8) {
      padding.append(UInt8(truncatingIfNeeded: bitCount >> UInt64(shift)))
    }
    padding.withBytes { update($0) }
    assert(pending.isEmpty, "the padding fills the last block")
    return state.flatMap { word in
      stride(from: 24, through: 0, by: -8).map { UInt8(truncatingIfNeeded: word >> UInt32($0)) }
    }
  }

  /// A digest as 64 lower-case digits.
  public static func hex(_ digest: [UInt8]) -> String {
    let digits = Array("0123456789abcdef".utf8)
    var text: [UInt8] = []
    for byte in digest {
      text.append(digits[Int(byte >> 4)])
      text.append(digits[Int(byte & 15)])
    }
    return String(decoding: text, as: UTF8.self)
  }

  private mutating func compress(_ bytes: UnsafePointer<UInt8>, blocks: Int) {
    var done = 0
    #if arch(x86_64)
      if Processor.isWide, !isPlain {
        let groups = blocks / DigestKernel.blocks
        state.withUnsafeMutableBufferPointer { state in
          SHA256.roundConstants.withUnsafeBufferPointer {
            DigestKernel.advance(
              state.baseAddress!, bytes, groups: groups, constants: $0.baseAddress!)
          }
        }
        done = groups * DigestKernel.blocks
      }
    #endif
    SHA256.compress(bytes + done * 64, blocks: blocks - done, into: &state)
  }

  /// The twin for other processors and for the last blocks: whole blocks, one by one.
  private static func compress(
    _ bytes: UnsafePointer<UInt8>, blocks: Int, into state: inout [UInt32]
  ) {
    guard blocks > 0 else { return }
    state.withUnsafeMutableBufferPointer { state in
      roundConstants.withUnsafeBufferPointer { constants in
        withUnsafeTemporaryAllocation(of: UInt32.self, capacity: 64) { schedule in
          for block in 0..<blocks {
            fill(schedule.baseAddress!, UnsafeRawPointer(bytes + block * 64))
            rounds(schedule.baseAddress!, constants.baseAddress!, state.baseAddress!)
          }
        }
      }
    }
  }

  /// The message schedule of one block: 64 words.
  private static func fill(
    _ schedule: UnsafeMutablePointer<UInt32>, _ bytes: UnsafeRawPointer
  ) {
    for word in 0..<16 {
      schedule[word] = UInt32(
        bigEndian: bytes.loadUnaligned(fromByteOffset: word &* 4, as: UInt32.self))
    }
    var word = 16
    while word < 64 {
      let (early, late) = (schedule[word &- 15], schedule[word &- 2])
      let sigma0 = rotated(early, 7) ^ rotated(early, 18) ^ early &>> 3
      let sigma1 = rotated(late, 17) ^ rotated(late, 19) ^ late &>> 10
      schedule[word] = schedule[word &- 16] &+ sigma0 &+ schedule[word &- 7] &+ sigma1
      word &+= 1
    }
  }

  /// Time is spent here: the 64 rounds of one block. Names change places instead of values, so that after eight
  /// rounds each is where it was.
  private static func rounds(
    _ words: UnsafePointer<UInt32>, _ constants: UnsafePointer<UInt32>,
    _ state: UnsafeMutablePointer<UInt32>
  ) {
    var (a, b, c, d) = (state[0], state[1], state[2], state[3])
    var (e, f, g, h) = (state[4], state[5], state[6], state[7])
    @inline(__always) func sum(_ index: Int) -> UInt32 { words[index] &+ constants[index] }
    var index = 0
    while index < 64 {
      round(a, b, c, &d, e, f, g, &h, sum(index))
      round(h, a, b, &c, d, e, f, &g, sum(index &+ 1))
      round(g, h, a, &b, c, d, e, &f, sum(index &+ 2))
      round(f, g, h, &a, b, c, d, &e, sum(index &+ 3))
      round(e, f, g, &h, a, b, c, &d, sum(index &+ 4))
      round(d, e, f, &g, h, a, b, &c, sum(index &+ 5))
      round(c, d, e, &f, g, h, a, &b, sum(index &+ 6))
      round(b, c, d, &e, f, g, h, &a, sum(index &+ 7))
      index &+= 8
    }
    state[0] &+= a
    state[1] &+= b
    state[2] &+= c
    state[3] &+= d
    state[4] &+= e
    state[5] &+= f
    state[6] &+= g
    state[7] &+= h
  }

  @inline(__always)
  private static func round(
    _ a: UInt32, _ b: UInt32, _ c: UInt32, _ d: inout UInt32, _ e: UInt32, _ f: UInt32,
    _ g: UInt32, _ h: inout UInt32, _ sum: UInt32
  ) {
    let sum1 = rotated(e, 6) ^ rotated(e, 11) ^ rotated(e, 25)
    let first = h &+ sum1 &+ (((f ^ g) & e) ^ g) &+ sum
    let sum0 = rotated(a, 2) ^ rotated(a, 13) ^ rotated(a, 22)
    d = d &+ first
    h = first &+ sum0 &+ (((a | b) & c) | (a & b))
  }

  @inline(__always)
  private static func rotated(_ word: UInt32, _ count: UInt32) -> UInt32 {
    word &>> count | word &<< (32 &- count)
  }

  /// The first 32 bits of the fractional parts of the cube roots of the first 64 primes.
  private static let roundConstants: [UInt32] = [
    0x428a_2f98, 0x7137_4491, 0xb5c0_fbcf, 0xe9b5_dba5, 0x3956_c25b, 0x59f1_11f1, 0x923f_82a4,
    0xab1c_5ed5, 0xd807_aa98, 0x1283_5b01, 0x2431_85be, 0x550c_7dc3, 0x72be_5d74, 0x80de_b1fe,
    0x9bdc_06a7, 0xc19b_f174, 0xe49b_69c1, 0xefbe_4786, 0x0fc1_9dc6, 0x240c_a1cc, 0x2de9_2c6f,
    0x4a74_84aa, 0x5cb0_a9dc, 0x76f9_88da, 0x983e_5152, 0xa831_c66d, 0xb003_27c8, 0xbf59_7fc7,
    0xc6e0_0bf3, 0xd5a7_9147, 0x06ca_6351, 0x1429_2967, 0x27b7_0a85, 0x2e1b_2138, 0x4d2c_6dfc,
    0x5338_0d13, 0x650a_7354, 0x766a_0abb, 0x81c2_c92e, 0x9272_2c85, 0xa2bf_e8a1, 0xa81a_664b,
    0xc24b_8b70, 0xc76c_51a3, 0xd192_e819, 0xd699_0624, 0xf40e_3585, 0x106a_a070, 0x19a4_c116,
    0x1e37_6c08, 0x2748_774c, 0x34b0_bcb5, 0x391c_0cb3, 0x4ed8_aa4a, 0x5b9c_ca4f, 0x682e_6ff3,
    0x748f_82ee, 0x78a5_636f, 0x84c8_7814, 0x8cc7_0208, 0x90be_fffa, 0xa450_6ceb, 0xbef9_a3f7,
    0xc671_78f2,
  ]
}
