// HMAC-SHA-256 (RFC 2104): a digest that only who has the key can make. Here it stands for a private value: the
// same value gives the same digest, and without the key nobody can try out what the value was.

public struct HMAC: Sendable {
  /// The states behind the key's two blocks, made once.
  private let inner: SHA256
  private let outer: SHA256

  /// - Parameter key: of any length; 32 random bytes are as strong as it gets.
  public init(key: [UInt8]) {
    var block = key
    if key.count > 64 {
      var digest = SHA256()
      key.withBytes { digest.update($0) }
      block = digest.finalize()
    }
    block += repeatElement(0, count: 64 - block.count)
    var (inner, outer) = (SHA256(), SHA256())
    block.map { $0 ^ 0x36 }.withBytes { inner.update($0) }
    block.map { $0 ^ 0x5C }.withBytes { outer.update($0) }
    self.inner = inner
    self.outer = outer
  }

  /// 64 lower-case hexadecimal digits.
  ///
  /// - Complexity: O(count).
  public func hex(of bytes: Bytes) -> String {
    var (inner, outer) = (inner, outer)
    inner.update(bytes)
    inner.finalize().withBytes { outer.update($0) }
    return SHA256.hex(outer.finalize())
  }
}
