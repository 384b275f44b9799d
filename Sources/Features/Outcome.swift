// What turned out to be true, as the project declares it: one declaration for training labels and evaluation.
//
//     outcomes: { late_arrival: { from: "arrived", join: "id", outcome: "arr_delay > 15", matures: "24h" } }
//
// The outcome of a question is that of the first event, from the question's time on and until it has matured, that has
// the same value of the join member. Before a question has matured it has no outcome, even if an event is there already:
// else those that end quickly would be learned from first.

public import Core
public import Events

public struct Outcome: Sendable {
  public let name: String
  /// Index of the event type that tells it.
  public let eventType: Int
  public let join: String
  /// Slots of the join member in the events that tell and in those that ask.
  let tellingSlot: Int
  let askingSlot: Int
  let expression: Expression
  public let matures: TimeSpan
  /// Whether what is decided can change what turns out; nil: the project does not say.
  public let dependsOnDecision: Bool?
  /// Of the values.
  public var type: ValueType { expression.type }

  /// One member of the project file's `outcomes`.
  ///
  /// - Parameter asking: the event type whose questions it answers.
  public init(
    _ member: ConfigNode.Member, asking: Int, schema: EventSchema
  ) throws(Failure) {
    let node = member.node
    try node.allow(["from", "join", "outcome", "matures", "depends_on_decision"])
    name = member.key
    eventType = try schema.type(named: try node.required("from"))
    let joinNode = try node.required("join")
    join = try joinNode.string()
    tellingSlot = try Outcome.slot(joinNode, schema.scope(of: eventType))
    askingSlot = try Outcome.slot(joinNode, schema.scope(of: asking))
    expression = try node.required("outcome").expression(scope: schema.scope(of: eventType))
    matures = try node.required("matures").span()
    dependsOnDecision = try node["depends_on_decision"]?.bool()
  }

  private static func slot(_ node: ConfigNode, _ scope: Scope) throws(Failure) -> Int {
    let expression = try node.expression(scope: scope)
    guard expression.slots.count == 1 else { throw node.failure("expected the name of a member") }
    return expression.slots[0]
  }
}

/// The outcomes of a set of questions, collected while events go by in any order.
public final class OutcomeCollector {
  private let outcome: Outcome
  private let keys = ByteTable()
  private let texts = AnswerTexts(strings: ByteTable())
  private let stack = ExpressionStack()
  private let key = EntityKey()
  private let askingSlot: KeySlots
  private let tellingSlot: KeySlots
  private let onlySlot = KeySlots(owning: [0])
  /// By key: the questions that have it.
  private var questions: [[Int]] = []
  private var times: [Timestamp] = []
  /// By question: the first outcome so far and its time.
  private var found: [(time: Timestamp, cell: Cell)?] = []
  /// How far the events reach.
  private var latest = Timestamp.distantPast

  public init(_ outcome: Outcome) {
    self.outcome = outcome
    askingSlot = KeySlots(owning: [outcome.askingSlot])
    tellingSlot = KeySlots(owning: [outcome.tellingSlot])
  }

  /// Adds the next question, by the members of the event that asked.
  public func ask(_ scalars: UnsafePointer<Scalar>, at time: Timestamp) {
    ask(askingSlot, scalars, at: time)
  }

  /// Adds the next question, by the value of its join member alone.
  public func ask(joining value: Scalar, at time: Timestamp) {
    withUnsafePointer(to: value) { ask(onlySlot, $0, at: time) }
  }

  private func ask(_ slots: KeySlots, _ scalars: UnsafePointer<Scalar>, at time: Timestamp) {
    let question = times.count
    times.append(time)
    found.append(nil)
    guard key.assign(slots, scalars) else { return }
    let entry = keys.insert(key.bytes)
    if entry.isNew { questions.append([]) }
    questions[entry.index].append(question)
  }

  /// Takes an event of any type.
  public func observe(type: Int, _ scalars: UnsafePointer<Scalar>, at time: Timestamp) {
    latest = max(latest, time)
    guard type == outcome.eventType, key.assign(tellingSlot, scalars),
      let index = keys.find(key.bytes)
    else { return }
    let value = Cell(outcome.expression.evaluate(scalars, stack), strings: texts.strings)
    stack.reset()
    for question in questions[index] {
      guard time >= times[question], time <= times[question] + outcome.matures else { continue }
      if let known = found[question], known.time <= time { continue }
      found[question] = (time, value)
    }
  }

  /// Whether the events reach beyond the moment at which the question has matured.
  public func hasMatured(_ question: Int) -> Bool {
    times[question] + outcome.matures <= latest
  }

  /// When it turned out; nil where it has not, or not yet for good.
  public func time(_ question: Int) -> Timestamp? {
    hasMatured(question) ? found[question]?.time : nil
  }

  /// Null where there is none, or not yet. Text is valid as long as this object.
  public func value(_ question: Int) -> Scalar {
    guard hasMatured(question), let found = found[question] else { return .null }
    return found.cell.scalar(texts)
  }
}
