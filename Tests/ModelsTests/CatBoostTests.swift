import Core
import Models
import TestSupport
import Testing

@Suite struct CatBoostTests {
  private func model(_ change: (inout TinyCatBoost) -> Void = { _ in }) throws -> Model {
    var tiny = TinyCatBoost()
    change(&tiny)
    return try load(Array(tiny.text.utf8))
  }

  private func row(_ delay: Double, _ carrier: String, _ model: Model) throws -> [Double] {
    let codes = try #require(model.categories(ofInput: 1))
    return [delay, Double(try #require(Array(carrier.utf8).withBytes { codes.code(of: $0) }))]
  }

  // MARK: What is read

  @Test func asksItsThreeQuestions() throws {
    let model = try model()
    // 6 of 8, with a prior of 0 of 1, is two thirds; of a text that no training saw, nothing.
    #expect(model.margins([try row(0.5, "UA", model)]) == [[6]])
    #expect(model.margins([try row(0.5.nextUp, "UA", model)]) == [[6]], "floats are compared")
    #expect(model.margins([try row(Double(Float(0.5).nextUp), "UA", model)]) == [[7]])
    #expect(model.margins([try row(9, "DL", model)]) == [[1]])
    #expect(model.margins([try row(.nan, "DL", model)]) == [[0]])
    #expect(model.margins([[0, .nan]]) == [[0]], "a missing text is the empty one")
    #expect(model.inputNames == ["delay", "carrier"] && model.inputCount == 2)
    #expect(model.treeCount == 1 && model.depth == 3 && model.objective == "RMSE")
  }

  @Test func aMissingNumberMayBeAboveAllBorders() throws {
    let model = try model { tiny in tiny.delay = tiny.delay.replacing("AsFalse", with: "AsTrue") }
    #expect(model.margins([try row(.nan, "DL", model)]) == [[1]])
  }

  @Test func scalesAndAddsTheBias() throws {
    let model = try model { $0.scaleAndBias = "[0.5,[10]]" }
    #expect(model.margins([try row(1, "UA", model)]) == [[13.5]])
  }

  @Test func unbalancedTreesAnswerYesToTheRight() throws {
    let model = try model { tiny in
      tiny.trees =
        #""trees":[{"split":\#(tiny.textSplit),"left":{"value":-1,"weight":3},"right":"#
        + #"{"split":\#(tiny.numberSplit),"left":{"value":1,"weight":1},"right":{"value":2,"weight":1}}}]"#
    }
    #expect(model.margins([try row(1, "DL", model)]) == [[-1]])
    #expect(model.margins([try row(0, "UA", model)]) == [[1]])
    #expect(model.margins([try row(1, "UA", model)]) == [[2]])
  }

  /// A count of the combination, by that of the most frequent one.
  @Test func countsOfTexts() throws {
    let model = try model { tiny in
      tiny.statisticKind = "Counter"
      tiny.table =
        #"{"hash_map":["\#(TinyCatBoost.combination)",9],"hash_stride":2,"counter_denominator":19}"#
    }
    #expect(model.margins([try row(0, "UA", model)]) == [[6]])
    #expect(model.margins([try row(0, "DL", model)]) == [[0]])
  }

  /// Texts of every length class, and what the library made of them.
  @Test(
    arguments: [
      ("", 797_982_799), ("a", 3_489_901_818), ("ab", 4_090_249_022), ("abc", 978_243_121),
      ("é", 468_052_468), ("UA", 1_703_275_562), ("abcd", 345_588_365),
      ("nine bytes", 3_554_859_699), ("twelve bytes", 1_154_196_004),
      ("exactly sixteen!", 2_328_214_316), ("seventeen bytes..", 1_397_974_228),
      ("a text that is longer than sixteen bytes", 3_692_107_043),
      (String(repeating: "x", count: 64), 648_792_787),
      (String(repeating: "y", count: 65), 3_114_503_727),
      (String(repeating: "z", count: 128), 1_319_357_041),
    ] as [(String, UInt32)])
  func hashesTexts(_ text: String, _ hash: UInt32) throws {
    let codes = try #require(try model().categories(ofInput: 1))
    #expect(
      Array(text.utf8).withBytes { codes.code(of: $0) } == Int(Int32(bitPattern: hash)))
  }

  @Test func numbersAreHashedAsDigits() throws {
    let codes = try #require(try model().categories(ofInput: 1))
    #expect(
      codes.code(of: -30) == Array("-30".utf8).withBytes { codes.code(of: $0) }.map(Double.init))
    #expect(codes.code(of: 0.5) == nil)
  }

  // MARK: What is refused

  static let damage = [
    CatBoostDamage("features_info.text_features[0]: features of this kind are not supported yet") {
      $0.moreFeatures = #","text_features":[{"feature_index":0}]"#
    },
    CatBoostDamage(
      "features_info.embedding_features[0]: features of this kind are not supported yet"
    ) { $0.moreFeatures = #","embedding_features":[{}]"# },
    CatBoostDamage("nan_value_treatment: 'AsMean' is not supported yet") { tiny in
      tiny.delay = tiny.delay.replacing("AsFalse", with: "AsMean")
    },
    CatBoostDamage("features_info.ctrs[0]: ctr_type 'Means' is not supported yet") {
      $0.statisticKind = "Means"
    },
    CatBoostDamage("ctrs[0]: ctr_data has no table of its identifier") { $0.statisticTable = "u" },
    CatBoostDamage("ctrs[0]: a table of 2 values for Counter") { $0.statisticKind = "Counter" },
    CatBoostDamage("combination_element 'pair' is not supported yet") {
      $0.element = #"{"combination_element":"pair"}"#
    },
    CatBoostDamage("ctrs[0]: cat_feature_index 4 is not among the features") {
      $0.element = #"{"combination_element":"cat_feature_value","cat_feature_index":4}"#
    },
    CatBoostDamage("ctrs[0]: float_feature_index 3 is not among the features") {
      $0.element = #"{"combination_element":"float_feature","float_feature_index":3,"border":0}"#
    },
    CatBoostDamage("ctr_data.t: 1 hashes and 2 numbers with a hash_stride of 4") { tiny in
      tiny.table = tiny.table.replacing(#""hash_stride":3"#, with: #""hash_stride":4"#)
    },
    CatBoostDamage("'x' is not a hash of 64 bits") { tiny in
      tiny.table = tiny.table.replacing("\(TinyCatBoost.combination)", with: "x")
    },
    CatBoostDamage("model_info.params.loss_function.type: 'Own' is not supported yet") {
      $0.loss = #"{"type":"Own"}"#
    },
    CatBoostDamage("model_info.params.loss_function.type is missing") { $0.loss = "{}" },
    CatBoostDamage("oblivious_trees[0].splits[2]: split_type 'Text' is not supported yet") {
      $0.statisticSplit = #"{"split_type":"Text"}"#
    },
    CatBoostDamage("splits[0]: float_feature_index 7 is not among the features") {
      $0.numberSplit = #"{"split_type":"FloatFeature","float_feature_index":7,"border":0.5}"#
    },
    CatBoostDamage("splits[1]: value 5 is not one of cat_feature_index 0") {
      $0.textSplit = #"{"split_type":"OneHotFeature","cat_feature_index":0,"value":5}"#
    },
    CatBoostDamage("splits[2]: split_index 1 is not that of a statistic") {
      $0.statisticSplit = #"{"split_type":"OnlineCtr","split_index":1,"border":0.4}"#
    },
    CatBoostDamage("splits[2]: split_index 3 with border") {
      $0.statisticSplit = #"{"split_type":"OnlineCtr","split_index":3,"border":0.4}"#
    },
    CatBoostDamage("tree 0, node 3: threshold NaN") {
      $0.numberSplit = #"{"split_type":"FloatFeature","float_feature_index":0,"border":NaN}"#
    },
    CatBoostDamage("oblivious_trees[0]: 7 leaf values for 3 splits") {
      $0.values = "[0,1,2,3,4,5,6]"
    },
    CatBoostDamage("leaf value inf is not a finite number") {
      $0.values = "[0,1,2,3,4,5,6,Infinity]"
    },
    CatBoostDamage("trees[0]: neither a split with two sides nor a leaf with a value") {
      $0.trees = #""trees":[{"split":\#($0.numberSplit),"left":{"value":1,"weight":1}}]"#
    },
    CatBoostDamage("trees[0].right: 2 values in a leaf, but 1 before") {
      $0.trees =
        #""trees":[{"split":\#($0.numberSplit),"left":{"value":1},"right":{"value":[1,2]}}]"#
    },
    CatBoostDamage("oblivious_trees and trees are missing") { $0.trees = #""x":0"# },
    CatBoostDamage("scale_and_bias: 2 biases for 1 outputs") { $0.scaleAndBias = "[1,[1,2]]" },
    CatBoostDamage("scale_and_bias: a scale and finite biases are missing") {
      $0.scaleAndBias = "[NaN,[1]]"
    },
    CatBoostDamage("feature_index 0, flat_feature_index 99999999 are not in 0..<16777216") { tiny in
      tiny.delay = tiny.delay.replacing(
        #""flat_feature_index":0"#, with: #""flat_feature_index":99999999"#)
    },
    CatBoostDamage("features_info: two features have the same flat_feature_index") { tiny in
      tiny.delay = tiny.delay.replacing(
        #""flat_feature_index":0"#, with: #""flat_feature_index":1"#)
    },
  ]

  @Test(arguments: damage)
  func refuses(_ damage: CatBoostDamage) throws {
    let failure = #expect(throws: Failure.self) { try model(damage.change) }
    #expect(failure?.status == .badData)
    let message = try #require(failure?.message)
    #expect(message.hasPrefix("model.json: ") && message.contains(damage.words), "\(message)")
  }

  @Test func treesInOneAnotherHaveABound() {
    let node =
      #"{"split":{"split_type":"FloatFeature","float_feature_index":0,"border":0.5},"left":"#
    let failure = #expect(throws: Failure.self) {
      try model { $0.trees = #""trees":["# + String(repeating: node, count: 5_000) }
    }
    #expect(failure?.status == .badData)
  }
}
