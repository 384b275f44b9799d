// Verdicts against what arithmetic says, and how often they are wrong. The simulations are small by default;
// RTINFER_LONG=1 makes them 10,000 runs each.

import Core
import Foundation
import Testing

@testable import Measure

private let isLong = ProcessInfo.processInfo.environment["RTINFER_LONG"] == "1"
private let runs = isLong ? 10_000 : 60

private func exponential(_ random: inout SplitMix64) -> Double {
  -log(1 - Double.random(in: 0..<1, using: &random))
}

private func normal(_ random: inout SplitMix64) -> Double {
  let radius = (2 * exponential(&random)).squareRoot()
  return radius * cos(2 * Double.pi * Double.random(in: 0..<1, using: &random))
}

/// Share of runs within four standard errors of a simulation's own.
private func atLeast(_ share: Double) -> Double {
  share - 4 * (share * (1 - share) / Double(runs)).squareRoot()
}

@Suite struct EvidenceTests {
  private func evidence(
    _ text: String, _ latencies: [UInt64], errorEvery: Int = .max, spacing: Int64 = 1_000
  ) throws -> [Verdict] {
    var evidence = BudgetEvidence(
      try Clause.parse(text, origin: "test"), confidence: 0.95, allowedErrors: 0.001)
    for (index, latency) in latencies.enumerated() {
      var one = BudgetEvidence.Observation()
      one.latency = latency
      one.isError = errorEvery != .max && index % errorEvery == 1
      one.due = Timestamp(microseconds: Int64(index) * spacing)
      evidence.record(one)
    }
    return evidence.verdicts()
  }

  @Test func threeAnswers() throws {
    let latencies = (1...10_000).map { UInt64(($0 * 7_919) % 10_000 + 1) * 1_000 }
    // The true p99 is 9.9 ms, known between the 121st and the 81st largest: 9.88 and 9.92.
    let answers = try evidence("p99 < 9.95ms && p99 < 9.9ms && p99 < 9.8ms", latencies).map(
      \.answer)
    #expect(answers == [.pass, .inconclusive, .fail])
    let few = try evidence("p99 < 1s", Array(latencies.prefix(300)))
    #expect(few[0].answer == .inconclusive && few[0].interval?.high == nil)
    #expect(few[0].why.hasPrefix("too few requests"))
    #expect([few[0]].status == .inconclusive)
  }

  @Test func noDataIsNeverAPass() throws {
    let nothing = try evidence("p99 < 1s && errors < 1% && count > 0 && rate > 1 && max < 1s", [])
    #expect(nothing.allSatisfy { $0.answer == .inconclusive } && nothing.status == .inconclusive)
    #expect([Verdict]().status == .inconclusive)
    let some = try evidence(
      "features.p99 < 1s && service.max < 1s", Array(repeating: 5, count: 1_000))
    #expect(some.map(\.answer) == [.inconclusive, .inconclusive])
    #expect(some[0].why == "'features' was not measured: no record has it")
  }

  @Test func countsAndShares() throws {
    let verdicts = try evidence(
      "errors < 10% && errors < 1% && availability > 90% && burn < 10 && rate > 990 && rate < 990"
        + " && count > 1999",
      Array(repeating: 1_000, count: 2_000), errorEvery: 20)
    #expect(verdicts.map(\.answer) == [.pass, .fail, .pass, .fail, .pass, .fail, .pass])
    #expect(verdicts[0].value == 0.05 && verdicts[3].value.map { abs($0 - 50) < 1e-9 } == true)
  }

  @Test func aBadSecondBreaksAWindowAndNotTheWhole() throws {
    var latencies = [UInt64](repeating: 1_000_000, count: 100_000)
    for index in 50_000..<50_500 { latencies[index] = 90_000_000 }
    let verdicts = try evidence("p90 < 50ms && p99 < 50ms over 1s", latencies)
    #expect(verdicts.map(\.answer) == [.pass, .fail])
    #expect(verdicts[1].why.contains("of 100 windows 1 break it"))
  }

  @Test func theTailIsOfTheSlowRequestsThemselves() throws {
    var evidence = BudgetEvidence(
      try Clause.parse("p99 < 1s", origin: ""), confidence: 0.95, allowedErrors: 0.001)
    for index in 0..<10_000 {
      var one = BudgetEvidence.Observation()
      // Two layers are slow on different requests; only the slowest hundredth counts.
      let isSlow = index % 90 == 0
      one.layers[1] = isSlow ? 80_000_000 : 1_000_000
      one.layers[2] = index % 7 == 0 ? 15_000_000 : 1_000_000
      one.latency = one.layers.nanoseconds[1] + one.layers.nanoseconds[2] + 4_000_000
      evidence.record(one)
    }
    let tail = try #require(evidence.verdicts()[0].tail)
    #expect(tail.shares[0].name == "features" && tail.shares[0].share > 0.5)
    #expect(abs(tail.shares.map(\.share).reduce(0, +) - 1) < 1e-9)
  }

  /// A server that says one layer leaves the others unsaid, not at zero.
  @Test func aLayerThatNobodyMeasuredIsInconclusive() throws {
    var evidence = BudgetEvidence(
      try Clause.parse("inference.p99 < 10ms && features.p99 < 1us && queue.max < 1us", origin: ""),
      confidence: 0.95, allowedErrors: 0.001)
    for _ in 0..<10_000 {
      var one = BudgetEvidence.Observation()
      one.layers = Array("inference;dur=2".utf8).withBytes { LayerTiming(serverTiming: $0) }
      one.latency = 3_000_000
      evidence.record(one)
    }
    let empty = LatencyHistogram(bits: 10)
    evidence.merge(
      requests: 0, errors: 0, seconds: 0, latency: empty, service: nil,
      layers: .init(repeating: empty, count: LayerTiming.count))
    let verdicts = evidence.verdicts()
    #expect(verdicts.map(\.answer) == [.pass, .inconclusive, .inconclusive])
    #expect(verdicts[1].value == nil && verdicts[1].why.contains("'features' was not measured"))
  }

  @Test func anInvalidRunSaysNothing() throws {
    var evidence = BudgetEvidence(
      try Clause.parse("count > 0", origin: ""), confidence: 0.95, allowedErrors: 0.001)
    evidence.record(.init())
    evidence.note(invalid: "late", isClosedLoop: false)
    #expect(evidence.verdicts()[0].answer == .inconclusive)
    #expect(evidence.verdicts()[0].why == "the run was invalid: late")
  }
}

@Suite struct CoverageTests {
  /// Independent values: the interval holds the true percentile at least as often as it says.
  @Test(arguments: [50.0, 95, 99]) func independentSamples(_ percent: Double) {
    var random = SplitMix64(seed: 11)
    let truth = UInt64(-log(1 - percent / 100) * 1e6)
    var covered = 0
    for _ in 0..<runs {
      var data = BatchedLatencies()
      for _ in 0..<2_000 { data.record(UInt64(exponential(&random) * 1e6)) }
      let interval = data.interval(percent, confidence: 0.95)
      if interval.low <= truth, interval.high ?? .max >= truth { covered += 1 }
    }
    #expect(Double(covered) / Double(runs) >= atLeast(0.95), "\(covered) of \(runs)")
  }

  /// A queue's samples: neighbours with a correlation of 0.9.
  @Test(arguments: [50.0, 95, 99]) func correlatedSamples(_ percent: Double) {
    var random = SplitMix64(seed: 12)
    let truth = UInt64(exp(NormalDistribution.quantile(percent / 100)) * 1e6)
    let (keeps, moves) = (0.9, (1 - 0.81).squareRoot())
    var (covered, coveredPlainly) = (0, 0)
    for _ in 0..<runs {
      var data = BatchedLatencies()
      var level = normal(&random)
      for _ in 0..<10_000 {
        data.record(UInt64(exp(level) * 1e6))
        level = keeps * level + moves * normal(&random)
      }
      let interval = data.interval(percent, confidence: 0.95)
      if interval.low <= truth, interval.high ?? .max >= truth { covered += 1 }
      let plain = QuantileInterval.interval(of: data.all, percent, confidence: 0.95)
      if plain.low <= truth, plain.high ?? .max >= truth { coveredPlainly += 1 }
    }
    #expect(Double(covered) / Double(runs) >= atLeast(0.95), "\(covered) of \(runs)")
    #expect(coveredPlainly < covered, "without the batches it would be \(coveredPlainly)")
  }

  /// A promise that is just kept: how often it is called broken, and how often one that is just broken is called kept.
  @Test func wrongVerdictsAreRare() throws {
    var random = SplitMix64(seed: 13)
    let truth = -log(0.01) * 1e6
    let clause = Clause(.percentile(.total, 99), isUpperBound: true, bound: truth, text: "p99")
    var answers: [Verdict.Answer: Int] = [:]
    for _ in 0..<runs {
      var evidence = BudgetEvidence([clause], confidence: 0.95, allowedErrors: 0.001)
      for _ in 0..<2_000 {
        var one = BudgetEvidence.Observation()
        one.latency = UInt64(exponential(&random) * 1e6)
        evidence.record(one)
      }
      answers[evidence.verdicts()[0].answer, default: 0] += 1
    }
    let bound = 0.025 + 4 * (0.025 * 0.975 / Double(runs)).squareRoot()
    #expect(Double(answers[.pass] ?? 0) / Double(runs) <= bound, "\(answers)")
    #expect(Double(answers[.fail] ?? 0) / Double(runs) <= bound, "\(answers)")
  }
}
