// One way of deciding: by which model, how old the features are, and when the decision is made. All arms see the same
// events; an event can be looked at once it has come in (`ingestDelay`), a run's features once they are published
// (`publishDelay`).
//
//     run 09:00           run 10:00            question 10:20      run 11:00    11:30
//     ────┼───────────────────┼────────────────────┼───────────────────┼──────────┼─────▶
//         ▲ batch every 1h,   ▲ batch every 1h     ▲ real-time         ▲ features of a batch that decides at its
//           published 30m later                                          run: known at once, in force once published
//
// Features as of a time cover what happened before it, windows included: a mean over the last hour, as of 10:00, is
// that from 09:00 to 10:00.

public import Core

public struct ReplayArm: Sendable, Equatable {
  /// Features as of now, or as of a run.
  public enum Freshness: String, Sendable, CaseIterable { case fresh, stale }

  public let name: String
  /// Between two runs, at the multiples of it since the epoch; nil: features are always as of now.
  public let interval: TimeSpan?
  /// From when a run starts to when its features, or its decisions, are served.
  let publishDelay: TimeSpan
  /// From when an event happens to when it counts.
  let ingestDelay: TimeSpan
  /// A question waits for the next run, which decides it.
  public let decidesAtRun: Bool
  /// Number of the model that decides, among those that the replay was given.
  public let model: Int
  /// With what features its model was trained; nil: nobody has said.
  public let trained: Freshness?

  /// - Parameter name: nil: "real-time", or "batch" and the interval.
  /// - Precondition: only what runs now and then is published or decides at its run.
  public init(
    name: String? = nil, every interval: TimeSpan? = nil, publishDelay: TimeSpan = .zero,
    ingestDelay: TimeSpan = .zero, decidesAtRun: Bool = false, model: Int = 0,
    trained: Freshness? = nil
  ) {
    precondition(interval.map { $0 > .zero } ?? true, "runs are some time apart")
    precondition(
      interval != nil || publishDelay == .zero && !decidesAtRun, "there are runs to speak of")
    self.name = name ?? ReplayArm.name(every: interval)
    self.interval = interval
    self.publishDelay = publishDelay
    self.ingestDelay = ingestDelay
    self.decidesAtRun = decidesAtRun
    self.model = model
    self.trained = trained
  }

  public static func name(every interval: TimeSpan?) -> String {
    interval.map { "batch \($0.description)" } ?? "real-time"
  }

  public var served: Freshness { interval == nil ? .fresh : .stale }

  /// Whether nothing but the interval makes one fresher than the other.
  public func isDelayed(like other: ReplayArm) -> Bool {
    publishDelay == other.publishDelay && ingestDelay == other.ingestDelay
  }

  /// The moment as of which features are known to the decision of a question that is asked at `time`.
  public func asOf(_ time: Timestamp) -> Timestamp {
    guard let interval else { return time - ingestDelay }
    guard decidesAtRun else { return (time - publishDelay).roundedDown(to: interval) - ingestDelay }
    return run(atOrAfter: time, interval) - ingestDelay
  }

  /// When a question that is asked at `time` has its decision.
  public func decided(_ time: Timestamp) -> Timestamp {
    guard let interval, decidesAtRun else { return time }
    return run(atOrAfter: time, interval) + publishDelay
  }

  private func run(atOrAfter time: Timestamp, _ interval: TimeSpan) -> Timestamp {
    let before = time.roundedDown(to: interval)
    return before == time ? time : before + interval
  }

  /// How long before its question a decision's features can be.
  var lookBackMax: TimeSpan {
    let run = decidesAtRun ? 0 : (interval?.microseconds ?? 0) + publishDelay.microseconds
    return TimeSpan(microseconds: run + ingestDelay.microseconds)
  }

  /// How long after its question a decision's features can be.
  var waitMax: TimeSpan { decidesAtRun ? interval ?? .zero : .zero }
}
