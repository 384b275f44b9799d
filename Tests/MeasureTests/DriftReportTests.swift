// Verdicts: what must alarm does, what must not does not, and false alarms come as often as is said.

import Core
import Foundation
import TestSupport
import Testing

@testable import Measure

@Suite struct DriftReportTests {
  private static let isLong = ProcessInfo.processInfo.environment["RTINFER_LONG"] == "1"

  private func report(
    _ reference: [String], _ current: [String], _ rules: DriftRules = DriftRules()
  ) throws -> DriftReport {
    let profile = try Profiling.profile(reference)
    return DriftReport(profile, try Profiling.profile(current, like: profile), rules)
  }

  // MARK: Calibration

  /// The share of runs with p ≤ 0.05 where nothing has moved.
  private func alarms(
    _ runs: Int, _ n: Int, _ m: Int, seed: Int, _ draw: (inout SplitMix64) -> Double
  ) -> (share: Double, verdicts: Int) {
    var random = SplitMix64(seed: UInt64(seed))
    var low = 0
    var verdicts = 0
    for _ in 0..<runs {
      let reference = Profiling.profile(["x": (0..<n).map { _ in draw(&random) }])
      let current = Profiling.profile(["x": (0..<m).map { _ in draw(&random) }], like: reference)
      let found = DriftReport(reference, current, DriftRules())
      low += found.columns[0].p! <= 0.05 ? 1 : 0
      verdicts += found.verdict == .ok ? 0 : 1
    }
    return (Double(low) / Double(runs), verdicts)
  }

  @Test(
    arguments: isLong
      ? [
        (30, 30), (100, 100), (1_000, 100), (1_000, 1_000), (100_000, 1_000),
        (1_000_000, 1_000_000),
      ] : [(30, 30), (100, 100), (1_000, 100)])
  func nothingHasMovedAndNothingAlarms(_ n: Int, _ m: Int) {
    let runs = Self.isLong ? (n + m > 50_000 ? 100 : 2_000) : 150
    let slack = 4 * (0.05 * 0.95 / Double(runs)).squareRoot()
    let smooth = alarms(runs, n, m, seed: 1) {
      NormalDistribution.quantile(.random(in: 1e-9..<1, using: &$0))
    }
    #expect(smooth.share <= 0.05 + slack && smooth.verdicts <= 1 + runs / 50)
    // Nor is the level wasted.
    if Self.isLong, n + m < 50_000 { #expect(smooth.share >= 0.02) }
    let tied = alarms(runs, n, m, seed: 2) { Double(Int.random(in: 0..<60, using: &$0)) }
    #expect(tied.share <= 0.05 + slack && tied.verdicts <= 1 + runs / 50)
    let few = alarms(runs, n, m, seed: 3) { Double(Int.random(in: 0..<4, using: &$0)) }
    #expect(few.share <= 0.05 + slack && few.verdicts <= 1 + runs / 50)
  }

  @Test func aShiftIsFoundByTheRightVerdict() {
    var random = SplitMix64(seed: 8)
    let reference = Profiling.profile(["x": Profiling.normal(5_000, 0, &random)])
    var found: [DriftVerdict] = []
    for shift in [0, 0.1, 0.2, 0.4, 1] {
      let current = Profiling.profile(
        ["x": Profiling.normal(5_000, shift, &random)], like: reference)
      let column = DriftReport(reference, current, DriftRules()).columns[0]
      found.append(column.verdict)
      // Seen already where it does not matter yet.
      if shift >= 0.1 { #expect(column.p! < 1e-3) }
    }
    #expect(found == [.ok, .ok, .ok, .watch, .drift])
  }

  @Test func anOutlierNeitherHidesNorMakesDrift() {
    var random = SplitMix64(seed: 8)
    let values = Profiling.normal(4_000, 0, &random)
    let reference = Profiling.profile(["x": values])
    func column(_ shift: Double, _ outlier: [Double]) -> ColumnComparison {
      let current = Profiling.normal(4_000, shift, &random) + outlier
      return DriftReport(
        reference, Profiling.profile(["x": current], like: reference), DriftRules()
      ).columns[0]
    }
    let (still, moved) = (column(0, [1e6]), column(0.6, [1e6]))
    #expect(still.verdict == .ok && moved.verdict == .drift)
    #expect(still.measures[.wasserstein]! > 100 && still.measures[.robustWasserstein]! < 0.1)
    #expect(abs(moved.measures[.robustWasserstein]! - 0.6) < 0.1)
  }

  @Test func largeColumnsAreComparedAtTheReferencesEdges() {
    var random = SplitMix64(seed: 21)
    let left = Profiling.normal(60_000, 0, &random)
    let right = Profiling.normal(60_000, 0.05, &random)
    let reference = Profiling.profile(["x": left])
    let column = DriftReport(
      reference, Profiling.profile(["x": right], like: reference), DriftRules()
    ).columns[0]
    var (one, two, largest) = (left.sorted()[...], right.sorted()[...], 0.0)
    while let a = one.first, let b = two.first {
      if a <= b { one.removeFirst() }
      if b <= a { two.removeFirst() }
      largest = max(largest, abs(Double(one.count - two.count)) / 60_000)
    }
    let found = column.measures[.ks]!
    #expect(found <= largest + 1e-12 && found > largest - 0.002)
    let distance = zip(left.sorted(), right.sorted()).reduce(0) { $0 + abs($1.0 - $1.1) } / 60_000
    #expect(abs(column.wasserstein! - distance) < 0.01 * distance)
  }

  // MARK: Data quality

  private func rows(_ count: Int, _ row: (Int) -> String) -> [String] { (0..<count).map(row) }

  @Test func whatIsWrongWithTheDataIsTold() throws {
    let reference = rows(400) { index in
      "{\"a\":\(index % 50),\"c\":\"\(index % 3)\",\"gone\":1,\"t\":\(index),\"n\":\(index % 40)}"
    }
    let current = rows(400) { index in
      let missing = index % 2 == 0 ? "null" : "\(index % 40)"
      return
        "{\"a\":\(index % 50 + (index % 10 == 0 ? 500 : 0)),\"c\":\"\(index % 30 == 0 ? 9 : index % 3)\",\"new\":1,\"t\":\"x\(index % 5)\",\"n\":\(missing)}"
    }
    let found = try report(reference, current)
    func codes(_ name: String) -> [String] {
      found.columns.first { $0.name == name }?.findings.map(\.code.rawValue) ?? []
    }
    #expect(codes("a") == ["out_of_range"])
    #expect(codes("c") == ["new_categories"])
    #expect(codes("gone") == ["column_missing"])
    #expect(codes("new") == ["column_new"])
    #expect(codes("t") == ["type_changed"])
    #expect(codes("n") == ["missing_values"])
    #expect(found.verdict == .drift && found.sorted.last?.verdict == .watch)
  }

  @Test func aPredictionsMeanIsHeldAgainstItsWindows() throws {
    func decisions(_ shift: Double) -> [String] {
      (0..<1_000).map { index in
        let day = index / 100
        let score = 0.3 + Double(index % 11) / 100 + Double(day % 3) / 100 + shift
        return "{\"time\":\"2013-01-1\(day)T00:00:00Z\",\"score\":\(score)}"
      }
    }
    let reference = try Profiling.profile(decisions(0), time: "time", every: "1d")
    func codes(_ shift: Double) throws -> [String] {
      let current = try Profiling.profile(
        decisions(shift), like: reference, time: "time", every: "1d")
      return DriftReport(reference, current, DriftRules()).columns.last!.findings.map(
        \.code.rawValue)
    }
    #expect(try !codes(0.005).contains("mean_moved"))
    #expect(try codes(0.03).contains("mean_moved"))
  }

  @Test func tooLittleDataIsNoVerdict() throws {
    let few = rows(12) { "{\"a\":\($0)}" }
    let found = try report(few, few)
    #expect(found.verdict == .insufficient && found.columns[0].verdict == .insufficient)
    #expect(found.columns[0].why == "the reference has 12 values, 30 are needed")
  }

  @Test func theWholeIsJudgedByWeight() throws {
    let reference = rows(500) { "{\"a\":\($0 % 50),\"b\":\($0 % 50)}" }
    let current = rows(500) { "{\"a\":\($0 % 50 + 30),\"b\":\($0 % 50)}" }
    var rules = DriftRules()
    #expect(try report(reference, current, rules).verdict == .drift)
    rules.share = 0.5
    #expect(try report(reference, current, rules).verdict == .watch)
    rules.weights = ["a": 3, "b": 1]
    #expect(try report(reference, current, rules).verdict == .drift)
    rules.weights = ["a": 1, "b": 3]
    #expect(try report(reference, current, rules).verdict == .watch)
  }

  @Test func namesOfTrainingSetsAndFeaturesAreOne() throws {
    let reference = rows(60) { "{\"view__mean\":\($0)}" }
    let current = rows(60) { "{\"view:mean\":\($0)}" }
    let found = try report(reference, current)
    #expect(found.columns.count == 1 && found.verdict == .ok)
  }
}
