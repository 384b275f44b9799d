// Where a row's separators are: a bit for each of 64 bytes, so that the length of a cell costs no look at each byte.

#if arch(x86_64)
  import SystemHeaders
#endif

enum SeparatorMask {
  static let blockBytes = 64

  /// One bit for each of `count` bytes, at most 64, the first lowest; set where it is the separator.
  ///
  /// - Parameter bytes: up to 15 behind the last one may be loaded.
  @inline(__always)
  static func of(_ bytes: UnsafePointer<UInt8>, count: Int, _ separator: UInt8) -> UInt64 {
    #if arch(x86_64)
      var mask: UInt64 = 0
      if count == blockBytes {
        mask = sixteen(bytes, separator) | sixteen(bytes + 16, separator) << 16
        mask |= sixteen(bytes + 32, separator) << 32 | sixteen(bytes + 48, separator) << 48
        return mask
      }
      var start = 0
      while start < count {
        mask |= sixteen(bytes + start, separator) << UInt64(truncatingIfNeeded: start)
        start &+= 16
      }
      return mask & ~(~0 << UInt64(truncatingIfNeeded: count))
    #else
      return portable(bytes, count: count, separator)
    #endif
  }

  #if arch(x86_64)
    @inline(__always)
    private static func sixteen(_ bytes: UnsafePointer<UInt8>, _ separator: UInt8) -> UInt64 {
      let block = UnsafeRawPointer(bytes).loadUnaligned(as: __m128i.self)
      let equal = _mm_cmpeq_epi8(block, _mm_set1_epi8(CChar(bitPattern: separator)))
      return UInt64(UInt32(truncatingIfNeeded: _mm_movemask_epi8(equal)))
    }
  #endif

  /// The slow and obvious twin.
  static func portable(_ bytes: UnsafePointer<UInt8>, count: Int, _ separator: UInt8) -> UInt64 {
    (0..<count).reduce(0) { $0 | (bytes[$1] == separator ? 1 << UInt64($1) : 0) }
  }
}
