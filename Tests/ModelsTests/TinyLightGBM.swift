import Testing

/// A LightGBM model of two trees, small enough to read, whose parts a test can replace:
///
///     input a ≤ 0.5 ─ yes ─▶ 0.25
///             └─ no ─▶ input b in {1, 3} ─ yes ─▶ 0.5
///                              └─ no ─▶ -1
///     and a constant, 2
struct TinyLightGBM {
  var version = "v4"
  var header = "num_class=1\nnum_tree_per_iteration=1\nlabel_index=0\nmax_feature_idx=1"
  var objective = "objective=regression"
  var names = "feature_names=a b"
  var sizes = "tree_sizes=99999999999 -1"
  var leaves = "3"
  var feature = "0 1"
  var threshold = "0.5 0"
  var decision = "2 1"
  var left = "-1 -2"
  var right = "1 -3"
  var value = "0.25 0.5 -1"
  var categoryCount = "1"
  var boundaries = "0 1"
  var words = "10"
  var moreOfTree = "is_linear=0"
  var end = "end of trees\n"
  var infos = "[-1:1] 1:3"
  var categorical = "1"
  var categories = #"[["x", "y", "zß", "w"]]"#

  var text: String {
    """
    tree
    version=\(version)
    \(header)
    \(objective)
    \(names)
    feature_infos=\(infos)
    \(sizes)

    Tree=0
    num_leaves=\(leaves)
    num_cat=\(categoryCount)
    split_feature=\(feature)
    split_gain=3 2
    threshold=\(threshold)
    decision_type=\(decision)
    left_child=\(left)
    right_child=\(right)
    leaf_value=\(value)
    leaf_weight=1 1 1
    leaf_count=4 3 2
    internal_value=0 0
    internal_count=9 5
    cat_boundaries=\(boundaries)
    cat_threshold=\(words)
    \(moreOfTree)
    shrinkage=0.1


    Tree=1
    num_leaves=1
    num_cat=0
    leaf_value=2
    is_linear=0
    shrinkage=1


    \(end)
    feature_importances:
    a=1

    parameters:
    [boosting: gbdt]
    [categorical_feature: \(categorical)]
    end of parameters

    pandas_categorical:\(categories)

    """
  }
}

/// A change to it, and why the loader then refuses the file.
struct LightGBMDamage: Sendable, CustomTestStringConvertible {
  let reason: String
  let change: @Sendable (inout TinyLightGBM) -> Void

  init(_ reason: String, _ change: @escaping @Sendable (inout TinyLightGBM) -> Void) {
    self.reason = reason
    self.change = change
  }

  var testDescription: String { reason }
}
