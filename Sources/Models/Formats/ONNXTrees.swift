// The attributes of a TreeEnsembleClassifier or TreeEnsembleRegressor (ai.onnx.ml, versions 1 and 3):
// lists with an entry for each node of all trees, and lists with an entry for each weight of a leaf.
//
//     nodes_treeids                  0 0 0 | 1 …      the first of a tree's nodes is its root
//     nodes_nodeids                  0 1 2 | 0 …
//     nodes_featureids               3 0 0
//     nodes_modes                    BRANCH_LEQ LEAF LEAF
//     nodes_values                   0.5 0 0          or nodes_values_as_tensor, of doubles
//     nodes_truenodeids              1 0 0
//     nodes_falsenodeids             2 0 0
//     nodes_missing_value_tracks_true  1 0 0
//     class_treeids, class_nodeids, class_ids, class_weights     of a regressor target_…
//
// A missing value fails every comparison but `!=`, unless it tracks true. A forest compares in one way
// only, so `>` becomes `<=` with its sides changed, and where a file mixes `<` with `<=`, `<` becomes
// `<=` of the next number below.
//
// Whether a value equals another is asked of an input of its own, `DerivedNumber.Step.isAmong`.
// LightGBM's categories come as chains of such splits that share their true side, so that what is
// called a tree is none: a chain becomes one split by a set. What is shared otherwise is copied, up to
// a bound.

import Core

struct ONNXTrees {
  private enum Mode { case leaf, atMost, below, atLeast, above, equal, unequal }

  private struct Place: Hashable {
    let tree: Int
    let node: Int
  }

  let node: ONNXNode
  let isClassifier: Bool
  /// `class` or `target`.
  let prefix: String
  /// Classes or targets.
  let outputCount: Int
  /// Whether inputs and values have 64 bits.
  let isWide: Bool

  private var treeIDs: [Int] = []
  private var features: [Int] = []
  private var values: [Double] = []
  private var modes: [Mode] = []
  private var trueNodes: [Int] = []
  private var falseNodes: [Int] = []
  private var tracksTrue: [Bool] = []
  private var entries: [Place: Int] = [:]

  /// What a weight is added to, and the weights; a node's are a chain from its `firstWeight` on.
  private(set) var weightIDs: [Int] = []
  private(set) var weights: [Double] = []
  private var firstWeight: [Int] = []
  private var nextWeight: [Int] = []

  private(set) var baseValues: [Double] = []
  /// The nodes of each tree.
  private var trees: [Range<Int>] = []

  /// Nodes made from each in the file, on the whole, where nodes are shared.
  private static let copiesMax = 4
  /// Values that leaves may have for each weight in the file, on the whole: zeros where there is none.
  private static let zerosMax = 16

  init(_ node: ONNXNode, isWide: Bool) throws(Failure) {
    (self.node, self.isWide) = (node, isWide)
    isClassifier = node.operation == "TreeEnsembleClassifier"
    prefix = isClassifier ? "class" : "target"
    let labels = [
      node.attributes["classlabels_int64s"]?.integers.count,
      node.attributes["classlabels_strings"]?.texts.count,
    ]
    outputCount =
      isClassifier ? labels.compactMap(\.self).max() ?? 0 : node.integer("n_targets", default: 1)
    let least = isClassifier ? 2 : 1
    guard least...Limits.modelOutputsMax ~= outputCount else {
      throw node.failure(
        "\(outputCount) \(isClassifier ? "class labels are" : "targets in n_targets are") outside "
          + "\(least)...\(Limits.modelOutputsMax)")
    }
    try readNodes()
    try readWeights()
    baseValues = try numbers("base_values")
  }

  var largestFeature: Int { features.max() ?? 0 }
  var treeCount: Int { trees.count }

  // MARK: Reading

  private func numbers(_ name: String) throws(Failure) -> [Double] {
    let plain = node.attributes[name]?.floats ?? []
    guard let tensor = node.attributes[name + "_as_tensor"]?.tensor else {
      return plain.map(Double.init)
    }
    guard plain.isEmpty else { throw node.failure("\(name) and \(name)_as_tensor are both given") }
    // As the runtime has it: as wide as the inputs.
    guard tensor.type == (isWide ? ONNXType.double : .float).rawValue else {
      throw node.failure(
        "\(name)_as_tensor has type \(tensor.type), but inputs have \(isWide ? 64 : 32) bits")
    }
    return tensor.numbers
  }

  private mutating func readNodes() throws(Failure) {
    func integers(_ name: String) -> [Int] { node.attributes[name]?.integers ?? [] }
    treeIDs = integers("nodes_treeids")
    let nodeIDs = integers("nodes_nodeids")
    features = integers("nodes_featureids")
    trueNodes = integers("nodes_truenodeids")
    falseNodes = integers("nodes_falsenodeids")
    values = try numbers("nodes_values")
    for text in node.attributes["nodes_modes"]?.texts ?? [] { modes.append(try mode(text)) }
    let tracks = integers("nodes_missing_value_tracks_true")
    guard !treeIDs.isEmpty else {
      throw node.failure("nodes_treeids is missing: there are no trees")
    }
    for (name, count) in [
      ("nodes_nodeids", nodeIDs.count), ("nodes_featureids", features.count),
      ("nodes_truenodeids", trueNodes.count), ("nodes_falsenodeids", falseNodes.count),
      ("nodes_values", values.count), ("nodes_modes", modes.count),
      ("nodes_missing_value_tracks_true", tracks.isEmpty ? treeIDs.count : tracks.count),
    ] where count != treeIDs.count {
      throw node.failure("\(count) values in \(name) for \(treeIDs.count) nodes")
    }
    tracksTrue =
      tracks.isEmpty ? Array(repeating: false, count: treeIDs.count) : tracks.map { $0 == 1 }
    var seen: Set<Int> = []
    for (entry, tree) in treeIDs.enumerated() {
      if entry == 0 || treeIDs[entry - 1] != tree {
        guard seen.insert(tree).inserted else {
          throw node.failure("the nodes of tree \(tree) do not stand together")
        }
        trees.append(entry..<entry)
      }
      trees[trees.count - 1] = trees[trees.count - 1].lowerBound..<entry + 1
      let place = Place(tree: tree, node: nodeIDs[entry])
      guard entries.updateValue(entry, forKey: place) == nil else {
        throw node.failure("tree \(tree) has two nodes \(place.node)")
      }
    }
  }

  private func mode(_ text: Bytes) throws(Failure) -> Mode {
    switch text.string {
    case "LEAF": .leaf
    case "BRANCH_LEQ": .atMost
    case "BRANCH_LT": .below
    case "BRANCH_GTE": .atLeast
    case "BRANCH_GT": .above
    case "BRANCH_EQ": .equal
    case "BRANCH_NEQ": .unequal
    default:
      throw node.failure("nodes_modes: '\(ModelText.excerpt(text))' is not supported yet")
    }
  }

  private mutating func readWeights() throws(Failure) {
    func integers(_ name: String) -> [Int] { node.attributes["\(prefix)_\(name)"]?.integers ?? [] }
    let (treeIDs, nodeIDs) = (integers("treeids"), integers("nodeids"))
    weightIDs = integers("ids")
    weights = try numbers("\(prefix)_weights")
    for (name, count) in [
      ("treeids", treeIDs.count), ("nodeids", nodeIDs.count), ("ids", weightIDs.count),
    ] where count != weights.count {
      throw node.failure("\(count) values in \(prefix)_\(name) for \(weights.count) weights")
    }
    firstWeight = Array(repeating: -1, count: values.count)
    nextWeight = Array(repeating: -1, count: weights.count)
    for weight in weights.indices.reversed() {
      guard let entry = entries[Place(tree: treeIDs[weight], node: nodeIDs[weight])] else {
        throw node.failure(
          "weight \(weight) is that of tree \(treeIDs[weight]), node \(nodeIDs[weight]), which is not there"
        )
      }
      nextWeight[weight] = firstWeight[entry]
      firstWeight[entry] = weight
    }
  }

  // MARK: Weights

  /// The weights of a leaf, in the file's order.
  private func weights(of entry: Int) -> [Int] {
    guard modes[entry] == .leaf else { return [] }
    var found: [Int] = []
    var weight = firstWeight[entry]
    while weight >= 0 {
      found.append(weight)
      weight = nextWeight[weight]
    }
    return found
  }

  /// Whether each leaf's weight of the first of two classes is its weight of the second, negated.
  var isMirrored: Bool {
    modes.indices.allSatisfy { entry in
      guard modes[entry] == .leaf else { return true }
      let found = weights(of: entry)
      return found.count == 2 && weightIDs[found[0]] == 0 && weightIDs[found[1]] == 1
        && weights[found[0]] == -weights[found[1]]
    }
  }

  /// Of so many classes those to which some row's trees may add nothing.
  func unsure(of count: Int) -> [Int] {
    var sure: Set<Int> = []
    for tree in trees {
      var inAll: Set<Int>?
      for entry in tree where modes[entry] == .leaf {
        let ids = Set(weights(of: entry).map { weightIDs[$0] })
        inAll = inAll?.intersection(ids) ?? ids
      }
      sure.formUnion(inAll ?? [])
    }
    return (0..<count).filter { !sure.contains($0) }
  }

  // MARK: Trees

  /// The forest of these trees, which adds the weights of each id in `ids` to an output of its own.
  struct Plan {
    let columns: [DerivedNumber]
    let inputCount: Int
    let ids: [Int]
  }

  /// Fills a builder with all trees.
  ///
  /// - Returns: the output of each tree, and the numbers that are derived for it.
  /// - Complexity: O(nodes × outputs).
  func build(_ plan: Plan) throws(Failure) -> (ForestBuilder, outputs: [Int], [DerivedNumber]) {
    let mixes = modes.contains(.atMost) || modes.contains(.above)
    let comparison: Forest.Comparison =
      isWide
      ? .exactAtMost
      : !mixes && (modes.contains(.below) || modes.contains(.atLeast)) ? .floatBelow : .floatAtMost
    var growth = Growth(
      trees: ForestBuilder(source: node.source, comparison: comparison),
      derived: ONNXDerived(inputCount: plan.inputCount, isWide: isWide), comparison: comparison,
      nodesLeft: values.count * Self.copiesMax + 1_024,
      valuesLeft: weights.count * Self.zerosMax + 1 << 20)
    let outputOfID = Dictionary(
      plan.ids.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
    var outputs: [Int]? = []
    for tree in trees {
      guard let output = try soleOutput(tree, outputOfID) else {
        outputs = nil
        break
      }
      outputs?.append(output)
    }
    let isVector = outputs == nil
    for tree in trees {
      try grow(tree, plan, isVector ? outputOfID : nil, &growth)
    }
    return (
      growth.trees, outputs ?? Array(repeating: 0, count: trees.count), growth.derived.numbers
    )
  }

  /// The one output to which all leaves of a tree add; nil where there are several.
  private func soleOutput(
    _ tree: Range<Int>, _ outputOfID: [Int: Int]
  ) throws(Failure) -> Int? {
    var sole: Int?
    for entry in tree {
      let found = weights(of: entry).compactMap { outputOfID[weightIDs[$0]] }
      guard Set(found).count == found.count else {
        throw node.failure("\(place(entry)): two weights of one \(prefix)")
      }
      for output in found {
        guard sole == nil || sole == output else { return nil }
        sole = output
      }
    }
    return sole ?? 0
  }

  /// What is made while trees are read.
  private struct Growth {
    var trees: ForestBuilder
    var derived: ONNXDerived
    let comparison: Forest.Comparison
    /// How many more nodes may be made, those that a chain goes through included.
    var nodesLeft: Int
    /// How many more values leaves may have, where each has one for each output.
    var valuesLeft: Int
    var draft = TreeDraft()
  }

  /// - Parameter vectors: the output of each id, where leaves have a value for each output.
  private func grow(
    _ tree: Range<Int>, _ plan: Plan, _ vectors: [Int: Int]?, _ growth: inout Growth
  ) throws(Failure) {
    growth.draft.removeAll()
    if vectors != nil { growth.draft.leafWidth = plan.ids.count }
    var queue = [(entry: tree.lowerBound, depth: 0)]
    var next = 0
    while next < queue.count {
      let (entry, depth) = queue[next]
      next += 1
      growth.nodesLeft -= 1
      guard depth < tree.count else { throw node.failure("\(place(entry)): it leads to itself") }
      guard growth.nodesLeft >= 0 else { throw sharedTooMuch(entry) }
      if modes[entry] == .leaf {
        growth.valuesLeft -= vectors == nil ? 0 : plan.ids.count
        guard growth.valuesLeft >= 0 else {
          throw node.failure(
            "leaves of \(plan.ids.count) values, nearly all of them without a weight in the file")
        }
        addLeaf(entry, plan, vectors, &growth.draft)
        continue
      }
      let split = try split(entry, plan, &growth)
      growth.draft.left.append(queue.count)
      growth.draft.right.append(queue.count + 1)
      growth.draft.feature.append(split.feature)
      growth.draft.value.append(split.threshold)
      growth.draft.missing.append(split.missing)
      if vectors != nil { growth.draft.leafEntry.append(-1) }
      queue.append((split.left, depth + 1))
      queue.append((split.right, depth + 1))
    }
    try growth.trees.add(growth.draft)
  }

  private func addLeaf(
    _ entry: Int, _ plan: Plan, _ vectors: [Int: Int]?, _ draft: inout TreeDraft
  ) {
    draft.left.append(-1)
    draft.right.append(-1)
    draft.feature.append(0)
    draft.missing.append(.left)
    let found = weights(of: entry)
    guard let vectors else {
      // A classifier's mirrored weights have another beside.
      let weight = found.first { plan.ids.contains(weightIDs[$0]) }
      draft.value.append(weight.map { weights[$0] } ?? 0)
      return
    }
    draft.value.append(0)
    draft.leafEntry.append(draft.leafVectors.count / plan.ids.count)
    let first = draft.leafVectors.count
    draft.leafVectors += repeatElement(0, count: plan.ids.count)
    for weight in found {
      if let output = vectors[weightIDs[weight]] {
        draft.leafVectors[first + output] = weights[weight]
      }
    }
  }

  // MARK: Splits

  private struct Split {
    let feature: Int
    let threshold: Double
    let missing: Forest.Missing
    let left: Int
    let right: Int
  }

  private func split(
    _ entry: Int, _ plan: Plan, _ growth: inout Growth
  ) throws(Failure) -> Split {
    guard plan.columns.indices.contains(features[entry]) else {
      throw node.failure(
        "\(place(entry)): feature \(features[entry]) is outside 0..<\(plan.columns.count)")
    }
    guard !values[entry].isNaN else { throw node.failure("\(place(entry)): threshold NaN") }
    let isTrue = try child(trueNodes[entry], of: entry)
    let column = plan.columns[features[entry]]
    let tracks = tracksTrue[entry]
    func split(_ threshold: Double, trueIsLeft: Bool, _ isFalse: Int) -> Split {
      Split(
        feature: growth.derived.feature(column), threshold: threshold,
        missing: tracks == trueIsLeft ? .left : .right,
        left: trueIsLeft ? isTrue : isFalse, right: trueIsLeft ? isFalse : isTrue)
    }
    let isFalse = try child(falseNodes[entry], of: entry)
    let value = values[entry]
    switch modes[entry] {
    case .leaf: preconditionFailure("a leaf is no split")
    case .atMost: return split(value, trueIsLeft: true, isFalse)
    case .above: return split(value, trueIsLeft: false, isFalse)
    case .below, .atLeast:
      let trueIsLeft = modes[entry] == .below
      guard growth.comparison != .floatBelow else {
        return split(value, trueIsLeft: trueIsLeft, isFalse)
      }
      // Nothing is below -∞: all that is not missing lies on the other side.
      guard value > -.infinity else { return split(.infinity, trueIsLeft: !trueIsLeft, isFalse) }
      return split(below(value), trueIsLeft: trueIsLeft, isFalse)
    case .equal, .unequal: return try setSplit(entry, column, isTrue, isFalse, &growth)
    }
  }

  private func below(_ value: Double) -> Double {
    isWide ? value.nextDown : Double(Float(value).nextDown)
  }

  /// Whether the input is among some values, those of a chain of splits with the same true side.
  private func setSplit(
    _ entry: Int, _ column: DerivedNumber, _ isTrue: Int, _ isFalse: Int, _ growth: inout Growth
  ) throws(Failure) -> Split {
    var set = [values[entry]]
    var tracks = tracksTrue[entry]
    var isFalse = isFalse
    if modes[entry] == .equal {
      while modes[isFalse] == .equal, features[isFalse] == features[entry],
        !values[isFalse].isNaN, try child(trueNodes[isFalse], of: isFalse) == isTrue
      {
        growth.nodesLeft -= 1
        guard growth.nodesLeft >= 0 else { throw sharedTooMuch(entry) }
        set.append(values[isFalse])
        tracks = tracks || tracksTrue[isFalse]
        isFalse = try child(falseNodes[isFalse], of: isFalse)
      }
    }
    let number = isWide ? column : column.rounded
    let feature = growth.derived.feature(number.then(.isAmong(Array(Set(set)).sorted())))
    // A missing value is no other's equal, so it differs from every one.
    let isEqual = modes[entry] == .equal
    return Split(
      feature: feature, threshold: 0.5,
      missing: isEqual ? (tracks ? .right : .left) : .left,
      left: isEqual ? isFalse : isTrue, right: isEqual ? isTrue : isFalse)
  }

  private func child(_ id: Int, of entry: Int) throws(Failure) -> Int {
    guard let child = entries[Place(tree: treeIDs[entry], node: id)] else {
      throw node.failure("\(place(entry)): its tree has no node \(id)")
    }
    return child
  }

  private func sharedTooMuch(_ entry: Int) -> Failure {
    node.failure(
      "\(place(entry)): nodes are shared, and copies of them would be more than "
        + "\(Self.copiesMax) times what the file has")
  }

  private func place(_ entry: Int) -> String { "tree \(treeIDs[entry]), entry \(entry)" }
}

/// The numbers that a graph's forest asks for besides the row's own.
struct ONNXDerived {
  let inputCount: Int
  /// Whether the forest takes inputs with 64 bits, else it rounds them itself.
  let isWide: Bool
  private(set) var numbers: [DerivedNumber] = []
  private var places: [DerivedNumber: Int] = [:]

  init(inputCount: Int, isWide: Bool) { (self.inputCount, self.isWide) = (inputCount, isWide) }

  /// Which of the forest's inputs a number is: one of the row's own where nothing is done to it but
  /// what the forest itself does.
  mutating func feature(_ number: DerivedNumber) -> Int {
    if number.steps.allSatisfy({ $0 == .round && !isWide }) { return number.input }
    if let place = places[number] { return place }
    let place = inputCount + numbers.count
    numbers.append(number)
    places[number] = place
    return place
  }
}
