// Records and tables as columns, whichever there are: nothing need be declared. A member inside a member is a column
// named by its path, and names that are not plain words stand in quotes:
//
//     {"id":"a1","delay":5,"features":{"origin:mean_1h":7.5}}  ─▶  id · delay · features."origin:mean_1h"
//
// Members mostly come in the order in which they came last time, and what stands between their values is then known by
// heart (`Template.swift`). What is not as expected is read by the cursor, which looks for a member first where it came
// last time; anywhere else a hash finds it, and a member that is new becomes a column.

/// One value and its column's number.
public struct ColumnCell {
  public let column: Int
  public let value: ColumnValue
}

public final class ColumnReader {
  /// Which columns are wanted, and how they are called.
  public struct Choice: Sendable {
    /// Only what is inside this member, named without it; all, where it is empty.
    public var under: [String] = []
    /// Only these; all, where it is nil.
    public var only: Set<String>?
    public var without: Set<String> = []
    /// A top-level member that is read in any case: the time.
    public var time: String?

    public init() {}

    /// What the member at a path is called; nil where it is not wanted.
    public func name(_ path: [String]) -> String? {
      if path.count == 1, path[0] == time { return ColumnReader.name(path) }
      guard path.starts(with: under), path.count > under.count else { return nil }
      let name = ColumnReader.name(Array(path[under.count...]))
      return keeps(name) ? name : nil
    }

    /// Whether a column of this name is wanted.
    public func keeps(_ name: String) -> Bool {
      only?.contains(name) ?? true && !without.contains(name)
    }
  }

  /// Columns that one stream may have: beyond, its members' names are data.
  public static let columnsMax = 10_000
  private static let depthMax = 8
  /// Of one object.
  private static let templatesMax = 1_024

  private final class Node {
    struct Entry {
      let key: Bytes
      /// -1 as long as no value was met, -2 where none is wanted.
      var column = -1
      var child: Node?
      /// The record in which it was met last.
      var record = 0
    }
    let path: [String]
    let table = ByteTable()
    var entries: [Entry] = []
    /// The entry that is expected first in an object, and after each other.
    var following: [Int] = [0]
    let templates: TemplateTable

    init(_ path: [String], _ owner: ByteOwner) {
      self.path = path
      templates = TemplateTable(owner, most: ColumnReader.templatesMax)
    }
  }

  private let choice: Choice
  private let owner: ByteOwner
  private let root: Node
  private let scratch = TextScratch()
  private var record = 0
  private var storage: UnsafeMutablePointer<ColumnCell>
  private var capacity = 64
  private var count = 0
  /// Objects inside of records, by path; each has memory of its own.
  private var nodeCount = 0
  /// The columns, numbered as they were met first.
  public private(set) var names: [String] = []

  /// Members that a walk has passed.
  private let passed: UnsafeMutablePointer<MemberRange>
  private static let passedMax = 256
  /// Where a walk puts values by slot; here no member has a slot of its own.
  private let slot: UnsafeMutablePointer<ValueRange>

  public init(_ choice: Choice = Choice()) {
    self.choice = choice
    owner = ByteOwner()
    root = Node([], owner)
    storage = .allocate(capacity: capacity)
    passed = .allocate(capacity: ColumnReader.passedMax)
    slot = .allocate(capacity: 1)
  }

  deinit {
    storage.deallocate()
    passed.deallocate()
    slot.deallocate()
  }

  /// The values of the last record, nulls included, in the order in which they stand there; valid until the next.
  public var cells: UnsafeBufferPointer<ColumnCell> {
    UnsafeBufferPointer(start: storage, count: count)
  }

  /// A path as text: names with anything but letters, digits, `_` and `-` in quotes.
  public static func name(_ path: [String]) -> String {
    path.map { name in
      let isPlain =
        !name.isEmpty
        && name.utf8.allSatisfy { byte in
          byte | 0x20 &- UInt8(ascii: "a") < 26 || byte &- UInt8(ascii: "0") < 10
            || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-") || byte >= 0x80
        }
      return isPlain ? name : "\"\(name)\""
    }.joined(separator: ".")
  }

  // MARK: Records

  /// - Parameter padding: bytes behind the line that may be loaded.
  public func read(_ line: Bytes, padding: Int = 0) throws(BadRecord) {
    count = 0
    record += 1
    scratch.reset()
    do throws(JSONError) {
      var cursor = JSONCursor(line, padding: padding)
      let kind = try cursor.peek()
      guard kind == .object else {
        throw JSONError("a record is an object, found \(kind.name)", at: 0)
      }
      try readObject(root, &cursor)
      try cursor.finish()
    } catch {
      throw BadRecord(error.description)
    }
  }

  private func readObject(_ node: Node, _ cursor: inout JSONCursor) throws(JSONError) {
    try cursor.beginObject()
    guard cursor.readable &- cursor.end >= TemplateWalk.padding else {
      return try readSlowly(node, &cursor, first: true, after: 0)
    }
    var template = node.templates.start
    while true {
      var walk = TemplateWalk(
        position: cursor.position, template: template, members: passed,
        membersEnd: passed + ColumnReader.passedMax, step: 1)
      let stop = walk.run(cursor.base, end: cursor.end, slots: slot)
      try take(UnsafeBufferPointer(start: passed, count: walk.members - passed), node, cursor.base)
      cursor.position = walk.position
      template = walk.template
      if stop == .value {
        try take(Int(template.pointee.entry), of: node, &cursor)
        continue
      }
      if walk.members == walk.membersEnd { continue }
      let start = cursor.position
      let before = Int(template.pointee.entry) + 1
      var first = template == node.templates.start
      guard let key = try cursor.nextKey(first: &first) else { return }
      let nameOffset = key.bytes.base - cursor.base - 1 - start
      let index = try find(resolved(key), in: node, after: before, at: cursor.position)
      cursor.skipBlanks()
      let text = Bytes(base: cursor.base + start, count: cursor.position - start)
      try take(index, of: node, &cursor)
      let learned = node.templates.learn(
        after: template, text, nameOffset: nameOffset, slot: 0, entry: index, hasChild: false)
      guard let learned else {
        return try readSlowly(node, &cursor, first: false, after: index + 1)
      }
      template = learned
    }
  }

  /// The slow and obvious way, for text without padding and for objects with more or longer names than are learned.
  private func readSlowly(
    _ node: Node, _ cursor: inout JSONCursor, first: Bool, after previous: Int
  ) throws(JSONError) {
    var (first, before) = (first, previous)
    while let key = try cursor.nextKey(first: &first) {
      let index = try find(resolved(key), in: node, after: before, at: cursor.position)
      before = index + 1
      try take(index, of: node, &cursor)
    }
  }

  private func resolved(_ raw: JSONRaw) -> Bytes {
    raw.escaped ? scratch.unescape(raw.bytes) : raw.bytes
  }

  /// Members of simple values, whose text is padded.
  private func take(
    _ members: UnsafeBufferPointer<MemberRange>, _ node: Node, _ base: UnsafePointer<UInt8>
  ) throws(JSONError) {
    while count &+ members.count > capacity { grow() }
    for member in members {
      let column = try meet(member.entry, of: node, at: member.valueStart)
      if column < 0 { continue }
      let text = Bytes(base: base + member.valueStart, count: member.valueCount)
      (storage + count).initialize(
        to: ColumnCell(column: column, value: ColumnValue(simple: text)))
      count &+= 1
    }
  }

  /// The value that comes next, or the members inside it.
  private func take(
    _ index: Int, of node: Node, _ cursor: inout JSONCursor
  ) throws(JSONError) {
    if try cursor.peek() == .object, let child = try child(of: index, in: node, at: cursor.position)
    {
      note(index, of: node)
      return try readObject(child, &cursor)
    }
    let raw = try cursor.rawValue()
    let column = try meet(index, of: node, at: cursor.position)
    if column >= 0 { append(column, ColumnValue(raw) { resolved($0) }) }
  }

  /// The column of a member that has a value; -2 if it is not wanted.
  @inline(__always)
  private func meet(_ index: Int, of node: Node, at offset: Int) throws(JSONError) -> Int {
    note(index, of: node)
    let column = node.entries[index].column
    return column == -1 ? try open(index, in: node, at: offset) : column
  }

  /// Of members that appear twice the last one counts.
  @inline(__always)
  private func note(_ index: Int, of node: Node) {
    if node.entries[index].record == record { forget(node.entries[index]) }
    node.entries[index].record = record
  }

  private func find(
    _ name: Bytes, in node: Node, after before: Int, at offset: Int
  ) throws(JSONError) -> Int {
    let expected = node.following[before]
    if expected < node.entries.count, node.entries[expected].key == name { return expected }
    let index: Int
    if let known = node.table.find(name) {
      index = known
    } else {
      guard node.entries.count < ColumnReader.columnsMax else {
        throw JSONError(
          "more than \(ColumnReader.columnsMax.grouped) different members: their names seem to be data",
          at: offset)
      }
      index = node.table.insert(name).index
      var entry = Node.Entry(key: node.table[index])
      // What is ours says nothing about the data.
      if node.path.isEmpty, name == "_rt" || name == "kind" { entry.column = -2 }
      node.entries.append(entry)
      node.following.append(index + 1)
    }
    node.following[before] = index
    return index
  }

  private func child(of index: Int, in node: Node, at offset: Int) throws(JSONError) -> Node? {
    if let child = node.entries[index].child { return child }
    guard node.path.count < ColumnReader.depthMax, node.entries[index].column != -2 else {
      return nil
    }
    guard nodeCount < ColumnReader.columnsMax else {
      throw JSONError(
        "more than \(ColumnReader.columnsMax.grouped) different objects inside of records: their names seem to be data",
        at: offset)
    }
    nodeCount += 1
    let child = Node(node.path + [node.entries[index].key.string], owner)
    node.entries[index].child = child
    return child
  }

  private func open(_ index: Int, in node: Node, at offset: Int) throws(JSONError) -> Int {
    let name = choice.name(node.path + [node.entries[index].key.string])
    guard let name else {
      node.entries[index].column = -2
      return -2
    }
    guard names.count < ColumnReader.columnsMax else {
      throw JSONError(
        "more than \(ColumnReader.columnsMax.grouped) columns: members' names seem to be data",
        at: offset)
    }
    node.entries[index].column = names.count
    names.append(name)
    return names.count - 1
  }

  /// Of members that appear twice the last one counts.
  private func forget(_ entry: Node.Entry) {
    if let child = entry.child {
      for inner in child.entries where inner.record == record { forget(inner) }
    }
    guard entry.column >= 0 else { return }
    var kept = 0
    for index in 0..<count where storage[index].column != entry.column {
      storage[kept] = storage[index]
      kept += 1
    }
    count = kept
  }

  @inline(__always)
  private func append(_ column: Int, _ value: ColumnValue) {
    guard column >= 0 else { return }
    if count == capacity { grow() }
    (storage + count).initialize(to: ColumnCell(column: column, value: value))
    count += 1
  }

  private func grow() {
    capacity *= 2
    storage = storage.moved(count, toRoomFor: capacity)
  }

  // MARK: Tables

  private var columnsOfTable: [Int] = []

  /// The header row of a table, whose rows are read with `read(cells:)` from then on.
  public func readHeader(_ header: CSVRow, source: String) throws(Failure) {
    columnsOfTable = []
    var seen: Set<String> = []
    for (index, cell) in header.cells.enumerated() {
      let member = cell.trimmed.string
      guard !member.isEmpty else {
        throw .badData("\(source): column \(index + 1) has no name in the header row")
      }
      guard seen.insert(member).inserted else {
        throw .badData("\(source): the header row names '\(member)' twice")
      }
      do throws(JSONError) {
        let entry = try Array(member.utf8).withBytes { (name) throws(JSONError) in
          try find(name, in: root, after: 0, at: 0)
        }
        let column = root.entries[entry].column
        columnsOfTable.append(column == -1 ? try open(entry, in: root, at: 0) : column)
      } catch {
        throw .badData("\(source): \(error.reason)")
      }
    }
  }

  /// - Parameter row: `LineReader.padding` bytes behind each cell may be loaded.
  public func read(cells row: UnsafeBufferPointer<Bytes>) throws(BadRecord) {
    guard row.count == columnsOfTable.count else {
      throw BadRecord("\(row.count) cells where the header has \(columnsOfTable.count)")
    }
    count = 0
    while row.count > capacity { grow() }
    var next = storage
    columnsOfTable.withUnsafeBufferPointer { columns in
      for index in 0..<row.count where columns[index] >= 0 {
        next.initialize(
          to: ColumnCell(column: columns[index], value: ColumnValue(cell: row[index])))
        next += 1
      }
    }
    count = next - storage
  }
}
