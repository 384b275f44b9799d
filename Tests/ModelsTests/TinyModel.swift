import Testing

/// A model of one tree, small enough to read, whose parts a test can replace:
///
///     input 0 < 0.5 ─ yes ─▶ 0.25
///             └─ no ─▶ input 1 in {1, 3} ─ no ─▶ 0.5
///                              └─ yes ─▶ -1
struct TinyModel {
  var left = "[1,-1,3,-1,-1]"
  var right = "[2,-1,4,-1,-1]"
  var feature = "[0,0,1,0,0]"
  var value = "[5E-1,2.5E-1,0,5E-1,-1E0]"
  var defaultLeft = "[1,0,0,0,0]"
  var splitType: String? = "[0,0,1,0,0]"
  var categories = "[1,3]"
  var categoryNodes = "[2]"
  var categoryStarts = "[0]"
  var categoryCounts = "[2]"
  var treeParameters = #"{"num_deleted":"0","num_nodes":"5","size_leaf_vector":"1"}"#
  var treeID = "0"
  var moreOfTree = ""

  var treeInfo = "[0]"
  var roundStarts: String? = "[0,1]"
  var modelParameters = #"{"num_parallel_tree":"1","num_trees":"1"}"#
  var moreOfModel = ""
  var booster = "gbtree"
  var objective = #"{"name":"reg:squarederror"}"#
  var parameters = #"{"base_score":"[0E0]","num_class":"0","num_feature":"2","num_target":"1"}"#
  var featureNames = "[]"
  var attributes = "{}"
  var version = "[3,2,0]"

  var tree: String {
    let types = splitType.map { #""split_type":\#($0),"# } ?? ""
    return """
      {"categories":\(categories),"categories_nodes":\(categoryNodes),\
      "categories_segments":\(categoryStarts),"categories_sizes":\(categoryCounts),\
      "default_left":\(defaultLeft),"id":\(treeID),"left_children":\(left),\(types)\
      "right_children":\(right),"split_conditions":\(value),"split_indices":\(feature),\
      \(moreOfTree)"tree_param":\(treeParameters)}
      """
  }

  var model: String {
    let starts = roundStarts.map { #""iteration_indptr":\#($0),"# } ?? ""
    return """
      {"gbtree_model_param":\(modelParameters),\(starts)\(moreOfModel)\
      "tree_info":\(treeInfo),"trees":[\(tree)]}
      """
  }

  var text: String {
    """
    {"learner":{"attributes":\(attributes),"feature_names":\(featureNames),"feature_types":[],\
    "gradient_booster":{"model":\(model),"name":"\(booster)"},\
    "learner_model_param":\(parameters),"objective":\(objective)},"version":\(version)}
    """
  }

  /// The same with the members of the upper objects the other way round.
  var reversedText: String {
    """
    {"version":\(version),"learner":{"objective":\(objective),"learner_model_param":\(parameters),\
    "gradient_booster":{"name":"\(booster)","model":{"trees":[\(tree)],"tree_info":\(treeInfo),\
    "iteration_indptr":\(roundStarts ?? "[]"),"gbtree_model_param":\(modelParameters)}},\
    "feature_types":[],"feature_names":\(featureNames),"attributes":\(attributes)}}
    """
  }
}

/// A change to the tiny model, and why the loader then refuses it.
struct Damage: Sendable, CustomTestStringConvertible {
  let reason: String
  let change: @Sendable (inout TinyModel) -> Void

  init(_ reason: String, _ change: @escaping @Sendable (inout TinyModel) -> Void) {
    self.reason = reason
    self.change = change
  }

  var testDescription: String { reason }
}
