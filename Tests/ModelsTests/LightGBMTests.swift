import Core
import Models
import TestSupport
import Testing

@Suite struct LightGBMTests {
  private func message(_ text: String) -> String? {
    do throws(Failure) {
      _ = try load(Array(text.utf8), "model.txt")
      return nil
    } catch {
      #expect(error.status == .badData)
      return error.message
    }
  }

  private func margins(_ rows: [[Double]], _ change: (inout TinyLightGBM) -> Void = { _ in }) throws
    -> [Double]
  {
    var tiny = TinyLightGBM()
    change(&tiny)
    return try load(Array(tiny.text.utf8)).margins(rows).map { $0[0] }
  }

  // MARK: What is read

  @Test func walksTheTinyModel() throws {
    let model = try load(Array(TinyLightGBM().text.utf8))
    let rows: [[Double]] = [
      [0.5, 3], [(0.5).nextUp, 1], [1, 3.9], [1, 2], [1, .nan], [1, -1], [1, 31], [1, 32],
      [1, .infinity], [.infinity, 3], [-.infinity, 3],
    ]
    #expect(
      model.margins(rows).map { $0[0] } == [
        2.25, 2.5, 2.5, 1, 1, 1, 1, 1, 1, 2.5, 2.25,
      ])
    #expect(model.treeCount == 2 && model.roundCount == 2 && model.depth == 2)
    #expect(model.format == "lightgbm" && model.libraryVersion == "v4")
    #expect(model.inputNames == ["a", "b"] && model.precision == .float64)
    #expect(!model.isClassifier && model.bestIteration == nil)
  }

  /// The three kinds of a missing value: none, zero and NaN, to the left and to the right.
  @Test func missingValues() throws {
    let rows: [[Double]] = [
      [.nan, 0], [0, 0], [1e-36, 0], [-1e-36, 0], [1e-34, 0], [-1e-34, 0],
    ]
    func sides(_ type: Int, threshold: String) throws -> [Bool] {
      try margins(rows) { tiny in
        tiny.decision = "\(type) 1"
        tiny.threshold = "\(threshold) 0"
      }.map { $0 == 2.25 }
    }
    // None: NaN is zero, and what is as good as zero is zero.
    for type in [0, 2] {
      #expect(try sides(type, threshold: "-1e-37") == [false, false, false, false, false, true])
      #expect(try sides(type, threshold: "0") == [true, true, true, true, false, true])
    }
    // Zero, to the right, then to the left.
    #expect(try sides(4, threshold: "5") == [false, false, false, false, true, true])
    #expect(try sides(6, threshold: "-5") == [true, true, true, true, false, false])
    // NaN.
    #expect(try sides(8, threshold: "5") == [false, true, true, true, true, true])
    #expect(try sides(10, threshold: "-5") == [true, false, false, false, false, false])
  }

  /// Line ends, sizes and unknown keys make no difference.
  @Test(
    arguments: [
      { $0.sizes = "" },
      { $0.sizes = "tree_sizes=1 2 3 4" },
      { $0.version = "v3" },
      { $0.moreOfTree = "new_in_5=1 2 3\nis_linear=0" },
      { $0.header += "\nnew_in_5" },
      { $0.objective = "" },
      { $0.header = "num_class=1\nlabel_index=0\nmax_feature_idx=1" },
      { $0.value = "0.25 5e-1 -1.0" },
    ] as [@Sendable (inout TinyLightGBM) -> Void])
  func accepts(_ change: @Sendable (inout TinyLightGBM) -> Void) throws {
    #expect(try margins([[0, 0], [1, 1], [1, 0]], change) == [2.25, 2.5, 1])
  }

  /// Each objective by its other names, and with what its transform needs.
  @Test(arguments: [
    ("regression_l2", 2.25), ("mse sqrt", 2.25 * 2.25), ("mae sqrt", 2.25 * 2.25),
    ("huber sqrt", 2.25), ("binary sigmoid:2", 0.9890130573694068),
    ("xentropy", 0.9046505351008906), ("xentlambda", 2.350206558916747),
    ("tweedie", 9.487735836358526), ("none", 2.25), ("quantile alpha:0.9", 2.25),
  ])
  func transforms(_ objective: String, _ score: Double) throws {
    var tiny = TinyLightGBM()
    tiny.objective = "objective=" + objective
    let model = try load(Array(tiny.text.utf8))
    #expect(ulps(model.scores([2.25])[0], score, .float64) <= 1)
  }

  // MARK: Text categories

  @Test func codesOfTexts() throws {
    let model = try load(Array(TinyLightGBM().text.utf8))
    #expect(model.categories(ofInput: 0) == nil)
    let codes = try #require(model.categories(ofInput: 1))
    #expect(codes.count == 4)
    for (code, text) in ["x", "y", "zß", "w"].enumerated() {
      #expect(Array(text.utf8).withBytes { codes.code(of: $0) } == code)
    }
    for text in ["", "z", "zß ", "X"] {
      #expect(Array(text.utf8).withBytes { codes.code(of: $0) } == nil)
    }
    #expect(codes.code(of: 3) == 3, "a number is a code already")
  }

  /// Rows as the data frame had them, with values that it never saw, scored as LightGBM does.
  @Test func textsScoreAsInTheDataFrame() throws {
    let fixture = try ModelFixture("data-frame", .lightgbm)
    let model = try fixture.model()
    let carrier = try #require(model.categories(ofInput: 1))
    let gate = try #require(model.categories(ofInput: 3))
    let lines = try Fixtures.text("models/lightgbm/data-frame/texts.csv").split(separator: "\n")
    let rows: [[Double]] = lines.dropFirst().map { line in
      let cells = line.split(separator: ",", omittingEmptySubsequences: false)
      let code = Array(cells[1].utf8).withBytes { carrier.code(of: $0) }
      return [
        Double(cells[0]) ?? .nan, code.map(Double.init) ?? .nan, Double(cells[2]) ?? .nan,
        gate.code(of: Double(cells[3])!) ?? .nan,
      ]
    }
    let expected = try #require(try fixture.expected("-texts"))
    #expect(rows.count == expected.count && rows.contains { $0[1].isNaN && $0[3].isNaN })
    #expect(model.margins(rows) == expected.map(\.margin))
  }

  /// Ordered columns are numbers to the training, and a caller may name columns of codes.
  @Test(arguments: [
    ("ordered-categories", [1, 3]), ("categories-and-codes", [1]), ("codes-beside-categories", [1]),
  ])
  func categoriesAreOfTheColumnsThatHadThem(_ name: String, _ columns: [Int]) throws {
    let model = try ModelFixture(name, .lightgbm).model()
    #expect((0..<4).filter { model.categories(ofInput: $0) != nil } == columns)
    let carrier = try #require(model.categories(ofInput: 1))
    #expect(carrier.code(of: Bytes("DL")) == 1 && carrier.code(of: Bytes("unseen")) == nil)
    if let gate = model.categories(ofInput: 3) {
      #expect(gate.code(of: 30) == 0 && gate.code(of: 12) == 2 && gate.code(of: 1) == nil)
    }
  }

  /// Two ways to deal out the lists of categories, or none.
  @Test(arguments: [
    ("[0:3] 1:3", "1", "", "list 0 may be the categories of 'b' or of 'a'"),
    ("[0:3] [0:2]", "", "", "list 0 may be the categories of 'a' or of 'b'"),
    ("[0:3] 0:1:2:3", "1", "[[1, 2, 5, 7]]", "list 0 may be the categories of 'b' or of 'a'"),
    (
      "[0:3] 0:1:2:3", "1", #"[["1", "2", "5", "7"]]"#,
      "list 0 may be the categories of 'b' or of 'a'"
    ),
    ("[-1:1] 1:5", "1", "", "no inputs have codes of the lists' lengths, in this order"),
    ("[0.5:3] none", "", "[[1, 2], [3]]", "no inputs have codes of the lists' lengths"),
    ("[0:1]", "", "", "1 feature_infos for 2 inputs"),
  ])
  func refusesCategoriesOfUncertainColumns(
    _ infos: String, _ categorical: String, _ categories: String, _ reason: String
  ) {
    var tiny = TinyLightGBM()
    tiny.infos = infos
    tiny.categorical = categorical
    if !categories.isEmpty { tiny.categories = categories }
    let failure = #expect(throws: Failure.self) { try load(Array(tiny.text.utf8)) }
    #expect(
      failure?.message.contains("pandas_categorical: which inputs its lists belong to") == true)
    #expect(failure?.message.contains(reason) == true, "\(failure?.message ?? "")")
  }

  /// Plain numbers beside the categories, which are not all of their codes, or words that nobody takes for numbers.
  @Test(arguments: [
    ("[0:1] 0:1:2:3", "[[1, 2, 5, 7]]"), ("[0:3] 0:1:2:3", ""), ("none 1:3", ""), ("[0:1]", ""),
  ])
  func takesCategoriesForTheTrainingsOwn(_ infos: String, _ categories: String) throws {
    var tiny = TinyLightGBM()
    tiny.infos = infos
    if !categories.isEmpty { tiny.categories = categories }
    let model = try load(Array(tiny.text.utf8))
    #expect(model.categories(ofInput: 0) == nil && model.categories(ofInput: 1)?.count == 4)
  }

  // MARK: What is damaged

  @Test(
    arguments: [
      LightGBMDamage("line 30: Tree=0: 3 values in leaf_value, but num_leaves is 99999999999") {
        $0.leaves = "99999999999"
      },
      LightGBMDamage("tree 0, node 0: right child 5 is outside 0..<5") { $0.right = "5 -3" },
      LightGBMDamage("tree 0, node 0: right child 7 is outside 0..<5") { $0.right = "-6 -3" },
      LightGBMDamage("tree 0, node 0: right child -9223372036854775807 is outside 0..<5") {
        $0.right = "-9223372036854775808 -3"
      },
      LightGBMDamage("tree 0, node 0: right child 0 is reached a second time") {
        $0.right = "0 -3"
      },
      LightGBMDamage("tree 0, node 1: left child 2 is reached a second time") {
        $0.right = "1 -1"
      },
      LightGBMDamage("tree 0, node 0: threshold NaN") { $0.threshold = "nan 0" },
      LightGBMDamage("line 17: Tree=0: threshold: '1.0.0' is not a number") {
        $0.threshold = "1.0.0 0"
      },
      LightGBMDamage("line 17: Tree=0: threshold: '0x1' is not a number") {
        $0.threshold = "0x1 0"
      },
      LightGBMDamage("tree 0, node 3: leaf value inf is not a finite number") {
        $0.value = "0.25 inf -1"
      },
      LightGBMDamage("tree 0, node 1: feature 2 is outside 0..<2") { $0.feature = "0 2" },
      LightGBMDamage("tree 0, node 0: feature -1 is outside 0..<16777216") { $0.feature = "-1 1" },
      LightGBMDamage("line 30: Tree=0: 1 values in threshold for 2 splits") {
        $0.threshold = "0.5"
      },
      LightGBMDamage("line 30: Tree=0: decision_type 12 of split 0 is not known") {
        $0.decision = "12 1"
      },
      LightGBMDamage(
        "line 30: Tree=0: threshold 1.0 of the categorical split 1 is not in 0..<1"
      ) { $0.threshold = "0.5 1" },
      LightGBMDamage(
        "line 30: Tree=0: cat_boundaries does not rise in 1 steps from 0 to at most 1"
      ) { $0.boundaries = "0 2" },
      LightGBMDamage("line 30: Tree=0: cat_threshold: -3 is not a word of 32 bits") {
        $0.words = "-3"
      },
      LightGBMDamage("tree 0, node 1: 0 categories from 0 on, of 0") { $0.words = "0" },
      LightGBMDamage(
        "line 30: Tree=0: 0 values in leaf_const and 0 in num_features for 3 leaves"
      ) { $0.moreOfTree = "is_linear=1" },
      LightGBMDamage(
        "line 34: Tree=0: 1 values in leaf_features and 1 in leaf_coeff are fewer than "
          + "num_features adds up to"
      ) {
        $0.moreOfTree =
          "is_linear=1\nleaf_const=1 2 3\nnum_features=0 0 9\nleaf_features=0\nleaf_coeff=2"
      },
    ])
  func refusesDamagedTrees(_ damage: LightGBMDamage) {
    var tiny = TinyLightGBM()
    damage.change(&tiny)
    #expect(message(tiny.text) == "model.txt: " + damage.reason)
  }

  @Test(
    arguments: [
      LightGBMDamage("version v2 of LightGBM's text is not supported") { $0.version = "v2" },
      LightGBMDamage("max_feature_idx is missing") { $0.header = "num_class=1" },
      LightGBMDamage("num_class is missing") { $0.header = "max_feature_idx=1" },
      LightGBMDamage("feature_names: 2 for max_feature_idx 5") {
        $0.header = "num_class=1\nmax_feature_idx=5"
      },
      LightGBMDamage("max_feature_idx: 99999999999 is outside 0..<16777216") {
        $0.header = "num_class=1\nmax_feature_idx=99999999999"
      },
      LightGBMDamage("2 trees are not whole rounds of 3") {
        $0.header = "num_class=3\nmax_feature_idx=1"
      },
      LightGBMDamage("num_tree_per_iteration: 0 is outside 1...65536") {
        $0.header = "num_class=1\nnum_tree_per_iteration=0\nmax_feature_idx=1"
      },
      LightGBMDamage("objective: 'mine' is not supported yet") { $0.objective = "objective=mine" },
      LightGBMDamage("objective: 'multiclass num_class:3' does not fit 1 trees in each round") {
        $0.objective = "objective=multiclass num_class:3"
      },
      LightGBMDamage("line 49: the file ends before 'end of trees'") { $0.end = "" },
    ])
  func refusesPartsThatDoNotFit(_ damage: LightGBMDamage) {
    var tiny = TinyLightGBM()
    damage.change(&tiny)
    #expect(message(tiny.text) == "model.txt: " + damage.reason)
  }
}
