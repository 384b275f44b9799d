// What this processor can do beyond what every one of its kind can. Asked here, and not in the module Wide, all of
// which is compiled for processors that have it.

#if arch(x86_64)
  import SystemHeaders
#endif

public enum Processor {
  /// Whether this processor, and the system on it, has AVX2 (and BMI2, which came with it).
  public static let isWide = hasAVX2()

  private static func hasAVX2() -> Bool {
    #if arch(x86_64)
      var (a, b, c, d): (UInt32, UInt32, UInt32, UInt32) = (0, 0, 0, 0)
      guard __get_cpuid_count(1, 0, &a, &b, &c, &d) != 0 else { return false }
      let (saved, avx): (UInt32, UInt32) = (1 << 27, 1 << 28)
      guard c & saved != 0, c & avx != 0 else { return false }
      // The system keeps the wide registers when it changes tasks: the room that it needs for that reaches
      // behind the 576 bytes of the narrow ones.
      guard __get_cpuid_count(13, 0, &a, &b, &c, &d) != 0, b >= 832 else { return false }
      guard __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 else { return false }
      let (avx2, bmi2): (UInt32, UInt32) = (1 << 5, 1 << 8)
      return b & avx2 != 0 && b & bmi2 != 0
    #else
      return false
    #endif
  }
}
