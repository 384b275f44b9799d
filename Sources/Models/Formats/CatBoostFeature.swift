// One entry of a CatBoost file's `float_features`, `categorical_features`, `ctrs` or `ctr_data`.

import Core

/// An input of either kind, with the cuts that trees make of it.
struct CatBoostFeature {
  /// Among those of its kind.
  var index = -1
  /// The column of the data.
  var column = -1
  var name = ""
  /// A number's cuts.
  var borders: [Double] = []
  /// The hashes of a category's one-hot values.
  var hashes: [Int] = []
  var missingIsAbove = false

  init(_ document: inout ModelDocument) throws(Failure) {
    try document.members { (document, name) throws(Failure) in
      switch name {
      case "feature_index": index = try document.integer()
      case "flat_feature_index": column = try document.integer()
      case "feature_id": self.name = try document.string()
      // Some versions have it beside the id.
      case "feature_name": self.name = try document.string()
      case "borders": try document.floats(into: &borders)
      case "values": try document.integers(into: &hashes)
      case "nan_value_treatment":
        let treatment = try document.string()
        guard ["AsIs", "AsFalse", "AsTrue"].contains(treatment) else {
          throw document.failure("'\(treatment)' is not supported yet")
        }
        missingIsAbove = treatment == "AsTrue"
      default: try document.skip()
      }
    }
    guard index >= 0, 0..<Limits.modelInputsMax ~= column else {
      throw document.failure(
        "feature_index \(index), flat_feature_index \(column) are not in 0..<\(Limits.modelInputsMax)"
      )
    }
  }
}

/// A statistic of a combination, before its elements and its table are looked up.
struct CatBoostStatistic {
  enum Element {
    case category(Int)
    case above(float: Int, border: Double)
    case oneHot(category: Int, hash: Int)
  }

  var kind = ""
  var table = ""
  var elements: [Element] = []
  var borders: [Double] = []
  var targetBorder = 0
  var priorNumerator = 0.0
  var priorDenominator = 0.0
  var shift = 0.0
  var scale = 1.0

  init(_ document: inout ModelDocument) throws(Failure) {
    try document.members { (document, name) throws(Failure) in
      switch name {
      case "ctr_type": kind = try document.string()
      case "identifier": table = try document.string()
      case "elements":
        try document.elements { (document, _) throws(Failure) in
          elements.append(try Self.element(&document))
        }
      case "borders": try document.floats(into: &borders)
      case "target_border_idx": targetBorder = try document.integer()
      case "prior_numerator": priorNumerator = try document.double()
      // Spelt so in the files.
      case "prior_denomerator": priorDenominator = try document.double()
      case "shift": shift = try document.double()
      case "scale": scale = try document.double()
      default: try document.skip()
      }
    }
  }

  private static func element(_ document: inout ModelDocument) throws(Failure) -> Element {
    var kind = ""
    var category = -1
    var float = -1
    var border = Double.nan
    var hash = 0
    try document.members { (document, name) throws(Failure) in
      switch name {
      case "combination_element": kind = try document.string()
      case "cat_feature_index": category = try document.integer()
      case "float_feature_index": float = try document.integer()
      case "border": border = Double(Float(try document.double()))
      case "value": hash = try document.integer()
      default: try document.skip()
      }
    }
    switch kind {
    case "cat_feature_value": return .category(category)
    case "float_feature": return .above(float: float, border: border)
    case "cat_feature_exact_value": return .oneHot(category: category, hash: hash)
    default: throw document.failure("combination_element '\(kind)' is not supported yet")
    }
  }
}

enum CatBoostTable {
  /// What CatBoost's own hash table has in a place that is free.
  private static let free = UInt64.max

  static func read(_ document: inout ModelDocument) throws(Failure) -> CategoryStatistic.Table {
    var stride = 0
    var denominator = 0.0
    // Hashes are too large for a double, and stand between numbers as texts.
    var hashes: [(hash: UInt64, place: Int)] = []
    var numbers: [Double] = []
    try document.members { (document, name) throws(Failure) in
      switch name {
      case "hash_map":
        try document.elements { (document, index) throws(Failure) in
          guard try document.kind() == .string else {
            return numbers.append(try document.double())
          }
          let text = try document.string()
          guard let hash = UInt64(text) else {
            throw document.failure("'\(text)' is not a hash of 64 bits")
          }
          hashes.append((hash, index))
        }
      case "hash_stride": stride = try document.integer()
      case "counter_denominator": denominator = try document.double()
      default: try document.skip()
      }
    }
    let places = hashes.count + numbers.count
    guard stride >= 2, places % stride == 0, hashes.count == places / stride else {
      throw document.failure(
        "\(hashes.count) hashes and \(numbers.count) numbers with a hash_stride of \(stride)")
    }
    let width = stride - 1
    for (entry, hash) in hashes.enumerated() where hash.place != entry * stride {
      throw document.failure("a hash at place \(hash.place), which is not a multiple of \(stride)")
    }
    var order = hashes.indices.filter { hashes[$0].hash != free }
    order.sort { hashes[$0].hash < hashes[$1].hash }
    return CategoryStatistic.Table(
      hashes: order.map { hashes[$0].hash },
      values: order.flatMap { numbers[$0 * width..<($0 + 1) * width] }, width: width,
      denominator: Float(denominator))
  }
}
