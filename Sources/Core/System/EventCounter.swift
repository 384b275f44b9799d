// How much some work takes by the processor's own count: instructions, which no busy neighbour changes,
// unlike the time that they take.
//
// Linux counts for whoever asks (perf_event_open(2)), where the processor has counters and shows them: many virtual
// machines do not, and kernel.perf_event_paranoid may forbid it. A counter is a descriptor; what it is to count is told
// in a structure, of whose first published size (64 bytes) these are set:
//
//     0 type   4 size   8 config   32 read_format   40 flags: 1 inherit, 5 exclude_kernel, 6 exclude_hv
//
// Reading gives three words: the count, for how long it was wanted, and for how long the processor had a counter to
// spare; where that is shorter the count is scaled up, as perf stat does. macOS tells the whole process's count.

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Counts from when it is made: of the thread that makes it and of all that this one starts from then on; on macOS of the
/// process.
public final class EventCounter {
  public enum Event: Sendable {
    /// That the processor retired, outside of the system's own code.
    case instructions
    /// Nanoseconds on a processor. The system counts them by itself, so that they are there where `instructions` are not.
    case processorTime
  }

  #if canImport(Glibc)
    private let descriptor: Int32
  #else
    private let event: Event
    private let start: UInt64
  #endif

  /// - Throws: what the system said, where it does not count that: ENOENT, EACCES, EPERM, ENOSYS, EOPNOTSUPP.
  public init(_ event: Event) throws(SystemError) {
    #if canImport(Glibc)
      descriptor = try EventCounter.open(event)
    #else
      self.event = event
      guard let start = EventCounter.usage(event) else {
        throw SystemError(ENOTSUP, "proc_pid_rusage")
      }
      self.start = start
    #endif
  }

  #if canImport(Glibc)
    deinit { close(descriptor) }
  #endif

  /// Events until now; nil where the processor never had a counter to spare. A system call.
  public func value() -> UInt64? {
    #if canImport(Glibc)
      var words: (count: UInt64, wanted: UInt64, counted: UInt64) = (0, 0, 0)
      let size = MemoryLayout.size(ofValue: words)
      guard withUnsafeMutableBytes(of: &words, { read(descriptor, $0.baseAddress, size) }) == size
      else { return nil }
      guard words.counted < words.wanted else { return words.count }
      guard words.counted > 0 else { return nil }
      return UInt64(Double(words.count) * Double(words.wanted) / Double(words.counted))
    #else
      return EventCounter.usage(event).map { $0 - start }
    #endif
  }

  /// Why there are no instruction counts, as a sentence's end; nil where there are.
  public static func lackOfInstructions() -> String? {
    do throws(SystemError) {
      _ = try EventCounter(.instructions)
      return nil
    } catch {
      let told = "\(error.call): \(error.reason)"
      return error.number == EACCES || error.number == EPERM
        ? "this system does not allow it (\(told); see kernel.perf_event_paranoid)"
        : "this system has no counter (\(told)), as many virtual machines"
    }
  }
}

#if canImport(Glibc)
  extension EventCounter {
    /// C's `syscall` takes any number of arguments, which Swift does not import. Found by its name it is called with a
    /// fixed number: on x86-64 and AArch64 Linux those of integers go through the same registers either way, and glibc's
    /// and musl's look at no others.
    private typealias SystemCall =
      @convention(c) (
        Int, UnsafeMutableRawPointer, Int, Int, Int, Int
      ) -> Int

    #if arch(x86_64)
      private static let number: Int? = 298
    #elseif arch(arm64)
      private static let number: Int? = 241
    #else
      private static let number: Int? = nil
    #endif

    private static func open(_ event: Event) throws(SystemError) -> Int32 {
      guard let number, let symbol = dlsym(nil, "syscall") else {
        throw SystemError(ENOSYS, "perf_event_open")
      }
      let call = unsafeBitCast(symbol, to: SystemCall.self)
      var attributes = [UInt64](repeating: 0, count: 8)
      let (hardware, software): (UInt64, UInt64) = (0, 1)
      let sizeAndType = UInt64(attributes.count * 8) << 32
      switch event {
      // PERF_COUNT_HW_INSTRUCTIONS and PERF_COUNT_SW_TASK_CLOCK are both 1.
      case .instructions: attributes[0] = sizeAndType | hardware
      case .processorTime: attributes[0] = sizeAndType | software
      }
      attributes[1] = 1
      let (wantedTime, countedTime): (UInt64, UInt64) = (1, 2)
      attributes[4] = wantedTime | countedTime
      let (inherit, excludeKernel, excludeHypervisor): (UInt64, UInt64, UInt64) =
        (1 << 1, 1 << 5, 1 << 6)
      attributes[5] = inherit | excludeKernel | excludeHypervisor
      // This thread (0) on any processor (-1), in no group (-1), closed in programs that we start (8).
      let descriptor = attributes.withUnsafeMutableBytes {
        call(number, $0.baseAddress!, 0, -1, -1, 8)
      }
      guard descriptor >= 0 else { throw SystemError(errno, "perf_event_open") }
      return Int32(descriptor)
    }
  }
#else
  extension EventCounter {
    private static func usage(_ event: Event) -> UInt64? {
      var usage = rusage_info_v4()
      let status = withUnsafeMutablePointer(to: &usage) {
        $0.withMemoryRebound(to: rusage_info_t?.self, capacity: 1) {
          proc_pid_rusage(getpid(), RUSAGE_INFO_V4, $0)
        }
      }
      guard status == 0 else { return nil }
      switch event {
      case .instructions: return usage.ri_instructions > 0 ? usage.ri_instructions : nil
      case .processorTime:
        var base = mach_timebase_info_data_t()
        mach_timebase_info(&base)
        return (usage.ri_user_time + usage.ri_system_time) * UInt64(base.numer)
          / UInt64(max(base.denom, 1))
      }
    }
  }
#endif
