// One thing that happened, as a line of `log.ndjson`:
//
//     {"kind":"change","seq":7,"at":"2013-01-08T06:00:00Z","action":"promote","model":"late_arrival",
//      "version":3,"alias":"production","from":2,"require":"auc >= 0.9","metrics":{"auc":0.91},
//      "by":"ann","previous":"<hash of line 6>","hash":"<SHA-256 of this line up to here>"}
//
// What was asked for and refused by a gate is told as well, as a line of kind "refusal" that changes nothing:
//
//     {"kind":"refusal","seq":8,"at":"…","action":"refuse","model":"late_arrival","version":4,"alias":"production",
//      "from":3,"require":"auc >= 0.9 && p99_us < 500","metrics":{"auc":0.85},"failed":["auc >= 0.9"],
//      "inconclusive":["p99_us < 500"],"by":"bob",…}
//
// The hash covers the line's bytes before `,"hash":`, the previous hash among them, so that no line can be
// changed, moved or taken out of the middle without a break in the chain. What is cut off at the end is told
// by the file `head`.

public import Core

public struct RegistryEntry: Sendable, Equatable {
  public enum Action: String, Sendable, CaseIterable {
    case add, promote, rollback, tag, measure, remove
    /// A promotion that a gate did not let happen.
    case refuse
  }

  /// From 1, without gaps.
  public var sequence = 0
  public var time = Timestamp(microseconds: 0)
  public var action: Action
  public var model: String
  public var version: Int
  public var alias: String?
  /// What the alias stood for before.
  public var from: Int?
  public var parent: Int?
  /// Of `add`: the model's format, the digest and size of its file, and the digest of the manifest.
  public var format: String?
  public var digest: String?
  public var bytes: Int?
  public var manifest: String?
  /// What a promotion had to hold.
  public var requirement: String?
  /// Of `refuse`: the clauses that did not hold, and those that nothing could be said of.
  public var failed: [String] = []
  public var inconclusive: [String] = []
  /// Of `add` and `measure`: the values set; of `promote` and `refuse`: those that were asked about.
  public var metrics: [String: Double] = [:]
  /// Of `measure`: metrics that are no longer known, since what else would have told them anew did not.
  public var cleared: [String] = []
  /// Of `add` and `tag`; nil takes a tag away.
  public var tags: [String: String?] = [:]
  /// Of `measure`: on what machine, where that matters.
  public var machine: String?
  /// Where it came from: the rows that were measured with, the archive that was read.
  public var source: String?
  public var by = ""
  public var reason: String?
  public var previous = ""
  public var hash = ""

  public init(_ action: Action, model: String, version: Int) {
    self.action = action
    self.model = model
    self.version = version
  }

  /// What the first line has as the hash before it.
  static let origin = String(repeating: "0", count: 64)

  // MARK: Writing

  /// The line, with its hash and its end.
  mutating func seal(sequence: Int, previous: String, time: Timestamp) -> [UInt8] {
    self.sequence = sequence
    self.previous = previous
    self.time = time
    let line = OutputBuffer(MemorySink(), capacity: 1 << 10)
    append(to: line)
    hash = SHA256.hex(of: line.pending)
    line.append(",\"hash\":\"")
    line.append(hash)
    line.append("\"}\n")
    return line.pending.copy()
  }

  private func append(to line: OutputBuffer) {
    line.append("{\"kind\":\"")
    line.append(action == .refuse ? "refusal" : "change")
    line.append("\",\"seq\":")
    line.append(Int64(sequence))
    line.append(",\"at\":")
    line.appendQuoted(time)
    line.appendMember("action", action.rawValue)
    line.appendMember("model", model)
    line.appendMember("version", version)
    line.appendMember("alias", alias)
    line.appendMember("from", from)
    line.appendMember("parent", parent)
    line.appendMember("format", format)
    line.appendMember("sha256", digest)
    line.appendMember("bytes", bytes)
    line.appendMember("manifest", manifest)
    line.appendMember("require", requirement)
    if !metrics.isEmpty {
      line.append(",\"metrics\":")
      line.append(metrics: metrics)
    }
    line.appendMember("cleared", cleared)
    line.appendMember("failed", failed)
    line.appendMember("inconclusive", inconclusive)
    if !tags.isEmpty {
      line.append(",\"tags\":")
      line.append(tags: tags)
    }
    line.appendMember("machine", machine)
    line.appendMember("source", source)
    line.appendMember("by", by)
    line.appendMember("reason", reason)
    line.appendMember("previous", previous)
  }

  // MARK: Reading

  /// - Parameter line: without its end.
  init(line: Bytes) throws(JSONError) {
    self.init(.add, model: "", version: 0)
    var cursor = JSONCursor(line)
    try cursor.beginObject()
    var first = true
    while let key = try cursor.nextKey(first: &first) { try take(key.bytes, &cursor) }
    try cursor.finish()
    guard !model.isEmpty, !hash.isEmpty else {
      throw JSONError("no change of a registry: 'model' or 'hash' is missing", at: 0)
    }
  }

  private mutating func take(_ key: Bytes, _ cursor: inout JSONCursor) throws(JSONError) {
    switch key.string {
    case "kind": try cursor.skipValue()
    case "seq": sequence = try cursor.readInt()
    case "at":
      let start = cursor.position
      guard let time = Timestamp(rfc3339: try cursor.rawValue().bytes) else {
        throw JSONError("'at' is not a time", at: start)
      }
      self.time = time
    case "action":
      let start = cursor.position
      let word = try cursor.readString()
      guard let action = Action(rawValue: word) else {
        throw JSONError("an unknown action '\(word)'", at: start)
      }
      self.action = action
    case "model": model = try cursor.readString()
    case "version": version = try cursor.readInt()
    case "alias": alias = try cursor.readString()
    case "from": from = try cursor.readInt()
    case "parent": parent = try cursor.readInt()
    case "format": format = try cursor.readString()
    case "sha256": digest = try cursor.readString()
    case "bytes": bytes = try cursor.readInt()
    case "manifest": manifest = try cursor.readString()
    case "require": requirement = try cursor.readString()
    case "metrics": metrics = try cursor.readMetrics()
    case "cleared": cleared = try cursor.readTexts()
    case "failed": failed = try cursor.readTexts()
    case "inconclusive": inconclusive = try cursor.readTexts()
    case "tags": tags = try cursor.readTags()
    case "machine": machine = try cursor.readString()
    case "source": source = try cursor.readString()
    case "by": by = try cursor.readString()
    case "reason": reason = try cursor.readString()
    case "previous": previous = try cursor.readString()
    case "hash": hash = try cursor.readString()
    case let other: throw JSONError("an unknown member '\(other)'", at: cursor.position)
    }
  }

  /// The hash that a line with these bytes ought to have; nil where it has no hash at its end.
  static func hash(ofLine line: Bytes) -> String? {
    // `,"hash":"` + 64 digits + `"}`
    let tail = 9 + 64 + 2
    guard line.count > tail, line[line.count - tail..<line.count - tail + 9] == ",\"hash\":\""
    else {
      return nil
    }
    return SHA256.hex(of: line[0..<line.count - tail])
  }
}

extension JSONCursor {
  fileprivate mutating func readTexts() throws(JSONError) -> [String] {
    var texts: [String] = []
    var first = true
    try beginArray()
    while try nextElement(first: &first) { texts.append(try readString()) }
    return texts
  }

  mutating func readMetrics() throws(JSONError) -> [String: Double] {
    var metrics: [String: Double] = [:]
    try beginObject()
    var first = true
    while let key = try nextKey(first: &first) { metrics[key.bytes.string] = try readDouble() }
    return metrics
  }

  mutating func readTags() throws(JSONError) -> [String: String?] {
    var tags: [String: String?] = [:]
    try beginObject()
    var first = true
    while let key = try nextKey(first: &first) {
      if try peek() == .null {
        try skipValue()
        tags[key.bytes.string] = .some(nil)
      } else {
        tags[key.bytes.string] = try readString()
      }
    }
    return tags
  }
}

extension OutputBuffer {
  /// As a list; nothing of an empty one.
  fileprivate func appendMember(_ name: StaticString, _ texts: [String]) {
    guard !texts.isEmpty else { return }
    append(",\"")
    append(name)
    append("\":[")
    for (index, text) in texts.enumerated() {
      if index > 0 { append(",") }
      appendQuoted(text)
    }
    append("]")
  }

  /// As an object, by name.
  func append(metrics: [String: Double]) {
    append("{")
    for (index, (name, value)) in metrics.sorted(by: { $0.key < $1.key }).enumerated() {
      if index > 0 { append(",") }
      appendQuoted(name)
      append(":")
      append(value)
    }
    append("}")
  }

  /// As an object, by name; a tag without a text is null.
  func append(tags: [String: String?]) {
    append("{")
    for (index, (name, text)) in tags.sorted(by: { $0.key < $1.key }).enumerated() {
      if index > 0 { append(",") }
      appendQuoted(name)
      append(":")
      if let text { appendQuoted(text) } else { append("null") }
    }
    append("}")
  }
}
