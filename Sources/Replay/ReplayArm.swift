// How old the features are that an arm decides with. Both arms see the same events; an event can be looked at once it
// has come in (`ingestDelay`), a run's features once they are published (`publishDelay`).
//
//     run 09:00           run 10:00            event 10:20
//     ────┼───────────────────┼────────────────────┼─────▶
//         ▲ batch every 1h,   ▲ batch every 1h     ▲ real-time
//           published 30m later
//
// Features as of a time cover what happened before it, windows included: a mean over the last hour, as of 10:00, is
// that from 09:00 to 10:00.

public import Core

public struct ReplayArm: Sendable {
  public let name: String
  /// Between two runs; nil: features are always as of now.
  public let interval: TimeSpan?
  let publishDelay: TimeSpan
  let ingestDelay: TimeSpan

  /// - Parameter ingestDelay: from when an event happens to when it counts.
  public static func realTime(ingestDelay: TimeSpan = .zero) -> ReplayArm {
    ReplayArm(
      name: "real-time", interval: nil, publishDelay: .zero, ingestDelay: ingestDelay)
  }

  /// Runs at the multiples of an interval since the epoch.
  ///
  /// - Parameter publishDelay: from when a run starts to when its features are served.
  public static func batch(
    every interval: TimeSpan, publishDelay: TimeSpan = .zero, ingestDelay: TimeSpan = .zero
  ) -> ReplayArm {
    precondition(interval > .zero, "runs are some time apart")
    return ReplayArm(
      name: "batch \(interval.description)", interval: interval, publishDelay: publishDelay,
      ingestDelay: ingestDelay)
  }

  /// The moment as of which features are known to a decision at `time`.
  public func asOf(_ time: Timestamp) -> Timestamp {
    guard let interval else { return time - ingestDelay }
    return (time - publishDelay).roundedDown(to: interval) - ingestDelay
  }

  /// How old features can be.
  var ageMax: TimeSpan {
    TimeSpan(
      microseconds: (interval?.microseconds ?? 0) + publishDelay.microseconds
        + ingestDelay.microseconds)
  }
}
