// XGBoost's document as Universal Binary JSON: `save_model("….ubj")` since 1.6, and its default since
// 2.1. The same members as in JSON; numbers need no decimals.

import Core

enum XGBoostUBJSON {
  private static let name = "xgboost-ubjson"

  static let format = ModelFormat(
    name: name, title: "XGBoost UBJSON", recognizes: recognizes
  ) { (bytes, source, options) throws(Failure) in
    var document = ModelDocument(ubjson: bytes, source: source)
    return try XGBoostReader.read(
      &document, format: name, options, fingerprint: SHA256.hex(of: bytes))
  }

  /// An object with a member "learner", which XGBoost writes first.
  private static func recognizes(_ bytes: Bytes) -> Bool {
    guard bytes.starts(with: Bytes("{L")) else { return false }
    var cursor = UBJSONCursor(bytes)
    do throws(JSONError) {
      try cursor.beginObject()
      while let key = try cursor.nextKey() {
        if key == "learner" { return true }
        try cursor.skipValue()
      }
    } catch {
      return false
    }
    return false
  }
}
