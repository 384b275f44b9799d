// XGBoost's model document, as JSON or UBJSON: what `save_model` has written since 1.0
// (src/learner.cc, src/gbm/gbtree_model.cc and src/tree/tree_model.cc in dmlc/xgboost):
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
// `iteration_indptr` in 2.0, `cats` in 3.1. DART was a booster around a tree booster, with
// `weight_drop` beside it; since 3.4 it is one more member of the model:
//
//     up to 3.3    { "name": "dart", "gbtree": { "model": { … } }, "weight_drop": [ … ] }
//     since 3.4    { "name": "gbtree", "model": { …, "weight_drop": [ … ] } }
//     gblinear     { "name": "gblinear", "model": { "weights": [ … ], "boosted_rounds": 8 } }
//
// Members that are not known are passed over; libraries add some in every release. Members may come
// in any order; XGBoost itself sorts them, so that most parameters stand behind the trees.

import Core

struct XGBoostReader {
  static func read(
    _ document: inout ModelDocument, format: String, _ options: ModelOptions, fingerprint: String
  ) throws(Failure) -> Model {
    var reader = XGBoostReader(file: XGBoostFile(source: document.source, format: format))
    try reader.read(&document)
    return try reader.file.model(options, fingerprint: fingerprint)
  }

  private var file: XGBoostFile
  private var tree = XGBoostTree()

  // MARK: Reading

  private mutating func read(_ document: inout ModelDocument) throws(Failure) {
    try document.members { (document, name) throws(Failure) in
      switch name {
      case "learner": try readLearner(&document)
      case "version": try document.integers(into: &file.version)
      default: try document.skip()
      }
    }
    try document.finish()
  }

  private mutating func readLearner(_ document: inout ModelDocument) throws(Failure) {
    try document.members { (document, name) throws(Failure) in
      switch name {
      case "attributes": try readAttributes(&document)
      case "feature_names": file.inputNames = try document.strings()
      case "feature_types": file.inputTypes = try document.strings()
      case "gradient_booster": try readBooster(&document)
      case "learner_model_param": try readParameters(&document)
      case "objective": try readObjective(&document)
      default: try document.skip()
      }
    }
  }

  private mutating func readAttributes(_ document: inout ModelDocument) throws(Failure) {
    try document.members { (document, name) throws(Failure) in
      switch name {
      case "best_iteration": file.bestIteration = try document.parameter()
      case "scikit_learn":
        file.isFromScikitLearn = true
        try document.skip()
      default: try document.skip()
      }
    }
  }

  private mutating func readParameters(_ document: inout ModelDocument) throws(Failure) {
    try document.members { (document, name) throws(Failure) in
      switch name {
      case "base_score": file.baseScores = try readBaseScores(&document)
      case "num_class": file.classCount = try document.parameter()
      case "num_feature": file.inputCount = try document.parameter()
      case "num_target": file.targetCount = try document.parameter()
      default: try document.skip()
      }
    }
  }

  /// `"5E-1"` up to 3.0; `"[5E-1]"` or one number for each output since 3.1.
  private func readBaseScores(_ document: inout ModelDocument) throws(Failure) -> [Float] {
    let text = try document.string()
    let inside =
      text.hasPrefix("[") && text.hasSuffix("]") ? text.dropFirst().dropLast() : text[...]
    var scores: [Float] = []
    for part in inside.split(separator: ",", omittingEmptySubsequences: false) {
      let digits = Array(part.utf8)
      guard
        let score = digits.withBytes({ $0.trimmed.isDecimal ? JSONNumber.float($0.trimmed) : nil })
      else {
        throw document.failure("'\(text)' is not a number or a list of numbers in brackets")
      }
      scores.append(score)
    }
    return scores
  }

  private mutating func readObjective(_ document: inout ModelDocument) throws(Failure) {
    try document.members { (document, name) throws(Failure) in
      switch name {
      case "name": file.objective = try document.string()
      case "softmax_multiclass_param":
        try document.members { (document, name) throws(Failure) in
          if name == "num_class" {
            file.softmaxClassCount = try document.parameter()
          } else {
            try document.skip()
          }
        }
      default: try document.skip()
      }
    }
  }

  private mutating func readBooster(_ document: inout ModelDocument) throws(Failure) {
    try document.members { (document, name) throws(Failure) in
      switch name {
      case "name": file.booster = try document.string()
      case "model": try readModel(&document)
      case "weight_drop": try document.floats(into: &file.treeWeights)
      case "gbtree":
        try document.members { (document, name) throws(Failure) in
          if name == "model" { try readModel(&document) } else { try document.skip() }
        }
      default: try document.skip()
      }
    }
  }

  private mutating func readModel(_ document: inout ModelDocument) throws(Failure) {
    try document.members { (document, name) throws(Failure) in
      switch name {
      case "gbtree_model_param": try readTreeModelParameters(&document)
      case "tree_info": try document.integers(into: &file.treeOutputs)
      case "iteration_indptr": try document.integers(into: &file.roundStarts)
      case "cats": file.categories = try XGBoostCategories.read(&document)
      case "weight_drop": try document.floats(into: &file.treeWeights)
      case "weights": try document.floats(into: &file.linearWeights)
      case "boosted_rounds": file.boostedRounds = try document.integer()
      case "trees":
        guard !file.treesSeen else { throw document.failure("given twice") }
        file.treesSeen = true
        try document.elements { (document, index) throws(Failure) in
          try tree.read(&document, index, into: &file.trees)
        }
      default: try document.skip()
      }
    }
  }

  private mutating func readTreeModelParameters(_ document: inout ModelDocument) throws(Failure) {
    try document.members { (document, name) throws(Failure) in
      switch name {
      case "num_trees": file.declaredTreeCount = try document.parameter()
      case "num_parallel_tree": file.parallelTreeCount = try document.parameter()
      default: try document.skip()
      }
    }
  }
}
