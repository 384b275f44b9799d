// Derived features: expressions over the members of what asks and over features, computed for each question (Feast's
// on-demand views). One definition, so the stream, the training set and the online read agree.
//
//     plan: { on: "scheduled", features: {
//       delay_per_mile: "origin_departures__mean_delay_1h / distance",
//       risk: { value: "carrier_departures__late_share_6h * 100", min: 0, max: 100 } } }
//
// A feature is named as in a column, view__feature. Its view's entity must be named by the event that asks. A derived
// feature may use those above it.

import Core
import Events

public struct DerivedView: Sendable {
  public let name: String
  /// The event type whose questions have these features.
  let eventType: Int
  let features: [DerivedFeature]
}

final class DerivedFeature: Sendable {
  enum Source: Sendable {
    /// A member of what asks, by slot.
    case member(Int)
    /// A feature, by its name `view:feature`.
    case feature(String)
  }

  let name: String
  let columnName: String
  let expression: Expression
  /// What the expression's slots stand for.
  let sources: [Source]
  let valueGuard: FeatureGuard?

  init(
    name: String, view: String, expression: Expression, sources: [Source],
    valueGuard: FeatureGuard?
  ) {
    self.name = "\(view):\(name)"
    self.columnName = "\(view)__\(name)"
    self.expression = expression
    self.sources = sources
    self.valueGuard = valueGuard
  }
}

extension DerivedView {
  /// Whether a member of the project file's `features` is declared as derived.
  static func isDeclared(_ node: ConfigNode) -> Bool { node["on"] != nil }

  /// - Parameters:
  ///   - views: those that the expressions may use.
  ///   - others: derived views declared above.
  init(
    _ member: ConfigNode.Member, schema: EventSchema, views: [NameableView], others: [DerivedView]
  ) throws(Failure) {
    let node = member.node
    try node.allow(["on", "features"])
    try FeatureView.checkName(member.key, node)
    let type = try schema.type(named: try node.required("on"))
    let known = others.filter { $0.eventType == type }.flatMap(\.features)
    var features: [DerivedFeature] = []
    for feature in try node.required("features").members() {
      features.append(
        try DerivedFeature.declared(
          feature, view: member.key, DerivedScope(schema, type, views, known + features)))
    }
    guard !features.isEmpty else { throw node.failure("a view has at least one feature") }
    self.init(name: member.key, eventType: type, features: features)
  }
}

/// A view whose features others may name.
struct NameableView {
  let entity: [String]
  let features: [(name: String, columnName: String, givesDocument: Bool)]
}

extension FeatureView {
  var nameable: NameableView {
    NameableView(
      entity: entity, features: features.map { ($0.name, $0.columnName, $0.givesDocument) })
  }
}

extension TableView {
  var nameable: NameableView {
    NameableView(entity: entity, features: features.map { ($0.name, $0.columnName, false) })
  }
}

/// Names → numbers of sources, while an expression is compiled.
private final class DerivedScope {
  private let schema: EventSchema
  private let type: Int
  /// By column name.
  private var features: [String: String] = [:]
  /// Features whose view's entity the asking type does not name.
  private(set) var unreachable: [String] = []
  private(set) var sources: [DerivedFeature.Source] = []

  init(
    _ schema: EventSchema, _ type: Int, _ views: [NameableView], _ derived: [DerivedFeature]
  ) {
    self.schema = schema
    self.type = type
    let members = schema.scope(of: type)
    for view in views {
      let isNamed = view.entity.allSatisfy { (try? Expression($0, scope: members)) != nil }
      for feature in view.features where !feature.givesDocument {
        if isNamed {
          features[feature.columnName] = feature.name
        } else {
          unreachable.append(feature.columnName)
        }
      }
    }
    for feature in derived { features[feature.columnName] = feature.name }
  }

  /// Slots are numbers of `sources`.
  func scope() -> Scope {
    Scope(names: features.keys.sorted()) { [self] path in
      if path.count == 1, let name = features[path[0]] {
        sources.append(.feature(name))
        return Binding(slot: sources.count - 1, type: .any)
      }
      // Compiling the path alone gives its slot and its type.
      let member = path.joined(separator: ".")
      guard let expression = try? Expression(member, scope: schema.scope(of: type)),
        expression.slots.count == 1
      else { return nil }
      sources.append(.member(expression.slots[0]))
      return Binding(slot: sources.count - 1, type: expression.type)
    }
  }
}

extension DerivedFeature {
  fileprivate static func declared(
    _ member: ConfigNode.Member, view: String, _ names: DerivedScope
  ) throws(Failure) -> DerivedFeature {
    var node = member.node
    try FeatureView.checkName(member.key, node)
    var valueGuard: FeatureGuard?
    if case .object = node.value {
      try node.allow(["value"] + FeatureGuard.keys)
      valueGuard = try FeatureGuard(node)
      node = try node.required("value")
    }
    let text = try node.string()
    do throws(ExpressionError) {
      let expression = try Expression(text, scope: names.scope())
      return DerivedFeature(
        name: member.key, view: view, expression: expression, sources: names.sources,
        valueGuard: valueGuard)
    } catch {
      let unreachable = names.unreachable.first { error.reason.contains("'\($0)'") }
      throw node.failure(
        error.description, hint: unreachable.map { "what asks does not name the entity of \($0)" })
    }
  }
}
