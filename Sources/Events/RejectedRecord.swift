// A record that was rejected before and comes back through `ingest`.

import Core

enum RejectedRecord {
  private static let prefix = Bytes("{\"kind\":\"rejected\"")

  /// The raw bytes inside, or nil if the line is not one of ours.
  static func raw(in line: Bytes) -> [UInt8]? {
    // Hardly a line has a `k` there.
    guard line.count > 2, line[2] == UInt8(ascii: "k"), line.starts(with: prefix) else {
      return nil
    }
    var cursor = JSONCursor(line)
    var first = true
    do throws(JSONError) {
      try cursor.beginObject()
      while let key = try cursor.nextKey(first: &first) {
        if key.bytes == "raw" { return Array(try cursor.readString().utf8) }
        if key.bytes == "raw_base64" {
          return try cursor.readString().utf8.withContiguousStorageIfAvailable {
            Base64.decode(Bytes($0))
          } ?? nil
        }
        try cursor.skipValue()
      }
    } catch {
      return nil
    }
    return nil
  }
}
