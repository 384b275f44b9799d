// Why an ensemble says what it says: the libraries' own contributions where they are only added, and
// sums, brute force and the rescale rule by hand where they go through scores.

import Core
import Foundation
import TestSupport
import Testing

@testable import Models

@Suite struct EnsembleContributionTests {
  private static let pair = EnsembleTests.pair

  @Test func aWeightedMeanOfMarginsAddsTheLibrariesOwn() throws {
    let fixture = try EnsembleFixture()
    let model = try EnsembleFixture.mean(Self.pair, weights: [0.7, 0.2], on: .margin)
    let found = try contributions(model, fixture.rows(of: model))
    for (own, wanted) in zip(found, fixture.expected("weighted-margin-contributions")) {
      for (value, wanted) in zip(own, wanted) { #expect(abs(value - wanted) < 1e-5) }
    }
  }

  private static let shapes: [@Sendable () throws -> Model] = [
    { try EnsembleFixture.mean(pair) },
    { try EnsembleFixture.mean(pair, weights: [0.7, 0.2]) },
    { try EnsembleFixture.mean(pair, on: .margin) },
    { try EnsembleFixture.mean(["classes.json", "classes.txt"], on: .margin) },
    { try EnsembleFixture.stack("meta.json", pair) },
    { try EnsembleFixture.stack("linear.json", pair) },
    { try EnsembleFixture.stack("passthrough.json", pair) },
  ]

  @Test(arguments: shapes.indices) func addUpToTheMargins(_ place: Int) throws {
    let fixture = try EnsembleFixture()
    let model = try Self.shapes[place]()
    let rows = fixture.rows(of: model)
    let margins = model.margins(rows)
    for (own, margins) in zip(try contributions(model, rows), margins) {
      for (output, margin) in margins.enumerated() {
        let width = model.inputCount + 1
        let sum = own[output * width..<(output + 1) * width].reduce(0, +)
        #expect(abs(sum - margin) < 1e-5)
      }
    }
  }

  /// Each member's contributions times how far its score moved for one of its margin.
  @Test func aMeanOfScoresFollowsTheRescaleRule() throws {
    let fixture = try EnsembleFixture()
    let model = try EnsembleFixture.mean(Self.pair)
    let rows = fixture.rows(of: model)
    let found = try contributions(model, rows)
    var wanted = rows.map { _ in [Double](repeating: 0, count: model.inputCount + 1) }
    for member in model.members {
      let columns = member.model.inputNames.map { model.inputNames.firstIndex(of: $0)! }
      let own = try contributions(member.model, rows.map { row in columns.map { row[$0] } })
      for row in rows.indices {
        let bias = own[row].last!
        let move = own[row].dropLast().reduce(0, +)
        let base = 1 / (1 + exp(-bias))
        let rate = (1 / (1 + exp(-bias - move)) - base) / move
        for (input, column) in columns.enumerated() {
          wanted[row][column] += own[row][input] * rate / 2
        }
        wanted[row][model.inputCount] += base / 2
      }
    }
    for row in rows.indices {
      for place in wanted[row].indices {
        #expect(abs(found[row][place] - wanted[row][place]) < 1e-9)
      }
    }
  }

  /// Of two scores, each is once the first to be known and once the second.
  @Test func aStackSharesWhatItsModelMovesByBetweenTheScores() throws {
    let fixture = try EnsembleFixture()
    let model = try EnsembleFixture.stack("meta.json", Self.pair)
    let top = model.members[2].model
    let rows = fixture.rows(of: model)
    let found = try contributions(model, rows)
    func said(_ member: Model, _ margin: Double) -> Double { member.scores([margin])[0] }
    // The stacking model names LightGBM's score first.
    let order = [model.members[1], model.members[0]]
    var furthest = 0.0
    for row in rows.indices {
      var known: [Double] = []
      var base: [Double] = []
      var parts: [[Double]] = []
      for member in order {
        let own = member.model.inputNames.map { rows[row][model.inputNames.firstIndex(of: $0)!] }
        let given = try contributions(member.model, [own])[0]
        known.append(said(member.model, member.model.margins([own])[0][0]))
        base.append(said(member.model, given.last!))
        parts.append(
          model.inputNames.map { name in
            member.model.inputNames.firstIndex(of: name).map { given[$0] } ?? 0
          })
      }
      func margin(_ first: Double, _ second: Double) -> Double {
        top.margins([[first, second]])[0][0]
      }
      let none = margin(base[0], base[1])
      let all = margin(known[0], known[1])
      let first = (margin(known[0], base[1]) - none + all - margin(base[0], known[1])) / 2
      let shares = [first, all - none - first]
      for input in model.inputNames.indices {
        let wanted = zip(parts, shares).reduce(0.0) { sum, pair in
          sum + pair.0[input] * pair.1 / pair.0.reduce(0, +)
        }
        furthest = max(furthest, abs(wanted - found[row][input]) / max(1, abs(wanted)))
      }
      #expect(abs(found[row].last! - none) < 1e-6)
    }
    #expect(furthest < 1e-5)
  }

  @Test func scoresOfSeveralClassesAreRefusedByName() throws {
    let model = try EnsembleFixture.mean(["classes.json", "classes.txt"])
    let failure = #expect(throws: Failure.self) { try Explainer(model, source: "m") }
    #expect(failure?.message.contains("classes.json") == true)
    #expect(failure?.hint?.contains("margin") == true)
  }
}
