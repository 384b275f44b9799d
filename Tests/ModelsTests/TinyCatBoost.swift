// A CatBoost model of one tree, small enough to read, whose parts a test can replace. Its columns are
// a number `delay`, and a text `carrier` of which it knows "UA" and a statistic. The leaf's number is
//
//     delay > 0.5 ? 1 : 0  +  carrier is "UA" ? 2 : 0  +  statistic of carrier > 0.4 ? 4 : 0
//
// and its value the same, so that a margin tells all three answers.

import Testing

struct TinyCatBoost {
  /// Of "UA", as the library has it.
  static let hash = 1_703_275_562
  /// Of the combination that "UA" is alone: hash × M², with M the library's multiplier.
  static let combination = UInt64(hash) &* 0x4906_ba49_4954_cb65 &* 0x4906_ba49_4954_cb65

  var delay =
    #"{"feature_index":0,"flat_feature_index":0,"feature_id":"delay","borders":[0.5],"has_nans":true,"#
    + #""nan_value_treatment":"AsFalse"}"#
  var carrier =
    #"{"feature_index":0,"flat_feature_index":1,"feature_id":"carrier","values":[\#(hash)]}"#
  var statisticKind = "Borders"
  var statisticTable = "t"
  var element = #"{"combination_element":"cat_feature_value","cat_feature_index":0}"#
  var statisticBorders = "[0.4]"
  var moreFeatures = ""
  var table = #"{"hash_map":["\#(combination)",2,6],"hash_stride":3,"counter_denominator":0}"#
  var loss = #"{"type":"RMSE","params":{}}"#
  var numberSplit = #"{"split_type":"FloatFeature","float_feature_index":0,"border":0.5}"#
  var textSplit = #"{"split_type":"OneHotFeature","cat_feature_index":0,"value":\#(hash)}"#
  var statisticSplit = #"{"split_type":"OnlineCtr","split_index":2,"border":0.4}"#
  var values = "[0,1,2,3,4,5,6,7]"
  var weights = "[1,1,1,1,1,1,1,1]"
  /// Instead of the tree above.
  var trees: String?
  var scaleAndBias = "[1,[0]]"

  var text: String {
    let features =
      #"{"float_features":[\#(delay)],"categorical_features":[\#(carrier)],"ctrs":[{"ctr_type":"#
      + #""\#(statisticKind)","identifier":"\#(statisticTable)","elements":[\#(element)],"borders":"#
      + #"\#(statisticBorders),"prior_numerator":0,"prior_denomerator":1,"shift":0,"scale":1,"#
      + #""target_border_idx":0}]\#(moreFeatures)}"#
    let tree =
      #"{"splits":[\#(numberSplit),\#(textSplit),\#(statisticSplit)],"leaf_values":\#(values),"#
      + #""leaf_weights":\#(weights)}"#
    return #"{"features_info":\#(features),"ctr_data":{"t":\#(table)},"model_info":{"params":"#
      + #"{"loss_function":\#(loss)}},\#(trees ?? #""oblivious_trees":[\#(tree)]"#),"#
      + #""scale_and_bias":\#(scaleAndBias)}"#
  }
}

/// A change to it, and what the loader's refusal says.
struct CatBoostDamage: Sendable, CustomTestStringConvertible {
  let words: String
  let change: @Sendable (inout TinyCatBoost) -> Void

  init(_ words: String, _ change: @escaping @Sendable (inout TinyCatBoost) -> Void) {
    self.words = words
    self.change = change
  }

  var testDescription: String { words }
}
