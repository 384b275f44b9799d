// What the model is told, in its own order, compiled for one layout of rows. An input is a feature
// (`view:feature`), or an expression over what asked for the decision, of which a member's name is the
// simplest. A model file that names its inputs is matched by name, in whatever order the project lists them.

import Core
import Models

struct InputPlan {
  struct Input {
    let name: String
    let expression: Expression
    /// Where a plain row may hold the input itself, computed by whoever made the row.
    let given: Int?
    /// What the model is told when the value is null; null: a missing value.
    let substitute: Scalar
  }

  let inputs: [Input]

  init(
    _ definition: ModelDefinition, _ model: Model, _ layout: RowLayout, _ slots: RowSlots,
    _ schema: RequestSchema
  ) throws(Failure) {
    let scope = layout.scope(slots, schema)
    guard !definition.inputs.isEmpty else {
      self.inputs = try InputPlan.fromFile(definition, model, layout, slots)
      return
    }
    var declared: [Input] = []
    for node in definition.inputs {
      let name = try node.string()
      guard !declared.contains(where: { $0.name == name }) else {
        throw node.failure("'\(name)' is listed twice")
      }
      let expression = try InputPlan.expression(name, node, layout, slots, schema, scope)
      guard expression.type != .time else {
        throw node.failure("a model takes numbers, '\(name)' is a time")
      }
      declared.append(
        Input(
          name: name, expression: expression,
          given: layout == .plain ? slots.slot([name]) : nil,
          substitute: try InputPlan.substitute(name, definition)))
    }
    try InputPlan.checkDefaults(definition, declared)
    self.inputs = try InputPlan.ordered(declared, as: model, definition)
    try checkTypes(definition, model)
  }

  /// Texts are for inputs that the model knows as categories.
  private func checkTypes(_ definition: ModelDefinition, _ model: Model) throws(Failure) {
    for (index, input) in inputs.enumerated()
    where input.expression.type == .string && model.categories(ofInput: index) == nil {
      throw definition.failure(
        ofInput: input.name, "a model takes numbers, '\(input.name)' is a string")
    }
  }

  // MARK: Declared inputs

  private static func expression(
    _ name: String, _ node: ConfigNode, _ layout: RowLayout, _ slots: RowSlots,
    _ schema: RequestSchema, _ scope: Scope
  ) throws(Failure) -> Expression {
    if name.contains(":"), !name.contains("?") {
      guard schema.features.contains(name) else {
        let nearest = Spelling.nearest(name, among: schema.features)
        throw node.failure(
          "no feature '\(name)' is declared", hint: nearest.map { "did you mean '\($0)'?" })
      }
      return reading(layout.feature(name, slots))
    }
    do throws(ExpressionError) {
      return try Expression(name, scope: scope)
    } catch {
      throw node.failure(error.description)
    }
  }

  /// An expression that is one slot's value.
  private static func reading(_ slot: Int) -> Expression {
    let scope = Scope(names: []) { _ in Binding(slot: slot, type: .any) }
    do throws(ExpressionError) {
      return try Expression("value", scope: scope)
    } catch {
      preconditionFailure("a single name is an expression: \(error.description)")
    }
  }

  private static func substitute(
    _ name: String, _ definition: ModelDefinition
  ) throws(Failure) -> Scalar {
    guard let member = definition.defaults.first(where: { $0.key == name }) else { return .null }
    if case .null = member.node.value { return .null }
    let number = try member.node.double()
    return Scalar(exactly: number) ?? .double(number)
  }

  private static func checkDefaults(
    _ definition: ModelDefinition, _ inputs: [Input]
  ) throws(Failure) {
    let names = inputs.map(\.name)
    for member in definition.defaults where !names.contains(member.key) {
      throw member.node.failure(
        "'\(member.key)' is no input of the model",
        hint: Spelling.nearest(member.key, among: names).map { "did you mean '\($0)'?" })
    }
  }

  /// In the model's order, where the file knows names.
  private static func ordered(
    _ declared: [Input], as model: Model, _ definition: ModelDefinition
  ) throws(Failure) -> [Input] {
    guard declared.count == model.inputCount else {
      throw definition.failure(
        "lists \(declared.count) inputs, \(definition.title) takes \(model.inputCount)")
    }
    guard !model.inputNames.isEmpty else { return declared }
    var result: [Input] = []
    for name in model.inputNames {
      guard
        let input = declared.first(where: {
          $0.name == name || FeatureName.column($0.name) == name
        })
      else {
        throw definition.failure(
          "\(definition.title) takes an input '\(name)' that is not listed",
          hint: Spelling.nearest(name, among: declared.map { FeatureName.column($0.name) })
            .map { "did you mean '\($0)'?" })
      }
      result.append(input)
    }
    return result
  }

  // MARK: The file's own inputs

  private static func fromFile(
    _ definition: ModelDefinition, _ model: Model, _ layout: RowLayout, _ slots: RowSlots
  ) throws(Failure) -> [Input] {
    let names =
      model.inputNames.isEmpty ? (0..<model.inputCount).map { "f\($0)" } : model.inputNames
    return names.map { name in
      let slot: Int
      if layout == .features {
        // Asked of the features first, then of the request.
        slot = layout.feature(FeatureName.feature(name) ?? name, slots)
        slots.alias(slot, from: slots.slot(["request", name]))
      } else {
        slot = slots.slot([name])
        if let feature = FeatureName.feature(name) {
          slots.alias(slot, from: slots.slot([feature]))
        }
      }
      return Input(name: name, expression: reading(slot), given: nil, substitute: .null)
    }
  }
}
