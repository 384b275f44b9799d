import Core
import Foundation
import Measure
import Testing

/// Formulas against closed forms, tables, and queues that are played through.
@Suite struct QueueTests {
  private func exponential(_ mean: Double) -> ServiceTimes {
    ServiceTimes(mean: mean, variation: 1)
  }

  @Test(arguments: [0.0, 0.25, 0.5, 1, 2]) func serviceTimesHaveTheirMeanAndVariation(
    _ variation: Double
  ) {
    let times = ServiceTimes(mean: 0.004, variation: variation)
    #expect(abs(times.mean - 0.004) < 1e-9)
    #expect(abs(times.squaredVariation.squareRoot() - variation) < 0.03 * max(0.1, variation))
    #expect(times.slices == times.slices.sorted())
  }

  @Test func measuredServiceTimesKeepTheirMoments() throws {
    var histogram = LatencyHistogram(bits: 10)
    for index in 1...10_000 { histogram.record(UInt64(index) * 1_000) }
    let times = try #require(ServiceTimes(histogram))
    // Uniform from 0 to 10 ms: the variance is a twelfth of the range squared.
    #expect(abs(times.mean - 0.005) < 1e-5)
    #expect(abs(times.squaredVariation - 1.0 / 3) < 1e-3)
    #expect(times.slices.count == 2_000)
    #expect(ServiceTimes(LatencyHistogram()) == nil)
    var few = LatencyHistogram(bits: 10)
    few.record(1_000)
    few.record(3_000)
    #expect(try #require(ServiceTimes(few)).slices.count == 2)
  }

  /// Erlang's own table: 10 workers and 8 of work; 1 worker waits as often as it is busy.
  @Test func waitingChancesAreErlangs() {
    let ten = QueueModel(workers: 10, service: exponential(1))
    #expect(abs(ten.waitingChance(8) - 0.40918) < 1e-4)
    let two = QueueModel(workers: 2, service: exponential(1))
    #expect(abs(two.waitingChance(1) - 1.0 / 3) < 1e-9)
    let one = QueueModel(workers: 1, service: exponential(1))
    for load in [0.1, 0.5, 0.9] { #expect(abs(one.waitingChance(load) - load) < 1e-9) }
    #expect(one.waitingChance(1.001) == 1)
    // Far beyond what factorials could hold.
    let many = QueueModel(workers: 1_000, service: exponential(1))
    #expect((0...1).contains(many.waitingChance(950)))
  }

  /// M/M/1: responses are exponential with μ − λ, so the p99 is 4.605 / (μ − λ).
  @Test func percentilesOfOneWorkerAreThoseOfTheClosedForm() {
    let queue = QueueModel(workers: 1, service: exponential(0.01))
    for rate in [10.0, 50, 90] {
      for percent in [50.0, 95, 99] {
        let exact = -log(1 - percent / 100) / (100 - rate)
        let found = queue.responsePercentile(percent, rate)
        #expect(abs(found / exact - 1) < 0.02, "p\(percent) at \(rate): \(found), \(exact)")
      }
    }
    #expect(queue.responsePercentile(99, 100) == .infinity)
  }

  /// Pollaczek and Khinchine: constant work waits half as long as exponential work.
  @Test func meanWaitOfOneWorkerIsPollaczeksAndKhinchines() {
    let constant = QueueModel(workers: 1, service: ServiceTimes(mean: 0.01, variation: 0))
    let exponential = QueueModel(workers: 1, service: exponential(0.01))
    #expect(abs(constant.meanWait(80) - 0.02) < 1e-9)
    #expect(abs(exponential.meanWait(80) - 0.04) < 2e-4)
    #expect(constant.meanWait(100) == .infinity)
  }

  @Test func theHighestRateIsWhereThePercentileMeetsTheBound() throws {
    let queue = QueueModel(workers: 4, service: exponential(0.005))
    let rate = try #require(queue.highestRate(99, within: 0.05))
    #expect(rate < queue.saturation)
    #expect(abs(queue.responsePercentile(99, rate) / 0.05 - 1) < 1e-3)
    // The work's own p99 is 23 ms: nothing keeps 20.
    #expect(queue.highestRate(99, within: 0.02) == nil)
  }

  /// The approximation against queues that are played through, by how much it may be off.
  @Test(arguments: [
    (1, 1.0, 0.5, 0.05), (1, 1.0, 0.8, 0.06), (4, 1.0, 0.8, 0.05), (16, 1.0, 0.9, 0.08),
    (1, 0.0, 0.8, 0.10), (4, 0.0, 0.8, 0.15), (1, 0.5, 0.7, 0.10), (1, 2.0, 0.7, 0.15),
  ]) func theModelIsNearTheSimulation(
    _ workers: Int, _ variation: Double, _ load: Double, _ tolerated: Double
  ) {
    let queue = QueueModel(
      workers: workers, service: ServiceTimes(mean: 0.01, variation: variation))
    let rate = load * queue.saturation
    let played = QueueSimulation.responses(of: queue, rate: rate, requests: 200_000, seed: 7)
    let simulated = Double(played.all.percentile(99)!) / 1e9
    let modelled = queue.responsePercentile(99, rate)
    #expect(abs(modelled / simulated - 1) < tolerated, "\(modelled) by the model, \(simulated)")
  }

  @Test func aSimulationIsTheSameForTheSameSeed() {
    let queue = QueueModel(workers: 3, service: exponential(0.01))
    func p99(_ seed: UInt64) -> UInt64? {
      QueueSimulation.responses(of: queue, rate: 200, requests: 5_000, seed: seed)
        .all.percentile(99)
    }
    #expect(p99(1) == p99(1) && p99(1) != p99(2))
  }
}

@Suite struct CapacityTests {
  private func demand(_ peak: Double, bound: Double = 0.05) -> CapacityPlan.Demand {
    CapacityPlan.Demand(peak: peak, margin: 0.3, percent: 99, bound: bound, seed: 1)
  }

  @Test func replicasTakeThePeakWithItsMargin() throws {
    let queue = QueueModel(workers: 2, service: ServiceTimes(mean: 0.005, variation: 1))
    let plan = try #require(CapacityPlan(demand(1_000), queue: queue))
    #expect(plan.basis == .service)
    #expect(abs(plan.ratePerReplica * Double(plan.replicas) - 1_300) < 1e-6)
    #expect(plan.ratePerReplica <= plan.perReplica && plan.utilisation < 1)
    // One less would not do.
    #expect(1_300 / Double(plan.replicas - 1) > plan.perReplica)
    #expect(plan.simulated.value <= 0.05 && plan.modelled <= 0.05)
    // Little: the rate by the time under way.
    let each = queue.service.mean + queue.meanWait(1_000 / Double(plan.replicas))
    #expect(abs(plan.inFlight - 1_000 * each) < 1e-6)
  }

  @Test func noReplicaHelpsWhereTheWorkItselfIsTooLong() {
    let queue = QueueModel(workers: 2, service: ServiceTimes(mean: 0.02, variation: 1))
    #expect(CapacityPlan(demand(100), queue: queue) == nil)
    let quick = QueueModel(workers: 2, service: ServiceTimes(mean: 0.001, variation: 1))
    #expect(CapacityPlan(demand(100), queue: quick, overhead: 0.06) == nil)
  }

  @Test func whatWasMeasuredGoesBeforeTheModel() throws {
    let queue = QueueModel(workers: 1, service: ServiceTimes(mean: 0.001, variation: 1))
    let plan = try #require(CapacityPlan(demand(1_000), queue: queue, measured: 100))
    #expect(plan.basis == .curve && plan.replicas == 13 && plan.perReplica == 100)
    let capped = try #require(CapacityPlan(demand(1_000), queue: queue, rateMax: 200))
    #expect(capped.perReplica == 200 && capped.replicas == 7)
  }

  @Test func theWorkThatIsAllowedKeepsThePromiseJustSo() {
    let allowed = CapacityPlan.serviceAllowed(demand(100), replicas: 1, workers: 1, variation: 1)
    // M/M/1: the p99 is 4.605 / (μ − λ).
    #expect(abs(allowed - 1 / (130 + 4.605 / 0.05)) < 1e-4)
  }

  /// A curve drawn from a known queue is explained by that queue.
  @Test func aCurveFindsTheQueueBehindIt() throws {
    let truth = QueueModel(workers: 2, service: ServiceTimes(mean: 0.002, variation: 1))
    var curve = RateCurve()
    for rate in [100.0, 200, 400, 800, 900] {
      curve.append(
        .init(
          rate: rate, p50: 0.001 + truth.responsePercentile(50, rate),
          p99: 0.001 + truth.responsePercentile(99, rate), isKept: rate < 900))
    }
    let fit = try #require(curve.fit(workers: 2))
    #expect(abs(fit.queue.service.mean / 0.002 - 1) < 0.1, "\(fit.queue.service.mean)")
    #expect(abs(fit.overhead - 0.001) < 0.0005)
    #expect(fit.worstFactor < 1.2)
    #expect(curve.keptRate(within: 1) == 800)
    let between =
      0.001 + (truth.responsePercentile(99, 200) + truth.responsePercentile(99, 400)) / 2
    #expect(curve.keptRate(within: between) == 200)
    #expect(curve.keptRate(within: 0.001) == nil)
  }

  @Test func twoRatesAreNoCurve() {
    var curve = RateCurve()
    for rate in [100.0, 200, 200] {
      curve.append(.init(rate: rate, p50: 0.001, p99: 0.002, isKept: true))
    }
    curve.append(.init(rate: 400, p50: 0.001, p99: 0.2, isKept: false))
    #expect(curve.fit(workers: 1) == nil)
  }
}
