// Models that decide as one: numpy's arithmetic on the libraries' own predictions, and what is refused.

import Core
import TestSupport
import Testing

@testable import Models

@Suite struct EnsembleTests {
  static let pair = ["xgboost.json", "lightgbm.txt"]

  private struct Case: Sendable {
    let name: String
    let make: @Sendable () throws -> Model
  }

  private static let cases = [
    Case(name: "mean") { try EnsembleFixture.mean(pair) },
    Case(name: "weighted") { try EnsembleFixture.mean(pair, weights: [0.7, 0.2]) },
    Case(name: "mean-margin-score") { try EnsembleFixture.mean(pair, on: .margin) },
    Case(name: "stack") { try EnsembleFixture.stack("meta.json", pair) },
    Case(name: "stack-linear") { try EnsembleFixture.stack("linear.json", pair) },
    Case(name: "stack-passthrough") { try EnsembleFixture.stack("passthrough.json", pair) },
    Case(name: "classes") { try EnsembleFixture.mean(["classes.json", "classes.txt"]) },
    Case(name: "nameless") { try EnsembleFixture.mean(["nameless.json", "nameless.txt"]) },
  ]

  /// XGBoost's own predictions may lie one 32-bit float away, from the C library's exp.
  private static let exponential = 1e-7

  @Test(arguments: cases.indices) func scoresAreNumpys(_ place: Int) throws {
    let fixture = try EnsembleFixture()
    let model = try Self.cases[place].make()
    let margins = model.margins(fixture.rows(of: model))
    for (own, wanted) in zip(margins, fixture.expected(Self.cases[place].name)) {
      let scores = model.scores(own)
      #expect(scores.count == wanted.count)
      for (score, wanted) in zip(scores, wanted) {
        #expect(abs(score - wanted) <= Self.exponential)
      }
    }
  }

  @Test func marginsAreNumpysBitForBit() throws {
    let fixture = try EnsembleFixture()
    for (name, model) in [
      ("mean-margin", try EnsembleFixture.mean(Self.pair, on: .margin)),
      ("weighted-margin", try EnsembleFixture.mean(Self.pair, weights: [0.7, 0.2], on: .margin)),
      ("classes-margin", try EnsembleFixture.mean(["classes.json", "classes.txt"], on: .margin)),
    ] {
      #expect(model.margins(fixture.rows(of: model)) == fixture.expected(name))
    }
  }

  @Test(arguments: cases.indices) func batchesAreSingleRows(_ place: Int) throws {
    let model = try Self.cases[place].make()
    var random = SplitMix64(seed: UInt64(place) + 1)
    let rows = (0..<1_500).map { _ in
      (0..<model.inputCount).map { _ in
        Int.random(in: 0..<8, using: &random) == 0
          ? .nan : Double.random(in: -50...2_500, using: &random)
      }
    }
    let batch = model.margins(rows)
    for row in stride(from: 0, to: rows.count, by: 7) {
      #expect(model.margins([rows[row]])[0] == batch[row])
    }
  }

  @Test func inputsAreJoinedInTheOrderOfTheirFirstAppearance() throws {
    let model = try EnsembleFixture.mean(Self.pair)
    #expect(model.inputNames == ["distance", "hour", "delay", "carrier"])
    #expect(model.isClassifier && model.classCount == 2 && model.scoreCount == 1)
    #expect(model.format == "ensemble" && model.precision == .float64)
    let wide = try EnsembleFixture.stack("passthrough.json", ["xgboost.json", "lightgbm.txt"])
    #expect(wide.inputNames == model.inputNames)
    #expect(wide.precision == .float32)
    #expect(try EnsembleFixture.mean(["nameless.json", "nameless.txt"]).inputNames.isEmpty)
  }

  @Test func aStackMayAskForAnInputThatIsOnlyDeclared() throws {
    let top = try EnsembleFixture.member("passthrough.json")
    let lightgbm = try EnsembleFixture.member("lightgbm.txt")
    let other = EnsembleMember(name: "a/xgboost.txt", model: lightgbm.model)
    let model = try Model(
      combining: [lightgbm, other], by: .stack(top), declaredInputs: ["hour"])
    #expect(model.inputNames == ["carrier", "distance", "delay", "hour"])
    // Neither member may take the input behind its own for one of the next row's.
    let rows = [[3, 700, 12, 5], [1, 90, -4, 20.0]]
    let single = rows.map { model.margins([$0])[0] }
    #expect(model.margins(rows) == single)
    #expect(throws: EnsembleMismatch.self) {
      try Model(combining: [lightgbm, other], by: .stack(top))
    }
  }

  @Test func aFingerprintTellsFilesWeightsAndSpaceApart() throws {
    let models = [
      try EnsembleFixture.mean(Self.pair), try EnsembleFixture.mean(Self.pair.reversed()),
      try EnsembleFixture.mean(Self.pair, weights: [0.7, 0.3]),
      try EnsembleFixture.mean(Self.pair, on: .margin),
      try EnsembleFixture.stack("meta.json", Self.pair),
    ]
    #expect(Set(models.map(\.fingerprint)).count == models.count)
    #expect(try EnsembleFixture.mean(Self.pair).fingerprint == models[0].fingerprint)
    let recipe = try #require(models[0].recipe)
    #expect(models[0].fingerprint == recipe.withBytes { SHA256.hex(of: $0) })
    let text = String(decoding: recipe, as: UTF8.self)
    for member in models[0].members { #expect(text.contains(member.model.fingerprint)) }
  }

  @Test func aBinaryClassIsAboveOneHalf() throws {
    let model = try EnsembleFixture.mean(Self.pair)
    #expect(model.classIndex(margins: [0.5], scores: [0.5]) == 0)
    #expect(model.classIndex(margins: [0.51], scores: [0.51]) == 1)
  }

  // MARK: Refusals

  private func mismatch(_ body: () throws -> Model) -> EnsembleMismatch? {
    do {
      _ = try body()
      return nil
    } catch {
      return error as? EnsembleMismatch
    }
  }

  @Test func whatDoesNotFitIsNamed() throws {
    let cases: [(() throws -> Model, EnsembleMismatch.Place, String)] = [
      (
        { try EnsembleFixture.mean(["xgboost.json", "classes.txt"]) }, .member(1),
        "has 3 classes (multiclass), 'xgboost.json' has 2 classes (binary:logistic)"
      ),
      (
        { try EnsembleFixture.mean(["xgboost.json", "nameless.txt"]) }, .member(1),
        "takes 4 inputs without naming them, 'xgboost.json' takes 3"
      ),
      (
        { try EnsembleFixture.mean(["classes.json", "lightgbm.txt", "nameless.json"]) },
        .member(2),
        "does not name its inputs, and the other files name theirs in different orders"
      ),
      (
        { try EnsembleFixture.stack("linear.json", ["xgboost.json"]) }, .stack,
        "takes 2 inputs without naming them, its members have 1 scores"
      ),
      (
        { try EnsembleFixture.stack("meta.json", ["xgboost.json", "classes.txt"]) }, .stack,
        "takes an input 'lightgbm', which is neither a member's score nor an input"
      ),
      (
        { try EnsembleFixture.stack("meta.json", Self.pair + ["nameless.json"]) }, .member(2),
        "does not name its inputs, and the other files name theirs in different orders"
      ),
      (
        { try EnsembleFixture.stack("meta.json", Self.pair + ["classes.json"]) }, .stack,
        "does not take 'classes_0', a score of its members"
      ),
    ]
    for (body, place, message) in cases {
      let found = mismatch(body)
      #expect(found?.place == place && found?.message == message, "\(String(describing: found))")
    }
  }

  @Test func scoresThatAreNoProbabilitiesAreRefused() throws {
    let member = try EnsembleFixture.member("classes.json")
    let text = try Fixtures.text("models/ensemble/classes.json")
    let softmax = text.replacing("multi:softprob", with: "multi:softmax")
    let other = EnsembleMember(name: "softmax.json", model: try load(Array(softmax.utf8)))
    let found = mismatch {
      try Model(combining: [member, other], by: .mean(weights: [1, 1], on: .score))
    }
    #expect(found?.place == .member(1))
    #expect(found?.message.contains("multi:softmax") == true)
  }

  @Test func marginsThatBecomeScoresDifferentlyAreRefused() throws {
    let a = try EnsembleFixture.member("nameless.json")
    let text = try Fixtures.text("models/ensemble/nameless.json")
    let gamma = text.replacing("reg:squarederror", with: "reg:gamma")
    let b = EnsembleMember(name: "gamma.json", model: try load(Array(gamma.utf8)))
    let found = mismatch { try Model(combining: [a, b], by: .mean(weights: [1, 1], on: .margin)) }
    #expect(found?.place == .member(1))
    #expect(found?.message.contains("reg:gamma") == true)
    #expect(found?.hint?.contains("score") == true)
  }

  /// One code per input is told to all members, so that it must mean the same to each.
  @Test func categoriesMustBeCodedAlike() throws {
    let text = try Fixtures.text("models/lightgbm/data-frame/model.txt")
    let files = [text, text.replacing("[30, 7, 12]", with: "[7, 30, 12]")]
    let models = try files.map { try load(Array($0.utf8)) }
    func mean(_ other: Model) throws -> Model {
      try Model(
        combining: [
          EnsembleMember(name: "a.txt", model: models[0]),
          EnsembleMember(name: "b.txt", model: other),
        ], by: .mean(weights: [1, 1], on: .score))
    }
    let same = try mean(models[0])
    let gate = try #require(same.inputNames.firstIndex(of: "gate"))
    #expect(same.categories(ofInput: gate)?.code(of: 12) == 2)
    let found = mismatch { try mean(models[1]) }
    #expect(found?.place == .member(1))
    #expect(
      found?.message == "codes the categories of 'gate' in another way than 'a.txt'",
      "\(String(describing: found))")
  }
}
