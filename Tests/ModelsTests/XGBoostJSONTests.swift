import Core
import Models
import Testing

@Suite struct XGBoostJSONTests {
  private func message(_ text: String) -> String? {
    do throws(Failure) {
      _ = try load(Array(text.utf8))
      return nil
    } catch {
      #expect(error.status == .badData)
      return error.message
    }
  }

  private func message(_ change: (inout TinyModel) -> Void) -> String? {
    var tiny = TinyModel()
    change(&tiny)
    return message(tiny.text)
  }

  // MARK: What is read

  @Test func walksTheTinyModel() throws {
    let model = try load(Array(TinyModel().text.utf8))
    let rows: [[Double]] = [
      [0.4, 3], [.nan, 3], [0.5, 1], [0.5, 2], [.infinity, 3.9], [1, .nan], [1, -1],
      [1, 16_777_216],
      [1, .infinity], [1, 40], [-.infinity, 1],
    ]
    #expect(
      model.margins(rows).map { $0[0] }
        == [0.25, 0.25, -1, 0.5, -1, -1, 0.5, 0.5, 0.5, 0.5, 0.25])
    #expect(model.nodeCount == 5 && model.depth == 2)
  }

  @Test func orderOfMembersMakesNoDifference() throws {
    let rows: [[Double]] = [[0.4, 3], [0.5, 1], [0.5, 2], [.nan, .nan]]
    let forward = try load(Array(TinyModel().text.utf8))
    let reversed = try load(Array(TinyModel().reversedText.utf8))
    #expect(forward.margins(rows) == reversed.margins(rows))
    #expect(reversed.libraryVersion == "3.2.0")
  }

  @Test(
    arguments: [
      { $0.moreOfTree = #""new_in_4":{"a":[1,{}]},"# },
      { $0.moreOfModel = #""new_in_4":[NaN,-Infinity,null],"# },
      { $0.roundStarts = nil },
      { $0.defaultLeft = "[true,false,false,false,false]" },
      { $0.parameters = #"{"base_score":"0.0","num_feature":"2"}"# },
      { $0.parameters = #"{"base_score":"[ 0E0 ]","num_class":0,"num_feature":2,"new":"x"}"# },
      { $0.moreOfModel = #""cats":{"enc":[],"feature_segments":[],"sorted_idx":[]},"# },
      { $0.moreOfModel = #""cats":{"enc":[{"offsets":[],"values":[]}]},"# },
      { $0.moreOfModel = #""weight_drop":[1],"# },
      { $0.attributes = #"{"best_iteration":"0","best_score":"0.5","other":"x"}"# },
      { $0.featureNames = #"["a","b"]"# },
      {
        $0.objective = #"{"name":"binary:logitraw"}"#
        $0.version = "[1,3,0]"
      },
      { $0.value = "[Infinity,2.5E-1,NaN,5E-1,-1E0]" },
      {
        // An orphan, as the pruner leaves it: whatever it holds is not looked at.
        $0.left = "[1,-1,3,-1,-1,99]"
        $0.right = "[2,-1,4,-1,-1,-7]"
        $0.feature = "[0,0,1,0,0,12345]"
        $0.value = "[5E-1,2.5E-1,0,5E-1,-1E0,NaN]"
        $0.defaultLeft = "[1,0,0,0,0,1]"
        $0.splitType = "[0,0,1,0,0,1]"
        $0.treeParameters = #"{"num_nodes":"6","num_deleted":"1"}"#
      },
    ] as [@Sendable (inout TinyModel) -> Void])
  func accepts(_ change: @Sendable (inout TinyModel) -> Void) {
    #expect(message(change) == nil)
  }

  @Test func dropsNodesThatNoRootReaches() throws {
    let model = try ModelFixture("pruned").model()
    var tiny = TinyModel()
    tiny.splitType = nil
    tiny.left = "[1,-1,-1,-1,-1]"
    tiny.right = "[2,-1,-1,-1,-1]"
    tiny.categoryNodes = "[]"
    tiny.categoryStarts = "[]"
    tiny.categoryCounts = "[]"
    #expect(try load(Array(tiny.text.utf8)).nodeCount == 3)
    #expect(model.nodeCount % 2 == model.treeCount % 2)
  }

  // MARK: What is damaged

  @Test(
    arguments: [
      Damage("tree 0, node 0: left child 5 is outside 0..<5") { $0.left = "[5,-1,3,-1,-1]" },
      Damage("tree 0, node 0: left child -2 is outside 0..<5") { $0.left = "[-2,-1,3,-1,-1]" },
      Damage("tree 0, node 2: right child -1 is outside 0..<5") { $0.right = "[2,-1,-1,-1,-1]" },
      Damage("tree 0, node 0: right child 9223372036854775807 is outside 0..<5") {
        $0.right = "[9223372036854775807,-1,4,-1,-1]"
      },
      Damage("tree 0, node 2: left child 0 is reached a second time") {
        $0.left = "[1,-1,0,-1,-1]"
      },
      Damage("tree 0, node 2: left child 2 is reached a second time") {
        $0.left = "[1,-1,2,-1,-1]"
      },
      Damage("tree 0, node 0: right child 1 is reached a second time") {
        $0.right = "[1,-1,4,-1,-1]"
      },
      Damage("tree 0, node 2: right child 1 is reached a second time") {
        $0.right = "[2,-1,1,-1,-1]"
      },
      Damage("tree 0, node 1: right child 3 without a left one") { $0.right = "[2,3,4,-1,-1]" },
      Damage("tree 0, node 0: feature -1 is outside 0..<16777216") { $0.feature = "[-1,0,1,0,0]" },
      Damage("tree 0, node 2: feature 2 is outside 0..<2") { $0.feature = "[0,0,2,0,0]" },
      Damage("tree 0, node 0: feature 99999999999 is outside 0..<16777216") {
        $0.feature = "[99999999999,0,1,0,0]"
      },
      Damage("tree 0, node 0: threshold NaN") { $0.value = "[NaN,2.5E-1,0,5E-1,-1E0]" },
      Damage("tree 0, node 1: leaf value nan is not a finite number") {
        $0.value = "[5E-1,NaN,0,5E-1,-1E0]"
      },
      Damage("tree 0, node 4: leaf value -inf is not a finite number") {
        $0.value = "[5E-1,2.5E-1,0,5E-1,-Infinity]"
      },
      Damage("tree 0: 4 right children for 5 nodes") { $0.right = "[2,-1,4,-1]" },
      Damage("tree 0: 6 thresholds for 5 nodes") { $0.value = "[5E-1,2.5E-1,0,5E-1,-1E0,1]" },
      Damage("tree 0: 0 features for 5 nodes") { $0.feature = "[]" },
      Damage("tree 0: 1 default directions for 5 nodes") { $0.defaultLeft = "[1]" },
      Damage("tree 0: 3 split types for 5 nodes") { $0.splitType = "[0,0,1]" },
      Damage("learner.gradient_booster.model.trees[0]: 0 nodes, but num_nodes is 5") {
        $0.left = "[]"
      },
      Damage("tree 0: the tree has no nodes") {
        $0.left = "[]"
        $0.treeParameters = "{}"
      },
      Damage("learner.gradient_booster.model.trees[0]: 5 nodes, but num_nodes is 99999999999999") {
        $0.treeParameters = #"{"num_nodes":"99999999999999"}"#
      },
      Damage("learner.gradient_booster.model.trees[0].id: 3 for the tree at place 0") {
        $0.treeID = "3"
      },
    ])
  func refusesDamagedTrees(_ damage: Damage) {
    #expect(message(damage.change) == "model.json: " + damage.reason)
  }

  @Test(
    arguments: [
      Damage("tree 0: categories of node 5, which is outside 0..<5") { $0.categoryNodes = "[5]" },
      Damage("tree 0: categories of node -1, which is outside 0..<5") { $0.categoryNodes = "[-1]" },
      Damage("tree 0: 0 categorical nodes, but 1 starts and 1 lengths of their categories") {
        $0.categoryNodes = "[]"
      },
      Damage("tree 0, node 2: 3 categories from 0 on, of 2") { $0.categoryCounts = "[3]" },
      Damage("tree 0, node 2: 0 categories from 0 on, of 2") { $0.categoryCounts = "[0]" },
      Damage("tree 0, node 2: -1 categories from 0 on, of 2") { $0.categoryCounts = "[-1]" },
      Damage("tree 0, node 2: 2 categories from -1 on, of 2") { $0.categoryStarts = "[-1]" },
      Damage("tree 0, node 2: 2 categories from 9223372036854775807 on, of 2") {
        $0.categoryStarts = "[9223372036854775807]"
      },
      Damage("tree 0, node 2: category -3 is outside 0..<16777216") { $0.categories = "[1,-3]" },
      Damage("tree 0, node 2: category 16777216 is outside 0..<16777216") {
        $0.categories = "[1,16777216]"
      },
      Damage("tree 0, node 2: categories given twice") {
        $0.categoryNodes = "[2,2]"
        $0.categoryStarts = "[0,1]"
        $0.categoryCounts = "[1,1]"
      },
      Damage("tree 0, node 1: categories that other nodes also have") {
        $0.categoryNodes = "[2,1]"
        $0.categoryStarts = "[0,1]"
        $0.categoryCounts = "[2,1]"
      },
      Damage("tree 0, node 2: a numeric split with categories") { $0.splitType = nil },
      Damage("tree 0, node 2: a categorical split without categories") {
        $0.categoryNodes = "[1]"
      },
    ])
  func refusesDamagedCategories(_ damage: Damage) {
    #expect(message(damage.change) == "model.json: " + damage.reason)
  }

  @Test(
    arguments: [
      Damage("tree 0: output 1 is outside 0..<1") { $0.treeInfo = "[1]" },
      Damage("tree 0: output -1 is outside 0..<1") { $0.treeInfo = "[-1]" },
      Damage("learner.gradient_booster.model.tree_info: 2 entries for 1 trees") {
        $0.treeInfo = "[0,0]"
      },
      Damage("learner.gradient_booster.model: 1 trees, but num_trees is 2") {
        $0.modelParameters = #"{"num_trees":"2"}"#
      },
      Damage(
        "learner.gradient_booster.model: 1 trees are not whole rounds of 1 outputs × "
          + "2 parallel trees"
      ) {
        $0.modelParameters = #"{"num_parallel_tree":"2"}"#
        $0.roundStarts = nil
      },
      Damage("learner.gradient_booster.model.iteration_indptr does not rise from 0 to 1") {
        $0.roundStarts = "[0,2]"
      },
      Damage("learner.gradient_booster.model.iteration_indptr does not rise from 0 to 1") {
        $0.roundStarts = "[0,5,-3,1]"
      },
      Damage("learner.learner_model_param.num_feature is missing") { $0.parameters = "{}" },
      Damage("learner.learner_model_param.base_score is missing") {
        $0.parameters = #"{"num_feature":"2"}"#
      },
      Damage("learner.learner_model_param.num_feature: 0 is outside 1...16777216") {
        $0.parameters = #"{"num_feature":"0"}"#
      },
      Damage("learner.learner_model_param.num_feature: 4294967296 is outside 1...16777216") {
        $0.parameters = #"{"num_feature":"4294967296"}"#
      },
      Damage("learner.learner_model_param.num_feature: '99999999999999999999' is not an integer") {
        $0.parameters = #"{"num_feature":"99999999999999999999"}"#
      },
      Damage("learner.learner_model_param.num_class: 3 is outside 0...1 for reg:squarederror") {
        $0.parameters = #"{"num_feature":"2","num_class":"3"}"#
      },
      Damage(
        "learner.learner_model_param.num_target: 99999999999 is outside 0...65536 for "
          + "reg:squarederror"
      ) { $0.parameters = #"{"num_feature":"2","num_target":"99999999999"}"# },
      Damage("learner.learner_model_param.num_class: 0 is outside 1...65536 for multi:softprob") {
        $0.objective = #"{"name":"multi:softprob"}"#
      },
      Damage(
        "learner.objective.softmax_multiclass_param.num_class: 4, but "
          + "learner_model_param.num_class is 3"
      ) {
        $0.objective = #"{"name":"multi:softmax","softmax_multiclass_param":{"num_class":"4"}}"#
        $0.parameters = #"{"base_score":"0","num_feature":"2","num_class":"3"}"#
      },
      Damage("learner.learner_model_param.base_score: 2 values for 1 outputs") {
        $0.parameters = #"{"base_score":"[1,2]","num_feature":"2"}"#
      },
      Damage(
        "learner.learner_model_param.base_score: '[1,]' is not a number or a list of numbers in "
          + "brackets"
      ) { $0.parameters = #"{"base_score":"[1,]","num_feature":"2"}"# },
      Damage("learner.learner_model_param.base_score: -1.0 has no margin for count:poisson") {
        $0.parameters = #"{"base_score":"-1","num_feature":"2"}"#
        $0.objective = #"{"name":"count:poisson"}"#
      },
      Damage("learner.feature_names: 1 for 2 features") { $0.featureNames = #"["a"]"# },
      Damage("learner.gradient_booster.model.trees: given twice") {
        $0.moreOfModel = #""trees":[],"#
      },
    ])
  func refusesPartsThatDoNotFit(_ damage: Damage) {
    #expect(message(damage.change) == "model.json: " + damage.reason)
  }

  @Test func categorySetsHaveABound() {
    let nodes = 200
    var tiny = TinyModel()
    // A chain of categorical splits, each of which asks for 2 MiB of bits.
    let splits = 0..<nodes
    tiny.left = "\(splits.map { 2 * $0 + 1 }.flatMap { [$0, -1] } + [-1])"
    tiny.right = "\(splits.map { 2 * $0 + 2 }.flatMap { [$0, -1] } + [-1])"
    let count = 2 * nodes + 1
    tiny.feature = "\(Array(repeating: 0, count: count))"
    tiny.value = tiny.feature
    tiny.defaultLeft = tiny.feature
    tiny.splitType = "\(splits.flatMap { _ in [1, 0] } + [0])"
    tiny.categories = "\(splits.map { _ in 16_777_215 })"
    tiny.categoryNodes = "\(splits.map { 2 * $0 })"
    tiny.categoryStarts = "\(Array(splits))"
    tiny.categoryCounts = "\(splits.map { _ in 1 })"
    tiny.treeParameters = "{}"
    #expect(message(tiny.text)?.contains("category sets take more than 268435456 bytes") == true)
  }

  // MARK: What is not supported yet

  @Test(
    arguments: [
      Damage("learner.gradient_booster.name: 'gbrank' is not supported yet") {
        $0.booster = "gbrank"
      },
      Damage("learner.objective.name: 'binary:logitraw' in a file of XGBoost 1.2.1 is ambiguous") {
        $0.objective = #"{"name":"binary:logitraw"}"#
        $0.version = "[1,2,1]"
      },
      Damage("learner.objective.name: 'mine' is not supported yet") {
        $0.objective = #"{"name":"mine"}"#
      },
      Damage("learner.objective.name is missing") { $0.objective = "{}" },
    ])
  func refusesWhatItCannotScore(_ damage: Damage) {
    #expect(message(damage.change) == "model.json: " + damage.reason)
  }

  @Test(arguments: ["{}", "[]", "{L", "\u{8}"])
  func refusesOtherFiles(_ text: String) {
    #expect(
      message(text)
        == "model.json: not a model in a known format (XGBoost JSON, XGBoost UBJSON, LightGBM text, "
        + "CatBoost JSON, ONNX tree ensemble)"
    )
  }

  @Test func refusesXGBoostsOldBinary() {
    #expect(
      message("binf\u{0}\u{0}") == "model.json: a model in XGBoost's old binary form, which "
        + "nothing but XGBoost reads")
  }

  @Test func refusesAnEmptyFile() {
    #expect(message("") == "model.json: the file is empty")
  }

  @Test func namesThePlaceOfASyntaxError() {
    var tiny = TinyModel()
    tiny.value = "[5E-1,,0]"
    #expect(
      message(tiny.text)?.hasPrefix(
        "model.json: learner.gradient_booster.model.trees[0].split_conditions: byte ") == true)
  }
}
