// One level of a field plan, as the scanner walks it, and the templates that it has learned of the records
// (`Template.swift`). What is not as expected is read by the cursor, and learned here.

final class PlanNode {
  struct Entry {
    let name: Bytes
    /// -1 where only members inside are wanted.
    var slot: Int
    var child: PlanNode?
  }

  /// What the scanner reads of an entry for every record: nothing in it is counted.
  struct Lead {
    let slot: Int
    /// Lives as long as the node that leads to it.
    let child: Unmanaged<PlanNode>?
  }

  private(set) var entries: [Entry] = []
  /// By name, while the tree is made.
  private var places: [String: Int] = [:]
  /// By entry, once the tree is whole.
  private(set) var leads: UnsafeMutableBufferPointer<Lead> = .init(start: nil, count: 0)
  /// The last record in which a member of this name was found.
  var lastRecord = 0
  /// Where members lead to that nobody asked for.
  private let unwantedSlot: Int
  /// Of names and templates.
  private let owner: ByteOwner
  private let templates: TemplateTable

  /// Templates of one level: more than records have members, few enough that a hostile stream of ever new
  /// names costs a fixed amount of memory.
  private static let templatesMax = 256

  private init(_ owner: ByteOwner, unwantedSlot: Int) {
    self.owner = owner
    self.unwantedSlot = unwantedSlot
    templates = TemplateTable(owner, most: PlanNode.templatesMax)
  }

  static func tree(_ plan: FieldPlan) -> PlanNode {
    let root = PlanNode(ByteOwner(), unwantedSlot: plan.paths.count)
    for (slot, path) in plan.paths.enumerated() { root.insert(path[...], slot) }
    root.complete()
    return root
  }

  deinit { leads.deallocate() }

  private func complete() {
    places = [:]
    leads = .allocate(capacity: entries.count)
    for (index, entry) in entries.enumerated() {
      entry.child?.complete()
      leads.initializeElement(
        at: index, to: Lead(slot: entry.slot, child: entry.child.map { .passUnretained($0) }))
    }
  }

  private func insert(_ path: ArraySlice<String>, _ slot: Int) {
    let name = path.first!
    let index = places[name] ?? entries.count
    if index == entries.count {
      entries.append(Entry(name: owner.keep(name), slot: -1, child: nil))
      places[name] = index
    }
    if path.count == 1 {
      entries[index].slot = slot
    } else {
      let child = entries[index].child ?? PlanNode(owner, unwantedSlot: unwantedSlot)
      entries[index].child = child
      child.insert(path.dropFirst(), slot)
    }
  }

  /// - Complexity: O(names of the plan at this level).
  func find(_ key: Bytes) -> Int { entries.firstIndex { $0.name == key } ?? -1 }

  // MARK: Templates

  /// What precedes the first member of an object. It lives as long as the node, as all templates do.
  var start: TemplateReference { templates.start }

  /// Learns what the cursor has read between two values; nil if there is no room for more.
  func learn(
    after previous: TemplateReference, _ text: Bytes, nameOffset: Int, entry: Int
  ) -> TemplateReference? {
    let wanted = entry < 0 ? -1 : entries[entry].slot
    return templates.learn(
      after: previous, text, nameOffset: nameOffset, slot: wanted < 0 ? unwantedSlot : wanted,
      entry: entry, hasChild: entry >= 0 && entries[entry].child != nil)
  }
}

/// Owns the bytes of names and templates for as long as a scanner lives.
final class ByteOwner {
  private var kept: [UnsafeMutablePointer<UInt8>] = []

  func keep(_ text: String) -> Bytes { keep(Array(text.utf8)) }

  /// - Parameter padding: bytes behind them that may be loaded.
  func keep(_ bytes: [UInt8], padding: Int = 0) -> Bytes {
    let memory = UnsafeMutablePointer<UInt8>.allocate(capacity: max(bytes.count + padding, 1))
    memory.update(from: bytes, count: bytes.count)
    (memory + bytes.count).initialize(repeating: 0, count: padding)
    kept.append(memory)
    return Bytes(base: UnsafePointer(memory), count: bytes.count)
  }

  deinit { for memory in kept { memory.deallocate() } }
}
