// One way of deciding: by which model, how old the features are, and when the decision is made. All arms see the same
// events; an event can be looked at once it has come in (after `ingestDelay`, or what it draws from `drawnDelay`), a
// run's features once they are published (`publishDelay`).
//
//     run 09:00           run 10:00            question 10:20      run 11:00    11:30
//     ────┼───────────────────┼────────────────────┼───────────────────┼──────────┼─────▶
//         ▲ batch every 1h,   ▲ batch every 1h     ▲ real-time         ▲ features of a batch that decides at its
//           published 30m later                                          run: known at once, in force once published
//
// An arm may also take its time to answer (`latency`, as it was measured), which decides nothing but when the decision is
// there, and have its price (`cost`).
//
// Features as of a time cover what happened before it, windows included: a mean over the last hour, as of 10:00, is
// that from 09:00 to 10:00.

public import Core

public struct ReplayArm: Sendable, Equatable {
  /// Features as of now, or as of a run.
  public enum Freshness: String, Sendable, CaseIterable { case fresh, stale }

  /// What an arm costs by itself, in what decisions are worth.
  public struct Cost: Sendable, Equatable {
    public let perDecision: Double
    /// Of `daysOfMonth` days.
    public let perMonth: Double

    /// A twelfth of a year of 365.25 days.
    public static let daysOfMonth = 30.4375

    public init(perDecision: Double = 0, perMonth: Double = 0) {
      self.perDecision = perDecision
      self.perMonth = perMonth
    }

    public static let none = Cost()

    /// - Parameter span: from the first decision to the last.
    func total(decisions: Int, over span: TimeSpan) -> Double {
      perDecision * Double(decisions) + perMonth * Double(span.microseconds)
        / (Cost.daysOfMonth * 86_400e6)
    }
  }

  public let name: String
  /// When features are computed; nil: they are always as of now.
  public let runs: RunSchedule?
  /// From when a run starts to when its features, or its decisions, are served.
  let publishDelay: TimeSpan
  /// From when an event happens to when it counts.
  let ingestDelay: TimeSpan
  /// The same where each event has a delay of its own; nil: all have `ingestDelay`.
  public let drawnDelay: DelayDistribution?
  /// A question waits for the next run, which decides it.
  public let decidesAtRun: Bool
  /// From when a decision can be made to when it is there.
  public let latency: TimeSpan
  public let cost: Cost
  /// Number of the model that decides, among those that the replay was given.
  public let model: Int
  /// With what features its model was trained; nil: nobody has said.
  public let trained: Freshness?

  /// - Parameter name: nil: "real-time", or "batch" and when it runs.
  /// - Precondition: only what runs now and then is published or decides at its run.
  public init(
    name: String? = nil, runs: RunSchedule? = nil, publishDelay: TimeSpan = .zero,
    ingestDelay: TimeSpan = .zero, drawnDelay: DelayDistribution? = nil,
    decidesAtRun: Bool = false, model: Int = 0,
    trained: Freshness? = nil, latency: TimeSpan = .zero, cost: Cost = .none
  ) {
    precondition(runs.map { $0.gaps.lowerBound > .zero } ?? true, "runs are some time apart")
    precondition(
      runs != nil || publishDelay == .zero && !decidesAtRun, "there are runs to speak of")
    self.name = name ?? ReplayArm.name(runs)
    self.runs = runs
    self.publishDelay = publishDelay
    precondition(drawnDelay == nil || ingestDelay == .zero, "events are late in one way")
    self.ingestDelay = ingestDelay
    self.drawnDelay = drawnDelay
    self.decidesAtRun = decidesAtRun
    self.model = model
    self.trained = trained
    self.latency = latency
    self.cost = cost
  }

  public static func name(_ runs: RunSchedule?) -> String {
    runs.map { "batch \($0.description)" } ?? "real-time"
  }

  public var served: Freshness { runs == nil ? .fresh : .stale }

  /// Whether nothing but when it runs makes one fresher than the other.
  public func isDelayed(like other: ReplayArm) -> Bool {
    publishDelay == other.publishDelay && ingestDelay == other.ingestDelay
      && drawnDelay == other.drawnDelay && latency == other.latency
  }

  /// The moment as of which features are known to the decision of a question that is asked at `time`; where delays are
  /// drawn, that at which it looks who has come in.
  public func asOf(_ time: Timestamp) -> Timestamp {
    guard let runs else { return time - ingestDelay }
    guard decidesAtRun else { return runs.run(atOrBefore: time - publishDelay) - ingestDelay }
    return runs.run(atOrAfter: time) - ingestDelay
  }

  /// When a question that is asked at `time` has its decision.
  public func decided(_ time: Timestamp) -> Timestamp {
    guard let runs, decidesAtRun else { return time + latency }
    return runs.run(atOrAfter: time) + publishDelay + latency
  }

  /// Whether a decision is there only some time after its question.
  public var waits: Bool { decidesAtRun || latency > .zero }

  /// How long before its question a decision's features can be.
  var lookBackMax: TimeSpan {
    let run =
      decidesAtRun
      ? 0 : (runs?.gaps.upperBound.microseconds ?? 0) + publishDelay.microseconds
    return TimeSpan(microseconds: run + ingestDelay.microseconds)
  }

  /// How long after its question a decision's features can be.
  var waitMax: TimeSpan { decidesAtRun ? runs?.gaps.upperBound ?? .zero : .zero }
}
