import Core
import Foundation
import TestSupport
import Testing

@Suite struct Base64Tests {
  private func encode(_ bytes: [UInt8]) -> String {
    var result: [UInt8] = []
    bytes.withBytes { Base64.encode($0) { result.append($0) } }
    return result.text
  }

  private func decode(_ text: String) -> [UInt8]? { Array(text).withBytes { Base64.decode($0) } }

  /// RFC 4648 section 10.
  @Test(
    arguments: [
      ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="),
      ("fooba", "Zm9vYmE="), ("foobar", "Zm9vYmFy"),
    ])
  func matchesTheRFC(_ plain: String, _ coded: String) {
    #expect(encode(Array(plain)) == coded)
    #expect(decode(coded)?.text == plain)
  }

  @Test func randomBytesComeBackAndAgreeWithFoundation() {
    var random = SplitMix64(seed: 8)
    for length in 0..<200 {
      let bytes = (0..<length).map { _ in UInt8.random(in: 0...255, using: &random) }
      let coded = encode(bytes)
      #expect(coded == Data(bytes).base64EncodedString())
      #expect(decode(coded) == bytes)
    }
  }

  @Test(arguments: [
    "Z", "Zg", "Zg=", "=", "====", "Z===", "Zg=a", "Zg==Zg==", "Zm9v\n", "Zm 9", "Zm9-", "Zm9_",
    "é==",
  ])
  func refusesWhatIsNotPaddedBase64(_ text: String) {
    #expect(decode(text) == nil)
  }
}
