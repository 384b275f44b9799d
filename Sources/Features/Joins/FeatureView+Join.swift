// Views that draw from a join of two streams, from the project file: see `IntervalJoin`.
//
//     join: {
//       left: "impression",                                   an event type, and what its events are called by
//       right: { from: "click", as: "hit", where: "button == 'buy'" },
//       on: "impression.id == hit.impression_id",             or a member that both have; or a list of these
//       within: { before: "5s", after: "30m" },               or "30m": after only
//       outer: true,
//     }

import Core
import Events

extension FeatureView {
  /// Whether a member of the project file's `features` draws from a join.
  static func isJoined(_ node: ConfigNode) -> Bool { node["join"] != nil }

  /// One member of the project file's `features`, compiled against the two event types.
  init(joined member: ConfigNode.Member, schema: EventSchema) throws(Failure) {
    let node = member.node
    if let from = node["from"] {
      throw from.failure(
        "a view draws from event types (from) or from a join of two, not from both")
    }
    try node.allow(["entity", "join", "where", "features"])
    try FeatureView.checkName(member.key, node)
    let declared = try DeclaredJoin(try node.required("join"), schema)
    let names = declared.names
    let entityNode = try node.required("entity")
    let declaredEntity = try entityNode.strings()
    guard !declaredEntity.isEmpty else {
      throw entityNode.failure("an entity has at least one member")
    }
    // As questions name it.
    var entity: [String] = []
    var keySlots: [Int] = []
    var entityTypes: [Int] = []
    for text in declaredEntity {
      let (name, stream, slot) = try declared.entityMember(text, entityNode)
      entity.append(name)
      keySlots.append(names.slot(slot, of: stream))
      entityTypes.append(names.streams[stream].type)
    }
    guard Set(entity).count == entity.count else {
      throw entityNode.failure(
        "a question gives each member once, and two of these have the same name: \(entity.joined(separator: ", "))"
      )
    }
    let scope = names.record()
    let both = names.streams.map(\.name).joined(separator: " and ")
    let context = FeatureContext(view: member.key, types: ["\(both), joined"], scopes: [scope])
    var columns: [Column] = []
    var features: [Feature] = []
    for feature in try node.required("features").members() {
      features.append(try Feature.declared(feature, context, columns: &columns))
    }
    guard !features.isEmpty else { throw node.failure("a view has at least one feature") }
    let filter = try node["where"]?.expression(scope: scope, expecting: .bool)
    let join = declared.join(entityTypes)
    self.init(
      name: member.key, entity: entity,
      sources: [ViewSource(eventType: nil, filter: filter, keySlots: keySlots, enrichments: [])],
      join: join, columns: columns, features: features,
      definition: ([
        member.key, "\(entity) \(keySlots)", filter?.text ?? "", join.definition(schema),
      ]
        + columns.map(\.definition) + features.map(\.definition)).joined(separator: "\n"))
  }
}

/// A join while the view over it is compiled.
private struct DeclaredJoin {
  let names: JoinedScope
  private let filters: [Expression?]
  private let keys: [[Expression]]
  private let reaches: [TimeSpan]
  private let keepsUnmatched: Bool

  init(_ node: ConfigNode, _ schema: EventSchema) throws(Failure) {
    try node.allow(["left", "right", "on", "within", "outer"])
    var streams: [(name: String, type: Int)] = []
    var filters: [Expression?] = []
    for side in [try node.required("left"), try node.required("right")] {
      let (name, type, filter) = try DeclaredJoin.stream(side, schema)
      guard !streams.contains(where: { $0.name == name }) else {
        throw side.failure(
          "left and right are both called '\(name)'",
          hint: "call one of them something else: { from: \"\(schema.types[type].name)\", as: … }")
      }
      streams.append((name, type))
      filters.append(filter)
    }
    names = JoinedScope(schema, streams)
    self.filters = filters
    keys = try DeclaredJoin.keys(try node.required("on"), names)
    reaches = try DeclaredJoin.reaches(try node.required("within"))
    keepsUnmatched = try node["outer"]?.bool() ?? false
  }

  private static func stream(
    _ node: ConfigNode, _ schema: EventSchema
  ) throws(Failure) -> (name: String, type: Int, filter: Expression?) {
    guard case .object = node.value else {
      let type = try schema.type(named: node)
      return (try name(node, "give it a name: { from: …, as: … }"), type, nil)
    }
    try node.allow(["from", "as", "where"])
    let from = try node.required("from")
    let type = try schema.type(named: from)
    let filter = try node["where"]?.expression(scope: schema.scope(of: type), expecting: .bool)
    return (try name(node["as"] ?? from, "give it a name: as: …"), type, filter)
  }

  /// A name that expressions can begin with.
  private static func name(_ node: ConfigNode, _ hint: String) throws(Failure) -> String {
    let name = try node.string()
    let scope = Scope(names: []) { $0 == [name] ? Binding(slot: 0, type: .any) : nil }
    guard (try? Expression(name, scope: scope))?.slots == [0] else {
      throw node.failure("'\(name)' cannot be named in an expression", hint: hint)
    }
    return name
  }

  // MARK: Keys

  /// By stream: what is equal.
  private static func keys(
    _ node: ConfigNode, _ names: JoinedScope
  ) throws(Failure) -> [[Expression]] {
    var nodes = [node]
    if case .array(let list) = node.value { nodes = list }
    guard !nodes.isEmpty else { throw node.failure("expected at least one condition") }
    var keys: [[Expression]] = [[], []]
    for node in nodes {
      let pair = try condition(node, names)
      let types = pair.map(\.type)
      let areNumbers = types.allSatisfy { $0 == .int || $0 == .double }
      guard types[0] == types[1] || types.contains(.any) || areNumbers else {
        throw node.failure(
          "'\(pair[0].text)' is of type \(types[0].rawValue) and '\(pair[1].text)' of type"
            + " \(types[1].rawValue): they would never be equal")
      }
      for stream in 0...1 { keys[stream].append(pair[stream]) }
    }
    return keys
  }

  /// `a.x == b.y`, with the streams in any order, or the name of a member that both have.
  private static func condition(
    _ node: ConfigNode, _ names: JoinedScope
  ) throws(Failure) -> [Expression] {
    let text = try node.string()
    let sides = Expression.operands(of: "==", in: text)
    if sides.count == 1,
      text.utf8.allSatisfy({ $0 != UInt8(ascii: "=") && $0 != UInt8(ascii: ".") })
    {
      var pair: [Expression] = []
      for stream in names.streams {
        pair.append(
          try node.expression(scope: names.event(pair.count), text: "\(stream.name).\(text)"))
      }
      return pair
    }
    guard sides.count == 2 else {
      throw node.failure(
        "'\(text)' is no condition of a join",
        hint: "as in 'impression.id == click.impression_id', or a member that both have")
    }
    let first = sides[0]
    // The side that the first half is over is the one in which it can be understood.
    let isSwapped =
      (try? Expression(first, scope: names.event(0))) == nil
      && (try? Expression(first, scope: names.event(1))) != nil
    var pair: [Expression] = []
    for half in isSwapped ? [sides[1], first] : [first, sides[1]] {
      let expression = try node.expression(scope: names.event(pair.count), text: half)
      guard !expression.slots.isEmpty else {
        throw node.failure("'\(half)' names no member of '\(names.streams[pair.count].name)'")
      }
      pair.append(expression)
    }
    return pair
  }

  // MARK: Intervals

  /// How long after a left event a right one may come, and how long before.
  private static func reaches(_ node: ConfigNode) throws(Failure) -> [TimeSpan] {
    guard case .object = node.value else { return [try node.span(), .zero] }
    try node.allow(["before", "after"])
    guard node["before"] != nil || node["after"] != nil else {
      throw node.failure("expected before, after or both, as in { before: \"5s\", after: \"30m\" }")
    }
    return [try node["after"]?.span() ?? .zero, try node["before"]?.span() ?? .zero]
  }

  // MARK: The view

  /// A member of the entity: of the stream that it names (`click.user`), or else the left event's, or else the right
  /// one's.
  func entityMember(
    _ name: String, _ node: ConfigNode
  ) throws(Failure) -> (name: String, stream: Int, slot: Int) {
    let path = name.split(separator: ".").map(String.init)
    let named = path.count > 1 ? names.streams.firstIndex { $0.name == path[0] } : nil
    let member = named == nil ? name : path[1...].joined(separator: ".")
    if named != 1, let found = names.member([member], of: 0) { return (member, 0, found.slot) }
    guard named != 0, let found = names.member([member], of: 1) else {
      let both = names.streams.map { "'\($0.name)'" }.joined(separator: " nor of ")
      throw node.failure("'\(name)' is a member neither of \(both)")
    }
    guard !keepsUnmatched else {
      throw node.failure(
        "'\(name)' is a member of '\(names.streams[1].name)' only: with outer, a"
          + " '\(names.streams[0].name)' without a match would name no entity")
    }
    return (member, 1, found.slot)
  }

  /// - Precondition: all of the view's expressions are compiled.
  func join(_ entityTypes: [Int]) -> IntervalJoin {
    let streams = names.streams.indices.map { stream in
      JoinedStream(
        name: names.streams[stream].name, eventType: names.streams[stream].type,
        filter: filters[stream], key: keys[stream], reach: reaches[stream],
        members: names.members.enumerated().filter { $0.element.stream == stream }.map {
          (event: $0.element.slot, record: $0.offset)
        })
    }
    return IntervalJoin(
      left: streams[0], right: streams[1], keepsUnmatched: keepsUnmatched,
      slotCount: names.members.count, entityTypes: entityTypes)
  }
}
