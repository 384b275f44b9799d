// CRC-32C with the processor's own instruction: eight bytes every three cycles. Every processor with AVX2 has it.

#if arch(x86_64)
  import SystemHeaders

  public enum ChecksumKernel {
    /// What the checksum's state becomes behind so many further bytes.
    ///
    /// - Complexity: O(count), about an eighth of a nanosecond a byte.
    public static func advance(
      _ initial: UInt32, _ bytes: UnsafeRawPointer, _ count: Int
    ) -> UInt32 {
      var state = UInt64(initial)
      var index = 0
      while index &+ 8 <= count {
        state = _mm_crc32_u64(
          state, bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self))
        index &+= 8
      }
      var narrow = UInt32(truncatingIfNeeded: state)
      while index < count {
        narrow = _mm_crc32_u8(narrow, bytes.load(fromByteOffset: index, as: UInt8.self))
        index &+= 1
      }
      return narrow
    }
  }
#endif
