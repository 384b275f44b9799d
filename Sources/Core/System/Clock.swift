// Time comes in through a protocol of two questions: what the date is, and how much time has passed.

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Where time comes from; a parameter, so that tests decide what time it is.
public protocol Clock: Sendable {
  /// The wall clock: when an event was ingested. May jump.
  func now() -> Timestamp
  /// For measuring lengths of time: never goes back, no relation to the date.
  func monotonicNanoseconds() -> UInt64
}

public struct SystemClock: Clock {
  public init() {}

  public func now() -> Timestamp {
    let time = SystemClock.read(CLOCK_REALTIME)
    return Timestamp(microseconds: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1_000)
  }

  public func monotonicNanoseconds() -> UInt64 {
    let time = SystemClock.read(CLOCK_MONOTONIC)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }

  private static func read(_ clock: clockid_t) -> timespec {
    var time = timespec()
    clock_gettime(clock, &time)
    return time
  }
}
