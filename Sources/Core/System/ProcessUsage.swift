// What this process uses of the machine. Linux tells it in files, of which each system that has none leaves out what
// it cannot tell.

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

public struct ProcessUsage: Sendable {
  /// In all threads, for itself and in the system on its behalf.
  public let processorSeconds: Double
  /// Now where the system tells it, else the most there was.
  public let residentBytes: Int
  /// Nil where the system does not tell.
  public let openDescriptors: Int?
  public let descriptorsMax: Int

  public static func current() -> ProcessUsage {
    var usage = rusage()
    #if canImport(Glibc)
      getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
      let peakBytes = usage.ru_maxrss * 1_024
      let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    #else
      getrusage(RUSAGE_SELF, &usage)
      let peakBytes = usage.ru_maxrss
      let resource = RLIMIT_NOFILE
    #endif
    var limit = rlimit()
    getrlimit(resource, &limit)
    let times = [usage.ru_utime, usage.ru_stime]
    let seconds = times.map { Double($0.tv_sec) + Double($0.tv_usec) / 1e6 }
    return ProcessUsage(
      processorSeconds: seconds[0] + seconds[1], residentBytes: residentBytes() ?? peakBytes,
      openDescriptors: openDescriptors(), descriptorsMax: Int(clamping: limit.rlim_cur))
  }

  /// The second number of `/proc/self/statm`, in pages.
  private static func residentBytes() -> Int? {
    guard let text = try? RealFileSystem().contents(of: "/proc/self/statm", bytesMax: 4_096) else {
      return nil
    }
    let words = text.withBytes { $0.string }.split(separator: " ")
    guard words.count > 1, let pages = Int(words[1]) else { return nil }
    return pages * Int(getpagesize())
  }

  private static func openDescriptors() -> Int? {
    guard let folder = opendir("/proc/self/fd") else { return nil }
    defer { closedir(folder) }
    // Not itself, nor `.` and `..`.
    var count = -3
    while readdir(folder) != nil { count += 1 }
    return count
  }
}
