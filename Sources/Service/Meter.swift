// What is counted while serving. Each loop counts for itself under a lock that nobody else wants but the one who
// reads the metrics, once in a while; counts are added up only then.

import Core
import Decisions
import Features
import HTTP
import Measure
import Models
import Synchronization

/// Counts by upper bound, in seconds, as Prometheus wants them.
struct Buckets: Sendable {
  /// Nanoseconds; what is above the last is counted only in `count`.
  static let durations: [UInt64] = [
    1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000,
    5_000_000, 10_000_000, 25_000_000, 50_000_000, 100_000_000, 250_000_000, 1_000_000_000,
  ]
  static let sizes: [UInt64] = [1, 2, 4, 8, 16, 32, 64, 128, 256, 1_024, 4_096]

  let bounds: [UInt64]
  /// Not cumulative.
  private(set) var counts: [Int]
  private(set) var count = 0
  private(set) var sum: UInt64 = 0

  init(_ bounds: [UInt64]) {
    self.bounds = bounds
    counts = Array(repeating: 0, count: bounds.count)
  }

  mutating func record(_ value: UInt64, times: Int = 1) {
    count += times
    sum &+= value &* UInt64(times)
    // Nearly all values lie in the first half.
    for index in bounds.indices where value <= bounds[index] {
      counts[index] += times
      return
    }
  }

  mutating func merge(_ other: Buckets) {
    for index in counts.indices { counts[index] += other.counts[index] }
    count += other.count
    sum &+= other.sum
  }
}

/// Views of look-ups in the online store that were not answered as one would wish.
struct OnlineCounts: Sendable {
  static let names = ["absent", "damaged", "ahead", "unanswered", "stale"]
  private(set) var counts = Array(repeating: 0, count: names.count)

  mutating func add(_ outcome: OnlineOutcome) {
    let parts = [
      outcome.absent, outcome.damaged, outcome.ahead, outcome.unanswered, outcome.stale,
    ]
    for index in counts.indices { counts[index] += parts[index] }
  }

  mutating func merge(_ other: OnlineCounts) {
    for index in counts.indices { counts[index] += other.counts[index] }
  }
}

/// One model's counts on one loop.
struct ModelCounts: Sendable {
  var version = ""
  var format = ""
  /// Requests that were answered, and refused.
  var succeeded = 0
  var failed = 0
  var rows = 0
  var batches = 0
  var missing = 0
  /// Rows whose features were looked up, and how that went.
  var lookUps = 0
  var online = OnlineCounts()
  var tooLate = 0
  var dropped = 0
  /// From the arrival of a request's last byte to its reply.
  var total = Buckets(Buckets.durations)
  /// One for each of `Layer.allCases`.
  var layers = [Buckets](repeating: Buckets(Buckets.durations), count: Layer.allCases.count)
  var queue = Buckets(Buckets.durations)
  var batchRows = Buckets(Buckets.sizes)
  /// By rule.
  var decisions: [Int] = []
  var decisionNames: [String] = []
  /// Milliseconds since 1970; 0: never.
  var lastInference: Int64 = 0

  mutating func count(_ decision: Decision) {
    missing += decision.missing
    if let outcome = decision.online {
      lookUps += 1
      online.add(outcome)
    }
    if let rule = decision.rule { decisions[rule] += 1 }
  }

  /// The same model with nothing counted.
  var emptied: ModelCounts {
    var result = ModelCounts()
    result.version = version
    result.format = format
    result.decisionNames = decisionNames
    result.decisions = Array(repeating: 0, count: decisions.count)
    return result
  }

  mutating func merge(_ other: ModelCounts) {
    succeeded += other.succeeded
    failed += other.failed
    rows += other.rows
    batches += other.batches
    missing += other.missing
    lookUps += other.lookUps
    online.merge(other.online)
    tooLate += other.tooLate
    dropped += other.dropped
    total.merge(other.total)
    for index in layers.indices { layers[index].merge(other.layers[index]) }
    queue.merge(other.queue)
    batchRows.merge(other.batchRows)
    if decisionNames == other.decisionNames {
      for index in decisions.indices { decisions[index] += other.decisions[index] }
    }
    lastInference = max(lastInference, other.lastInference)
  }
}

/// A model's counts on one loop; they go on when the model is loaded anew.
final class ModelMeter: Sendable {
  let name: String
  private let counts = Mutex(ModelCounts())

  init(name: String) { self.name = name }

  func update(_ change: (inout ModelCounts) -> Void) { counts.withLock { change(&$0) } }

  var current: ModelCounts { counts.withLock { $0 } }
}

/// A loop's counts.
final class LoopMeter: Sendable {
  struct State: Sendable {
    /// By route and status.
    var requests: [[Int]] = Array(
      repeating: Array(repeating: 0, count: Status.allCases.count), count: Route.Kind.allCases.count
    )
    /// Requests that were handed over and are not answered.
    var waiting = 0
    var models: [String: ModelMeter] = [:]
  }

  let state = Mutex(State())

  func count(_ route: Route.Kind, _ status: Status) {
    state.withLock { $0.requests[route.rawValue][status.index] += 1 }
  }

  /// So many more requests wait for their models, or fewer.
  func noteWaiting(_ change: Int) { state.withLock { $0.waiting += change } }

  /// The meter of the model, made where there is none.
  func model(_ served: ServedModel) -> ModelMeter {
    let meter = state.withLock { state in
      let meter = state.models[served.name] ?? ModelMeter(name: served.name)
      state.models[served.name] = meter
      return meter
    }
    let names = served.decisionNames
    meter.update { counts in
      counts.version = served.version
      counts.format = served.model.format
      if counts.decisionNames != names {
        counts.decisionNames = names
        counts.decisions = Array(repeating: 0, count: names.count)
      }
    }
    return meter
  }
}

extension Status {
  /// Its place among all.
  var index: Int { Status.allCases.firstIndex(of: self)! }
}

/// All loops' counts.
public final class Meters: Sendable {
  private let loops = Mutex<[LoopMeter]>([])

  public init() {}

  func add() -> LoopMeter {
    let meter = LoopMeter()
    loops.withLock { $0.append(meter) }
    return meter
  }

  /// Everything added up.
  func total() -> (requests: [[Int]], waiting: Int, models: [(name: String, counts: ModelCounts)]) {
    var requests = LoopMeter.State().requests
    var waiting = 0
    var models: [String: ModelCounts] = [:]
    for loop in loops.withLock({ $0 }) {
      let state = loop.state.withLock { $0 }
      for (route, counts) in state.requests.enumerated() {
        for (status, count) in counts.enumerated() { requests[route][status] += count }
      }
      waiting += state.waiting
      for (name, meter) in state.models {
        let counts = meter.current
        models[name, default: counts.emptied].merge(counts)
      }
    }
    return (requests, waiting, models.sorted { $0.key < $1.key }.map { ($0.key, $0.value) })
  }
}
