import TestSupport
import Testing

@testable import Core

@Suite struct SHA256Tests {
  /// The examples published with FIPS 180-4 (NIST, "SHA256.pdf") and the empty message.
  @Test(arguments: [
    ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    (
      "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
    ),
    (
      "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmn"
        + "hijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
      "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"
    ),
  ])
  func givesThePublishedDigests(_ message: String, _ digest: String) {
    #expect(Array(message.utf8).withBytes { SHA256.hex(of: $0) } == digest)
  }

  @Test func aMillionTimesA() {
    let message = [UInt8](repeating: UInt8(ascii: "a"), count: 1_000_000)
    #expect(
      message.withBytes { SHA256.hex(of: $0) }
        == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")
  }

  /// Lengths around the ends of blocks, where the padding takes one block or two.
  @Test func piecesMakeNoDifference() {
    for length in 0..<200 {
      let message = (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 7) }
      let whole = message.withBytes { (bytes) in
        var digest = SHA256()
        digest.update(bytes)
        return digest.finalize()
      }
      let pieces = message.withBytes { (bytes) in
        var digest = SHA256()
        var start = 0
        while start < length {
          let end = min(length, start + 1 + start % 70)
          digest.update(bytes[start..<end])
          start = end
        }
        return digest.finalize()
      }
      #expect(whole == pieces)
    }
  }

  /// Runs of one block to some groups of eight, at every alignment, by the wide kernel and by its twin.
  @Test func theWideKernelAndItsTwinAgree() {
    var random = SplitMix64(seed: 11)
    let bytes = (0..<2_200).map { _ in UInt8.random(in: 0...255, using: &random) }
    for length in stride(from: 0, to: 2_100, by: 61) {
      for start in 0..<3 {
        let digests = [false, true].map { isPlain in
          bytes.withBytes { (bytes) in
            var digest = SHA256()
            digest.isPlain = isPlain
            digest.update(bytes[start..<start + length])
            return digest.finalize()
          }
        }
        #expect(digests[0] == digests[1], "\(start), \(length)")
      }
    }
  }
}
