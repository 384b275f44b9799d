// One record: a line of JSON whose root is an object. The scanner checks all of it, remembers where each
// top-level member lies (so that a line can be written again with members added or left out, byte for
// byte), and keeps the members of its plan as they stand in the text. Of members that appear twice the
// last one counts, as in jq.

/// A top-level member's place in the line.
public struct MemberRange: Sendable {
  /// From the opening quote of the name …
  public let start: Int
  /// … to behind the value.
  public let end: Int
  /// The first byte behind the colon.
  let valueStart: Int
  /// The entry of the plan's first level, or -1 for a member that the plan does not know.
  let entry: Int

  var valueCount: Int { end - valueStart }
}

public final class RecordScanner {
  public let plan: FieldPlan
  private let root: PlanNode
  /// One for each slot; absent members are null with no bytes.
  private var raws: [JSONRaw]
  public private(set) var members: [MemberRange] = []
  public private(set) var line = Bytes.empty
  private let scratch = TextScratch()
  private static let absent = JSONRaw(kind: .null, bytes: .empty)

  public init(_ plan: FieldPlan) {
    self.plan = plan
    self.root = PlanNode.tree(plan)
    self.raws = Array(repeating: RecordScanner.absent, count: plan.paths.count)
  }

  // MARK: Scanning

  /// Reads a record. What it hands out afterwards is valid as long as the line is, at most until the next call.
  public func scan(_ line: Bytes) throws(JSONError) {
    self.line = line
    for slot in raws.indices { raws[slot] = RecordScanner.absent }
    members.removeAll(keepingCapacity: true)
    scratch.reset()
    var cursor = JSONCursor(line)
    let kind = try cursor.peek()
    guard kind == .object else {
      let start = cursor.position
      // Words that only begin like a value (nonsense, truncated) are told as what they are.
      try cursor.skipValue()
      throw JSONError("a record is an object, found \(kind.name)", at: start)
    }
    try scanRoot(&cursor)
    try cursor.finish()
  }

  private func scanRoot(_ cursor: inout JSONCursor) throws(JSONError) {
    root.rewind()
    try cursor.beginObject()
    var first = true
    while let key = try cursor.nextKey(first: &first) {
      let start = key.bytes.base - line.base - 1
      let valueStart = cursor.position
      let entry = root.find(resolved(key)) ?? -1
      try take(entry, of: root, &cursor)
      members.append(
        MemberRange(start: start, end: cursor.position, valueStart: valueStart, entry: entry))
    }
  }

  private func scanObject(_ node: PlanNode, _ cursor: inout JSONCursor) throws(JSONError) {
    node.rewind()
    try cursor.beginObject()
    var first = true
    while let key = try cursor.nextKey(first: &first) {
      try take(node.find(resolved(key)) ?? -1, of: node, &cursor)
    }
  }

  @inline(__always)
  private func take(
    _ entry: Int, of node: PlanNode, _ cursor: inout JSONCursor
  ) throws(JSONError) {
    guard entry >= 0 else { return try cursor.skipValue() }
    let slot = node.entries[entry].slot
    guard let child = node.entries[entry].child, try cursor.peek() == .object else {
      let raw = try cursor.rawValue()
      if slot >= 0 { raws[slot] = raw }
      return
    }
    let start = cursor.position
    try scanObject(child, &cursor)
    if slot >= 0 {
      raws[slot] = JSONRaw(kind: .object, bytes: line[start..<cursor.position])
    }
  }

  /// A string's text with its escapes resolved; valid until the next record.
  public func resolved(_ raw: JSONRaw) -> Bytes {
    raw.escaped ? scratch.unescape(raw.bytes) : raw.bytes
  }

  // MARK: Values

  /// The member as it stands in the text; null without bytes where it is absent.
  public func raw(_ slot: Int) -> JSONRaw { raws[slot] }

  /// A string with its escapes resolved.
  /// - Precondition: the member is a string.
  public func text(_ slot: Int) -> Bytes {
    precondition(raws[slot].kind == .string, "only a string has text")
    return resolved(raws[slot])
  }

  /// The value by its own JSON type; nil for a number that no double can hold. Objects and arrays are null
  /// to expressions.
  public func scalar(_ slot: Int) -> Scalar? {
    let raw = raws[slot]
    switch raw.kind {
    case .null, .array, .object: return .null
    case .bool: return .bool(raw.bytes.count == 4)
    case .number: return JSONNumber.scalar(raw.bytes)
    case .string: return .text(resolved(raw))
    }
  }

  // MARK: Writing the line again

  /// Appends the record without its closing brace and without the members that `leavingOut` names (by their
  /// plan path) or, if asked, that the plan does not know. Returns true if a comma is due before a
  /// further member.
  public func appendOpen(
    to output: OutputBuffer, leavingOut name: Int, unknown keepsUnknown: Bool = true
  ) -> Bool {
    let cut = members.contains { $0.entry == name || (!keepsUnknown && $0.entry < 0) }
    if !cut {
      // Nothing is left out: the whole line up to the last member's end, as it came.
      guard let last = members.last else {
        output.append(UInt8(ascii: "{"))
        return false
      }
      let brace = members[0].start
      output.append(UInt8(ascii: "{"))
      output.append(line[brace..<last.end])
      return true
    }
    output.append(UInt8(ascii: "{"))
    var needsComma = false
    for member in members where member.entry != name && (keepsUnknown || member.entry >= 0) {
      if needsComma { output.append(UInt8(ascii: ",")) }
      output.append(line[member.start..<member.end])
      needsComma = true
    }
    return needsComma
  }

  /// The plan's first-level entry for `name`, for `appendOpen`; -2 if the plan does not have it.
  public func entry(named name: String) -> Int {
    root.entries.firstIndex { $0.name == name } ?? -2
  }

  /// The names of all top-level members, in order; allocates, so not for every record of a stream.
  public var memberNames: [String] { members.map { name(of: $0) } }

  /// All top-level members as they stand in the text; allocates, so not for every record of a stream.
  public var membersByName: [String: JSONRaw] {
    var result: [String: JSONRaw] = [:]
    for member in members {
      var cursor = JSONCursor(Bytes(base: line.base + member.valueStart, count: member.valueCount))
      result[name(of: member)] = try? cursor.rawValue()
    }
    return result
  }

  private func name(of member: MemberRange) -> String {
    var cursor = JSONCursor(line[member.start..<member.end])
    return (try? cursor.readString()) ?? ""
  }
}

extension JSONRaw {
  /// The value's whole text: a string with its quotes.
  public var literal: Bytes {
    if kind == .string { return Bytes(base: bytes.base - 1, count: bytes.count + 2) }
    return bytes.isEmpty ? Bytes("null") : bytes
  }
}
