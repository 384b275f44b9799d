// Statistics against scipy's, on generated and real columns (`Fixtures/drift-statistics/make.py`).

import Foundation
import TestSupport
import Testing

@testable import Core

@Suite struct TwoSampleFixtureTests {
  private struct Row: Decodable {
    let name: String
    let reference: [Double]?
    let current: [Double]?
    let ties: Bool?
    let ks: Double?
    let ksP: Double?
    let cvm: Double?
    let cvmP: Double?
    let wasserstein: Double?
    let referenceCounts: [Double]?
    let currentCounts: [Double]?
    let psi: Double?
    let kl: Double?
    let js: Double?
    let hellinger: Double?
    let linf: Double?
    let chi2: Double?
    let chi2P: Double?
  }

  private static func rows() throws -> [Row] {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    return try Fixtures.text("drift-statistics/pairs.ndjson").split(separator: "\n").map {
      try decoder.decode(Row.self, from: Data($0.utf8))
    }
  }

  private func isClose(_ found: Double, _ expected: Double, _ slack: Double = 1e-9) -> Bool {
    abs(found - expected) <= slack * max(1, abs(expected))
  }

  @Test func samplesAreComparedAsScipyComparesThem() throws {
    var compared = 0
    for row in try Self.rows() {
      guard let left = row.reference, let right = row.current else { continue }
      compared += 1
      let grid = Set(left + right).sorted()
      func counts(_ values: [Double]) -> [Double] {
        grid.map { place in Double(values.count { $0 == place }) }
      }
      let pairs = PairedCounts(counts(left), counts(right))
      let ks = KolmogorovSmirnovTest.run(pairs)
      #expect(isClose(ks.statistic, row.ks!), "\(row.name)")
      let expected = row.ksP!
      // Of 20,000 permutations, where values are equal.
      let slack = row.ties! ? 4 * (expected * (1 - expected) / 20_000).squareRoot() + 2e-4 : 1e-9
      #expect(abs(ks.p - expected) <= slack, "\(row.name): \(ks.p), \(expected)")
      if let statistic = row.cvm, let p = row.cvmP {
        let cvm = CramerVonMisesTest.run(pairs)
        #expect(isClose(cvm.statistic, statistic) && abs(cvm.p - p) < 1e-7, "\(row.name)")
      }
      func shares(_ values: [Double]) -> [Double] {
        grid.map { place in Double(values.count { $0 <= place }) / Double(values.count) }
      }
      let distance = WassersteinDistance.run(grid, shares(left), shares(right), isExact: true)
      #expect(isClose(distance, row.wasserstein!), "\(row.name)")
    }
    #expect(compared > 20)
  }

  @Test func binsAreComparedAsScipyComparesThem() throws {
    var compared = 0
    for row in try Self.rows() {
      guard let left = row.referenceCounts, let right = row.currentCounts else { continue }
      compared += 1
      let found = [
        Divergence.stabilityIndex(left, right), Divergence.kullbackLeibler(left, right),
        Divergence.jensenShannon(left, right), Divergence.hellinger(left, right),
        Divergence.largestDifference(left, right),
        try #require(ChiSquaredTest.run(left, right)).statistic,
        try #require(ChiSquaredTest.run(left, right)).p,
      ]
      let expected = [row.psi, row.kl, row.js, row.hellinger, row.linf, row.chi2, row.chi2P]
      for (found, expected) in zip(found, expected) {
        // The root of a divergence of 1e-17 is 3e-9.
        #expect(isClose(found, expected!, 1e-8), "\(row.name): \(found), \(expected!)")
      }
    }
    #expect(compared == 6)
  }

  @Test func aLargeSampleUsesTheLimit() {
    var random = SplitMix64(seed: 3)
    let left = (0..<3_000).map { _ in Double(Int.random(in: 0...40, using: &random)) }
    let right = (0..<3_000).map { _ in Double(Int.random(in: 0...40, using: &random)) }
    func counts(_ values: [Double]) -> [Double] {
      (0...40).map { place in Double(values.count { $0 == Double(place) }) }
    }
    let p = KolmogorovSmirnovTest.run(PairedCounts(counts(left), counts(right))).p
    #expect(p > 0.001 && p <= 1)
  }

  @Test func aSingleBinIsNoTest() {
    #expect(ChiSquaredTest.run([5], [7]) == nil)
    #expect(ChiSquaredTest.run([5, 0], [7, 0]) == nil)
  }

  @Test func adjustedAsBenjaminiAndHochbergDo() {
    let found = FalseDiscovery.adjusted([0.01, 0.04, 0.03, 0.005, 0.9])
    let expected = [0.025, 0.05, 0.05, 0.025, 0.9]
    for (found, expected) in zip(found, expected) { #expect(abs(found - expected) < 1e-12) }
    #expect(FalseDiscovery.adjusted([]) == [])
  }
}
