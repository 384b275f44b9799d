import Core
import Measure
import TestSupport
import Testing

@Suite struct PlannedBudgetTests {
  /// What is printed, read again as a project's budget.
  private func declared(_ plan: PlannedBudget) throws -> Budget {
    let text = plan.section(name: "late", notes: ["why"])
    #expect(text.hasPrefix("// why\n{"))
    let whole = try ConfigNode.parse(text)
    let budgets = try whole.required("budgets").members()
    #expect(budgets.map(\.key) == ["late"])
    return try Budget(budgets[0])
  }

  @Test func theFieldsSplitOfFiftyMilliseconds() throws {
    let plan = PlannedBudget(target: TimeSpan(microseconds: 50_000), percent: 99)
    #expect(
      plan.lines.map { "\($0.layer.rawValue) \($0.bound.description)" } == [
        "request 2ms", "features 15ms", "inference 20ms", "postprocess 3ms", "response 2ms",
      ])
    #expect(plan.buffer.description == "8ms" && plan.answer == .pass)
    let budget = try declared(plan)
    #expect(budget.percentile == 99 && budget.total == plan.total && budget.buffer == plan.buffer)
    #expect(
      budget.layers == Dictionary(uniqueKeysWithValues: plan.lines.map { ($0.layer, $0.bound) }))
    #expect(budget.errors == 0.001 && (0.9989...0.9991).contains(budget.availability ?? 0))
  }

  /// Whatever the target, the parts are the whole, to the microsecond.
  @Test(arguments: [100, 101, 333, 999, 12_345, 1_000_000, Int64.max / 2])
  func anyTargetIsSpentToTheLast(_ microseconds: Int64) throws {
    let plan = PlannedBudget(target: TimeSpan(microseconds: microseconds), percent: 99.9)
    let parts = plan.lines.reduce(plan.buffer.microseconds) { $0 + $1.bound.microseconds }
    #expect(parts == microseconds)
    #expect(plan.lines.allSatisfy { $0.bound > .zero } && plan.buffer > .zero)
    if microseconds < 1_000_000_000 { #expect(try declared(plan).percentile == 99.9) }
  }

  /// Features 1 to 2 ms, inference half of that, the way a constant 0.3 ms.
  private func evidence(_ count: Int, scale: UInt64 = 1) -> LayerEvidence {
    var evidence = LayerEvidence()
    var random = SplitMix64(seed: 5)
    for _ in 0..<count {
      var timing = LayerTiming()
      for layer in [0, 3, 4] { timing[layer] = 0 }
      let features = UInt64.random(in: 1_000_000...2_000_000, using: &random) * scale
      timing[1] = features
      timing[2] = features / 2
      timing[LayerTiming.count - 1] = 50_000
      evidence.record(features + features / 2 + 350_000, timing)
    }
    return evidence
  }

  @Test func measuredLayersShareTheTargetAsTheyNeed() throws {
    let plan = try #require(
      PlannedBudget(
        evidence(5_000), target: TimeSpan(microseconds: 10_000), percent: 99, confidence: 0.95))
    #expect(plan.answer == .pass && plan.count == 5_000, "\(plan.why)")
    // 84 % of 10 ms, two to one.
    #expect(plan.lines.map(\.layer) == [.features, .inference])
    let bounds = plan.lines.map(\.bound.microseconds)
    #expect((5_550...5_640).contains(bounds[0]) && (2_760...2_850).contains(bounds[1]), "\(bounds)")
    #expect(bounds[0] + bounds[1] + plan.buffer.microseconds == 10_000)
    #expect(try declared(plan).layers[.features]?.microseconds == bounds[0])
  }

  /// Without a target: what is needed is 84 % of it, and the budget that comes of it holds for what it was made from.
  @Test func withoutATargetTheLeastThatFits() throws {
    let evidence = evidence(5_000)
    let plan = try #require(
      PlannedBudget(evidence, target: nil, percent: 99, confidence: 0.95))
    #expect(plan.answer == .pass)
    #expect((3_900...4_200).contains(plan.total.microseconds), "\(plan.total)")
    for line in plan.lines {
      #expect(Double(line.bound.microseconds) >= line.measured?.high ?? .infinity)
    }
  }

  @Test func whatDoesNotFitIsSaid() throws {
    func answer(_ count: Int, _ microseconds: Int64) throws -> (Verdict.Answer, String) {
      let plan = try #require(
        PlannedBudget(
          evidence(count), target: TimeSpan(microseconds: microseconds), percent: 99,
          confidence: 0.95))
      _ = try declared(plan)
      return (plan.answer, plan.why)
    }
    #expect(try answer(5_000, 2_000) == (.fail, "what was measured takes longer than the target"))
    #expect(try answer(5_000, 3_400).0 == .fail)
    #expect(try answer(100, 10_000).0 == .inconclusive)
    #expect(PlannedBudget(LayerEvidence(), target: nil, percent: 99, confidence: 0.95) == nil)
  }

  @Test func theWorkIsAllLayersButTheQueue() throws {
    let evidence = evidence(2_000)
    let mean = Double(evidence.work.sum) / 2_000
    #expect(evidence.total.all.percentile(50)! > evidence.work.percentile(50)! + 300_000)
    #expect(abs(try #require(evidence.service).mean * 1e9 / mean - 1) < 0.01)
    var summed = LayerEvidence()
    summed.merge(
      latency: evidence.total.all,
      layers: evidence.layers.map { $0.all.maximum > 0 ? $0.all : nil })
    let service = try #require(summed.service)
    #expect(abs(service.mean * 1e9 / mean - 1) < 0.01 && summed.count == 2_000)
    // A second run like the first is more evidence, not more work.
    summed.merge(
      latency: evidence.total.all,
      layers: evidence.layers.map { $0.all.maximum > 0 ? $0.all : nil })
    let both = try #require(summed.service)
    #expect(abs(both.mean / service.mean - 1) < 1e-9 && summed.count == 4_000)
    #expect(abs(both.squaredVariation / service.squaredVariation - 1) < 1e-6)
  }

  /// What nobody measured is kept neither as a plan's zero nor as a baseline's.
  @Test func unmeasuredLayersAreNoZeros() throws {
    var timing = LayerTiming()
    timing[2] = 2_000_000
    var evidence = LayerEvidence()
    var baseline = Baseline()
    for _ in 0..<100 {
      evidence.record(nil, timing)
      baseline.record(.init(decision: timing))
    }
    #expect(evidence.layers.map { $0.all.count } == [0, 0, 100, 0, 0, 0])
    let text = OutputBuffer(MemorySink())
    baseline.append(to: text)
    let written = text.pending.string
    #expect(written.contains("\"inference\":{") && !written.contains("\"features\""), "\(written)")
  }
}
