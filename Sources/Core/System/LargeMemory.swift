// Memory for tables that are larger than what the processor's list of pages covers: asked for in large pages, so that a
// look-up in many megabytes does not first have to find out where its page lies.

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

public enum LargeMemory {
  /// Of a large page.
  public static let pageBytes = 2 << 20

  /// Memory that is freed with `deallocate()`; from a large page on, on large pages where the system has them.
  ///
  /// - Parameter alignment: at least this.
  public static func allocate(byteCount: Int, alignment: Int) -> UnsafeMutableRawPointer {
    guard byteCount >= pageBytes else {
      return .allocate(byteCount: byteCount, alignment: alignment)
    }
    let memory = UnsafeMutableRawPointer.allocate(
      byteCount: byteCount, alignment: max(alignment, pageBytes))
    #if os(Linux)
      // Advice: where it is not taken, all is as it was but slower.
      _ = madvise(memory, byteCount / pageBytes * pageBytes, MADV_HUGEPAGE)
    #endif
    return memory
  }
}
