// One level of a field plan, as the scanner walks it, and the templates that it has learned of the records
// (`Template.swift`). What is not as expected is read by the cursor, and learned here.

final class PlanNode {
  struct Entry {
    let name: Bytes
    /// -1 where only members inside are wanted.
    var slot: Int
    var child: PlanNode?
  }

  private(set) var entries: [Entry] = []
  /// The last record in which a member of this name was found.
  var lastRecord = 0
  /// Where members lead to that nobody asked for.
  private let unwantedSlot: Int
  /// Of names and templates.
  private let owner: ByteOwner
  /// The templates; the first one is empty and stands for the start of an object.
  private let templates: TemplateReference
  private var templateCount = 0

  /// Templates of one level: more than records have members, few enough that a hostile stream of ever new
  /// names costs a fixed amount of memory.
  private static let templatesMax = 256
  private static let templateBytesMax = 128

  private init(_ owner: ByteOwner, unwantedSlot: Int) {
    self.owner = owner
    self.unwantedSlot = unwantedSlot
    templates = .allocate(capacity: PlanNode.templatesMax)
    add(.empty, nameOffset: 0, entry: -1)
  }

  deinit {
    templates.deinitialize(count: templateCount)
    templates.deallocate()
  }

  static func tree(_ plan: FieldPlan) -> PlanNode {
    let root = PlanNode(ByteOwner(), unwantedSlot: plan.paths.count)
    for (slot, path) in plan.paths.enumerated() { root.insert(path[...], slot) }
    return root
  }

  private func insert(_ path: ArraySlice<String>, _ slot: Int) {
    let name = path.first!
    var index = entries.firstIndex { $0.name == name } ?? entries.count
    if index == entries.count {
      entries.append(Entry(name: owner.keep(name), slot: -1, child: nil))
      index = entries.count - 1
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
  var start: TemplateReference { templates }

  /// Learns what the cursor has read between two values; nil if there is no room for more.
  func learn(
    after previous: TemplateReference, _ text: Bytes, nameOffset: Int, entry: Int
  ) -> TemplateReference? {
    guard text.count <= PlanNode.templateBytesMax else { return nil }
    guard let template = known(text) ?? add(text, nameOffset: nameOffset, entry: entry) else {
      return nil
    }
    previous.pointee.expectNext(template)
    return template
  }

  private func known(_ text: Bytes) -> TemplateReference? {
    for index in 1..<templateCount where templates[index].text == text { return templates + index }
    return nil
  }

  @discardableResult
  private func add(_ text: Bytes, nameOffset: Int, entry: Int) -> TemplateReference? {
    guard templateCount < PlanNode.templatesMax else { return nil }
    let wanted = entry < 0 ? -1 : entries[entry].slot
    (templates + templateCount).initialize(
      to: Template(
        owner.keep(text.copy()), nameOffset: nameOffset, slot: wanted < 0 ? unwantedSlot : wanted,
        entry: entry,
        hasChild: entry >= 0 && entries[entry].child != nil))
    templateCount += 1
    return templates + (templateCount - 1)
  }
}

/// Owns the bytes of names and templates for as long as a scanner lives.
final class ByteOwner {
  private var kept: [UnsafeMutablePointer<UInt8>] = []

  func keep(_ text: String) -> Bytes { keep(Array(text.utf8)) }

  func keep(_ bytes: [UInt8]) -> Bytes {
    let memory = UnsafeMutablePointer<UInt8>.allocate(capacity: max(bytes.count, 1))
    memory.update(from: bytes, count: bytes.count)
    kept.append(memory)
    return Bytes(base: UnsafePointer(memory), count: bytes.count)
  }

  deinit { for memory in kept { memory.deallocate() } }
}
