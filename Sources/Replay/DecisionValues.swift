// What a decision was worth, as the project declares it: by decision and outcome, the first that holds.
//
//     values: { late_arrival: [
//       { if: "decision == 'rebook' && outcome", value: 180 },
//       { if: "decision == 'rebook'", value: -40 },
//       { if: "outcome", value: "-0.2 * distance" },
//     ] }
//
// Beside the members of what asked, expressions know `decision`, `outcome`, `score` and `delay`, the seconds from the
// question to its decision. A decision that comes when the outcome is there already is none: `decision` is null. Where nothing holds, a decision
// is worth 0; a value that is null is not known, and such a decision is not compared.

public import Core
public import Events
public import Features

public final class DecisionValues {
  private struct Item {
    let condition: Expression?
    let value: Expression
  }

  /// Where an expression's value comes from.
  private enum Source {
    case decision, outcome, score, delay
    case member(slot: Int)
  }

  private let items: [Item]
  private let sources: [Source]
  private var reads: [Scalar]
  private let stack = ExpressionStack()
  /// How often each item was the one that held, in the order of the declaration.
  public private(set) var uses: [Int]

  /// One member of the project file's `values`.
  ///
  /// - Parameter asking: the event type that asks for the decision.
  public init(
    _ member: ConfigNode.Member, asking: Int, outcome: Outcome, schema: EventSchema
  ) throws(Failure) {
    let names = ValueNames(schema.scope(of: asking), outcome.type)
    var items: [Item] = []
    for node in try member.node.list() {
      try node.allow(["if", "value"])
      items.append(
        Item(
          condition: try node["if"].map { (node) throws(Failure) in
            try DecisionValues.expression(
              node, try node.string(), names.scope(), expecting: .bool)
          },
          value: try DecisionValues.value(try node.required("value"), names.scope())))
    }
    guard !items.isEmpty else { throw member.node.failure("lists no value") }
    self.items = items
    self.sources = names.sources
    self.reads = Array(repeating: .null, count: max(1, names.sources.count))
    self.uses = Array(repeating: 0, count: items.count)
  }

  private static func value(_ node: ConfigNode, _ scope: Scope) throws(Failure) -> Expression {
    if case .number(let text) = node.value {
      _ = try node.double()
      return try expression(node, text, scope, expecting: .double)
    }
    return try expression(node, try node.string(), scope, expecting: .double)
  }

  private static func expression(
    _ node: ConfigNode, _ text: String, _ scope: Scope, expecting: ValueType
  ) throws(Failure) -> Expression {
    do throws(ExpressionError) {
      return try Expression(text, scope: scope, expecting: expecting)
    } catch {
      throw node.failure(error.description)
    }
  }

  /// Names → numbers of sources, while expressions are compiled.
  private final class ValueNames {
    private let members: Scope
    private let outcome: ValueType
    private(set) var sources: [Source] = []

    init(_ members: Scope, _ outcome: ValueType) {
      self.members = members
      self.outcome = outcome
    }

    /// The members' own names, less those that are shadowed here.
    func scope() -> Scope {
      Scope(names: ["decision", "outcome", "score", "delay"]) { [self] path in
        switch path {
        case ["decision"]: return bind(.decision, .string)
        case ["outcome"]: return bind(.outcome, outcome)
        case ["score"]: return bind(.score, .double)
        case ["delay"]: return bind(.delay, .double)
        default: break
        }
        // Compiling the path alone gives its slot and its type.
        guard let member = try? Expression(path.joined(separator: "."), scope: members),
          member.slots.count == 1
        else { return nil }
        return bind(.member(slot: member.slots[0]), member.type)
      }
    }

    private func bind(_ source: Source, _ type: ValueType) -> Binding {
      sources.append(source)
      return Binding(slot: sources.count - 1, type: type)
    }
  }

  /// Whether any expression reads a member of what asked.
  public var readsMembers: Bool {
    sources.contains { if case .member = $0 { true } else { false } }
  }

  /// Whether any expression reads the score.
  var readsScore: Bool {
    sources.contains { if case .score = $0 { true } else { false } }
  }

  /// What a decision was worth; nil where that is not known.
  ///
  /// - Parameters:
  ///   - delay: from the question to its decision.
  ///   - members: of what asked, by slot of the schema; read only where `readsMembers`.
  func value(
    decision: Bytes?, outcome: Scalar, score: Double, delay: TimeSpan,
    members: UnsafePointer<Scalar>?
  ) -> Double? {
    for (index, source) in sources.enumerated() {
      switch source {
      case .decision: reads[index] = decision.map { .text($0) } ?? .null
      case .outcome: reads[index] = outcome
      case .score: reads[index] = .double(score)
      case .delay: reads[index] = .double(Double(delay.microseconds) / 1e6)
      case .member(let slot):
        guard let members else { preconditionFailure("members are read where they are needed") }
        reads[index] = members[slot]
      }
    }
    defer { stack.reset() }
    return reads.withUnsafeBufferPointer { reads in
      let values = reads.baseAddress!
      for (index, item) in items.enumerated() {
        if let condition = item.condition {
          guard case .bool(true) = condition.evaluate(values, stack) else { continue }
        }
        uses[index] += 1
        return item.value.evaluate(values, stack).number
      }
      return 0
    }
  }
}
