// What an ONNX file may not say, and what is read though no fixture has it. What the runtime itself makes
// of files is in the fixtures.

import Core
import Models
import Testing

@Suite struct ONNXTests {
  private func message(_ tiny: TinyONNX) -> String {
    do throws(Failure) {
      _ = try load(tiny.bytes, "model.onnx")
    } catch {
      return error.message
    }
    return "loaded"
  }

  private func margins(_ tiny: TinyONNX, _ rows: [[Double]]) throws -> [[Double]] {
    try load(tiny.bytes, "model.onnx").margins(rows)
  }

  @Test func readsATinyModel() throws {
    let model = try load(TinyONNX().bytes)
    #expect(model.format == "onnx" && model.libraryVersion == "tiny 1.0")
    #expect(model.objective == "TreeEnsembleRegressor" && !model.isClassifier)
    #expect(model.inputCount == 2 && model.inputNames.isEmpty && model.outputCount == 1)
    #expect(model.treeCount == 2 && model.roundCount == 2 && model.depth == 2)
    let rows = [[0, 0], [1, 3], [1, 2], [.nan, .nan], [0.5, 0], [0.6, 2.1]]
    #expect(model.margins(rows) == [[9], [10], [12], [12], [9], [10]])
  }

  @Test func anOpenWidthIsWhatTheTreesAskFor() throws {
    var tiny = TinyONNX()
    tiny.inputs = [("X", 1, 0)]
    #expect(try load(tiny.bytes).inputCount == 2)
    tiny.inputs = [("X", 1, 0), ("Z", 1, 1)]
    #expect(message(tiny) == "model.onnx: input 'X' leaves open how many columns it has")
  }

  @Test func someTreesMayBeChosen() throws {
    let model = try load(TinyONNX().bytes, "model.onnx", .range(0..<1))
    #expect(model.margins([[0, 0]]) == [[1]])
    let failure = #expect(throws: Failure.self) { try load(TinyONNX().bytes, "m", .best) }
    #expect(failure?.message.contains("the file names none") == true)
  }

  @Test func importanceCountsSplitsAndContributionsAreRefused() throws {
    let model = try load(TinyONNX().bytes)
    let importance = try model.importance(source: "model.onnx")
    #expect(importance.measures.map(\.name) == ["split"])
    #expect(importance.measures[0].values == [1, 1])
    let failure = #expect(throws: Failure.self) { try Explainer(model, source: "model.onnx") }
    #expect(failure?.message.hasPrefix("model.onnx: the file does not say how many") == true)
    let categories = try ModelFixture("lightgbm-categories", .onnx).model()
    let splits = try categories.importance(source: "model.onnx").measures[0].values
    #expect(splits.count == 4 && splits[3] > 0)
  }

  // MARK: Trees

  @Test(arguments: [
    ("nodes_values", TinyONNX.Value.floats([0.5]), "1 values in nodes_values for 6 nodes"),
    (
      "nodes_modes", .texts(["BRANCH_LEQ", "LEAF", "BRANCH_UP", "LEAF", "LEAF", "LEAF"]),
      "nodes_modes: 'BRANCH_UP' is not supported yet"
    ),
    ("nodes_treeids", .integers([]), "nodes_treeids is missing: there are no trees"),
    (
      "nodes_treeids", .integers([0, 0, 1, 0, 0, 1]), "the nodes of tree 0 do not stand together"
    ),
    ("nodes_nodeids", .integers([0, 1, 2, 3, 3, 0]), "tree 0 has two nodes 3"),
    (
      "nodes_truenodeids", .integers([7, 0, 3, 0, 0, 0]), "tree 0, entry 0: its tree has no node 7"
    ),
    (
      "nodes_featureids", .integers([0, 0, 2, 0, 0, 0]),
      "tree 0, entry 2: feature 2 is outside 0..<2"
    ),
    (
      "nodes_featureids", .integers([-1, 0, 1, 0, 0, 0]),
      "tree 0, entry 0: feature -1 is outside 0..<2"
    ),
    ("nodes_values", .floats([.nan, 0, 2, 0, 0, 0]), "tree 0, entry 0: threshold NaN"),
    (
      "target_nodeids", .integers([1, 3, 9, 0]),
      "weight 2 is that of tree 0, node 9, which is not there"
    ),
    ("target_nodeids", .integers([1, 1, 4, 0]), "tree 0, entry 1: two weights of one target"),
    ("target_ids", .integers([0, 0, 1, 0]), "a weight of target 1, which is outside 0..<1"),
    ("target_treeids", .integers([0]), "1 values in target_treeids for 4 weights"),
    ("base_values", .floats([1, 2]), "2 base values for 1 outputs"),
    ("base_values", .floats([.infinity]), "a base value that is not finite"),
    ("post_transform", .text("PROBIT"), "post_transform 'PROBIT' is not supported yet"),
    ("aggregate_function", .text("MAX"), "aggregate_function 'MAX' is not supported yet here"),
    ("n_targets", .integer(0), "0 targets in n_targets are outside 1...65536"),
    ("n_targets", .integer(1 << 40), "1099511627776 targets in n_targets are outside 1...65536"),
  ])
  func refusesTrees(_ name: String, _ value: TinyONNX.Value, _ reason: String) {
    var tiny = TinyONNX()
    tiny.trees[name] = value
    #expect(
      message(tiny) == "model.onnx: node 'trees', ai.onnx.ml.TreeEnsembleRegressor: \(reason)")
  }

  @Test func refusesLeavesThatAreNoNumbers() {
    var tiny = TinyONNX()
    tiny.trees["target_weights"] = .floats([1, .nan, 4, 8])
    #expect(message(tiny).contains("tree 0, node"))
    #expect(message(tiny).contains("is not a finite number"))
  }

  /// The first split's false side is the split itself.
  @Test func refusesCircles() {
    var tiny = TinyONNX()
    tiny.trees["nodes_falsenodeids"] = .integers([0, 0, 4, 0, 0, 0])
    #expect(message(tiny).hasSuffix("it leads to itself"))
    tiny.trees["nodes_modes"] = .texts(["BRANCH_EQ", "LEAF", "BRANCH_EQ", "LEAF", "LEAF", "LEAF"])
    #expect(message(tiny).contains("nodes are shared, and copies of them would be more than"))
  }

  /// Each level's two sides are the same node: written out there would be 2^40 leaves.
  @Test func refusesSharedNodesBeyondABound() {
    let splits = 40
    var tiny = TinyONNX()
    tiny.trees["nodes_treeids"] = .integers(Array(repeating: 0, count: splits + 1))
    tiny.trees["nodes_nodeids"] = .integers(Array(0...splits))
    tiny.trees["nodes_featureids"] = .integers(Array(repeating: 0, count: splits + 1))
    tiny.trees["nodes_modes"] = .texts(Array(repeating: "BRANCH_LEQ", count: splits) + ["LEAF"])
    tiny.trees["nodes_values"] = .floats((0...splits).map(Float.init))
    for side in ["nodes_truenodeids", "nodes_falsenodeids"] {
      tiny.trees[side] = .integers(Array(1...splits) + [0])
    }
    tiny.trees["target_treeids"] = .integers([0])
    tiny.trees["target_nodeids"] = .integers([splits])
    tiny.trees["target_ids"] = .integers([0])
    tiny.trees["target_weights"] = .floats([1])
    #expect(
      message(tiny).contains("nodes are shared, and copies of them would be more than 4 times"))
  }

  /// x0 is 1, 2 or 5: a chain with one true side, as LightGBM's categories come.
  @Test func aChainOfEqualsIsASet() throws {
    var tiny = TinyONNX()
    tiny.trees["nodes_treeids"] = .integers([0, 0, 0, 0, 0])
    tiny.trees["nodes_nodeids"] = .integers([0, 1, 2, 3, 4])
    tiny.trees["nodes_featureids"] = .integers([0, 0, 0, 0, 0])
    tiny.trees["nodes_modes"] = .texts(["BRANCH_EQ", "LEAF", "BRANCH_EQ", "BRANCH_EQ", "LEAF"])
    tiny.trees["nodes_values"] = .floats([1, 0, 5, 2, 0])
    tiny.trees["nodes_truenodeids"] = .integers([1, 0, 1, 1, 0])
    tiny.trees["nodes_falsenodeids"] = .integers([2, 0, 3, 4, 0])
    tiny.trees["nodes_missing_value_tracks_true"] = .integers([0, 0, 1, 0, 0])
    tiny.trees["target_treeids"] = .integers([0, 0])
    tiny.trees["target_nodeids"] = .integers([1, 4])
    tiny.trees["target_ids"] = .integers([0, 0])
    tiny.trees["target_weights"] = .floats([1, -1])
    let rows = [1, 2, 5, 0, 3, 1.5, -1, .infinity, .nan].map { [$0, 0] }
    #expect(try margins(tiny, rows).flatMap { $0 } == [1, 1, 1, -1, -1, -1, -1, -1, 1])
    #expect(try load(tiny.bytes).nodeCount == 3)
  }

  /// Below -∞ is nothing, beside splits that take `<=`.
  @Test func infiniteThresholds() throws {
    var tiny = TinyONNX()
    tiny.trees["nodes_modes"] = .texts(["BRANCH_LT", "LEAF", "BRANCH_LEQ", "LEAF", "LEAF", "LEAF"])
    tiny.trees["nodes_values"] = .floats([-.infinity, 0, .infinity, 0, 0, 0])
    let rows = [[-Double.infinity, 0], [.nan, .nan], [0, .infinity]]
    #expect(try margins(tiny, rows) == [[10], [12], [10]])
    tiny.trees["nodes_missing_value_tracks_true"] = .integers([1, 0, 0, 0, 0, 0])
    #expect(try margins(tiny, rows) == [[10], [9], [10]])
  }

  // MARK: Classes

  @Test(arguments: [
    (1, [0, 0, 0, 0], "1 class labels are outside 2...65536"),
    (
      2, [1, 1, 1, 1], "weights of class 1 alone: the runtime leaves the other one without a score"
    ),
    (3, [0, 1, 2, 3], "a weight of class 3, which is outside 0..<3"),
  ])
  func refusesClasses(_ labels: Int, _ ids: [Int], _ reason: String) {
    #expect(
      message(.classifier(labels: labels, ids: ids))
        == "model.onnx: node 'trees', ai.onnx.ml.TreeEnsembleClassifier: \(reason)")
  }

  @Test func refusesWhatTheRuntimeMixesUp() {
    var two = TinyONNX.classifier(labels: 2, ids: [0, 0, 0, 0])
    two.trees["base_values"] = .floats([1, 2])
    #expect(
      message(two).hasSuffix("2 base values with weights of one class, which the runtime mixes up"))
    two = .classifier(labels: 2, ids: [0, 1, 0, 1])
    two.trees["base_values"] = .floats([1, 2])
    #expect(message(two).contains("the runtime adds them to the wrong class"))
    var three = TinyONNX.classifier(labels: 3, ids: [0, 1, 2, 0])
    three.trees["class_weights"] = .floats([-1, 2, 4, 8])
    #expect(
      message(three).hasSuffix("class 1 has no weight in some rows' leaves, and no base value"))
    three.trees["base_values"] = .floats([0, 0, 0])
    #expect(message(three) == "loaded")
  }

  @Test func oneWeightForTwoClasses() throws {
    var tiny = TinyONNX.classifier(labels: 2, ids: [0, 0, 0, 0])
    tiny.trees["class_weights"] = .floats([0.25, 0.5, 0.125, 0.125])
    let sure = try load(tiny.bytes)
    #expect(sure.isClassifier && sure.classCount == 2 && sure.scoreCount == 1)
    // No weight is negative: sums are probabilities, and more than a half is needed.
    #expect(sure.classIndex(margins: [0.4], scores: [0.4]) == 0)
    #expect(sure.classIndex(margins: [0.6], scores: [0.6]) == 1)
    tiny.trees["class_weights"] = .floats([-0.25, 0.5, 0.125, 0.125])
    #expect(try load(tiny.bytes).classIndex(margins: [0.4], scores: [0.4]) == 1)
  }

  // MARK: The graph

  @Test(arguments: ["Sigmoid", "Gather", "TreeEnsemble", "SVMClassifier"])
  func refusesOperatorsByName(_ operation: String) {
    var tiny = TinyONNX()
    tiny.before = [.init(operation: operation, name: "odd", inputs: ["X"], outputs: ["Z"])]
    tiny.treeInput = "Z"
    #expect(
      message(tiny) == "model.onnx: node 'odd', \(operation): this operator is not supported yet")
  }

  @Test func refusesGraphs() {
    var tiny = TinyONNX()
    tiny.treeInput = "Z"
    #expect(message(tiny).hasSuffix("its input 'Z' is made by no node before it"))
    tiny = TinyONNX()
    tiny.outputs = ["Z"]
    #expect(message(tiny) == "model.onnx: output 'Z' is made by no node")
    tiny.outputs = []
    #expect(message(tiny) == "model.onnx: no output has the trees' scores")
    tiny.outputs = ["Y", "Y"]
    #expect(message(tiny).hasPrefix("model.onnx: output 'Y' is a second one with scores"))
    tiny.outputs = ["X"]
    #expect(message(tiny) == "model.onnx: output 'X' does not come from the trees")
    tiny = TinyONNX()
    tiny.inputs = [("X", 8, 2)]
    #expect(message(tiny).hasPrefix("model.onnx: input 'X' has type 8; only numbers are supported"))
    tiny.inputs = [("X", 1, 1 << 30)]
    #expect(message(tiny) == "model.onnx: more than 65536 inputs")
    tiny = TinyONNX()
    tiny.behind = [
      .init(
        operation: "TreeEnsembleRegressor", name: "more", domain: "ai.onnx.ml", inputs: ["X"],
        outputs: ["Z"])
    ]
    #expect(message(tiny).hasSuffix("a second tree ensemble in one file is not supported yet"))
  }

  @Test func columnsAreScaledPickedAndPutTogether() throws {
    var tiny = TinyONNX()
    tiny.inputs = [("a", 1, 1), ("b", 7, 1)]
    tiny.constants = [("two", [2]), ("quarter", [0.25])]
    tiny.before = [
      .init(operation: "Mul", inputs: ["a", "two"], outputs: ["c"]),
      .init(operation: "Cast", inputs: ["b"], outputs: ["d"], attributes: [("to", .integer(1))]),
      .init(
        operation: "Concat", inputs: ["c", "d"], outputs: ["X"], attributes: [("axis", .integer(1))]
      ),
    ]
    tiny.behind = [.init(operation: "Mul", inputs: ["Y", "quarter"], outputs: ["Z"])]
    tiny.outputs = ["Z"]
    let model = try load(tiny.bytes)
    #expect(model.inputNames == ["a", "b"])
    let margins = model.margins([[0.25, 0], [0.26, 3], [1, 2]])
    #expect(margins == [[9], [10], [12]])
    #expect(model.scores(margins[2]) == [3])
    tiny.before[0].inputs = ["a", "quarters"]
    #expect(
      message(tiny) == "model.onnx: node 0, Mul: its input 'quarters' is made by no node before it")
    tiny.before[0].inputs = ["two", "quarter"]
    #expect(
      message(tiny).hasPrefix("model.onnx: node 0, Mul: its input is neither columns nor scores"))
  }

  /// A node of a few bytes can ask for all columns once more.
  @Test func refusesWorkThatTheFileDoesNotPayFor() {
    var tiny = TinyONNX()
    tiny.inputs = [("X", 1, 1 << 16)]
    tiny.constants = [("two", [2])]
    tiny.before = (0..<20).map {
      .init(operation: "Mul", inputs: [$0 == 0 ? "X" : "X\($0)", "two"], outputs: ["X\($0 + 1)"])
    }
    tiny.treeInput = "X20"
    #expect(message(tiny).hasSuffix("too many columns are made of others, one node after another"))
  }

  // MARK: Damage

  @Test func everyCutIsRefused() throws {
    let file = TinyONNX.classifier(labels: 2, ids: [0, 0, 0, 0]).bytes
    // What is behind the graph is passed over.
    let graphEnd = file.count - 4
    for length in 0..<graphEnd {
      let failure = #expect(throws: Failure.self) { try load(Array(file[..<length])) }
      #expect(failure?.status == .badData)
    }
    let message = #expect(throws: Failure.self) { try load(Array(file[..<(graphEnd - 1)]), "m") }
    #expect(message?.message.contains("in ModelProto: field 7 has") == true)
  }

  @Test func flippedBits() {
    var random = SplitMix64(seed: 31)
    let whole = TinyONNX.classifier(labels: 2, ids: [0, 0, 0, 0]).bytes
    var loaded = 0
    for _ in 0..<3_000 {
      var file = whole
      for _ in 0..<Int.random(in: 1...3, using: &random) {
        let byte = Int.random(in: 0..<file.count, using: &random)
        file[byte] ^= 1 << UInt8.random(in: 0..<8, using: &random)
      }
      guard let model = try? load(file) else { continue }
      loaded += 1
      guard model.inputCount <= 1_000 else { continue }
      let rows = [Double.nan, 0, 1e9, -Double.infinity].map {
        Array(repeating: $0, count: model.inputCount)
      }
      for margins in model.margins(rows) { _ = model.scores(margins) }
    }
    #expect(loaded > 100, "some damage must go unnoticed, else nothing was walked")
  }

  @Test(arguments: [
    ([0x08, 0x08, 0x12, 0x00, 0x3B], "wire type 3"),
    ([0x08, 0x08, 0x3A, 0x05, 0x0A], "field 7 has 5 bytes"),
    ([0x08, 0x08, 0x12] + [UInt8](repeating: 0xFF, count: 11), "a number of more than ten bytes"),
    ([0x08, 0x08, 0x12, 0x00, 0x02], "field 0 is outside"), ([0x08, 0x08], "graph is missing"),
    ([0x08, 0x08, 0x3A, 0x02, 0x08, 0x01], "in GraphProto: field 1: not a text or message"),
  ])
  func refusesBytes(_ bytes: [UInt8], _ reason: String) {
    let failure = #expect(throws: Failure.self) { try load(bytes, "model.onnx") }
    #expect(failure?.message.contains(reason) == true, "\(failure?.message ?? "")")
  }
}
