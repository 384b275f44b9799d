// Time inside is 64-bit microseconds UTC; outside it is RFC 3339, or epoch numbers in a stated unit.
// Civil dates come from day counts by the proleptic Gregorian calendar (Howard Hinnant,
// "chrono-Compatible Low-Level Date Algorithms"): no tables, no locale, right for negative years too.

/// A moment in event time: microseconds since 1970-01-01T00:00:00Z, leap seconds not counted.
public struct Timestamp: Sendable, Hashable, Comparable {
  public var microseconds: Int64

  @inlinable public init(microseconds: Int64) { self.microseconds = microseconds }

  // Computed, not stored: they are compared with for every event, and a stored one is reached by a call.
  /// The years 0000 to 9999, which RFC 3339 has.
  public static var writable: ClosedRange<Timestamp> {
    let first = Timestamp(microseconds: -62_167_219_200_000_000)
    return first...Timestamp(microseconds: 253_402_300_799_999_999)
  }
  @inlinable public static var distantPast: Timestamp { Timestamp(microseconds: .min) }
  @inlinable public static var distantFuture: Timestamp { Timestamp(microseconds: .max) }

  @inlinable public static func == (left: Timestamp, right: Timestamp) -> Bool {
    left.microseconds == right.microseconds
  }

  @inlinable public static func < (left: Timestamp, right: Timestamp) -> Bool {
    left.microseconds < right.microseconds
  }

  /// Saturates at the distant past and future, which mean "no bound".
  @inlinable public static func - (time: Timestamp, span: TimeSpan) -> Timestamp {
    let (result, overflow) = time.microseconds.subtractingReportingOverflow(span.microseconds)
    if time == .distantPast || time == .distantFuture { return time }
    return overflow
      ? (span.microseconds > 0 ? .distantPast : .distantFuture)
      : Timestamp(microseconds: result)
  }

  @inlinable public static func + (time: Timestamp, span: TimeSpan) -> Timestamp {
    let (result, overflow) = time.microseconds.addingReportingOverflow(span.microseconds)
    if time == .distantPast || time == .distantFuture { return time }
    return overflow
      ? (span.microseconds > 0 ? .distantFuture : .distantPast)
      : Timestamp(microseconds: result)
  }

  /// The last multiple of `hop` since the epoch that is not after this moment.
  @inlinable public func roundedDown(to hop: TimeSpan) -> Timestamp {
    precondition(hop.microseconds > 0, "a hop is longer than nothing")
    if self == .distantPast || self == .distantFuture { return self }
    let remainder = microseconds % hop.microseconds
    let start = remainder < 0 ? remainder + hop.microseconds : remainder
    return self - TimeSpan(microseconds: start)
  }
}

/// A length of time in microseconds.
public struct TimeSpan: Sendable, Hashable, Comparable {
  public var microseconds: Int64

  @inlinable public init(microseconds: Int64) { self.microseconds = microseconds }
  @inlinable public static func seconds(_ count: Int64) -> TimeSpan {
    TimeSpan(microseconds: count * 1_000_000)
  }
  @inlinable public static func minutes(_ count: Int64) -> TimeSpan { .seconds(count * 60) }
  @inlinable public static func hours(_ count: Int64) -> TimeSpan { .seconds(count * 3_600) }
  @inlinable public static func days(_ count: Int64) -> TimeSpan { .seconds(count * 86_400) }
  @inlinable public static var zero: TimeSpan { TimeSpan(microseconds: 0) }
  @inlinable public static func == (left: TimeSpan, right: TimeSpan) -> Bool {
    left.microseconds == right.microseconds
  }
  private static let nanosecondsMax: Int64 = 1 << 62

  /// For monotonic clocks: at least 0, and at most 146 years, so that a moment so far away can be told.
  public var nanoseconds: UInt64 {
    let (product, overflow) = microseconds.multipliedReportingOverflow(by: 1_000)
    guard !overflow else { return microseconds < 0 ? 0 : UInt64(TimeSpan.nanosecondsMax) }
    return UInt64(min(max(0, product), TimeSpan.nanosecondsMax))
  }

  @inlinable public static func < (left: TimeSpan, right: TimeSpan) -> Bool {
    left.microseconds < right.microseconds
  }
}
