// One feature of a view from the project file: an aggregation of an expression, its parameters, a window.
//
//     mean_delay_1h: { mean: "dep_delay", window: "1h", every: "5m" }
//     arrivals: { count: "*", from: "arrived" }     of one of the view's event types only
//     late_share_3h: { ratio: [{ sum: "dep_delay > 15 ? 1 : 0" }, { count: "*" }], window: "3h" }

import Core

/// What the features of one view are compiled against.
struct FeatureContext {
  let view: String
  /// The event types that it draws from, and the names that each knows.
  let types: [String]
  let scopes: [Scope]
}

extension Feature {
  /// - Parameter columns: of the view; a new one is added for each new expression.
  static func declared(
    _ member: ConfigNode.Member, _ context: FeatureContext, columns: inout [Column]
  ) throws(Failure) -> Feature {
    let node = member.node
    try FeatureView.checkName(member.key, node)
    try node.allow(
      AggregationTable.names + AggregationTable.keys + Window.keys + FeatureGuard.keys + ["from"])
    let window = try Window(node)
    let valueGuard = try FeatureGuard(node)
    let only = try context.source(node["from"])
    guard let ratio = node[Ratio.name] else {
      let term = try Term(node, context, only, &columns)
      try term.check(window, node)
      return Feature(
        name: member.key, view: context.view, term: term, window: window, valueGuard: valueGuard)
    }
    guard try Term.named(node).count == 1 else { throw try Term.severalNamed(node) }
    let parts = try ratio.list()
    guard parts.count == 2 else {
      throw ratio.failure("expected two aggregations, as in [{ sum: \"x\" }, { count: \"*\" }]")
    }
    var terms: [Term] = []
    for part in parts {
      try part.allow(AggregationTable.names + AggregationTable.keys)
      guard part[Ratio.name] == nil else { throw part.failure("a ratio of ratios is not offered") }
      let term = try Term(part, context, only, &columns)
      guard !term.aggregation.givesDocument else {
        throw part.failure("\(term.aggregation.name) gives no number")
      }
      try term.check(window, node)
      terms.append(term)
    }
    return Feature(
      name: member.key, view: context.view, term: terms[0], divisor: terms[1], window: window,
      valueGuard: valueGuard)
  }
}

extension Term {
  fileprivate static func named(_ node: ConfigNode) throws(Failure) -> [ConfigNode.Member] {
    try node.members().filter { member in
      AggregationTable.names.contains(member.key) && !FeatureGuard.isBound(member)
    }
  }

  fileprivate static func severalNamed(_ node: ConfigNode) throws(Failure) -> Failure {
    let named = try named(node)
    return node.failure(
      named.isEmpty
        ? "names no aggregation (\(AggregationTable.names.joined(separator: ", ")))"
        : "names several aggregations: \(named.map(\.key).joined(separator: ", "))")
  }

  /// The one aggregation that an object names, with its parameters.
  fileprivate init(
    _ node: ConfigNode, _ context: FeatureContext, _ only: Int?, _ columns: inout [Column]
  ) throws(Failure) {
    let named = try Term.named(node)
    guard named.count == 1, let entry = AggregationTable.entry(named[0].key) else {
      throw try Term.severalNamed(node)
    }
    for key in AggregationTable.keys where !entry.keys.contains(key) {
      if let stray = node[key] { throw stray.failure("\(entry.name) has no parameter '\(key)'") }
    }
    aggregation = try entry.declare(node)
    column = try Term.column(named[0].node, entry, context, only, &columns)
  }

  /// A rate needs a length of time to be divided by.
  fileprivate func check(_ window: Window, _ node: ConfigNode) throws(Failure) {
    guard aggregation.name == "rate" else { return }
    switch window {
    case .unbounded, .session: throw node.failure("a rate needs a window of some length")
    case .sliding, .tumbling, .cumulative: break
    }
  }

  private static func column(
    _ node: ConfigNode, _ entry: AggregationEntry, _ context: FeatureContext, _ only: Int?,
    _ columns: inout [Column]
  ) throws(Failure) -> Int? {
    var text = try node.string()
    if text == "*" {
      guard entry.takesEvents else {
        let takers = AggregationTable.entries.filter(\.takesEvents).map(\.name)
        throw node.failure(
          "'*' stands for whole events: only \(takers.joined(separator: ", ")) take them")
      }
      if only == nil { return nil }
      text = "true"
    }
    var expressions: [Expression?] = []
    for (index, scope) in context.scopes.enumerated() {
      guard only == nil || only == index else {
        expressions.append(nil)
        continue
      }
      let expression = try node.expression(scope: scope, text: text)
      switch (entry.argument, expression.type) {
      case (.numbers, .string), (.numbers, .time), (.ordered, .string):
        throw node.failure(
          "\(entry.name) takes numbers, '\(expression.text)' is a \(expression.type.rawValue)")
      default: break
      }
      expressions.append(expression)
    }
    let column = Column(
      text: text, expressions: expressions, isHashed: entry.argument == .hashes)
    if let known = columns.firstIndex(where: { $0.holdsTheSame(as: column) }) { return known }
    columns.append(column)
    return columns.count - 1
  }
}

extension Column {
  fileprivate func holdsTheSame(as other: Column) -> Bool {
    text == other.text && isHashed == other.isHashed
      && expressions.map { $0 == nil } == other.expressions.map { $0 == nil }
  }
}

extension FeatureContext {
  /// The one source that a feature names, if it names one.
  fileprivate func source(_ node: ConfigNode?) throws(Failure) -> Int? {
    guard let node else { return nil }
    let name = try node.string()
    guard let index = types.firstIndex(of: name) else {
      throw node.failure(
        "the view does not draw from '\(name)'",
        hint: "it does from: \(types.joined(separator: ", "))")
    }
    return index
  }
}
