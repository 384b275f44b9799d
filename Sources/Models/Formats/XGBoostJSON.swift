// XGBoost's document as JSON: `save_model("….json")`, since 1.0.

import Core

enum XGBoostJSON {
  private static let name = "xgboost-json"

  static let format = ModelFormat(
    name: name, title: "XGBoost JSON", recognizes: recognizes
  ) { (bytes, source, options) throws(Failure) in
    var document = ModelDocument(json: bytes, source: source)
    return try XGBoostReader.read(
      &document, format: name, options, fingerprint: SHA256.hex(of: bytes))
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
}
