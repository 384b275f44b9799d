// A change touches several files: a line of the log, an alias or a manifest, the head. So that it happens whole
// or not at all, wherever the power is cut, it is first written down as one file, `pending`, swapped in by one
// rename: that is the moment at which it has happened. Then its parts are put in place, and the file goes away.
//
//     <SHA-256 of the rest, 64 digits>\n
//     {"log_bytes":4711,"entry":"<the line>","writes":{"models/m/aliases/a":"3\n"},"removes":[]}
//
// Until it is gone, readers see the folder through it; the next writer puts in place what is missing. Doing so
// twice does no harm: the log is cut back to `log_bytes` before the line is written.

import Core

struct PendingChange: Equatable {
  /// The log's size before the line.
  var logBytes: Int
  /// The line of the log with its end.
  var entry: [UInt8]
  /// Contents by name, relative to the registry.
  var writes: [String: [UInt8]]
  var removes: [String] = []

  func encode() -> [UInt8] {
    let text = OutputBuffer(MemorySink(), capacity: 4 << 10)
    text.append("{\"log_bytes\":")
    text.append(Int64(logBytes))
    text.append(",\"entry\":")
    entry.withBytes { text.appendQuoted($0) }
    text.append(",\"writes\":{")
    for (index, (name, bytes)) in writes.sorted(by: { $0.key < $1.key }).enumerated() {
      if index > 0 { text.append(",") }
      text.appendQuoted(name)
      text.append(":")
      bytes.withBytes { text.appendQuoted($0) }
    }
    text.append("},\"removes\":[")
    for (index, name) in removes.enumerated() {
      if index > 0 { text.append(",") }
      text.appendQuoted(name)
    }
    text.append("]}\n")
    return Array("\(SHA256.hex(of: text.pending))\n".utf8) + text.pending.copy()
  }

  /// - Parameter source: for messages.
  init(_ contents: [UInt8], source: String) throws(Failure) {
    self.init(logBytes: 0, entry: [], writes: [:])
    let hint = "it was written by no registry of ours; rtinfer registry verify shows the rest"
    guard contents.count > 65, contents[64] == UInt8(ascii: "\n"),
      Array(contents[65...]).withBytes({ SHA256.hex(of: $0) })
        == String(decoding: contents[..<64], as: UTF8.self)
    else {
      throw .inputOutput("\(source): damaged: it does not have the digest it names", hint: hint)
    }
    do throws(JSONError) {
      try Array(contents[65...]).withBytes { (bytes) throws(JSONError) in try read(bytes) }
    } catch {
      throw .inputOutput("\(source): \(error.description)", hint: hint)
    }
  }

  init(logBytes: Int, entry: [UInt8], writes: [String: [UInt8]], removes: [String] = []) {
    self.logBytes = logBytes
    self.entry = entry
    self.writes = writes
    self.removes = removes
  }

  private mutating func read(_ bytes: Bytes) throws(JSONError) {
    var cursor = JSONCursor(bytes)
    try cursor.beginObject()
    var first = true
    while let key = try cursor.nextKey(first: &first) {
      var inner = true
      switch key.bytes.string {
      case "log_bytes": logBytes = try cursor.readInt()
      case "entry": entry = Array(try cursor.readString().utf8)
      case "writes":
        try cursor.beginObject()
        while let name = try cursor.nextKey(first: &inner) {
          writes[name.bytes.string] = Array(try cursor.readString().utf8)
        }
      case "removes":
        try cursor.beginArray()
        while try cursor.nextElement(first: &inner) { removes.append(try cursor.readString()) }
      case let other: throw JSONError("an unknown member '\(other)'", at: cursor.position)
      }
    }
  }
}
