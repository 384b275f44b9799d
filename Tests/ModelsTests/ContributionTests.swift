// Contributions against the libraries' own, and the fast kernel against the textbook.
// `Fixtures/models/contributions.py` asked the libraries.

import Core
import Foundation
import TestSupport
import Testing

@testable import Models

@Suite struct ContributionTests {
  static let fixtures = ModelFixtureTests.everyFixture.filter { place in
    FileManager.default.fileExists(
      atPath: Fixtures.root.appending(path: "models/\(place)/contributions.ndjson").path())
  }

  private func explain(_ model: Model, _ rows: [[Double]]) throws -> [[Double]] {
    let explainer = try Explainer(model, source: "m")
    var flat = [Double](repeating: .nan, count: rows.count * explainer.width)
    rows.flatMap { $0 }.withUnsafeBufferPointer { rows in
      flat.withUnsafeMutableBufferPointer {
        explainer.contributions(rows, rowCount: rows.count / model.inputCount, into: $0)
      }
    }
    return rows.indices.map {
      Array(flat[$0 * explainer.width..<($0 + 1) * explainer.width])
    }
  }

  private func fixture(_ place: String) throws -> ModelFixture {
    let parts = place.split(separator: "/")
    return try ModelFixture(
      String(parts[1]), try #require(ModelFixture.Format(rawValue: String(parts[0]))))
  }

  // MARK: The libraries

  @Test func everyLibraryIsAsked() {
    for (format, count) in [("xgboost-json/", 21), ("lightgbm/", 18), ("catboost/", 13)] {
      #expect(Self.fixtures.filter { $0.hasPrefix(format) }.count == count)
    }
  }

  /// Within 1e-5, since XGBoost explains in 32-bit floats.
  @Test(arguments: fixtures)
  func areTheLibrarysOwn(_ place: String) throws {
    let fixture = try fixture(place)
    let model = try fixture.model(.all)
    let most = Double(Float.greatestFiniteMagnitude)
    let rows = fixture.rows.map { row in
      place.hasPrefix("xgboost") ? row.map { $0.isInfinite ? ($0 < 0 ? -most : most) : $0 } : row
    }
    let found = try explain(model, rows)
    let lines = try Fixtures.text("models/\(place)/contributions.ndjson").split(separator: "\n")
    #expect(lines.count == rows.count)
    var furthest = 0.0
    for (row, line) in lines.enumerated() {
      let wanted = try JSONDecoder().decode([[Double]].self, from: Data(line.utf8)).flatMap { $0 }
      #expect(found[row].count == wanted.count)
      for (value, wanted) in zip(found[row], wanted) {
        furthest = max(furthest, abs(value - wanted) / max(1, abs(wanted)))
      }
    }
    #expect(furthest <= 1e-5, "\(place): \(furthest) apart")
  }

  /// What the inputs and the bias give adds up to the margin, for every model that can be explained.
  @Test(arguments: ModelFixtureTests.everyFixture)
  func addUpToTheMargin(_ place: String) throws {
    let fixture = try fixture(place)
    let model = try fixture.model()
    guard (try? Explainer(model, source: place)) != nil else { return }
    let margins = model.margins(fixture.rows)
    // An empty sum of a linear booster is as it is: infinite inputs give infinite margins.
    for (row, values) in try explain(model, fixture.rows).enumerated() {
      for output in 0..<model.outputCount where margins[row][output].isFinite {
        let width = model.inputCount + 1
        let sum = values[output * width..<(output + 1) * width].reduce(0, +)
        let bound = 2e-6 * max(1, abs(margins[row][output]))
        #expect(abs(sum - margins[row][output]) <= bound, "\(place), row \(row)")
      }
    }
  }

  // MARK: The textbook

  @Test(arguments: ModelFixtureTests.everyFixture)
  func theKernelEqualsTheTextbook(_ place: String) throws {
    let fixture = try fixture(place)
    let model = try fixture.model()
    guard let forest = model.forest, let game = try? ForestGame(forest, model.derived, place) else {
      return
    }
    #expect(game.plan != nil)
    try compare(game, Array(fixture.rows.prefix(12)), model.derived, place)
  }

  private func compare(
    _ game: ForestGame, _ rows: [[Double]], _ derived: DerivedInputs?, _ place: String
  ) throws {
    func check(_ row: UnsafeBufferPointer<Double>) {
      var values = [Double](repeating: 0, count: game.forest.outputCount * game.players.count)
      values.withUnsafeMutableBufferPointer { values in
        guard let base = values.baseAddress else { return }
        game.plan?.add(row.baseAddress!, rowCount: 1, to: base)
      }
      for (value, wanted) in zip(values, game.referenceValues(row)) {
        #expect(abs(value - wanted) <= 1e-9 * max(1, abs(wanted)), "\(place): \(value), \(wanted)")
      }
    }
    for row in rows {
      row.withUnsafeBufferPointer { row in
        guard let derived else { return check(row) }
        derived.extend(row, rowCount: 1) { extended, _ in check(extended) }
      }
    }
  }

  /// The mean over all orders in which the inputs may become known: what Shapley's values are.
  @Test func theTextbookEqualsTheDefinition() throws {
    let model = try ModelFixture("binary-logistic-deep").model()
    let forest = try #require(model.forest)
    let game = try ForestGame(forest, nil, "m")
    let row = [0.3, -0.4, 1.1, Double.nan]
    row.withUnsafeBufferPointer { row in
      let found = game.referenceValues(row)
      let wanted = byAllSubsets(forest, game.players, row)
      for (found, wanted) in zip(found, wanted) { #expect(abs(found - wanted) < 1e-12) }
    }
  }

  private func byAllSubsets(
    _ forest: Forest, _ players: Players, _ row: UnsafeBufferPointer<Double>
  ) -> [Double] {
    func worth(_ subset: Int, _ node: Int) -> Double {
      guard forest.left[node] >= 0 else { return forest.value[node] }
      let child = Int(forest.left[node])
      if subset >> Int(players.ofInput[Int(forest.feature[node])]) & 1 == 1 {
        return worth(subset, forest.goesLeft(node, row) ? child : child + 1)
      }
      return forest.share(ofChild: child, of: node) * worth(subset, child)
        + forest.share(ofChild: child + 1, of: node) * worth(subset, child + 1)
    }
    let count = players.count
    let worths = (0..<1 << count).map { subset in
      forest.roots.dropLast().reduce(0) { $0 + worth(subset, Int($1)) }
    }
    func factorial(_ n: Int) -> Double { (1...max(n, 1)).reduce(1) { $0 * Double($1) } }
    return (0..<count).map { player in
      (0..<1 << count).reduce(0) { sum, subset in
        guard subset >> player & 1 == 0 else { return sum }
        let size = subset.nonzeroBitCount
        let weight = factorial(size) * factorial(count - size - 1) / factorial(count)
        return sum + weight * (worths[subset | 1 << player] - worths[subset])
      }
    }
  }

  @Test(arguments: [1, 2, 4, 8, 16, 32])
  func quadratureIsExactForPolynomials(_ count: Int) {
    let rule = GaussLegendre(count)
    for degree in 0..<2 * count {
      var sum = 0.0
      for (point, weight) in zip(rule.points, rule.weights) {
        sum += weight * (0..<degree).reduce(1.0) { power, _ in power * point }
      }
      #expect(abs(sum - 1 / Double(degree + 1)) < 1e-14)
    }
  }

  // MARK: What is refused

  @Test func namesWhatCannotBeExplained() throws {
    var catboost = TinyCatBoost()
    catboost.weights = "[]"
    for (model, words) in [
      (try load(Array(TinyModel().text.utf8)), "m: the file does not say how many training rows"),
      (try load(Array(catboost.text.utf8)), "m: the file does not say how many training rows"),
      (try ModelFixture("linear", .lightgbm).model(), "m: contributions to linear trees"),
    ] {
      let failure = #expect(throws: Failure.self) { try Explainer(model, source: "m") }
      #expect(failure?.status == .badData && failure?.message.contains(words) == true)
    }
    var negative = TinyModel()
    negative.moreOfTree = #""sum_hessian":[1,-1,2,1,1],"#
    let model = try load(Array(negative.text.utf8))
    let failure = #expect(throws: Failure.self) { try Explainer(model, source: "m") }
    #expect(failure?.message.contains("a negative or infinite number") == true)
  }
}
