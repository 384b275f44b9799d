// All event types together, and the one plan of members that reads any of them. Expressions over events are
// compiled against a type's scope; each member that they name gets a slot in the plan. When the last
// one is compiled, decoders are made from the plan.

public import Core

public final class EventSchema {
  /// Never empty. With no project file there is one type without a name, which every event has.
  public let types: [EventType]
  /// True when any type name is accepted, because none is declared.
  public let isOpen: Bool
  /// The member that tells the type.
  public let typeMember: String
  /// The type of every event, whatever its members say.
  public let fixedType: Int?
  public private(set) var plan = FieldPlan()

  /// Types that the project declares.
  ///
  /// - Precondition: `types` is not empty.
  public init(types: [EventType], typeMember: String = "type", fixedType: Int? = nil) {
    precondition(!types.isEmpty, "a schema has at least one event type")
    self.types = types
    self.isOpen = false
    self.typeMember = typeMember
    self.fixedType = fixedType
  }

  /// Events of which nothing is declared but where their id and time are.
  public init(anyType type: EventType, typeMember: String = "type") {
    self.types = [type]
    self.isOpen = true
    self.typeMember = typeMember
    self.fixedType = nil
  }

  /// What expressions read, fixed when the first decoder is made; the plan then also gets what every decoder
  /// needs.
  private(set) var neededPaths: [[String]]?

  func complete() {
    guard neededPaths == nil else { return }
    neededPaths = plan.paths
    for member in [typeMember, "kind"] { _ = slot(member) }
    for member in ["type", "offset", "watermark", "op", "ingested"] { _ = markSlot(member) }
    for type in types {
      for member in type.fields.map(\.name) + [type.timeMember] { _ = slot(member) }
      if let member = type.idMember { _ = slot(member) }
    }
  }

  public func index(of name: String) -> Int? { types.firstIndex { $0.name == name } }

  /// The slot of a top-level member.
  public func slot(_ member: String) -> Int { plan.slot([member]) }

  /// The slot of a member of the reserved `_rt`.
  func markSlot(_ member: String) -> Int { plan.slot(["_rt", member]) }

  /// The names that expressions over events of this type may use: the declared fields, the time and id
  /// members, and `time`; any member at all where nothing is declared.
  public func scope(of type: Int) -> Scope {
    let declared = types[type]
    var names = declared.fields.map(\.name) + [declared.timeMember]
    if let id = declared.idMember { names.append(id) }
    return Scope(names: names) { [self] path in
      guard let valueType = valueType(of: path, in: declared) else { return nil }
      // `time` is the event time, whatever the member is called.
      let isTime = path == ["time"] && !declared.fields.contains { $0.name == "time" }
      return Binding(slot: plan.slot(isTime ? [declared.timeMember] : path), type: valueType)
    }
  }

  /// The same for a view over several types: what only another of them declares is known here too, and null in
  /// events that do not have it.
  public func scope(of type: Int, beside others: [Int]) -> Scope {
    let own = scope(of: type)
    let foreign = others.filter { $0 != type }.map { types[$0] }
    let names = foreign.flatMap { $0.fields.map(\.name) }
    return own.extended(by: names) { [self] path in
      guard foreign.contains(where: { valueType(of: path, in: $0) != nil }) else { return nil }
      return Binding(slot: plan.slot(path), type: .any)
    }
  }

  /// The same with names for what is known beside the event. Whoever applies it puts their values into their slots
  /// (`knownSlot`); no member of an event is ever read into one.
  public func scope(
    of type: Int, beside others: [Int], knowing known: [(name: String, type: ValueType)]
  ) -> Scope {
    Scope(names: known.map(\.name)) { [self] path in
      guard path.count == 1, let found = known.first(where: { $0.name == path[0] }) else {
        return nil
      }
      return Binding(slot: knownSlot(found.name), type: found.type)
    }.followed(by: scope(of: type, beside: others))
  }

  /// The slot of what is known beside the event.
  public func knownSlot(_ name: String) -> Int { markSlot(name) }

  private func valueType(of path: [String], in type: EventType) -> ValueType? {
    if path == [type.timeMember] || path == ["time"] { return .time }
    if let field = type.fields.first(where: { $0.name == path[0] }) {
      if path.count == 1 { return field.type.valueType }
      return field.type == .any ? .any : nil
    }
    if path.count == 1, path[0] == type.idMember { return .any }
    return type.fields.isEmpty ? .any : nil
  }
}
