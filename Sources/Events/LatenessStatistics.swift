// How far events came behind the stream's front: the time that all partitions had reached before them. An event
// is kept when it is behind by no more than the `lateness`, so the percentiles of the one are what the other
// would have to be.
//
//     front    10:00   10:04   10:04   10:09           latest event time, the minimum over partitions
//     event    10:00   10:04   10:01   10:09
//     behind                   3m

public import Core

public struct LatenessStatistics: Sendable {
  public private(set) var count = 0
  /// Events that came behind the front.
  public private(set) var outOfOrder = 0
  /// Those that were behind by more than was allowed.
  public private(set) var refused = 0
  /// What each window of event time had when it was passed; nil where nobody asks.
  public private(set) var windows: WindowCompleteness?
  /// In microseconds, of events that came behind.
  private var lags = LatencyHistogram()

  public init() {}

  /// - Parameters:
  ///   - windows: the length of those whose completeness is told.
  ///   - since: windows that begin earlier are not told of.
  public init(windows: TimeSpan, since: Timestamp) {
    self.windows = WindowCompleteness(windows, since: since)
  }

  /// - Parameters:
  ///   - front: how far the stream has come.
  ///   - watermark: how far it is passed.
  mutating func refuse(_ time: Timestamp, front: Timestamp, watermark: Timestamp) {
    add(time, front)
    refused += 1
    windows?.refuse(time, watermark: watermark)
  }

  mutating func record(_ time: Timestamp, front: Timestamp, watermark: Timestamp) {
    add(time, front)
    windows?.accept(time, watermark: watermark)
  }

  /// Where nobody asks for windows.
  mutating func record(_ time: Timestamp, front: Timestamp) { add(time, front) }

  private mutating func add(_ time: Timestamp, _ front: Timestamp) {
    count += 1
    guard time < front else { return }
    outOfOrder += 1
    // A time may be as far in the past as can be written.
    let lag = front.microseconds.subtractingReportingOverflow(time.microseconds)
    lags.record(lag.overflow ? UInt64(Int64.max) : UInt64(lag.partialValue))
  }

  /// Of all events, from 0 to 1; 0 where there are none.
  public var shareOutOfOrder: Double { share(outOfOrder) }
  public var shareRefused: Double { share(refused) }

  private func share(_ part: Int) -> Double { count > 0 ? Double(part) / Double(count) : 0 }

  /// The lateness that keeps so many percent of the events: at most 1/32 more than is needed, and as people
  /// would write it.
  public func lateness(keeping percent: Double) -> TimeSpan {
    var lags = lags
    lags.record(0, times: count - outOfOrder)
    let lag = percent >= 100 ? lags.maximum : lags.percentile(percent) ?? 0
    return TimeSpan(microseconds: Int64(clamping: lag)).roundedUp
  }
}

extension TimeSpan {
  /// To whole milliseconds, from ten seconds on to seconds, from an hour on to minutes.
  fileprivate var roundedUp: TimeSpan {
    let unit: Int64 =
      if self < .seconds(10) { 1_000 } else if self < .hours(1) { 1_000_000 } else { 60_000_000 }
    let units = microseconds / unit + (microseconds % unit > 0 ? 1 : 0)
    let (rounded, overflow) = units.multipliedReportingOverflow(by: unit)
    return overflow ? self : TimeSpan(microseconds: rounded)
  }
}
