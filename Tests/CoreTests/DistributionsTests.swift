// Tails and quantiles against scipy's (`Fixtures/stats/make.py`), to ten digits: at a million trials neither has more.

import Foundation
import TestSupport
import Testing

@testable import Core

@Suite struct DistributionsTests {
  private static let functions: [String: @Sendable ([Double]) -> Double] = [
    "normal.lower": { NormalDistribution.lowerTail($0[0]) },
    "normal.quantile": { NormalDistribution.quantile($0[0]) },
    "chi2.lower": { ChiSquaredDistribution.lowerTail($0[0], degrees: $0[1]) },
    "chi2.upper": { ChiSquaredDistribution.upperTail($0[0], degrees: $0[1]) },
    "poisson.lower": { PoissonDistribution.lowerTail(Int($0[0]), mean: $0[1]) },
    "poisson.upper": { PoissonDistribution.upperTail(Int($0[0]), mean: $0[1]) },
    "beta.lower": { BetaDistribution.lowerTail($0[0], $0[1], $0[2]) },
    "beta.upper": { BetaDistribution.upperTail($0[0], $0[1], $0[2]) },
    "beta.quantile": { BetaDistribution.quantile($0[0], $0[1], $0[2]) },
    "binomial.lower": { BinomialDistribution.lowerTail(Int($0[0]), of: Int($0[1]), chance: $0[2]) },
    "binomial.upper": { BinomialDistribution.upperTail(Int($0[0]), of: Int($0[1]), chance: $0[2]) },
    "binomial.quantile": {
      Double(BinomialDistribution.quantile($0[0], of: Int($0[1]), chance: $0[2]))
    },
    "binomial.low": {
      BinomialDistribution.interval(Int($0[0]), of: Int($0[1]), confidence: $0[2]).lowerBound
    },
    "binomial.high": {
      BinomialDistribution.interval(Int($0[0]), of: Int($0[1]), confidence: $0[2]).upperBound
    },
    "student.upper": { StudentDistribution.upperTail($0[0], degrees: $0[1]) },
    "student.quantile": { StudentDistribution.quantile($0[0], degrees: $0[1]) },
    "kolmogorov.upper": { KolmogorovDistribution.upperTail($0[0]) },
  ]

  @Test func agreeWithScipy() throws {
    let table = try String(
      contentsOf: Fixtures.root.appending(path: "stats/distributions.tsv"), encoding: .utf8)
    var seen: Set<String> = []
    for line in table.split(separator: "\n") {
      let parts = line.split(separator: "\t").map(String.init)
      let numbers = try parts.dropFirst().map { try #require(Double($0)) }
      let function = try #require(Self.functions[parts[0]], "\(parts[0])")
      let expected = try #require(numbers.last)
      let found = function(numbers.dropLast())
      let bound = 1e-10 * abs(expected) + 1e-15
      #expect(abs(found - expected) <= bound || found == expected, "\(line): \(found)")
      seen.insert(parts[0])
    }
    #expect(seen.count == Self.functions.count)
  }

  @Test func theEndsAreTheEnds() {
    #expect(
      NormalDistribution.quantile(0) == -.infinity && NormalDistribution.quantile(1) == .infinity)
    #expect(BinomialDistribution.lowerTail(-1, of: 5, chance: 0.5) == 0)
    #expect(BinomialDistribution.upperTail(6, of: 5, chance: 0.5) == 0)
    #expect(BinomialDistribution.interval(0, of: 0, confidence: 0.95) == 0...1)
    #expect(
      KolmogorovDistribution.upperTail(0) == 1 && KolmogorovDistribution.upperTail(.infinity) == 0)
    #expect(ChiSquaredDistribution.upperTail(0, degrees: 3) == 1)
    #expect(ChiSquaredDistribution.upperTail(.infinity, degrees: 3) == 0)
  }
}
