// Which members of a record a command needs. Made once, while the project's expressions are compiled; the
// scanner then fills one slot for each and passes over everything else.
//
//     plan.slot(["id"]) → 0    plan.slot(["_rt", "offset"]) → 1    plan.slot(["dep_delay"]) → 2

/// Members by path, each with a slot number. The same path always has the same slot.
public struct FieldPlan: Sendable {
  public private(set) var paths: [[String]] = []
  /// By path: a model may have thousands of inputs.
  private var slots: [[String]: Int] = [:]

  public init() {}

  /// The slot of the member at `path`, added if it is new.
  public mutating func slot(_ path: [String]) -> Int {
    precondition(!path.isEmpty, "a path names at least one member")
    if let known = slots[path] { return known }
    paths.append(path)
    slots[path] = paths.count - 1
    return paths.count - 1
  }

  public func existingSlot(_ path: [String]) -> Int? { slots[path] }
}
