// ONNX: a graph of operators as a message of Protocol Buffers, of which those with a tree ensemble are
// read, as scikit-learn (skl2onnx), XGBoost and LightGBM (onnxmltools) and CatBoost export them. Scores
// are what ONNX Runtime gives (onnxruntime/core/providers/cpu/ml/tree_ensemble_common.h and
// tree_ensemble_aggregator.h), with its arithmetic:
//
//     leaves are added tree by tree in 32-bit floats, then comes the base value, then `post_transform`
//     with inputs of 64 bits, sums have 64 bits, and scores 32 all the same
//
// Several threads of the runtime may add one row's trees in another order; this is that of one thread.
//
// What a classifier's score is:
//
//     two classes, weights of the first alone        one score, that of the second class, which is
//                                                    whose weights they are in spite of their id
//     two classes, weights ± w                       the same (CatBoost)
//     other                                          one score for each class
//
// Where the runtime's labels contradict the operator's definition, the definition is followed: of two
// classes with weights of both, the class with the larger sum is named; the runtime looks at the
// second's sign.

import Core

struct ONNXFile {
  static let name = "onnx"

  static let format = ModelFormat(
    name: name, title: "ONNX tree ensemble", recognizes: recognizes
  ) { (bytes, source, options) throws(Failure) in
    let model = try ONNXModel(bytes, source: source)
    let flow = try ONNXFlow(model.graph, source: source)
    guard let (trees, columns) = flow.trees else {
      throw .badData(
        "\(source): the graph has no tree ensemble",
        hint: "of ONNX, models made of trees are supported")
    }
    let file = ONNXFile(source: source, library: model.library, flow: flow, trees: trees)
    return try file.model(
      columns, flow.outputs(model.graph), options, fingerprint: SHA256.hex(of: bytes))
  }

  /// The version of the format, as a varint, and then a field that may follow it: writers put fields in
  /// the order of their numbers.
  private static func recognizes(_ bytes: Bytes) -> Bool {
    guard bytes.count >= 2, bytes[0] == 0x08, 1..<0x80 ~= bytes[1] else { return false }
    return bytes.count == 2 || [0x12, 0x1A, 0x22, 0x28, 0x32, 0x3A, 0x42, 0x72].contains(bytes[2])
  }

  let source: String
  let library: String
  let flow: ONNXFlow
  let trees: ONNXTrees

  private var node: ONNXNode { trees.node }
  private var isClassifier: Bool { trees.isClassifier }

  /// How the trees' weights become margins and scores.
  private struct Reading {
    /// By output, which weights are added to it.
    var ids: [Int]
    var base: [Double]
    var objective: Objective
    /// By output: its score's place among the trees' scores.
    var sources: [Int]
  }

  func model(
    _ columns: [DerivedNumber], _ outputs: (scores: [ONNXScore], largest: Bool),
    _ options: ModelOptions, fingerprint: String
  ) throws(Failure) -> Model {
    let outputCount = trees.outputCount
    var reading = isClassifier ? try classes(outputCount) : try targets(outputCount)
    try finish(&reading, outputs)
    let (builder, treeOutputs, numbers) = try trees.build(
      .init(columns: columns, inputCount: flow.inputCount, ids: reading.ids))
    let perRound = Self.treesPerRound(treeOutputs, reading.ids.count)
    let roundCount = trees.treeCount / perRound
    let used = try options.iterations.rounds(of: roundCount, best: nil, source: source)
    let forest = try builder.freeze(
      inputCount: flow.inputCount + numbers.count,
      accumulation: try accumulation(of: used.count * perRound),
      baseMargins: reading.base, treeOutputs: treeOutputs,
      trees: used.lowerBound * perRound..<used.upperBound * perRound)
    var derived = DerivedInputs(inputCount: flow.inputCount, categories: [], statistics: [])
    derived.numbers = numbers
    let task = reading.objective
    return Model(
      format: Self.name, libraryVersion: library, fingerprint: fingerprint, objective: task.name,
      inputNames: flow.inputNames, inputTypes: [], inputCount: flow.inputCount,
      outputCount: reading.ids.count, scoreCount: reading.ids.count, isClassifier: isClassifier,
      classCount: isClassifier ? outputCount : 0, roundCount: roundCount, usedRounds: used,
      bestIteration: nil, categories: [], task: task, predictor: .forest(ForestPlan(forest)),
      derived: numbers.isEmpty ? nil : derived)
  }

  /// A tree is a round, where not every output has trees of its own in turn.
  private static func treesPerRound(_ outputs: [Int], _ outputCount: Int) -> Int {
    let isInTurn = outputs.indices.allSatisfy { outputs[$0] == $0 % outputCount }
    return isInTurn && outputs.count % outputCount == 0 ? outputCount : 1
  }

  private func accumulation(of treeCount: Int) throws(Failure) -> Forest.Accumulation {
    let aggregate = node.text("aggregate_function", default: "SUM")
    switch aggregate {
    case "SUM": return trees.isWide ? .double(scale: 1) : .floatFromZero(divisor: 1)
    case "AVERAGE" where !trees.isWide && !isClassifier:
      return .floatFromZero(divisor: Float(max(treeCount, 1)))
    default: throw node.failure("aggregate_function '\(aggregate)' is not supported yet here")
    }
  }

  private func shape() throws(Failure) -> ONNXTransform.Shape {
    let text = node.text("post_transform", default: "NONE")
    guard let shape = ONNXTransform.Shape(rawValue: text) else {
      throw node.failure("post_transform '\(text)' is not supported yet")
    }
    return shape
  }

  private func checkIDs(_ count: Int) throws(Failure) {
    for id in trees.weightIDs where !(0..<count ~= id) {
      throw node.failure("a weight of \(trees.prefix) \(id), which is outside 0..<\(count)")
    }
  }

  private func base(_ count: Int) throws(Failure) -> [Double] {
    let given = trees.baseValues
    guard given.allSatisfy(\.isFinite) else {
      throw node.failure("a base value that is not finite")
    }
    if given.isEmpty { return Array(repeating: 0, count: count) }
    guard given.count == count else {
      throw node.failure("\(given.count) base values for \(count) outputs")
    }
    return given
  }

  // MARK: Targets

  private func targets(_ count: Int) throws(Failure) -> Reading {
    try checkIDs(count)
    var shape = try shape()
    // The runtime passes over all others where there is one target.
    if count == 1 { shape = .none }
    var base = try base(count)
    // Nor does it add the base value of a target to which no leaf of a row has added.
    for target in count > 1 ? trees.unsure(of: count) : [] where base[target] != 0 {
      guard !trees.weightIDs.contains(target) else {
        throw node.failure(
          "target \(target) has a base value, but no weight in some rows' leaves: not supported yet"
        )
      }
      base[target] = 0
    }
    return Reading(
      ids: Array(0..<count), base: base,
      objective: Objective(
        name: named(shape), task: .regression, transform: transform(shape)),
      sources: Array(0..<count))
  }

  private func transform(_ shape: ONNXTransform.Shape) -> Objective.Transform {
    .onnx(
      ONNXTransform(
        shape: shape, sumsAreProbabilities: isClassifier && trees.weights.allSatisfy { $0 >= 0 }))
  }

  private func named(_ shape: ONNXTransform.Shape) -> String {
    shape == .none ? node.operation : "\(node.operation) \(shape.rawValue)"
  }

  // MARK: Classes

  private func classes(_ count: Int) throws(Failure) -> Reading {
    try checkIDs(count)
    let ids = Set(trees.weightIDs)
    if count == 2, ids.count <= 1 { return try secondClass(ids.first ?? 0) }
    let shape = try shape()
    if count == 2, trees.baseValues.isEmpty, shape == .logistic || shape == .none, trees.isMirrored
    {
      return binary(1, base: 0, shape, marginBound: 0)
    }
    guard count > 2 || trees.baseValues.isEmpty else {
      throw node.failure(
        "base values with weights of both of two classes: the runtime adds them to the wrong class")
    }
    // Where no tree says anything of a class, the runtime does not name it, whatever the others' sums.
    if trees.baseValues.isEmpty, trees.weights.contains(where: { $0 < 0 }),
      let unsure = trees.unsure(of: count).first
    {
      throw node.failure("class \(unsure) has no weight in some rows' leaves, and no base value")
    }
    let objective = Objective(
      name: named(shape), task: .multiclass, transform: transform(shape),
      judgesByMargins: true)
    return Reading(
      ids: Array(0..<count), base: try base(count), objective: objective,
      sources: Array(0..<count))
  }

  /// Two classes, and weights for one alone, which the runtime takes for the second's.
  private func secondClass(_ id: Int) throws(Failure) -> Reading {
    guard id == 0 else {
      throw node.failure(
        "weights of class \(id) alone: the runtime leaves the other one without a score")
    }
    guard trees.baseValues.count <= 1 else {
      throw node.failure(
        "\(trees.baseValues.count) base values with weights of one class, which the runtime mixes up"
      )
    }
    let shape = try shape()
    // The runtime applies no other to a single sum.
    return binary(
      0, base: try base(1)[0], shape == .logistic ? .logistic : .none,
      marginBound: trees.weights.allSatisfy { $0 >= 0 } ? 0.5 : 0)
  }

  private func binary(
    _ id: Int, base: Double, _ shape: ONNXTransform.Shape, marginBound: Double
  ) -> Reading {
    Reading(
      ids: [id], base: [base],
      objective: Objective(
        name: named(shape), task: .binary, transform: transform(shape),
        marginBound: marginBound),
      sources: [1])
  }

  // MARK: Behind the trees

  /// Takes over what the graph does to scores and labels.
  private func finish(
    _ reading: inout Reading, _ outputs: (scores: [ONNXScore], largest: Bool)
  ) throws(Failure) {
    var scores = outputs.scores
    if reading.sources == [1], trees.outputCount == 2 {
      guard scores.count == 2 else {
        throw flow.failure("\(scores.count) columns of scores of two classes: not supported yet")
      }
      let first = scores.removeFirst()
      if outputs.largest {
        // The second is the larger where it is above one half.
        guard first == scores[0].then(.subtractFrom(1)) else {
          throw flow.failure("the labels are those of two scores that do not add up to one")
        }
        reading.objective.judgesByScore = true
      }
    } else if outputs.largest {
      reading.objective.judgesByMargins = false
    }
    guard scores.map(\.source) == reading.sources else {
      throw flow.failure(
        "the outputs' scores are not the trees' \(reading.sources.count) in their order")
    }
    let steps = scores.map(\.steps)
    if steps.contains(where: { !$0.isEmpty }),
      case .onnx(var transform) = reading.objective.transform
    {
      transform.steps = steps
      reading.objective.transform = .onnx(transform)
    }
  }
}
