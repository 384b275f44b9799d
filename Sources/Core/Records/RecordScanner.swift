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
  /// One for each slot; absent members are null with no bytes.
  private let raws: UnsafeMutablePointer<JSONRaw>
  private let slotCount: Int
  private var memberStorage: UnsafeMutablePointer<MemberRange>
  private var memberCapacity = 32
  private var memberCount = 0
  public private(set) var line = Bytes.empty
  private let scratch = TextScratch()
  /// Counts the records, to notice members that appear twice in one.
  private var record = 0
  private static let absent = JSONRaw(kind: .null, bytes: .empty)

  public init(_ plan: FieldPlan) {
    self.plan = plan
    self.root = PlanNode.tree(plan)
    self.slotCount = plan.paths.count
    self.raws = .allocate(capacity: max(slotCount, 1))
    self.memberStorage = .allocate(capacity: memberCapacity)
  }

  deinit {
    raws.deallocate()
    memberStorage.deallocate()
  }

  // MARK: Scanning

  /// Reads a record. What it hands out afterwards is valid as long as the line is, at most until the
  /// next call.
  ///
  /// - Parameter padding: bytes behind the line that may be loaded (see `LineReader.padding`).
  public func scan(_ line: Bytes, padding: Int = 0) throws(JSONError) {
    self.line = line
    for slot in 0..<slotCount { raws[slot] = RecordScanner.absent }
    memberCount = 0
    record &+= 1
    scratch.reset()
    var cursor = JSONCursor(line, padding: padding)
    let kind = try cursor.peek()
    guard kind == .object else {
      let start = cursor.position
      // Words that only begin like a value (nonsense, truncated) are told as what they are.
      try cursor.skipValue()
      throw JSONError("a record is an object, found \(kind.name)", at: start)
    }
    try scanObject(root, &cursor, isRoot: true)
    try cursor.finish()
  }

  /// Time is spent here: what is as expected is passed over with a few comparisons; for the rest there is
  /// the cursor. Positions are kept out of the cursor meanwhile, where they stay in registers.
  private func scanObject(
    _ node: PlanNode, _ cursor: inout JSONCursor, isRoot: Bool
  ) throws(JSONError) {
    try cursor.beginObject()
    let base = cursor.base
    let end = cursor.end
    guard cursor.readable &- end >= FastValue.padding else {
      return try scanSlowly(node, &cursor, first: true, isRoot: isRoot)
    }
    var position = cursor.position
    var previous = -1
    var first = true
    while true {
      let number = node.match(after: previous, base + position, left: end &- position)
      guard number >= 0 else {
        cursor.position = position
        guard let learned = try scanMember(node, &cursor, &first, after: previous, isRoot: isRoot)
        else { return }
        // Without a template the next member would be taken for an object's first.
        guard learned >= 0 else {
          return try scanSlowly(node, &cursor, first: false, isRoot: isRoot)
        }
        previous = learned
        position = cursor.position
        continue
      }
      first = false
      previous = number
      let template = node.template(number)
      let valueStart = position &+ Int(template.pointee.count)
      let plain = FastValue.end(base, valueStart, end: end)
      let slot = Int(template.pointee.slot)
      var valueEnd = plain
      if plain > 0 {
        if template.pointee.hasChild { forget(node.entries[Int(template.pointee.entry)].child!) }
        if slot >= 0 { raws[slot] = FastValue.raw(base, valueStart, plain) }
      } else {
        cursor.position = valueStart
        let child =
          template.pointee.hasChild ? node.entries[Int(template.pointee.entry)].child : nil
        try take(slot, child, &cursor)
        valueEnd = cursor.position
      }
      if isRoot {
        note(
          position &+ Int(template.pointee.nameOffset), valueStart, valueEnd,
          Int(template.pointee.entry))
      }
      position = valueEnd
    }
  }

  /// A member that is not as expected: read by the cursor and learned. Nil at the object's end, else the
  /// number of the template, -1 if it was not learned.
  private func scanMember(
    _ node: PlanNode, _ cursor: inout JSONCursor, _ first: inout Bool, after previous: Int,
    isRoot: Bool
  ) throws(JSONError) -> Int? {
    let start = cursor.position
    guard let key = try cursor.nextKey(first: &first) else { return nil }
    let nameStart = key.bytes.base - cursor.base - 1
    let entry = node.find(resolved(key))
    cursor.skipBlanks()
    let valueStart = cursor.position
    let learned = node.learn(
      after: previous, Bytes(base: cursor.base + start, count: valueStart - start),
      nameOffset: nameStart - start, entry: entry)
    try take(
      entry < 0 ? -1 : node.entries[entry].slot, entry < 0 ? nil : node.entries[entry].child,
      &cursor)
    if isRoot { note(nameStart, valueStart, cursor.position, entry) }
    return learned
  }

  /// The slow and obvious way, for text without padding and for objects with more or longer names than are
  /// learned.
  private func scanSlowly(
    _ node: PlanNode, _ cursor: inout JSONCursor, first: Bool, isRoot: Bool
  ) throws(JSONError) {
    var first = first
    while let key = try cursor.nextKey(first: &first) {
      let nameStart = key.bytes.base - cursor.base - 1
      let entry = node.find(resolved(key))
      let valueStart = cursor.position
      try take(
        entry < 0 ? -1 : node.entries[entry].slot, entry < 0 ? nil : node.entries[entry].child,
        &cursor)
      if isRoot { note(nameStart, valueStart, cursor.position, entry) }
    }
  }

  @inline(__always)
  private func take(
    _ slot: Int, _ child: PlanNode?, _ cursor: inout JSONCursor
  ) throws(JSONError) {
    if let child { forget(child) }
    guard let child, try cursor.peek() == .object else {
      let raw = try cursor.rawValue()
      if slot >= 0 { raws[slot] = raw }
      return
    }
    let start = cursor.position
    try scanObject(child, &cursor, isRoot: false)
    if slot >= 0 {
      raws[slot] = JSONRaw(kind: .object, bytes: line[start..<cursor.position])
    }
  }

  /// A member that appears again takes with it what was found inside its first appearance.
  @inline(__always)
  private func forget(_ child: PlanNode) {
    if child.lastRecord == record { forgetInside(child) }
    child.lastRecord = record
  }

  @inline(never)
  private func forgetInside(_ node: PlanNode) {
    for entry in node.entries {
      if entry.slot >= 0 { raws[entry.slot] = RecordScanner.absent }
      if let child = entry.child { forgetInside(child) }
    }
  }

  @inline(__always)
  private func note(_ start: Int, _ valueStart: Int, _ end: Int, _ entry: Int) {
    if memberCount == memberCapacity { growMembers() }
    memberStorage[memberCount] = MemberRange(
      start: start, end: end, valueStart: valueStart, entry: entry)
    memberCount += 1
  }

  private func growMembers() {
    let larger = UnsafeMutablePointer<MemberRange>.allocate(capacity: memberCapacity * 2)
    larger.update(from: memberStorage, count: memberCount)
    memberStorage.deallocate()
    memberStorage = larger
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

  /// The member as it stands in the text; null without bytes where it is absent.
  public func raw(_ slot: Int) -> JSONRaw {
    precondition(slot >= 0 && slot < slotCount, "a slot of the plan")
    return raws[slot]
  }

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
