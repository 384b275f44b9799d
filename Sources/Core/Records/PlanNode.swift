// One level of a field plan, as the scanner walks it, and what it has learned of the records' habits.
//
// Producers write the members of a record in the same order and with the same spaces, line after line. So
// all that stands between one value and the next is a *template*, known after the first line:
//
//     {"id":"a1", "time":"2013-…", "dep_delay":-5}
//     └─┬──┘    └───┬───┘         └─────┬─────┘
//     template 0   template 1        template 2          0 ─▶ 1 ─▶ 2
//
// A comparison of sixteen bytes then replaces reading the separator, the name, the colon and the spaces, and
// finding the name in the plan. Each template remembers up to four successors, so that events of several
// types in one stream are all learned. What is not as expected is read by the cursor, and learned.
// A template is matched only where it was learned from valid JSON in the same place: after the same
// template, or at the start of an object; so what matches is valid too.

final class PlanNode {
  struct Entry {
    let name: Bytes
    /// -1 where only members inside are wanted.
    var slot: Int
    var child: PlanNode?
  }

  struct Template {
    /// The bytes from behind the last value to this one, padded to a multiple of sixteen.
    let bytes: UnsafeMutablePointer<UInt8>
    let count: Int32
    /// Which bytes of the last load of sixteen belong to it, one bit each.
    let lastMask: UInt32
    /// Of the name's opening quote within the bytes.
    let nameOffset: Int32
    /// Into `entries`, or -1 for a member that the plan does not know.
    let entry: Int32
    /// Of the member's value, or -1.
    let slot: Int32
    /// Members inside are wanted: an object under this name is walked.
    let hasChild: Bool
    var successors: Successors
  }

  /// Template numbers, the most recently learned first; -1 is none.
  struct Successors {
    var first: Int32 = -1
    var second: Int32 = -1
    var third: Int32 = -1
    var fourth: Int32 = -1

    mutating func push(_ template: Int) {
      (first, second, third, fourth) = (Int32(template), first, second, third)
    }
  }

  private(set) var entries: [Entry] = []
  /// The last record in which a member of this name was found.
  var lastRecord = 0
  private var templates: UnsafeMutablePointer<Template>
  private var templateCount = 0
  private var starts = Successors()
  private let names: ByteOwner

  /// Templates of one level: more than records have members, few enough that a hostile stream of ever new
  /// names costs a fixed amount of memory.
  private static let templatesMax = 256
  private static let templateBytesMax = 128

  init(_ names: ByteOwner) {
    self.names = names
    templates = .allocate(capacity: PlanNode.templatesMax)
  }

  deinit {
    for index in 0..<templateCount { templates[index].bytes.deallocate() }
    templates.deinitialize(count: templateCount)
    templates.deallocate()
  }

  static func tree(_ plan: FieldPlan) -> PlanNode {
    let root = PlanNode(ByteOwner())
    for (slot, path) in plan.paths.enumerated() { root.insert(path[...], slot) }
    return root
  }

  private func insert(_ path: ArraySlice<String>, _ slot: Int) {
    let name = path.first!
    var index = entries.firstIndex { $0.name == name } ?? entries.count
    if index == entries.count {
      entries.append(Entry(name: names.keep(name), slot: -1, child: nil))
      index = entries.count - 1
    }
    if path.count == 1 {
      entries[index].slot = slot
    } else {
      let child = entries[index].child ?? PlanNode(names)
      entries[index].child = child
      child.insert(path.dropFirst(), slot)
    }
  }

  /// - Complexity: O(names of the plan at this level).
  func find(_ key: Bytes) -> Int { entries.firstIndex { $0.name == key } ?? -1 }

  // MARK: Templates

  /// By number. The reference does not outlive the node.
  @inline(__always)
  func template(_ number: Int) -> UnsafePointer<Template> { UnsafePointer(templates + number) }

  /// The template that stands at `text`, after the template `previous` (-1 at an object's start), or -1.
  ///
  /// - Parameters:
  ///   - left: bytes of the record from `text` on; a template never uses up all of them. Sixteen more
  ///     may be loaded.
  @inline(__always)
  func match(after previous: Int, _ text: UnsafePointer<UInt8>, left: Int) -> Int {
    let candidates = previous < 0 ? starts : templates[previous].successors
    if matches(candidates.first, text, left) { return Int(candidates.first) }
    if matches(candidates.second, text, left) { return Int(candidates.second) }
    if matches(candidates.third, text, left) { return Int(candidates.third) }
    if matches(candidates.fourth, text, left) { return Int(candidates.fourth) }
    return -1
  }

  @inline(__always)
  private func matches(
    _ candidate: Int32, _ text: UnsafePointer<UInt8>, _ left: Int
  ) -> Bool {
    guard candidate >= 0 else { return false }
    let template = templates + Int(candidate)
    let count = Int(template.pointee.count)
    guard count < left else { return false }
    var index = 0
    while index &+ 16 < count {
      guard PlainText.equalSixteen(text + index, template.pointee.bytes + index, 0xFFFF) else {
        return false
      }
      index &+= 16
    }
    return PlainText.equalSixteen(
      text + index, template.pointee.bytes + index, template.pointee.lastMask)
  }

  /// Learns what the cursor has read between two values; -1 if there is no room for more.
  func learn(after previous: Int, _ text: Bytes, nameOffset: Int, entry: Int) -> Int {
    guard text.count <= PlanNode.templateBytesMax else { return -1 }
    let index = known(text) ?? add(text, nameOffset: nameOffset, entry: entry)
    guard index >= 0 else { return -1 }
    if previous < 0 {
      starts.push(index)
    } else {
      templates[previous].successors.push(index)
    }
    return index
  }

  private func known(_ text: Bytes) -> Int? {
    (0..<templateCount).first { index in
      Bytes(base: templates[index].bytes, count: Int(templates[index].count)) == text
    }
  }

  private func add(_ text: Bytes, nameOffset: Int, entry: Int) -> Int {
    guard templateCount < PlanNode.templatesMax else { return -1 }
    let capacity = (text.count + 15) & ~15
    let copy = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity)
    copy.initialize(repeating: 0, count: capacity)
    copy.update(from: text.base, count: text.count)
    let lastCount = UInt32(text.count - (text.count - 1) / 16 * 16)
    let template = Template(
      bytes: copy, count: Int32(text.count), lastMask: (1 << lastCount) - 1,
      nameOffset: Int32(nameOffset), entry: Int32(entry),
      slot: entry < 0 ? -1 : Int32(entries[entry].slot),
      hasChild: entry >= 0 && entries[entry].child != nil, successors: Successors())
    (templates + templateCount).initialize(to: template)
    templateCount += 1
    return templateCount - 1
  }
}

/// Owns the bytes of names for as long as a scanner lives.
final class ByteOwner {
  private var kept: [UnsafeMutablePointer<UInt8>] = []

  func keep(_ text: String) -> Bytes {
    let bytes = Array(text.utf8)
    let memory = UnsafeMutablePointer<UInt8>.allocate(capacity: max(bytes.count, 1))
    memory.update(from: bytes, count: bytes.count)
    kept.append(memory)
    return Bytes(base: UnsafePointer(memory), count: bytes.count)
  }

  deinit { for memory in kept { memory.deallocate() } }
}
