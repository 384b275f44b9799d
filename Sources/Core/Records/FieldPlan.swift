// Which members of a record a command needs. Made once, while the project's expressions are compiled; the
// scanner then fills one slot for each and passes over everything else.
//
//     plan.slot(["id"]) → 0    plan.slot(["_rt", "offset"]) → 1    plan.slot(["dep_delay"]) → 2

/// Members by path, each with a slot number. The same path always has the same slot.
public struct FieldPlan: Sendable {
  public private(set) var paths: [[String]] = []

  public init() {}

  /// The slot of the member at `path`, added if it is new.
  public mutating func slot(_ path: [String]) -> Int {
    precondition(!path.isEmpty, "a path names at least one member")
    if let known = paths.firstIndex(of: path) { return known }
    paths.append(path)
    return paths.count - 1
  }

  public func existingSlot(_ path: [String]) -> Int? { paths.firstIndex(of: path) }
}

/// One level of a plan, as the scanner walks it: the names that matter in an object, in the order in which
/// the last record had them.
final class PlanNode {
  struct Entry {
    let name: Bytes
    /// -1 where only members inside are wanted.
    var slot: Int
    var child: PlanNode?
  }

  private(set) var entries: [Entry] = []
  /// Where the next name probably is: records of one kind keep their members' order.
  private var expected = 0
  private let owned: ByteOwner

  init(_ owned: ByteOwner) { self.owned = owned }

  static func tree(_ plan: FieldPlan) -> PlanNode {
    let root = PlanNode(ByteOwner())
    for (slot, path) in plan.paths.enumerated() { root.insert(path[...], slot) }
    return root
  }

  private func insert(_ path: ArraySlice<String>, _ slot: Int) {
    let name = path.first!
    var index = entries.firstIndex { $0.name == name } ?? entries.count
    if index == entries.count {
      entries.append(Entry(name: owned.keep(name), slot: -1, child: nil))
      index = entries.count - 1
    }
    if path.count == 1 {
      entries[index].slot = slot
    } else {
      let child = entries[index].child ?? PlanNode(owned)
      entries[index].child = child
      child.insert(path.dropFirst(), slot)
    }
  }

  /// To be called at the start of each object.
  func rewind() { expected = 0 }

  /// - Complexity: O(1) while the order holds, else O(names).
  @inline(__always)
  func find(_ key: Bytes) -> Int? {
    var index = expected
    for _ in 0..<entries.count {
      if index >= entries.count { index = 0 }
      if entries[index].name == key {
        expected = index + 1
        return index
      }
      index += 1
    }
    return nil
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
