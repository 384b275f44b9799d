// One record: a line of JSON whose root is an object. The scanner checks all of it, remembers where each
// top-level member lies (so that a line can be written again with members added or left out, byte for
// byte), and keeps the members of its plan as they stand in the text. Of members that appear twice the
// last one counts, as in jq.

/// A top-level member's place in the line. Lines are shorter than 2^31 bytes (`Limits.lineBytesMax`).
public struct MemberRange: Sendable {
  private let storedStart: Int32
  private let storedEnd: Int32
  private let storedValueStart: Int32
  private let storedEntry: Int32

  init(start: Int, end: Int, valueStart: Int, entry: Int) {
    storedStart = Int32(truncatingIfNeeded: start)
    storedEnd = Int32(truncatingIfNeeded: end)
    storedValueStart = Int32(truncatingIfNeeded: valueStart)
    storedEntry = Int32(truncatingIfNeeded: entry)
  }

  /// From the opening quote of the name …
  public var start: Int { Int(storedStart) }
  /// … to behind the value.
  public var end: Int { Int(storedEnd) }
  /// The first byte behind the colon.
  var valueStart: Int { Int(storedValueStart) }
  /// The entry of the plan's first level, or -1 for a member that the plan does not know.
  var entry: Int { Int(storedEntry) }
  var valueCount: Int { end - valueStart }
}

/// Which top-level members of a record are written again.
public struct KeptMembers: Sendable {
  /// By the plan's first-level entries.
  let entries: [Bool]
  /// Those that the plan does not know.
  let others: Bool

  func keeps(_ member: MemberRange) -> Bool { member.entry < 0 ? others : entries[member.entry] }
}

public final class RecordScanner {
  public let plan: FieldPlan
  private let root: PlanNode
  /// One for each slot, and a last one for what nobody asked for.
  @usableFromInline let values: UnsafeMutablePointer<ValueRange>
  private let slotCount: Int
  private var memberStorage: UnsafeMutablePointer<MemberRange>
  private var memberCapacity = 32
  private var memberCount = 0
  public private(set) var line = Bytes.empty
  /// Bytes behind the line that may be loaded.
  private(set) var padding = 0
  private let scratch = TextScratch()
  /// Counts the records, to notice members that appear twice in one.
  private var record = 0

  public init(_ plan: FieldPlan) {
    self.plan = plan
    self.root = PlanNode.tree(plan)
    self.slotCount = plan.paths.count
    self.values = .allocate(capacity: slotCount + 1)
    self.memberStorage = .allocate(capacity: memberCapacity + 2)
  }

  deinit {
    values.deallocate()
    memberStorage.deallocate()
  }

  // MARK: Scanning

  /// Reads a record. What it hands out afterwards is valid as long as the line is, at most until the
  /// next call.
  ///
  /// - Parameter padding: bytes behind the line that may be loaded (see `LineReader.padding`).
  public func scan(_ line: Bytes, padding: Int = 0) throws(JSONError) {
    self.line = line
    self.padding = padding
    for slot in 0..<slotCount { values[slot] = .absent }
    memberCount = 0
    record &+= 1
    scratch.reset()
    var cursor = JSONCursor(line, padding: padding)
    guard padding >= TemplateWalk.padding, line.first == UInt8(ascii: "{") else {
      return try scanAsDescribed(&cursor)
    }
    // Nearly every line is as it was expected to be, to its end.
    var walk = walk(from: 1, root.start, isRoot: true)
    let stop = walk.run(line.base, end: line.count, slots: values)
    if stop == .separator, walk.position &+ 1 == line.count,
      line.base[walk.position] == UInt8(ascii: "}")
    {
      memberCount = walk.members - memberStorage
      return
    }
    try cursor.beginObject()
    try goOn(walk, stop, root, &cursor, isRoot: true)
    try cursor.finish()
  }

  private func scanAsDescribed(_ cursor: inout JSONCursor) throws(JSONError) {
    try skipToObject(&cursor)
    try scanObject(root, &cursor, isRoot: true)
    try cursor.finish()
  }

  private func skipToObject(_ cursor: inout JSONCursor) throws(JSONError) {
    let kind = try cursor.peek()
    guard kind == .object else {
      let start = cursor.position
      // Words that only begin like a value (nonsense, truncated) are told as what they are.
      try cursor.skipValue()
      throw JSONError("a record is an object, found \(kind.name)", at: start)
    }
  }

  private func scanObject(
    _ node: PlanNode, _ cursor: inout JSONCursor, isRoot: Bool
  ) throws(JSONError) {
    try cursor.beginObject()
    guard cursor.readable &- cursor.end >= TemplateWalk.padding else {
      return try scanSlowly(node, &cursor, first: true, isRoot: isRoot)
    }
    var walk = walk(from: cursor.position, node.start, isRoot: isRoot)
    let stop = walk.run(cursor.base, end: cursor.end, slots: values)
    try goOn(walk, stop, node, &cursor, isRoot: isRoot)
  }

  private func walk(
    from position: Int, _ template: TemplateReference, isRoot: Bool
  ) -> TemplateWalk {
    // One place more than is counted is there for the members inside of members.
    let end = memberStorage + memberCapacity
    return TemplateWalk(
      position: position, template: template,
      members: isRoot ? memberStorage + memberCount : end + 1,
      membersEnd: end, step: isRoot ? 1 : 0)
  }

  /// Walks along what was learned as far as that goes; for the rest there is the cursor.
  ///
  /// - Parameter stop: where the walk has stopped first.
  private func goOn(
    _ walk: TemplateWalk, _ stop: TemplateWalk.Stop, _ node: PlanNode, _ cursor: inout JSONCursor,
    isRoot: Bool
  ) throws(JSONError) {
    var (walk, stop) = (walk, stop)
    while true {
      if isRoot { memberCount = walk.members - memberStorage }
      cursor.position = walk.position
      var template = walk.template
      if stop == .value {
        try takeValue(behind: template, node, &cursor, isRoot: isRoot)
      } else {
        let start = cursor.position
        var first = template == node.start
        guard let key = try cursor.nextKey(first: &first) else { return }
        let learned = try takeMember(
          key, node, &cursor, isRoot: isRoot, learning: (from: start, after: template))
        // Without a template the next member would be taken for an object's first.
        guard let learned else {
          return try scanSlowly(node, &cursor, first: false, isRoot: isRoot)
        }
        template = learned
      }
      walk = self.walk(from: cursor.position, template, isRoot: isRoot)
      stop = walk.run(cursor.base, end: cursor.end, slots: values)
    }
  }

  /// The value that the walk has stopped at.
  private func takeValue(
    behind template: TemplateReference, _ node: PlanNode, _ cursor: inout JSONCursor, isRoot: Bool
  ) throws(JSONError) {
    let start = cursor.position
    let entry = Int(template.pointee.entry)
    try take(entry, of: node, &cursor)
    if isRoot {
      let text = start - Int(template.pointee.count)
      note(text + Int(template.pointee.nameOffset), start, cursor.position, entry)
    }
  }

  /// A member that is not as expected.
  ///
  /// - Parameter learning: where the text before the value begins, and what came before it.
  /// - Returns: the template, if one was to be learned and there was room.
  private func takeMember(
    _ key: JSONRaw, _ node: PlanNode, _ cursor: inout JSONCursor, isRoot: Bool,
    learning: (from: Int, after: TemplateReference)? = nil
  ) throws(JSONError) -> TemplateReference? {
    let nameStart = key.bytes.base - cursor.base - 1
    let entry = node.find(resolved(key))
    cursor.skipBlanks()
    let start = cursor.position
    try take(entry, of: node, &cursor)
    if isRoot { note(nameStart, start, cursor.position, entry) }
    return learning.flatMap {
      node.learn(
        after: $0.after, Bytes(base: cursor.base + $0.from, count: start - $0.from),
        nameOffset: nameStart - $0.from, entry: entry)
    }
  }

  /// The slow and obvious way, for text without padding and for objects with more or longer names than are
  /// learned.
  private func scanSlowly(
    _ node: PlanNode, _ cursor: inout JSONCursor, first: Bool, isRoot: Bool
  ) throws(JSONError) {
    var first = first
    while let key = try cursor.nextKey(first: &first) {
      _ = try takeMember(key, node, &cursor, isRoot: isRoot)
    }
  }

  /// Reads a value, or the members inside it, into the slots of an entry (-1: checked, not kept).
  private func take(
    _ entry: Int, of node: PlanNode, _ cursor: inout JSONCursor
  ) throws(JSONError) {
    guard entry >= 0 else { return try cursor.skipValue() }
    let lead = node.leads[entry]
    lead.child?._withUnsafeGuaranteedRef { forget($0) }
    let kind = try cursor.peek()
    let start = cursor.position
    var escaped = false
    if let child = lead.child, kind == .object {
      try scanObject(child, &cursor)
    } else {
      escaped = try cursor.rawValue().escaped
    }
    if lead.slot >= 0 {
      values[lead.slot] = ValueRange(start: start, end: cursor.position, escaped: escaped)
    }
  }

  /// The members inside one.
  private func scanObject(
    _ child: Unmanaged<PlanNode>, _ cursor: inout JSONCursor
  ) throws(JSONError) {
    // The closure could not say what it throws.
    let failure = child._withUnsafeGuaranteedRef { child -> JSONError? in
      do throws(JSONError) {
        try scanObject(child, &cursor, isRoot: false)
        return nil
      } catch {
        return error
      }
    }
    if let failure { throw failure }
  }

  /// A member that appears again takes with it what was found inside its first appearance.
  private func forget(_ child: PlanNode) {
    if child.lastRecord == record { forgetInside(child) }
    child.lastRecord = record
  }

  private func forgetInside(_ node: PlanNode) {
    for lead in node.leads {
      if lead.slot >= 0 { values[lead.slot] = .absent }
      lead.child?._withUnsafeGuaranteedRef { forgetInside($0) }
    }
  }

  private func note(_ start: Int, _ valueStart: Int, _ end: Int, _ entry: Int) {
    if memberCount == memberCapacity { growMembers() }
    memberStorage[memberCount] = MemberRange(
      start: start, end: end, valueStart: valueStart, entry: entry)
    memberCount += 1
  }

  private func growMembers() {
    memberStorage = memberStorage.moved(memberCount, toRoomFor: memberCapacity * 2 + 2)
    memberCapacity *= 2
  }

  /// The top-level members, in order; valid until the next record.
  public var members: UnsafeBufferPointer<MemberRange> {
    UnsafeBufferPointer(start: memberStorage, count: memberCount)
  }

  /// A string's text with its escapes resolved; valid until the next record.
  public func resolved(_ raw: JSONRaw) -> Bytes {
    raw.escaped ? scratch.unescape(raw.bytes) : raw.bytes
  }

  // MARK: Values

  /// Whether the record has the member; false for a slot of no plan.
  @inlinable
  public func has(_ slot: Int) -> Bool { !values[slot].isAbsent }

  /// The member as it stands in the text; null without bytes where it is absent.
  public func raw(_ slot: Int) -> JSONRaw {
    precondition(slot >= 0 && slot < slotCount, "a slot of the plan")
    return values[slot].raw(line.base)
  }

  /// A string with its escapes resolved.
  /// - Precondition: the member is a string.
  public func text(_ slot: Int) -> Bytes {
    let raw = raw(slot)
    precondition(raw.kind == .string, "only a string has text")
    return resolved(raw)
  }

  /// The value by its own JSON type; nil for a number that no double can hold. Objects and arrays are null
  /// to expressions.
  public func scalar(_ slot: Int) -> Scalar? {
    precondition(slot >= 0 && slot < slotCount, "a slot of the plan")
    let value = values[slot]
    guard !value.isAbsent else { return .null }
    let text = line.base + value.start
    let count = value.end &- value.start
    switch text.pointee {
    case UInt8(ascii: "\""):
      let content = Bytes(base: text + 1, count: count &- 2)
      return .text(value.isEscaped ? scratch.unescape(content) : content)
    case UInt8(ascii: "t"): return .bool(true)
    case UInt8(ascii: "f"): return .bool(false)
    case UInt8(ascii: "n"), UInt8(ascii: "{"), UInt8(ascii: "["): return .null
    default:
      if count <= ShortNumber.bytesMax, padding >= ShortNumber.bytesMax,
        let number = ShortNumber.scalar(text, count: count)
      {
        return number
      }
      return JSONNumber.scalar(Bytes(base: text, count: count))
    }
  }

  /// A number of 0 or more in thousandths, rounded, as nanoseconds are of microseconds; nil for anything else, and from
  /// 10^15 on.
  public func thousandths(_ slot: Int) -> UInt64? {
    precondition(slot >= 0 && slot < slotCount, "a slot of the plan")
    let value = values[slot]
    guard !value.isAbsent else { return nil }
    let text = line.base + value.start
    let count = value.end &- value.start
    // No other value begins with a digit.
    if count <= ShortNumber.bytesMax, padding >= ShortNumber.bytesMax,
      text.pointee &- UInt8(ascii: "0") <= 9,
      let exact = ShortNumber.thousandths(text, count: count)
    {
      return exact
    }
    if 9...12 ~= count, text.pointee &- UInt8(ascii: "0") <= 9,
      let exact = ShortNumber.longThousandths(text, count: count)
    {
      return exact
    }
    return slowThousandths(slot)
  }

  /// The twin for numbers of any length.
  @inline(never)
  func slowThousandths(_ slot: Int) -> UInt64? {
    let number: Double
    switch scalar(slot) {
    case .int(let value): number = Double(value)
    case .double(let value): number = value
    default: return nil
    }
    guard number >= 0, number < 1e15 else { return nil }
    return UInt64((number * 1e3).rounded())
  }

  // MARK: Writing the line again

  /// Appends the record without its closing brace, so that members can be added, and without the members
  /// that are not kept. Returns true if a comma is due before a further member.
  public func appendOpen(to output: OutputBuffer, keeping kept: KeptMembers) -> Bool {
    output.append(UInt8(ascii: "{"))
    guard let first = members.first, let last = members.last else { return false }
    if members.allSatisfy({ kept.keeps($0) }) {
      output.append(line[first.start..<last.end])
      return true
    }
    var needsComma = false
    for member in members where kept.keeps(member) {
      if needsComma { output.append(UInt8(ascii: ",")) }
      output.append(line[member.start..<member.end])
      needsComma = true
    }
    return needsComma
  }

  /// The slot of one of the plan's first-level entries, -1 where only what is inside has slots.
  func firstLevelSlot(_ entry: Int) -> Int { root.entries[entry].slot }

  /// Keeps every member but one.
  public func keepingAll(but name: String) -> KeptMembers {
    KeptMembers(entries: root.entries.map { !($0.name == name) }, others: true)
  }

  /// Keeps only these members, all of which are in the plan.
  public func keepingOnly(_ names: [String]) -> KeptMembers {
    KeptMembers(
      entries: root.entries.map { entry in names.contains { entry.name == $0 } }, others: false)
  }

  /// The first top-level member that is not kept.
  public func firstMember(outside kept: KeptMembers) -> String? {
    members.first { !kept.keeps($0) }.map { name(of: $0) }
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
