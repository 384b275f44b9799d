// Feature views from the project file:
//
//     origin_departures: {
//       entity: ["origin"], from: "departed", where: "dep_delay < 600",
//       features: { mean_delay_1h: { mean: "dep_delay", window: "1h", every: "5m" } },
//     }
//
// Expressions may name a table's features as well, `customer__tier`, if the event names the table's entity: the event is then
// enriched with them before it is filtered and counted.

public import Core
public import Events

extension FeatureView {
  /// One member of the project file's `features`, compiled against the event types it draws from.
  ///
  /// - Parameter tables: those whose features its expressions may name.
  public init(
    _ member: ConfigNode.Member, schema: EventSchema, tables: [TableView] = []
  ) throws(Failure) {
    let node = member.node
    guard !FeatureView.isJoined(node) else {
      try self.init(joined: member, schema: schema)
      return
    }
    try node.allow(["entity", "from", "join", "where", "features"])
    try FeatureView.checkName(member.key, node)
    let types = try FeatureView.types(try node.required("from"), schema)
    let offers = types.map { EnrichmentOffer.all(tables, schema.scope(of: $0)) }
    var scopes: [Scope] = []
    for (type, offers) in zip(types, offers) {
      let known = offers.map { (name: $0.name, type: $0.type) }
      scopes.append(schema.scope(of: type, beside: types, knowing: known))
    }
    let entityNode = try node.required("entity")
    let entity = try entityNode.strings()
    guard !entity.isEmpty else { throw entityNode.failure("an entity has at least one member") }
    var keySlots: [[Int]] = []
    for type in types {
      keySlots.append(
        try FeatureView.keySlots(
          entityNode, schema.scope(of: type), schema.types[type].name))
    }
    let context = FeatureContext(
      view: member.key, types: types.map { schema.types[$0].name }, scopes: scopes)
    var columns: [Column] = []
    var features: [Feature] = []
    for feature in try node.required("features").members() {
      features.append(try Feature.declared(feature, context, columns: &columns))
    }
    guard !features.isEmpty else { throw node.failure("a view has at least one feature") }
    var sources: [ViewSource] = []
    var definitions: [String] = []
    for (index, type) in types.enumerated() {
      let filter = try node["where"]?.expression(scope: scopes[index], expecting: .bool)
      let expressions = [filter] + columns.map { $0.expressions[index] }
      let read = Set(expressions.flatMap { $0?.slots ?? [] })
      sources.append(
        ViewSource(
          eventType: type, filter: filter, keySlots: keySlots[index],
          enrichments: offers[index].compactMap { $0.taken(schema, read) }))
      definitions.append(sources[index].definition(of: type, reading: read, schema, tables))
    }
    let condition = try node["where"]?.string() ?? ""
    self.init(
      name: member.key, entity: entity, sources: sources, join: nil, columns: columns,
      features: features,
      definition: ([member.key, "\(entity)", "\(context.types)", condition]
        + definitions + columns.map(\.definition) + features.map(\.definition))
        .joined(separator: "\n"))
  }

  /// One event type or a list of them.
  private static func types(_ from: ConfigNode, _ schema: EventSchema) throws(Failure) -> [Int] {
    var nodes = [from]
    if case .array(let list) = from.value { nodes = list }
    var types: [Int] = []
    for node in nodes { types.append(try schema.type(named: node)) }
    guard !types.isEmpty, Set(types).count == types.count else {
      throw from.failure("expected one or several event types, each once")
    }
    return types
  }

  /// The slots of the entity's members in events of one type.
  private static func keySlots(
    _ entity: ConfigNode, _ scope: Scope, _ type: String
  ) throws(Failure) -> [Int] {
    var slots: [Int] = []
    for node in try entity.list() {
      let name = try node.string()
      let expression = try node.expression(scope: scope, text: name)
      // One slot is not enough: `x + 1` has one too, and is no member.
      guard expression.slots.count == 1, name.utf8.allSatisfy(FeatureView.isPartOfPath) else {
        throw entity.failure("'\(name)' is not a member of '\(type)'")
      }
      slots.append(expression.slots[0])
    }
    return slots
  }

  private static func isPartOfPath(_ byte: UInt8) -> Bool {
    byte >= 0x80 || byte == UInt8(ascii: "_") || byte == UInt8(ascii: ".")
      || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
      || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
  }

  /// Names become column names and parts of `view:feature`: letters, digits and single underscores.
  static func checkName(_ name: String, _ node: ConfigNode) throws(Failure) {
    let isWord = name.utf8.allSatisfy { byte in
      (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
        || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || byte == UInt8(ascii: "_")
    }
    guard isWord, !name.contains("__"), name.first != "_", name.last != "_" else {
      throw node.failure(
        "'\(name)' is no name for a view or feature: letters, digits and single underscores inside")
    }
  }
}

extension EventSchema {
  /// The index of the type that a node of the project file names.
  func type(named node: ConfigNode) throws(Failure) -> Int {
    let name = try node.string()
    if let index = index(of: name) { return index }
    let known = types.map(\.name)
    throw node.failure(
      "no event type '\(name)' is declared",
      hint: Spelling.nearest(name, among: known).map { "did you mean '\($0)'?" }
        ?? "declared: \(known.joined(separator: ", "))")
  }
}

extension ConfigNode {
  /// The value as an expression; an error names file, line, key, expression and column.
  public func expression(
    scope: Scope, expecting: ValueType? = nil, text: String? = nil
  ) throws(Failure) -> Expression {
    let text = if let text { text } else { try string() }
    do throws(ExpressionError) {
      return try Expression(text, scope: scope, expecting: expecting)
    } catch {
      throw failure(error.description)
    }
  }
}

extension ViewSource {
  /// What the values that it tells depend on, as text: the types of the members that are read, and the tables.
  ///
  /// - Parameter read: slots.
  fileprivate func definition(
    of type: Int, reading read: Set<Int>, _ schema: EventSchema, _ tables: [TableView]
  ) -> String {
    let slots = read.union(keySlots).union(enrichments.flatMap(\.keySlots))
    let known = enrichments.map { "\($0.column) of \(tables[$0.table].definition)" }
    return (schema.definition(of: type, reading: slots) + known).joined(separator: " ")
  }
}

extension EventSchema {
  /// What the values in some slots of a type's events depend on, as text.
  func definition(of type: Int, reading slots: Set<Int>) -> [String] {
    let type = types[type]
    let fields = type.fields.filter { field in
      slots.contains { plan.paths[$0][0] == field.name }
    }
    return ["\(type.timeMember):\(type.timeUnit.rawValue)"]
      + fields.map { "\($0.name):\($0.type.rawValue):\($0.unit.rawValue)" }
  }
}

extension Column {
  /// What is kept, and of which of the view's event types.
  var definition: String {
    "\(text) \(isHashed) \(expressions.map { $0 == nil ? "-" : "+" }.joined())"
  }
}

extension Feature {
  /// What its state depends on, as text.
  var definition: String {
    func text(_ term: Term) -> String { "\(term.aggregation.signature) \(term.column ?? -1)" }
    return "\(name) \(text(term)) \(divisor.map(text) ?? "") \(window)"
  }
}
