// What went wrong elsewhere with the same files: each test is named by the thread that told of it.

import Core
import Models
import TestSupport
import Testing

@Suite struct LibraryThreadTests {
  private func xgboost(
    _ rows: [[Double]], _ change: (inout TinyModel) -> Void = { _ in }
  ) throws -> [Double] {
    var tiny = TinyModel()
    change(&tiny)
    return try both(try load(Array(tiny.text.utf8)), rows)
  }

  private func lightgbm(
    _ rows: [[Double]], _ change: (inout TinyLightGBM) -> Void = { _ in }
  ) throws -> [Double] {
    var tiny = TinyLightGBM()
    change(&tiny)
    return try both(try load(Array(tiny.text.utf8)), rows)
  }

  /// One row at a time and many at once take different kernels; both must say the same.
  private func both(_ model: Model, _ rows: [[Double]]) throws -> [Double] {
    let single = rows.map { model.margins([$0])[0][0] }
    let many = model.margins((0..<64).map { rows[$0 % rows.count] })
    for (row, margins) in many.enumerated() { #expect(margins[0] == single[row % rows.count]) }
    return single
  }

  private func scoresAsTheLibrary(_ name: String, _ format: ModelFixture.Format) throws -> Model {
    let fixture = try ModelFixture(name, format)
    let model = try fixture.model()
    let expected = try #require(try fixture.expected())
    #expect(model.margins(fixture.rows) == expected.map(\.margin))
    return model
  }

  // MARK: Comparisons

  /// dmlc/treelite #115, #98, #95, #77: 0.1 as a 32-bit float lies above 0.1.
  @Test func treelite115_lightgbmThresholdsHave64Bits() throws {
    let rows = [[0.1, 2], [(0.1).nextUp, 2], [Double(Float(0.1)), 2], [(0.1).nextDown, 2]]
    #expect(try lightgbm(rows) { $0.threshold = "0.1 0" } == [2.25, 1, 1, 2.25])
  }

  /// uxlfoundation/scikit-learn-intelex PR 3351: rows exactly at the split, and one float beside it.
  @Test(arguments: ["0.5", "-0.5", "1e-300", "-1e300", "3", "1e15", "0.30000000000000004"])
  func sklearnIntelex3351_rowsExactlyAtTheSplit(_ threshold: String) throws {
    let value = Double(threshold)!
    let tiny = value.magnitude < 1e-35
    let rows = [[value, 2], [value.nextUp, 2], [value.nextDown, 2]]
    // What is as good as zero is zero, on whichever side of the threshold.
    #expect(
      try lightgbm(rows) { $0.threshold = "\(threshold) 0" }
        == (tiny ? [2.25, 2.25, 2.25] : [2.25, 1, 2.25]))
    let narrow = Float(threshold)!
    guard narrow.isNormal else { return }
    let floats = [narrow, narrow.nextUp, narrow.nextDown].map { [Double($0), 2] }
    #expect(
      try xgboost(floats) { $0.value = "[\(threshold),2.5E-1,0,5E-1,-1E0]" } == [0.5, 0.5, 0.25])
  }

  /// thesps/conifer PR 106: XGBoost compares 32-bit floats, so that 0.1 is not below 0.1.
  @Test func conifer106_xgboostCompares32Bits() throws {
    let rows = [[0.1, 0], [Double(Float(0.1).nextDown), 0], [(0.1).nextDown, 0]]
    #expect(try xgboost(rows) { $0.value = "[1E-1,2.5E-1,0,5E-1,-1E0]" } == [0.5, 0.25, 0.5])
  }

  /// microsoft/LightGBM #5096: a threshold `inf` read as zero.
  @Test func lightgbm5096_infiniteThresholds() throws {
    let rows = [[1e308, 2], [.infinity, 2], [-.infinity, 2]]
    #expect(try lightgbm(rows) { $0.threshold = "inf 0" } == [2.25, 2.25, 2.25])
    #expect(try lightgbm(rows) { $0.threshold = "1e+308 0" } == [2.25, 1, 2.25])
    #expect(try lightgbm(rows) { $0.threshold = "-inf 0" } == [1, 1, 2.25])
  }

  // MARK: Missing values

  /// dmlc/treelite #277, microsoft/LightGBM PR 4468: whatever a categorical split's missing type.
  @Test(arguments: [1, 3, 5, 7, 9, 11])
  func lightgbm4468_missingCategoriesGoRight(_ decision: Int) throws {
    #expect(
      try lightgbm([[1, .nan], [1, -1], [1, 3]]) { $0.decision = "2 \(decision)" } == [1, 1, 2.5])
  }

  /// dmlc/treelite #376: missing type Zero.
  @Test func treelite376_zeroAsMissing() throws {
    let rows: [[Double]] = [[0, 2], [-0.0, 2], [.nan, 2], [1, 2], [-1, 2]]
    #expect(
      try lightgbm(rows) { $0.decision = "4 1" } == [1, 1, 1, 1, 2.25], "to the right")
    let left = try lightgbm(rows) { tiny in
      tiny.decision = "6 1"
      tiny.threshold = "-5 0"
    }
    #expect(left == [2.25, 2.25, 2.25, 1, 1])
  }

  /// microsoft/LightGBM #6139, onnx/onnxmltools PR 488: without a missing type NaN is zero, whatever
  /// the default direction.
  @Test(arguments: [0, 2])
  func lightgbm6139_withoutATypeMissingIsZero(_ decision: Int) throws {
    func missing(_ threshold: String) throws -> [Double] {
      try lightgbm([[.nan, 2]]) { tiny in
        tiny.decision = "\(decision) 1"
        tiny.threshold = "\(threshold) 0"
      }
    }
    #expect(try missing("0.5") == [2.25])
    #expect(try missing("-0.5") == [1])
  }

  /// dmlc/xgboost #5136, #2488, #1842: absent is missing, zero is zero.
  @Test func xgboost5136_zeroIsNotMissing() throws {
    #expect(
      try xgboost([[0, 0], [.nan, 0]]) { $0.defaultLeft = "[0,0,0,0,0]" } == [0.25, 0.5])
  }

  /// catboost/catboost #2104: nan_mode Max was lost on the way out.
  @Test func catboost2104_missingAboveAllBorders() throws {
    for name in ["nan-max", "nan-max-unbalanced"] {
      let model = try scoresAsTheLibrary(name, .catboost)
      let missing = Array(repeating: Double.nan, count: model.inputCount)
      let high = Array(repeating: Double.infinity, count: model.inputCount)
      #expect(model.margins([missing]) == model.margins([high]))
    }
    let model = try scoresAsTheLibrary("nan-min", .catboost)
    let missing = Array(repeating: Double.nan, count: model.inputCount)
    let low = Array(repeating: -Double.infinity, count: model.inputCount)
    #expect(model.margins([missing]) == model.margins([low]))
  }

  // MARK: Categories

  /// jpmml/sklearn2pmml #457: categories outside of what the training saw go left.
  @Test func sklearn2pmml457_categoriesOutsideTheDomain() throws {
    let rows: [[Double]] = [[1, 1], [1, 3.7], [1, 99], [1, -2], [1, 16_777_216], [1, 2]]
    #expect(try xgboost(rows) == [-1, -1, 0.5, 0.5, 0.5, 0.5])
  }

  // MARK: Layouts

  /// dmlc/treelite #561: what no root reaches may be anything, as long as it is an array's element.
  @Test func treelite561_orphanNodes() throws {
    let margins = try xgboost([[0, 0], [1, 0], [1, 1]]) { tiny in
      tiny.left = "[1,-1,3,-1,-1,900]"
      tiny.right = "[2,-1,4,-1,-1,0]"
      tiny.feature = "[0,0,1,0,0,77]"
      tiny.value = "[5E-1,2.5E-1,0,5E-1,-1E0,NaN]"
      tiny.defaultLeft = "[1,0,0,0,0,0]"
      tiny.splitType = "[0,0,1,0,0,0]"
      tiny.treeParameters = #"{"num_deleted":"1","num_nodes":"6","size_leaf_vector":"1"}"#
    }
    #expect(margins == [0.25, 0.5, -1])
  }

  /// dmlc/treelite #492, #417: members that came later, and some that are yet to come.
  @Test func treelite492_unknownMembers() throws {
    let margins = try xgboost([[0, 0]]) { tiny in
      tiny.moreOfModel = #""yet_to_come":{"a":[1,{"b":null}]},"#
      tiny.moreOfTree = #""another":[[]],"#
      tiny.parameters =
        #"{"base_score":"0E0","boost_from_average":"1","num_class":"0","num_feature":"2","#
        + #""num_target":"1","unheard_of":"x"}"#
    }
    #expect(margins == [0.25])
  }

  /// dmlc/treelite #633, #635, onnx/onnxmltools #732, #736: since 3.1 the base score is a vector.
  @Test(arguments: ["5E-1", "[5E-1]", "0.5", "[0.5]"])
  func treelite633_baseScoreMayBeAVector(_ base: String) throws {
    let margins = try xgboost([[0, 0]]) { tiny in
      tiny.parameters = tiny.parameters.replacing("[0E0]", with: base)
    }
    #expect(margins == [0.75])
  }

  /// onnx/onnxmltools PR 566, microsoft/onnxruntime #11892: that of a logistic model is a
  /// probability.
  @Test func onnxmltools566_baseScoreIsAProbability() throws {
    let margins = try xgboost([[0, 0]]) { tiny in
      tiny.parameters = tiny.parameters.replacing("[0E0]", with: "[2.5E-1]")
      tiny.objective = #"{"name":"binary:logistic"}"#
    }
    #expect(abs(margins[0] - (0.25 - 1.0986122886681098)) < 1e-6)
  }

  /// onnx/onnxmltools #708, onnx/sklearn-onnx #629: LightGBM's dump is another format, in which
  /// categories are texts.
  @Test func onnxmltools708_dumpsAreRefused() {
    let dump =
      #"{"name":"tree","version":"v4","num_class":1,"tree_info":[{"tree_index":0,"tree_structure":"#
      + #"{"split_feature":0,"threshold":"0||3||6","decision_type":"=="}}]}"#
    let failure = #expect(throws: Failure.self) { try load(Array(dump.utf8), "dump.json") }
    #expect(failure?.message.contains("dump.json: not a model in a known format") == true)
  }

  /// catboost/catboost #452: features that no split asks for keep their columns.
  @Test func catboost452_unusedFeaturesKeepTheirColumns() throws {
    let model = try scoresAsTheLibrary("ignored-features", .catboost)
    #expect(model.inputCount == 4)
    let row = [0.3, 0.4, 0.5, 0.6]
    let margins = model.margins([row, [9, 0.4, -9, 0.6], [0.3, 9, 0.5, -9]])
    #expect(margins[0] == margins[1] && margins[0] != margins[2])
  }

  /// catboost/catboost #2549, #2850: several values in a leaf.
  @Test(arguments: ["multiclass", "lossguide-multiclass", "ctr-multiclass", "multi-rmse"])
  func catboost2549_leavesOfSeveralValues(_ name: String) throws {
    #expect(try scoresAsTheLibrary(name, .catboost).outputCount == 3)
  }

  // MARK: Ensembles

  /// siboehm/lleaves #78, microsoft/hummingbird #807, microsoft/onnxruntime #25623, oneDAL #2817:
  /// a linear leaf falls back to its plain value where one of its inputs is missing.
  @Test(arguments: ["linear", "linear-binary", "linear-categories", "layout-3.3-linear"])
  func lleaves78_linearTrees(_ name: String) throws {
    _ = try scoresAsTheLibrary(name, .lightgbm)
    let linear = try lightgbm([[0, 2], [.nan, 2]]) { tiny in
      tiny.moreOfTree =
        "is_linear=1\nleaf_const=1 0 0\nnum_features=1 0 0\nleaf_features=0 \nleaf_coeff=3 "
      tiny.decision = "2 1"
    }
    #expect(linear == [3, 2.25])
  }

  /// dmlc/treelite #133: LightGBM's random forests of several classes; #383: XGBoost's boosted
  /// forests of several classes.
  @Test func treelite133_forestsOfSeveralClasses() throws {
    #expect(try scoresAsTheLibrary("rf-multiclass", .lightgbm).outputCount == 3)
    #expect(try scoresAsTheLibrary("boosted-forest", .xgboostJSON).outputCount == 3)
  }

  /// dmlc/xgboost #12183, #3942, #429: with all rounds in the file, the scikit-learn wrapper stops at
  /// the best and the booster does not.
  @Test func xgboost12183_whoWroteTheFileDecidesOnRounds() throws {
    let wrapper = try ModelFixture("early-stopped-sklearn").model()
    let booster = try ModelFixture("early-stopped").model()
    #expect(wrapper.usedRounds.count < wrapper.roundCount)
    #expect(booster.usedRounds.count == booster.roundCount && booster.bestIteration != nil)
  }

  // MARK: Scores

  /// microsoft/onnxruntime #26281: the logistic of a large negative margin is small, not zero.
  @Test func onnxruntime26281_smallProbabilities() throws {
    var tiny = TinyModel()
    tiny.objective = #"{"name":"binary:logistic"}"#
    tiny.parameters = tiny.parameters.replacing("[0E0]", with: "[5E-1]")
    tiny.value = "[5E-1,-1.7312E1,0,5E-1,-1E0]"
    let xgboost = try load(Array(tiny.text.utf8))
    let score = xgboost.scores(xgboost.margins([[0, 0]])[0])[0]
    #expect(abs(score / 3.0304e-8 - 1) < 1e-3)
    var other = TinyLightGBM()
    other.objective = "objective=binary sigmoid:1"
    other.value = "-42 0.5 -1"
    let lightgbm = try load(Array(other.text.utf8))
    #expect(
      abs(lightgbm.scores(lightgbm.margins([[0, 2]])[0])[0] / 4.248354255291589e-18 - 1) < 1e-12)
  }
}
