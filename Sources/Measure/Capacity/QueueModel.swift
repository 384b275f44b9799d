// How long requests take that may have to wait: Poisson arrivals, one line, c workers, and service times of any
// distribution (M/G/c). The chance of waiting is Erlang's C; the wait of those who wait is taken as exponential with the
// mean of Pollaczek and Khinchine's formula (Allen and Cunneen's for several workers). Exact for exponential times (M/M/c)
// and, in its mean, for one worker (M/G/1); otherwise an approximation, which `QueueSimulation` checks.
//
//     ──▶ ● ● ● ●  ──▶  [ worker ]      a = λ · mean service       work that arrives, in workers
//         waiting       [ worker ]      ρ = a / c < 1              or the line grows for ever

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

public struct QueueModel: Sendable {
  /// Workers: requests that are worked on at once.
  public let workers: Int
  public let service: ServiceTimes

  public init(workers: Int, service: ServiceTimes) {
    precondition(workers > 0, "somebody works")
    self.workers = workers
    self.service = service
  }

  /// Requests a second that the workers could do without a pause.
  public var saturation: Double { Double(workers) / service.mean }

  /// Share of the workers' time that is taken.
  public func utilisation(_ rate: Double) -> Double { rate / saturation }

  /// Erlang's C: the chance that a request has to wait. 1 where the line grows for ever.
  ///
  /// - Complexity: O(workers).
  public func waitingChance(_ rate: Double) -> Double {
    let work = rate * service.mean
    guard work < Double(workers) else { return 1 }
    // Erlang's B by its recursion, which neither overflows nor cancels.
    var blocked = 1.0
    for count in 1...workers { blocked = work * blocked / (Double(count) + work * blocked) }
    let used = work / Double(workers)
    return blocked / (1 - used + used * blocked)
  }

  /// Mean wait of those who wait, in seconds.
  private func conditionalWait(_ rate: Double) -> Double {
    (1 + service.squaredVariation) / 2 / (saturation - rate)
  }

  /// Seconds; infinite from saturation on.
  public func meanWait(_ rate: Double) -> Double {
    guard rate < saturation else { return .infinity }
    return waitingChance(rate) * conditionalWait(rate)
  }

  /// Share of requests that take longer than `time`, waiting and work together.
  ///
  /// - Complexity: O(slices).
  public func responseTail(_ time: Double, _ rate: Double) -> Double {
    guard rate < saturation else { return 1 }
    let waits = waitingChance(rate)
    let scale = conditionalWait(rate)
    var (longer, tail) = (0.0, 0.0)
    for work in service.slices {
      if work > time {
        longer += 1
        tail += 1
      } else {
        tail += exp((work - time) / scale)
      }
    }
    return ((1 - waits) * longer + waits * tail) / Double(service.slices.count)
  }

  /// Seconds below which `percent` of requests are answered; infinite from saturation on.
  public func responsePercentile(_ percent: Double, _ rate: Double) -> Double {
    guard rate < saturation else { return .infinity }
    let wanted = 1 - percent / 100
    var (low, high) = (0.0, service.mean)
    while responseTail(high, rate) > wanted { (low, high) = (high, high * 2) }
    for _ in 0..<40 {
      let middle = (low + high) / 2
      if responseTail(middle, rate) > wanted { low = middle } else { high = middle }
    }
    return high
  }

  /// The highest rate at which `percent` of requests are answered within `bound` seconds; nil where the work alone
  /// takes longer.
  public func highestRate(_ percent: Double, within bound: Double) -> Double? {
    let wanted = 1 - percent / 100
    guard responseTail(bound, 0) <= wanted else { return nil }
    var (low, high) = (0.0, saturation)
    for _ in 0..<40 {
      let middle = (low + high) / 2
      if responseTail(bound, middle) <= wanted { low = middle } else { high = middle }
    }
    return low
  }
}
