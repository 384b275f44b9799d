// XGBoost's JSON, as `save_model("….json")` has written it since 1.0 (src/learner.cc,
// src/gbm/gbtree_model.cc and src/tree/tree_model.cc in dmlc/xgboost):
//
//     { "version": [3, 2, 0],
//       "learner": {
//         "learner_model_param": { "base_score": "[5E-1]", "num_class": "0", … },
//         "objective": { "name": "binary:logistic", … },
//         "feature_names": [], "feature_types": [], "attributes": { "best_iteration": "7", … },
//         "gradient_booster": { "name": "gbtree", "model": {
//           "gbtree_model_param": { "num_trees": "20", "num_parallel_tree": "1" },
//           "trees": [ { "left_children": [1, -1, -1], … }, … ],
//           "tree_info": [0, 0, …], "iteration_indptr": [0, 1, …], "cats": { … } } } } }
//
// What changed over the versions: `default_left` was true or false, now it is 0 or 1; `base_score`
// became a list in brackets in 3.1; `split_type` and categories came in 1.3, names in 1.4,
// `iteration_indptr` in 2.0. Members that are not known are passed over; libraries add some in
// every release, and those that change the arithmetic are named here and refused. Members may come
// in any order; XGBoost itself sorts them, so that most parameters stand behind the trees.

import Core

struct XGBoostJSON {
  private static let name = "xgboost-json"

  static let format = ModelFormat(
    name: name, title: "XGBoost JSON", recognizes: recognizes
  ) { (bytes, source, options) throws(Failure) in
    var reader = XGBoostJSON(file: XGBoostFile(source: source, format: name))
    var json = ModelJSON(bytes, source: source)
    try reader.read(&json)
    return try reader.file.model(options, fingerprint: SHA256.hex(of: bytes))
  }

  /// An object with a member "learner", which XGBoost writes first.
  private static func recognizes(_ bytes: Bytes) -> Bool {
    var cursor = JSONCursor(bytes, allowsNonFinite: true)
    var first = true
    do throws(JSONError) {
      try cursor.beginObject()
      while let key = try cursor.nextKey(first: &first) {
        if key.bytes == "learner" { return true }
        try cursor.skipValue()
      }
    } catch {
      return false
    }
    return false
  }

  private var file: XGBoostFile
  private var draft = TreeDraft()
  private var defaultLeft: [Bool] = []

  // MARK: Reading

  private mutating func read(_ json: inout ModelJSON) throws(Failure) {
    try json.members { (json, name) throws(Failure) in
      switch name {
      case "learner": try readLearner(&json)
      case "version": try json.integers(into: &file.version)
      default: try json.skip()
      }
    }
    try json.finish()
  }

  private mutating func readLearner(_ json: inout ModelJSON) throws(Failure) {
    try json.members { (json, name) throws(Failure) in
      switch name {
      case "attributes": try readAttributes(&json)
      case "feature_names": file.inputNames = try json.strings()
      case "feature_types": file.inputTypes = try json.strings()
      case "gradient_booster": try readBooster(&json)
      case "learner_model_param": try readParameters(&json)
      case "objective": try readObjective(&json)
      default: try json.skip()
      }
    }
  }

  private mutating func readAttributes(_ json: inout ModelJSON) throws(Failure) {
    try json.members { (json, name) throws(Failure) in
      switch name {
      case "best_iteration": file.bestIteration = try json.parameter()
      case "scikit_learn":
        file.isFromScikitLearn = true
        try json.skip()
      default: try json.skip()
      }
    }
  }

  private mutating func readParameters(_ json: inout ModelJSON) throws(Failure) {
    try json.members { (json, name) throws(Failure) in
      switch name {
      case "base_score": file.baseScores = try readBaseScores(&json)
      case "num_class": file.classCount = try json.parameter()
      case "num_feature": file.inputCount = try json.parameter()
      case "num_target": file.targetCount = try json.parameter()
      default: try json.skip()
      }
    }
  }

  /// `"5E-1"` up to 3.0; `"[5E-1]"` or one number for each output since 3.1.
  private func readBaseScores(_ json: inout ModelJSON) throws(Failure) -> [Float] {
    let text = try json.string()
    let inside =
      text.hasPrefix("[") && text.hasSuffix("]") ? text.dropFirst().dropLast() : text[...]
    var scores: [Float] = []
    for part in inside.split(separator: ",", omittingEmptySubsequences: false) {
      let digits = Array(part.utf8)
      guard
        let score = digits.withBytes({ $0.trimmed.isDecimal ? JSONNumber.float($0.trimmed) : nil })
      else {
        throw json.failure("'\(text)' is not a number or a list of numbers in brackets")
      }
      scores.append(score)
    }
    return scores
  }

  private mutating func readObjective(_ json: inout ModelJSON) throws(Failure) {
    try json.members { (json, name) throws(Failure) in
      switch name {
      case "name": file.objective = try json.string()
      case "softmax_multiclass_param":
        try json.members { (json, name) throws(Failure) in
          if name == "num_class" {
            file.softmaxClassCount = try json.parameter()
          } else {
            try json.skip()
          }
        }
      default: try json.skip()
      }
    }
  }

  private mutating func readBooster(_ json: inout ModelJSON) throws(Failure) {
    try json.members { (json, name) throws(Failure) in
      switch name {
      case "name": file.booster = try json.string()
      case "model": try readTreeModel(&json)
      default: try json.skip()
      }
    }
  }

  private mutating func readTreeModel(_ json: inout ModelJSON) throws(Failure) {
    try json.members { (json, name) throws(Failure) in
      switch name {
      case "gbtree_model_param": try readTreeModelParameters(&json)
      case "tree_info": try json.integers(into: &file.treeOutputs)
      case "iteration_indptr": try json.integers(into: &file.roundStarts)
      case "cats": try refuseCategoryNames(&json)
      case "weight_drop": try refuseTreeWeights(&json)
      case "trees":
        guard !file.treesSeen else { throw json.failure("given twice") }
        file.treesSeen = true
        try json.elements { (json, index) throws(Failure) in try readTree(&json, index) }
      default: try json.skip()
      }
    }
  }

  private mutating func readTreeModelParameters(_ json: inout ModelJSON) throws(Failure) {
    try json.members { (json, name) throws(Failure) in
      switch name {
      case "num_trees": file.declaredTreeCount = try json.parameter()
      case "num_parallel_tree": file.parallelTreeCount = try json.parameter()
      default: try json.skip()
      }
    }
  }

  /// Since 3.1 a model that was trained on a data frame holds the categories' names, and the data's
  /// own codes mean nothing without them.
  private func refuseCategoryNames(_ json: inout ModelJSON) throws(Failure) {
    try json.members { (json, name) throws(Failure) in
      guard name == "enc" else { return try json.skip() }
      try json.elements { (json, _) throws(Failure) in
        try json.members { (json, name) throws(Failure) in
          guard name == "values" else { return try json.skip() }
          try json.elements { (json, _) throws(Failure) in
            throw json.failure(
              "categories kept by name are not supported yet",
              hint: "train on integer codes in a NumPy array, with feature_types \"c\"")
          }
        }
      }
    }
  }

  /// DART's weights lie among the trees since 3.4, where the booster's name no longer tells.
  private func refuseTreeWeights(_ json: inout ModelJSON) throws(Failure) {
    var weights: [Double] = []
    try json.floats(into: &weights)
    guard weights.allSatisfy({ $0 == 1 }) else {
      throw json.failure("DART, trees with weights, is not supported yet")
    }
  }

  private mutating func readTree(_ json: inout ModelJSON, _ index: Int) throws(Failure) {
    draft.removeAll()
    defaultLeft.removeAll(keepingCapacity: true)
    var declaredNodeCount: Int?
    try json.members { (json, name) throws(Failure) in
      switch name {
      case "id":
        let id = try json.integer()
        guard id == index else { throw json.failure("\(id) for the tree at place \(index)") }
      case "tree_param": declaredNodeCount = try readTreeParameters(&json)
      case "left_children": try json.integers(into: &draft.left)
      case "right_children": try json.integers(into: &draft.right)
      case "split_indices": try json.integers(into: &draft.feature)
      case "split_conditions": try json.floats(into: &draft.value)
      case "sum_hessian": try json.floats(into: &draft.cover)
      case "loss_changes": try json.floats(into: &draft.gain)
      case "default_left": try json.bools(into: &defaultLeft)
      case "split_type": try json.bools(into: &draft.isCategorical)
      case "categories": try json.integers(into: &draft.categories)
      case "categories_nodes": try json.integers(into: &draft.categoryNodes)
      case "categories_segments": try json.integers(into: &draft.categoryStarts)
      case "categories_sizes": try json.integers(into: &draft.categoryCounts)
      default: try json.skip()
      }
    }
    if let declared = declaredNodeCount, declared != draft.left.count {
      throw json.failure("\(draft.left.count) nodes, but num_nodes is \(declared)")
    }
    for left in defaultLeft { draft.missing.append(left ? .left : .right) }
    try file.trees.add(draft)
  }

  /// Returns the number of nodes.
  private func readTreeParameters(_ json: inout ModelJSON) throws(Failure) -> Int? {
    var nodeCount: Int?
    try json.members { (json, name) throws(Failure) in
      switch name {
      case "num_nodes": nodeCount = try json.parameter()
      case "size_leaf_vector":
        // 0 up to 1.7 and 1 since then for a plain leaf.
        let size = try json.parameter()
        guard size <= 1 else {
          throw json.failure(
            "leaves of \(size) values are not supported yet",
            hint: "train with multi_strategy one_output_per_tree")
        }
      default: try json.skip()
      }
    }
    return nodeCount
  }
}
