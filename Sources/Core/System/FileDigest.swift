// A file's SHA-256 in one pass, without holding the file.

public enum FileDigest {
  /// - Returns: 64 hexadecimal digits, and the file's size in bytes.
  public static func of(
    _ path: String, in files: any FileSystem
  ) throws(Failure) -> (digest: String, bytes: Int) {
    do throws(SystemError) {
      let file = try files.open(path, .read)
      var digest = SHA256()
      var total = 0
      var buffer = [UInt8](repeating: 0, count: Limits.readBytes)
      while true {
        let count = try buffer.withUnsafeMutableBufferPointer { (buffer) throws(SystemError) in
          try file.read(into: UnsafeMutableRawBufferPointer(buffer))
        }
        if count == 0 { return (SHA256.hex(digest.finalize()), total) }
        buffer.withUnsafeBufferPointer {
          digest.update(Bytes(UnsafeBufferPointer(rebasing: $0[..<count])))
        }
        total += count
      }
    } catch {
      throw .inputOutput("\(path): \(error.call): \(error.reason)")
    }
  }
}
