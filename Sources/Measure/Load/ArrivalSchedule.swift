// When requests are due, drawn before anything is sent and whatever the server does. A generator that waits for a
// reply before it sends the next request asks less of a slow server and never sees the waiting that its users
// would see ("coordinated omission", Gil Tene); with a schedule, a request that goes out late is late by that much.
//
//     constant   | . . . . . . |     equal gaps
//     Poisson    | ..  .   .. .|     independent users: exponential gaps, seeded
//     trace      as recorded

public import Core

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

public struct ArrivalSchedule: Sendable {
  public enum Shape: String, Sendable, CaseIterable { case poisson, constant }

  /// So many requests a second for so long.
  public struct Stage: Sendable, Equatable {
    public let rate: Double
    public let duration: TimeSpan

    public init(rate: Double, duration: TimeSpan) {
      precondition(rate > 0 && duration > .zero, "a stage sends something")
      self.rate = rate
      self.duration = duration
    }
  }

  private let shape: Shape
  private let stages: [Stage]
  private let trace: [UInt64]
  private var random: SplitMix64
  private var stage = 0
  /// Nanoseconds from the run's beginning to the stage's.
  private var stageStart = 0.0
  private var position = 0.0
  private var index = 0

  public init(_ stages: [Stage], _ shape: Shape, seed: UInt64) {
    precondition(!stages.isEmpty, "there is a stage")
    self.stages = stages
    self.shape = shape
    self.trace = []
    self.random = SplitMix64(seed: seed)
  }

  /// - Parameter offsets: nanoseconds from the run's beginning, ascending.
  public init(trace offsets: [UInt64]) {
    (stages, shape, trace, random) = ([], .constant, offsets, SplitMix64(seed: 0))
  }

  /// Nanoseconds from the beginning to the end of the last stage, or the last arrival of a trace.
  public var lengthNanoseconds: UInt64 {
    if stages.isEmpty { return trace.last ?? 0 }
    return stages.reduce(0) { $0 + $1.duration.nanoseconds }
  }

  /// Nanoseconds from the run's beginning to the next request; nil behind the last.
  public mutating func next() -> UInt64? {
    if stages.isEmpty {
      guard index < trace.count else { return nil }
      defer { index += 1 }
      return trace[index]
    }
    while stage < stages.count {
      let current = stages[stage]
      let end = stageStart + Double(current.duration.microseconds) * 1e3
      advance(current.rate)
      if position < end { return UInt64(position) }
      // What is left of the gap means nothing at another rate: an exponential gap has no memory.
      (stage, stageStart, position, index) = (stage + 1, end, end, 0)
    }
    return nil
  }

  private mutating func advance(_ rate: Double) {
    switch shape {
    case .constant:
      position = stageStart + Double(index) * 1e9 / rate
      index += 1
    case .poisson:
      position += -log(1 - Double.random(in: 0..<1, using: &random)) * 1e9 / rate
    }
  }
}
