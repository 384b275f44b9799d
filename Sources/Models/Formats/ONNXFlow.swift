// The graph of an ONNX file, followed from its inputs to its outputs: what each of its values is to the
// trees. Nodes stand in an order in which each one's inputs are known.
//
//     inputs ─ Concat, Cast, Scaler, Imputer … ─ TreeEnsemble ─ scores ─ ZipMap, Mul, Exp … ─ outputs
//                                                     └──────── labels ─ Cast, Identity ────┘
//
// Columns carry what was done to each since it came in, and scores what was done to each since the trees
// gave them. An operator that is not known here is refused by its name and that of its node.

import Core

/// A score on its way to the outputs.
struct ONNXScore: Equatable {
  /// Which of the trees' scores it started as.
  let source: Int
  var steps: [ONNXTransform.Step] = []

  func then(_ step: ONNXTransform.Step) -> ONNXScore {
    ONNXScore(source: source, steps: steps + [step])
  }
}

struct ONNXFlow {
  /// What one of a graph's names stands for.
  enum Value {
    /// Of 32-bit floats the row's own inputs are rounded by the forest, or by the first step.
    case columns([DerivedNumber], ONNXType)
    case constant(ONNXTensor)
    case scores([ONNXScore])
    /// The labels that the trees gave.
    case labels
    /// The index of the largest score, or that class's label.
    case largest([ONNXScore])
  }

  private let source: String
  private var values: [String: Value] = [:]
  /// The trees, and the columns that they take.
  private(set) var trees: (ONNXTrees, columns: [DerivedNumber])?
  private(set) var inputNames: [String] = []
  private(set) var inputCount = 0
  /// Steps and columns that nodes may still make: a node of a few bytes can ask for all columns again.
  private var stepsLeft = 1 << 22

  /// Columns of a graph, which are kept one by one.
  private static let columnsMax = 1 << 16

  /// - Complexity: O(graph).
  init(_ graph: ONNXGraph, source: String) throws(Failure) {
    self.source = source
    for (name, tensor) in graph.constants { values[name] = .constant(tensor) }
    try addInputs(graph)
    for node in graph.nodes {
      guard let first = node.outputs.first else { throw node.failure("it has no outputs") }
      if node.isTreeEnsemble {
        try addTrees(node)
      } else {
        let value = try value(of: node)
        try spend(value, node)
        values[first] = value
      }
    }
  }

  private mutating func spend(_ value: Value, _ node: ONNXNode) throws(Failure) {
    switch value {
    case .columns(let columns, _): stepsLeft -= columns.reduce(0) { $0 + $1.steps.count + 1 }
    case .scores(let scores): stepsLeft -= scores.reduce(0) { $0 + $1.steps.count + 1 }
    default: stepsLeft -= 1
    }
    guard stepsLeft >= 0 else {
      throw node.failure("too many columns are made of others, one node after another")
    }
  }

  // MARK: Inputs

  private mutating func addInputs(_ graph: ONNXGraph) throws(Failure) {
    for input in graph.inputs {
      guard let type = input.type.flatMap(ONNXType.init) else {
        throw failure(
          "input '\(input.name)' has type \(input.type.map(String.init) ?? "none"); only numbers are"
            + " supported: types 1, 6, 7, 11")
      }
      let width = try width(of: input, graph)
      guard width <= Self.columnsMax - inputCount else {
        throw failure("more than \(Self.columnsMax) inputs")
      }
      let columns = (inputCount..<inputCount + width).map { DerivedNumber(input: $0) }
      values[input.name] = .columns(columns, type)
      inputCount += width
      inputNames +=
        width == 1 ? [input.name] : (0..<width).map { "\(input.name)_\($0)" }
    }
    // One matrix has no names for its columns.
    if graph.inputs.count == 1, inputCount > 1 { inputNames = [] }
  }

  /// The columns of an input. Where the file leaves them open, as many as the trees ask for.
  private func width(of input: ONNXPort, _ graph: ONNXGraph) throws(Failure) -> Int {
    if let dims = input.dims {
      guard dims.count == 2 else {
        throw failure("input '\(input.name)' has \(dims.count) dimensions, not rows and columns")
      }
      if let width = dims[1] { return width }
    }
    guard graph.inputs.count == 1 else {
      throw failure("input '\(input.name)' leaves open how many columns it has")
    }
    var width = 1
    for node in graph.nodes where node.isTreeEnsemble {
      for feature in node.attributes["nodes_featureids"]?.integers ?? [] {
        guard 0..<Self.columnsMax ~= feature else {
          throw node.failure("feature \(feature) is outside 0..<\(Self.columnsMax)")
        }
        width = max(width, feature + 1)
      }
    }
    return width
  }

  // MARK: Nodes

  private mutating func addTrees(_ node: ONNXNode) throws(Failure) {
    guard trees == nil else {
      throw node.failure("a second tree ensemble in one file is not supported yet")
    }
    guard case .columns(let columns, let type) = try argument(0, of: node) else {
      throw node.failure("its input is not made of the graph's inputs")
    }
    let read = try ONNXTrees(node, isWide: type == .double)
    trees = (read, columns)
    if read.isClassifier { values[node.outputs[0]] = .labels }
    guard let scores = read.isClassifier ? node.outputs.dropFirst().first : node.outputs.first
    else {
      return
    }
    values[scores] = .scores((0..<read.outputCount).map { ONNXScore(source: $0) })
  }

  /// What a node gives, but for the trees.
  private func value(of node: ONNXNode) throws(Failure) -> Value {
    switch node.title {
    case "Identity": return try argument(0, of: node)
    case "Cast": return try cast(node)
    case "Concat": return try concatenated(node)
    case "Add", "Sub", "Mul", "Div": return try arithmetic(node)
    case "Exp":
      guard case .scores(let scores) = try argument(0, of: node) else { break }
      return .scores(scores.map { $0.then(.exponential) })
    case "ArgMax":
      guard case .scores(let scores) = try argument(0, of: node),
        [1, -1].contains(node.integer("axis", default: 0)),
        node.integer("select_last_index", default: 0) == 0
      else { break }
      return .largest(scores)
    case "Reshape":
      switch try argument(0, of: node) {
      case .labels: return .labels
      case .largest(let scores): return .largest(scores)
      default: break
      }
    case "Constant":
      guard let tensor = node.attributes["value"]?.tensor else { break }
      return .constant(tensor)
    case "ai.onnx.ml.Scaler": return try scaled(node)
    case "ai.onnx.ml.Imputer": return try imputed(node)
    case "ai.onnx.ml.ArrayFeatureExtractor": return try picked(node)
    case "ai.onnx.ml.ZipMap":
      guard case .scores(let scores) = try argument(0, of: node) else { break }
      return .scores(scores)
    default: throw node.failure("this operator is not supported yet", hint: Self.hint)
    }
    throw node.failure("this use of the operator is not supported yet", hint: Self.hint)
  }

  private static let hint =
    "trees are, with Cast, Concat, Scaler, Imputer and arithmetic around them; export the model without the rest"

  private func argument(_ index: Int, of node: ONNXNode) throws(Failure) -> Value {
    guard node.inputs.indices.contains(index) else {
      throw node.failure("input \(index) is missing")
    }
    guard let value = values[node.inputs[index]] else {
      throw node.failure("its input '\(node.inputs[index])' is made by no node before it")
    }
    return value
  }

  private func cast(_ node: ONNXNode) throws(Failure) -> Value {
    let target = node.integer("to", default: 0)
    switch (try argument(0, of: node), ONNXType(rawValue: target)) {
    case (.columns(let columns, .float), .double?):
      return .columns(columns.map(\.rounded), .double)
    case (.columns(let columns, _), .double?): return .columns(columns, .double)
    case (.columns(let columns, .double), .float?):
      return .columns(columns.map { $0.then(.round) }, .float)
    case (.columns(let columns, _), .float?): return .columns(columns, .float)
    // Labels are told by their place, whatever they are.
    case (.labels, _): return .labels
    case (.largest(let scores), _): return .largest(scores)
    case (.scores(let scores), .float?): return .scores(scores)
    default: throw node.failure("a cast to type \(target) is not supported here", hint: Self.hint)
    }
  }

  private func concatenated(_ node: ONNXNode) throws(Failure) -> Value {
    var columns: [DerivedNumber] = []
    var scores: [ONNXScore] = []
    var type: ONNXType?
    guard [1, -1].contains(node.integer("axis", default: 0)) else {
      throw node.failure("only columns are put side by side: axis 1")
    }
    for index in node.inputs.indices {
      switch try argument(index, of: node) {
      case .columns(let more, let its) where scores.isEmpty && (type ?? its) == its:
        columns += more
        type = its
      case .scores(let more) where columns.isEmpty: scores += more
      default: throw node.failure("input '\(node.inputs[index])' does not fit those before it")
      }
      // Inputs may be repeated, so a small file could ask for any number.
      guard columns.count + scores.count <= Self.columnsMax else {
        throw node.failure("more than \(Self.columnsMax) columns")
      }
    }
    if let type { return .columns(columns, type) }
    return .scores(scores)
  }

  // MARK: Arithmetic

  /// A number for each column: one of a list, or all the same.
  private func spread(
    _ numbers: [Double], over count: Int, _ name: String, of node: ONNXNode
  ) throws(Failure) -> [Double] {
    if numbers.count == count { return numbers }
    guard numbers.count == 1 else {
      throw node.failure("\(numbers.count) values in \(name) for \(count) columns")
    }
    return Array(repeating: numbers[0], count: count)
  }

  private func arithmetic(_ node: ONNXNode) throws(Failure) -> Value {
    let isFirst: Bool
    let other: ONNXTensor
    let value: Value
    switch (try argument(0, of: node), try argument(1, of: node)) {
    case (.constant(let constant), let second): (isFirst, other, value) = (true, constant, second)
    case (let first, .constant(let constant)): (isFirst, other, value) = (false, constant, first)
    default: throw node.failure("neither of its inputs is a constant", hint: Self.hint)
    }
    switch value {
    case .columns(let columns, let type):
      guard other.type == type.rawValue, type == .float || type == .double else {
        throw node.failure("type \(other.type) with columns of type \(type.rawValue)")
      }
      let numbers = try spread(other.numbers, over: columns.count, "its constant", of: node)
      var results: [DerivedNumber] = []
      for (column, number) in zip(columns, numbers) {
        let step: DerivedNumber.Step
        switch node.operation {
        case "Add": step = .add(number)
        case "Mul": step = .multiply(number)
        case "Sub" where !isFirst: step = .subtract(number)
        case "Div" where !isFirst: step = .divide(number)
        default: throw node.failure("a constant comes first, which is not supported yet")
        }
        results.append(type == .float ? column.rounded.then(step, .round) : column.then(step))
      }
      return .columns(results, type)
    case .scores(let scores):
      guard other.type == ONNXType.float.rawValue else {
        throw node.failure("type \(other.type) with scores of type \(ONNXType.float.rawValue)")
      }
      let numbers = try spread(other.numbers, over: scores.count, "its constant", of: node)
      var results: [ONNXScore] = []
      for (score, number) in zip(scores, numbers) {
        switch node.operation {
        case "Add": results.append(score.then(.add(Float(number))))
        case "Mul": results.append(score.then(.multiply(Float(number))))
        case "Sub" where isFirst: results.append(score.then(.subtractFrom(Float(number))))
        case "Div" where !isFirst: results.append(score.then(.divide(Float(number))))
        default: throw node.failure("this order of its inputs is not supported yet")
        }
      }
      return .scores(results)
    default: throw node.failure("its input is neither columns nor scores", hint: Self.hint)
    }
  }

  /// (x - offset) × scale, which is in 32 bits in the end.
  private func scaled(_ node: ONNXNode) throws(Failure) -> Value {
    guard case .columns(let columns, let type) = try argument(0, of: node) else {
      throw node.failure("its input is not made of the graph's inputs")
    }
    func numbers(_ name: String) throws(Failure) -> [Double] {
      let floats = node.attributes[name]?.floats ?? []
      return try spread(floats.map { Double($0) }, over: columns.count, name, of: node)
    }
    let (offsets, scales) = (try numbers("offset"), try numbers("scale"))
    return .columns(
      columns.indices.map { index in
        let (offset, scale) = (offsets[index], scales[index])
        switch type {
        case .double: return columns[index].then(.subtract(offset), .multiply(scale), .round)
        case .float, .int32, .int64:
          return columns[index].rounded.then(
            .subtract(offset), .round, .multiply(scale), .round)
        }
      }, .float)
  }

  private func imputed(_ node: ONNXNode) throws(Failure) -> Value {
    guard case .columns(let columns, .float) = try argument(0, of: node) else {
      throw node.failure("its input is not 32-bit floats from the graph's inputs", hint: Self.hint)
    }
    let floats = (node.attributes["imputed_value_floats"]?.floats ?? []).map { Double($0) }
    let numbers = try spread(floats, over: columns.count, "imputed_value_floats", of: node)
    let replaced = Double(node.attributes["replaced_value_float"]?.float ?? 0)
    return .columns(
      zip(columns, numbers).map { $0.rounded.then(.replace(replaced, by: $1)) }, .float)
  }

  /// Some of the columns or scores; or the label of the largest.
  private func picked(_ node: ONNXNode) throws(Failure) -> Value {
    let value = try argument(0, of: node)
    let chosen = try argument(1, of: node)
    if case .constant = value, case .largest(let scores) = chosen { return .largest(scores) }
    guard case .constant(let places) = chosen else {
      throw node.failure("which it picks is not constant", hint: Self.hint)
    }
    func pick<Element>(_ list: [Element]) throws(Failure) -> [Element] {
      var found: [Element] = []
      for number in places.numbers {
        guard let place = Int(exactly: number), list.indices.contains(place) else {
          throw node.failure("picks \(number) of \(list.count)")
        }
        found.append(list[place])
      }
      return found
    }
    switch value {
    case .columns(let columns, let type): return .columns(try pick(columns), type)
    case .scores(let scores): return .scores(try pick(scores))
    default: throw node.failure("picks from what is neither columns nor scores", hint: Self.hint)
    }
  }

  // MARK: Outputs

  /// The scores that the graph gives, and whether its labels are the largest of them rather than the
  /// trees' own.
  func outputs(_ graph: ONNXGraph) throws(Failure) -> (scores: [ONNXScore], largest: Bool) {
    var scores: [ONNXScore]?
    var largest: [ONNXScore]?
    for output in graph.outputs {
      switch values[output.name] {
      case .scores(let found):
        guard scores == nil else {
          throw failure("output '\(output.name)' is a second one with scores: not supported yet")
        }
        scores = found
      case .labels: break
      case .largest(let found): largest = found
      case .columns, .constant:
        throw failure("output '\(output.name)' does not come from the trees")
      case nil: throw failure("output '\(output.name)' is made by no node")
      }
    }
    guard let scores else { throw failure("no output has the trees' scores") }
    guard largest == nil || largest == scores else {
      throw failure("the labels are those of other scores than the outputs'")
    }
    return (scores, largest != nil)
  }

  func failure(_ reason: String) -> Failure { .badData("\(source): \(reason)") }
}
