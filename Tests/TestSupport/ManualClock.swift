public import Core

/// A clock that moves only when it is told to. Used by one thread at a time.
public final class ManualClock: Clock, @unchecked Sendable {
  private var wall: Timestamp
  private var nanoseconds: UInt64 = 0

  public init(_ wall: Timestamp) { self.wall = wall }

  public func now() -> Timestamp { wall }
  public func monotonicNanoseconds() -> UInt64 { nanoseconds }

  public func advance(_ span: TimeSpan) {
    wall = wall + span
    nanoseconds += span.nanoseconds
  }
}
