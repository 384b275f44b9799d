// LightGBM's text, as `save_model` has written it since 2.3 in versions 3 and 4, which share one
// grammar (src/boosting/gbdt_model_text.cpp and src/io/tree.cpp in microsoft/LightGBM):
//
//     tree
//     version=v4
//     num_class=1
//     num_tree_per_iteration=1
//     max_feature_idx=3
//     objective=binary sigmoid:1
//     average_output                       a random forest, else absent
//     feature_names=a b c d
//     feature_infos=[-1.5:2] none 0:1:2 …
//     tree_sizes=412 397                   bytes of each block, which nobody checks; passed over
//
//     Tree=0
//     num_leaves=4
//     split_feature=0 2 1                  and so on, see `LightGBMTree`
//
//     Tree=1
//     …
//     end of trees
//
//     feature_importances: …
//     parameters:
//     [categorical_feature: 0,3]
//     end of parameters
//     pandas_categorical:[["a","b"],["x","y"]]
//
// Keys that are not known are passed over. Scores are those of the library of today, whichever
// version wrote the file: before 3.3, a missing category could count as category 0.

import Core

struct LightGBMText {
  private static let name = "lightgbm"

  static let format = ModelFormat(
    name: name, title: "LightGBM text", recognizes: recognizes
  ) { (bytes, source, options) throws(Failure) in
    var reader = LightGBMText(file: LightGBMFile(source: source, format: name))
    var text = ModelText(bytes, source: source)
    try reader.read(&text)
    return try reader.file.model(options, fingerprint: SHA256.hex(of: bytes))
  }

  private static func recognizes(_ bytes: Bytes) -> Bool {
    bytes.starts(with: Bytes("tree\n")) || bytes.starts(with: Bytes("tree\r\n"))
  }

  private var file: LightGBMFile
  private var tree = LightGBMTree()

  // MARK: Reading

  private mutating func read(_ text: inout ModelText) throws(Failure) {
    var sawEnd = false
    while !sawEnd, let line = text.nextLine() {
      if line.starts(with: Bytes("Tree=")) {
        text.section = ModelText.excerpt(line)
        try tree.read(&text, into: &file.trees)
        text.section = ""
      } else if line == "end of trees" {
        sawEnd = true
      } else if !line.isEmpty {
        try readHeader(line, text)
      }
    }
    // Whatever was cut off, this line is behind it.
    guard sawEnd else { throw text.failure("the file ends before 'end of trees'") }
    try readTail(&text)
  }

  private mutating func readHeader(_ line: Bytes, _ text: ModelText) throws(Failure) {
    let (key, value) = ModelText.pair(line)
    guard let value else {
      if key == "average_output" { file.averages = true }
      return
    }
    switch key {
    case "version": file.version = value.string
    case "num_class": file.classCount = try text.integer("num_class", value)
    case "num_tree_per_iteration":
      file.treesPerRound = try text.integer("num_tree_per_iteration", value)
    case "max_feature_idx": file.largestFeature = try text.integer("max_feature_idx", value)
    case "objective": file.objective = value.trimmed.string
    case "feature_names": file.inputNames = text.strings(value)
    case "feature_infos": file.inputInfos = text.strings(value)
    default: break
    }
  }

  // MARK: Behind the trees

  private mutating func readTail(_ text: inout ModelText) throws(Failure) {
    let (features, categories) = (Bytes("[categorical_feature: "), Bytes("pandas_categorical:"))
    while let line = text.nextLine() {
      if line.starts(with: features), line.ends(with: Bytes("]")) {
        readCategoricalFeatures(line[features.count..<line.count - 1])
      } else if line.starts(with: categories) {
        let lists = line[categories.count..<line.count].trimmed
        guard !lists.isEmpty, !(lists == "null") else { continue }
        file.pandasCategories = try Self.categories(lists, text)
      }
    }
  }

  /// Anything but a list of numbers, such as names that the caller gave, leaves it open which
  /// inputs have categories by text.
  private mutating func readCategoricalFeatures(_ list: Bytes) {
    var features: [Int] = []
    for part in list.string.split(separator: ",") {
      guard let feature = Int(part) else { return }
      features.append(feature)
    }
    file.categoricalFeatures = features
  }

  /// The data frame's categories, column by column, each in the order of its codes.
  private static func categories(
    _ lists: Bytes, _ text: ModelText
  ) throws(Failure) -> [[CategoryValue]] {
    var cursor = JSONCursor(lists, allowsNonFinite: true)
    var columns: [[CategoryValue]] = []
    do throws(JSONError) {
      try cursor.beginArray()
      var firstColumn = true
      while try cursor.nextElement(first: &firstColumn) {
        var column: [CategoryValue] = []
        try cursor.beginArray()
        var first = true
        while try cursor.nextElement(first: &first) { column.append(try categoryValue(&cursor)) }
        columns.append(column)
      }
      try cursor.finish()
    } catch {
      throw text.failure("pandas_categorical: \(error.description)")
    }
    return columns
  }

  private static func categoryValue(_ cursor: inout JSONCursor) throws(JSONError) -> CategoryValue {
    switch try cursor.peek() {
    case .string: return .text(Array(try cursor.readString().utf8))
    case .number: return .number(try cursor.readDouble())
    case .bool: return .number(try cursor.readBool() ? 1 : 0)
    default:
      try cursor.skipValue()
      return .other
    }
  }
}
