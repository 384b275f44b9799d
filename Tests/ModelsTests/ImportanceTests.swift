import Core
import Foundation
import Models
import TestSupport
import Testing

/// `Fixtures/models/importance.py` asked the libraries themselves.
@Suite struct ImportanceTests {
  static let fixtures = ModelFixtureTests.everyFixture.filter { place in
    FileManager.default.fileExists(
      atPath: Fixtures.root.appending(path: "models/\(place)/importance.json").path())
  }

  @Test func everyLibraryIsAsked() {
    for (format, count) in [("xgboost-json/", 9), ("lightgbm/", 6), ("catboost/", 11)] {
      #expect(Self.fixtures.filter { $0.hasPrefix(format) }.count == count)
    }
  }

  /// XGBoost's bit for bit; the others' within what the order of a sum in 64 bits may change.
  @Test(arguments: fixtures)
  func isAsTheLibraryPrintsIt(_ place: String) throws {
    let parts = place.split(separator: "/")
    let format = try #require(ModelFixture.Format(rawValue: String(parts[0])))
    let model = try ModelFixture(String(parts[1]), format).model(.all)
    let data = Data(try Fixtures.bytes("models/\(place)/importance.json"))
    let expected = try JSONDecoder().decode([String: [Double]].self, from: data)
    let found = try model.importance(source: place)
    #expect(Set(found.measures.map(\.name)) == Set(expected.keys))
    for measure in found.measures {
      let wanted = try #require(expected[measure.name])
      #expect(measure.values.count == model.inputCount && wanted.count == model.inputCount)
      for (value, wanted) in zip(measure.values, wanted) {
        let bound = format == .xgboostJSON ? 0 : 1e-12 * max(1, abs(wanted))
        #expect(abs(value - wanted) <= bound, "\(place), \(measure.name): \(value), \(wanted)")
      }
    }
  }

  @Test func theMostImportantComesFirst() throws {
    let importance = try ModelFixture("names").model().importance(source: "names")
    #expect(importance.order == [0, 1, 2, 3])
    let values = try #require(importance.measures.first(where: \.isOrder)?.values)
    #expect(values[0] > values[1] && values[1] > values[2] && values[3] == 0)
  }

  @Test func namesWhatTheFileDoesNotSay() throws {
    let xgboost = try load(Array(TinyModel().text.utf8))
    let text = TinyLightGBM().text.replacing("split_gain=3 2\n", with: "")
    let lightgbm = try load(Array(text.utf8))
    var withoutWeights = TinyCatBoost()
    withoutWeights.weights = "[]"
    let catboost = try load(Array(withoutWeights.text.utf8))
    let linear = try ModelFixture("gblinear-softprob").model()
    for (model, words) in [
      (xgboost, "m: the file has no loss_changes"), (lightgbm, "m: the file has no split_gain"),
      (catboost, "m: the file has no leaf weights"), (linear, "with 3 outputs is not supported"),
    ] {
      let failure = #expect(throws: Failure.self) { try model.importance(source: "m") }
      #expect(failure?.status == .badData && failure?.message.contains(words) == true)
    }
  }
}
