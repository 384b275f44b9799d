// What budget plan knows: the records that were named, and what follows from them for a budget and for replicas.

import Core
import Measure

struct BudgetPlanInputs {
  private var evidence = LayerEvidence()
  private var curve = RateCurve()
  private(set) var readStatus = ExitStatus.success

  init(_ invocation: Invocation) throws(Failure) {
    // Only what is named: from a target alone nothing is read, whatever stdin may be.
    guard !invocation.options.operands.isEmpty else { return }
    let records = BudgetRecords()
    let gathered = Gathered()
    records.onObservations = { observations in
      for observation in observations {
        gathered.evidence.record(observation.latency, observation.layers)
      }
    }
    records.onStep = { gathered.curve.append($0) }
    records.onSummary = { summary in
      if let why = summary.invalidity { gathered.invalidity = why }
      guard summary.holdsHistograms, let latency = summary.latency else { return }
      gathered.evidence.merge(latency: latency, layers: summary.layers)
    }
    readStatus = try records.read(invocation, invocation.options.operands)
    if let why = gathered.invalidity {
      throw Failure(.inconclusive, "the run was invalid, nothing is planned from it: \(why)")
    }
    guard gathered.evidence.count > 0 || !gathered.curve.steps.isEmpty else {
      throw Failure(.inconclusive, "there is no request to plan from")
    }
    (evidence, curve) = (gathered.evidence, gathered.curve)
  }

  private final class Gathered {
    var evidence = LayerEvidence()
    var curve = RateCurve()
    var invalidity: String?
  }

  func budget(_ request: BudgetPlanRequest) -> PlannedBudget? {
    if evidence.count > 0 {
      return PlannedBudget(
        evidence, target: request.target, percent: request.percent, confidence: request.confidence)
    }
    return request.target.map { PlannedBudget(target: $0, percent: request.percent) }
  }

  func capacity(
    _ request: BudgetPlanRequest, target: TimeSpan
  ) throws(Failure) -> BudgetPlanReport.Capacity? {
    guard let peak = request.peak else { return nil }
    let bound = Double(target.microseconds) / 1e6
    let demand = CapacityPlan.Demand(
      peak: peak, margin: request.margin, percent: request.percent, bound: bound,
      seed: request.seed)
    if !curve.steps.isEmpty { return try capacity(request, demand, curve) }
    guard let times = service(request) else {
      let allowed = [1, 2, 4, 8, 16].map { replicas in
        BudgetPlanReport.Allowed(
          replicas: replicas,
          seconds: CapacityPlan.serviceAllowed(
            demand, replicas: replicas, workers: request.workers, variation: request.variation))
      }
      return .unknown(demand, allowed)
    }
    let queue = QueueModel(workers: request.workers, service: times)
    // What a request takes beside its work and the queue: the way, and what no layer counts.
    guard let plan = CapacityPlan(demand, queue: queue, overhead: overhead(times)) else {
      return .impossible(
        demand,
        "the work alone takes longer than \(target.description) for more than"
          + " \((100 - request.percent).plain) % of requests, or needs more than 100,000 replicas")
    }
    return .planned(plan, nil)
  }

  private func capacity(
    _ request: BudgetPlanRequest, _ demand: CapacityPlan.Demand, _ curve: RateCurve
  ) throws(Failure) -> BudgetPlanReport.Capacity {
    guard request.service == nil else {
      throw .usage("--service is for what was not measured, and a bench search was")
    }
    guard let kept = curve.keptRate(within: demand.bound) else {
      return .impossible(demand, "no rate of the bench search kept the target")
    }
    guard let fit = curve.fit(workers: request.workers) else {
      throw Failure(
        .inconclusive, "fewer than three rates of the bench search kept their promise",
        hint: "a lower --start-rate gives a longer curve")
    }
    let top = curve.steps.map(\.rate).max() ?? kept
    guard
      let plan = CapacityPlan(
        demand, queue: fit.queue, overhead: fit.overhead,
        // The curve knows its p99 and no other percentile.
        measured: request.percent == 99 ? kept : nil,
        rateMax: top * RateCurve.extrapolationMax)
    else { return .impossible(demand, "the curve's best fit never keeps the target") }
    return .planned(plan, fit.worstFactor)
  }

  private func service(_ request: BudgetPlanRequest) -> ServiceTimes? {
    if let mean = request.service {
      return ServiceTimes(
        mean: Double(mean.microseconds) / 1e6, variation: request.variation)
    }
    return evidence.service
  }

  private func overhead(_ times: ServiceTimes) -> Double {
    guard let median = evidence.total.all.percentile(50), evidence.service != nil else { return 0 }
    let slices = times.slices
    return max(0, Double(median) / 1e9 - slices[slices.count / 2])
  }
}
