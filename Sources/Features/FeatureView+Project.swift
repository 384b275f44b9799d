// Feature views from the project file:
//
//     origin_departures: {
//       entity: ["origin"], from: "departed", where: "dep_delay < 600",
//       features: { mean_delay_1h: { mean: "dep_delay", window: "1h", every: "5m" } },
//     }

public import Core
public import Events

extension FeatureView {
  /// One member of the project file's `features`, compiled against the event type it draws from.
  public init(_ member: ConfigNode.Member, schema: EventSchema) throws(Failure) {
    let node = member.node
    try node.allow(["entity", "from", "where", "features"])
    try FeatureView.checkName(member.key, node)
    let from = try node.required("from")
    let typeName = try from.string()
    guard let type = schema.index(of: typeName) else {
      let known = schema.types.map(\.name)
      throw from.failure(
        "no event type '\(typeName)' is declared",
        hint: Spelling.nearest(typeName, among: known).map { "did you mean '\($0)'?" }
          ?? "declared: \(known.joined(separator: ", "))")
    }
    let scope = schema.scope(of: type)
    let entityNode = try node.required("entity")
    let entity = try entityNode.strings()
    guard !entity.isEmpty else { throw entityNode.failure("an entity has at least one member") }
    var keySlots: [Int] = []
    for (index, name) in entity.enumerated() {
      let expression = try entityNode.list()[index].expression(scope: scope, text: name)
      // One slot is not enough: `x + 1` has one too, and is no member.
      guard expression.slots.count == 1, name.utf8.allSatisfy(FeatureView.isPartOfPath)
      else {
        throw entityNode.failure("'\(name)' is not a member of '\(typeName)'")
      }
      keySlots.append(expression.slots[0])
    }
    var columns: [Expression] = []
    var features: [Feature] = []
    for feature in try node.required("features").members() {
      features.append(
        try Feature.declared(feature, view: member.key, scope: scope, columns: &columns))
    }
    guard !features.isEmpty else { throw node.failure("a view has at least one feature") }
    let filter = try node["where"]?.expression(scope: scope, expecting: .bool)
    self.init(
      name: member.key, entity: entity, eventType: type, filter: filter, keySlots: keySlots,
      columns: columns, features: features)
  }

  private static func isPartOfPath(_ byte: UInt8) -> Bool {
    byte >= 0x80 || byte == UInt8(ascii: "_") || byte == UInt8(ascii: ".")
      || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
      || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
  }

  /// Names become column names and parts of `view:feature`: letters, digits and single underscores.
  fileprivate static func checkName(_ name: String, _ node: ConfigNode) throws(Failure) {
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

extension Feature {
  fileprivate static func declared(
    _ member: ConfigNode.Member, view: String, scope: Scope, columns: inout [Expression]
  ) throws(Failure) -> Feature {
    let node = member.node
    try FeatureView.checkName(member.key, node)
    try node.allow(AggregationTable.names + ["window", "every"])
    let named = try node.members().filter { AggregationTable.names.contains($0.key) }
    guard named.count == 1, let entry = AggregationTable.entry(named[0].key) else {
      throw node.failure(
        named.isEmpty
          ? "names no aggregation (\(AggregationTable.names.joined(separator: ", ")))"
          : "names several aggregations: \(named.map(\.key).joined(separator: ", "))")
    }
    let window = try node["window"]?.span(atLeast: TimeSpan(microseconds: 1))
    return Feature(
      name: member.key, view: view, aggregation: entry,
      column: try column(named[0].node, entry, scope, &columns), window: window,
      hop: try hop(node, window: window))
  }

  private static func column(
    _ node: ConfigNode, _ entry: AggregationEntry, _ scope: Scope, _ columns: inout [Expression]
  ) throws(Failure) -> Int? {
    if try node.string() == "*" {
      guard entry.name == "count" else { throw node.failure("'*' can be counted, nothing else") }
      return nil
    }
    let expression = try node.expression(scope: scope)
    switch (entry.argument, expression.type) {
    case (.numbers, .string), (.numbers, .time), (.ordered, .string):
      throw node.failure(
        "\(entry.name) takes numbers, '\(expression.text)' is a \(expression.type.rawValue)")
    default: break
    }
    if let known = columns.firstIndex(where: { $0.text == expression.text }) { return known }
    columns.append(expression)
    return columns.count - 1
  }

  private static func hop(_ node: ConfigNode, window: TimeSpan?) throws(Failure) -> TimeSpan? {
    guard let every = node["every"] else { return window.flatMap { Feature.defaultHop($0) } }
    guard let window else {
      throw every.failure("'every' is the hop of a window, and there is none")
    }
    if try every.string() == "exact" { return nil }
    let hop = try every.span(atLeast: TimeSpan(microseconds: 1))
    guard hop <= window else {
      throw every.failure("\(hop.description) is longer than the window \(window.description)")
    }
    return hop
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
