// CatBoost's JSON, `save_model("….json", format="json")`
// (catboost/libs/model/model_export/json_model_helpers.cpp):
//
//     { "features_info": {
//         "float_features": [ { "feature_index": 0, "flat_feature_index": 2, "feature_id": "delay",
//                               "borders": [0.5, …], "nan_value_treatment": "AsFalse" }, … ],
//         "categorical_features": [ { …, "values": [-1712403, …] }, … ],    one-hot hashes
//         "ctrs": [ { "identifier": "{…}", "elements": [ … ], "borders": [ … ], … }, … ] },
//       "ctr_data": { "{…}": { "hash_map": ["123…", 4, 5, …], "hash_stride": 3, … }, … },
//       "model_info": { "params": { "loss_function": { "type": "Logloss" } }, … },
//       "oblivious_trees": [ … ],  or  "trees": [ … ],     see `CatBoostTree`
//       "scale_and_bias": [1, [0.25]] }
//
// Features are counted on their own, floats and categories; the flat index is the column of the data.
// Members may come in any order: trees are read last, from where they stood.

import Core

struct CatBoostJSON {
  private static let name = "catboost-json"

  static let format = ModelFormat(
    name: name, title: "CatBoost JSON", recognizes: recognizes
  ) { (bytes, source, options) throws(Failure) in
    var reader = CatBoostJSON(file: CatBoostFile(source: source, format: name))
    var document = ModelDocument(json: bytes, source: source)
    try reader.read(&document)
    return try reader.file.model(options, fingerprint: SHA256.hex(of: bytes))
  }

  private static let members: Set = [
    "ctr_data", "features_info", "model_info", "oblivious_trees", "scale_and_bias", "trees",
  ]

  /// An object whose first member is one of CatBoost's.
  private static func recognizes(_ bytes: Bytes) -> Bool {
    var cursor = JSONCursor(bytes)
    var first = true
    do throws(JSONError) {
      try cursor.beginObject()
      guard let key = try cursor.nextKey(first: &first) else { return false }
      return members.contains(key.bytes.string)
    } catch {
      return false
    }
  }

  private var file: CatBoostFile

  // MARK: Reading

  private mutating func read(_ document: inout ModelDocument) throws(Failure) {
    var oblivious: ModelDocument?
    var unbalanced: ModelDocument?
    try document.members { (document, name) throws(Failure) in
      switch name {
      case "features_info": try readFeatures(&document)
      case "ctr_data": try readTables(&document)
      case "model_info": try readModelInfo(&document)
      case "scale_and_bias": try readScaleAndBias(&document)
      case "oblivious_trees":
        oblivious = document
        try document.skip()
      case "trees":
        unbalanced = document
        try document.skip()
      default: try document.skip()
      }
    }
    try document.finish()
    try file.prepare()
    var tree = CatBoostTree(splits: file.splits)
    try oblivious?.elements { (document, _) throws(Failure) in
      try tree.readOblivious(&document, into: &file.trees)
    }
    try unbalanced?.elements { (document, _) throws(Failure) in
      try tree.readUnbalanced(&document, into: &file.trees)
    }
    file.sawTrees = oblivious != nil || unbalanced != nil
    file.leafWidth = tree.leafWidth
  }

  private mutating func readFeatures(_ document: inout ModelDocument) throws(Failure) {
    file.sawFeatures = true
    try document.members { (document, name) throws(Failure) in
      switch name {
      case "float_features":
        try document.elements { (document, _) throws(Failure) in
          file.floats.append(try CatBoostFeature(&document))
        }
      case "categorical_features":
        try document.elements { (document, _) throws(Failure) in
          file.categories.append(try CatBoostFeature(&document))
        }
      case "ctrs":
        try document.elements { (document, _) throws(Failure) in
          file.statistics.append(try CatBoostStatistic(&document))
        }
      case "text_features", "embedding_features":
        try document.elements { (document, _) throws(Failure) in
          throw document.failure("features of this kind are not supported yet")
        }
      default: try document.skip()
      }
    }
  }

  private mutating func readTables(_ document: inout ModelDocument) throws(Failure) {
    guard try document.kind() == .object else { return try document.skip() }
    try document.members { (document, name) throws(Failure) in
      file.tables[name] = try CatBoostTable.read(&document)
    }
  }

  private mutating func readModelInfo(_ document: inout ModelDocument) throws(Failure) {
    try document.members { (document, name) throws(Failure) in
      switch name {
      case "params":
        guard try document.kind() == .string else { return try readParameters(&document) }
        // Some versions have the parameters as a text that is JSON itself.
        let text = Array(try document.string().utf8)
        try text.withBytes { (bytes) throws(Failure) in
          var inner = ModelDocument(json: bytes, source: document.source)
          try readParameters(&inner)
        }
      case "catboost_version_info": file.version = Self.version(try document.string())
      default: try document.skip()
      }
    }
  }

  private mutating func readParameters(_ document: inout ModelDocument) throws(Failure) {
    try document.members { (document, name) throws(Failure) in
      guard name == "loss_function" else { return try document.skip() }
      try document.members { (document, name) throws(Failure) in
        if name == "type" { file.loss = try document.string() } else { try document.skip() }
      }
    }
  }

  /// `1.2.10` of "… Branch: tags/v1.2.10 …"; empty where there is none.
  private static func version(_ text: String) -> String {
    guard let tag = text.firstRange(of: "tags/v").map({ text[$0.upperBound...] }) else { return "" }
    return String(tag.prefix { $0.isNumber || $0 == "." })
  }

  private mutating func readScaleAndBias(_ document: inout ModelDocument) throws(Failure) {
    try document.elements { (document, index) throws(Failure) in
      switch index {
      case 0: file.scale = try document.double()
      case 1:
        if try document.kind() == .array {
          try document.doubles(into: &file.bias)
        } else {
          file.bias = [try document.double()]
        }
      default: try document.skip()
      }
    }
  }
}
