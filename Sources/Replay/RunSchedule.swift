// When a batch runs: so long apart, or by a line of cron.

public import Core

public enum RunSchedule: Sendable, Equatable {
  /// At the multiples of a span since the epoch.
  case every(TimeSpan)
  case at(CronLine)

  /// The last run that is not after a time.
  public func run(atOrBefore time: Timestamp) -> Timestamp {
    switch self {
    case .every(let span): time.roundedDown(to: span)
    case .at(let line): line.run(atOrBefore: time)
    }
  }

  /// The first run that is not before a time.
  public func run(atOrAfter time: Timestamp) -> Timestamp {
    switch self {
    case .every(let span):
      let before = time.roundedDown(to: span)
      return before == time ? time : before + span
    case .at(let line): return line.run(atOrAfter: time)
    }
  }

  /// The least and the most time between two runs.
  public var gaps: ClosedRange<TimeSpan> {
    switch self {
    case .every(let span): span...span
    case .at(let line): line.gaps
    }
  }

  /// How far apart runs are; nil where that differs.
  public var interval: TimeSpan? { gaps.lowerBound == gaps.upperBound ? gaps.lowerBound : nil }

  /// As it is called: `1h`, `'15 * * * *'`, `@daily`.
  public var description: String {
    switch self {
    case .every(let span): span.description
    case .at(let line): line.text.contains(" ") ? "'\(line.text)'" : line.text
    }
  }
}
