// What a run was asked to do; it stands in the run's summary, so that a figure can be read without the command line.

public import Core

public struct LoadPlan: Sendable {
  public enum Load: Sendable {
    /// Requests are due by a schedule, whatever the server does.
    case open(arrivals: String, stages: [ArrivalSchedule.Stage])
    /// So many clients, each sending when it has been answered: a slow server is asked less.
    case closed(concurrency: Int)

    public var name: String {
      switch self {
      case .open: "open"
      case .closed: "closed"
      }
    }
  }

  public let url: String
  public let load: Load
  public let seed: UInt64
  public let warmup: TimeSpan
  /// Above it the generator's own lag makes a run invalid; nil: see `LoadTally.invalidity`.
  public let lagMax: TimeSpan?
  public let machine: Machine

  public init(
    url: String, load: Load, seed: UInt64, warmup: TimeSpan, lagMax: TimeSpan?, machine: Machine
  ) {
    self.url = url
    self.load = load
    self.seed = seed
    self.warmup = warmup
    self.lagMax = lagMax
    self.machine = machine
  }
}
