// How many replicas a peak needs. What one replica takes within the promise comes from a measured curve where there is
// one (measured goes before modelled), else from the queue; then a margin, and a simulation of one replica under its
// share of the peak with the margin, which has the last word: while it does not keep the promise, one more is taken.

import Core

public struct CapacityPlan: Sendable {
  /// What is asked of all replicas together.
  public struct Demand: Sendable {
    /// Requests a second.
    public let peak: Double
    /// Share of the peak that comes on top of it.
    public let margin: Double
    public let percent: Double
    /// Seconds, for waiting, work and the way.
    public let bound: Double
    public let seed: UInt64

    public init(peak: Double, margin: Double, percent: Double, bound: Double, seed: UInt64) {
      (self.peak, self.margin, self.percent) = (peak, margin, percent)
      (self.bound, self.seed) = (bound, seed)
    }

    public var rate: Double { peak * (1 + margin) }
  }

  public enum Basis: String, Sendable {
    /// The highest rate of a curve that kept the promise.
    case curve
    /// The queue's model.
    case service
  }

  public let demand: Demand
  public let basis: Basis
  public let queue: QueueModel
  /// Seconds that a request takes beside the queue.
  public let overhead: Double
  /// Requests a second that one replica takes within the promise.
  public let perReplica: Double
  public let replicas: Int
  /// Of one replica's share of the peak with the margin: seconds, by the model and by the simulation.
  public let modelled: Double
  public let simulated: (value: Double, low: Double, high: Double?)

  public var ratePerReplica: Double { demand.rate / Double(replicas) }
  public var utilisation: Double { queue.utilisation(ratePerReplica) }
  /// Little's law: requests that are under way at the peak, in all replicas.
  public var inFlight: Double {
    let share = demand.peak / Double(replicas)
    return demand.peak * (overhead + queue.service.mean + queue.meanWait(share))
  }

  static let simulatedRequests = 200_000
  private static let replicasMax = 100_000

  /// Nil where no number of replicas keeps the promise: the work alone takes longer.
  ///
  /// - Parameters:
  ///   - measured: the highest rate that one replica kept, where that was tried.
  ///   - rateMax: beyond it the model says nothing.
  public init?(
    _ demand: Demand, queue: QueueModel, overhead: Double = 0, measured: Double? = nil,
    rateMax: Double = .infinity
  ) {
    let left = demand.bound - overhead
    let modelledRate = left > 0 ? queue.highestRate(demand.percent, within: left) : nil
    guard let perReplica = measured ?? modelledRate.map({ min($0, rateMax) }), perReplica > 0 else {
      return nil
    }
    var count = max(1, (demand.rate / perReplica).rounded(.up))
    guard count <= Double(CapacityPlan.replicasMax) else { return nil }
    var simulated: (value: Double, low: Double, high: Double?)
    var more = 0
    while true {
      simulated = CapacityPlan.simulated(demand, queue, overhead, rate: demand.rate / count)
      // A measured rate stands on its own; a formula has to prove itself.
      if measured != nil || simulated.value <= demand.bound || more == 10 { break }
      more += 1
      count += max(1, (count / 20).rounded(.up))
    }
    (self.demand, self.queue, self.overhead) = (demand, queue, overhead)
    basis = measured == nil ? .service : .curve
    self.perReplica = perReplica
    replicas = Int(count)
    modelled = overhead + queue.responsePercentile(demand.percent, demand.rate / count)
    self.simulated = simulated
  }

  private static func simulated(
    _ demand: Demand, _ queue: QueueModel, _ overhead: Double, rate: Double
  ) -> (value: Double, low: Double, high: Double?) {
    let responses = QueueSimulation.responses(
      of: queue, rate: rate, requests: simulatedRequests, seed: demand.seed)
    let interval = responses.interval(demand.percent, confidence: 0.95)
    func seconds(_ nanoseconds: UInt64) -> Double { overhead + Double(nanoseconds) / 1e9 }
    return (
      seconds(responses.all.percentile(demand.percent)!), seconds(interval.low),
      interval.high.map(seconds)
    )
  }

  /// The longest mean service time with which so many replicas keep the promise; what has to be reached where nothing
  /// was measured yet.
  ///
  /// - Returns: seconds.
  public static func serviceAllowed(
    _ demand: Demand, replicas: Int, workers: Int, variation: Double
  ) -> Double {
    let rate = demand.rate / Double(replicas)
    let shape = ServiceTimes(mean: 1, variation: variation, slices: 1_000)
    var (low, high) = (0.0, min(demand.bound, Double(workers) / rate))
    for _ in 0..<30 {
      let middle = (low + high) / 2
      let queue = QueueModel(workers: workers, service: shape.scaled(toMean: middle))
      let holds = queue.responseTail(demand.bound, rate) <= 1 - demand.percent / 100
      if holds { low = middle } else { high = middle }
    }
    return low
  }
}
