// The features that a request asks for, from an online store: for each view the row of the entity that the request names
// is found and finalised as of just before the request's time, and then guards and derived features apply as in
// the stream. One reader a thread.

public import Core
public import Events

/// Where rows come from.
protocol RowSource: AnyObject {
  /// Fetches the rows of several keys in one go, where that takes time.
  func fetch(_ keys: AskedKeys) throws(Failure)
  /// The row of one of the keys fetched last.
  func row(_ view: Int, _ key: Bytes) -> FoundRow
  /// How long ago that row was read, where it is not the store's own of now.
  func age(_ view: Int, _ key: Bytes) -> TimeSpan?
  func timeToLive(_ view: Int) -> TimeSpan?
  /// All rows of the view are true up to this offset and watermark.
  func committed(_ view: Int) -> (offset: Int64, watermark: Timestamp)
  /// What was made of the row that the key leads to, where that is known, and is the same at `time`.
  func recall(_ view: Int, _ key: Bytes, at time: Timestamp) -> RecalledRow?
  /// Keeps what was made of the row that was found last.
  func remember(_ view: Int, _ key: Bytes, _ finished: FinishedRow, _ values: ArraySlice<Scalar>)
}

/// How the last look-up went.
public struct OnlineOutcome: Sendable {
  /// Views whose entity has no row, or has none any more.
  public var absent = 0
  /// Views whose row is damaged; their features are null.
  public var damaged = 0
  /// Views whose row and answers are those of an earlier look-up, and were not made again.
  public var recalled = 0
  /// Views whose row may have seen what happened at the request's time or later.
  public var ahead = 0
  /// Views that the store did not answer for in time, and of which nothing is known from before.
  public var unanswered = 0
  /// Views that the store did not answer for in time, and whose row is the last one known.
  public var stale = 0
  /// How old the oldest of those is.
  public var age = TimeSpan.zero
  /// The least offset and watermark up to which the rows are true.
  public var offset = Int64.max
  public var watermark = Timestamp.distantFuture
}

public final class OnlineReader {
  public let definitions: FeatureDefinitions
  private let engine: FeatureEngine
  private let schema: EventSchema
  private let source: any RowSource
  private let key = EntityKey()
  private let keys = AskedKeys()
  public private(set) var outcome = OnlineOutcome()

  init(_ definitions: FeatureDefinitions, schema: EventSchema, source: any RowSource) {
    self.definitions = definitions
    self.schema = schema
    self.engine = FeatureEngine(definitions, schema: schema)
    self.source = source
  }

  /// Another reader of the same store in the same thread, over the same connection and memory of rows.
  public func beside() -> OnlineReader {
    OnlineReader(definitions, schema: schema, source: source)
  }

  /// Plans how requests of one event type ask; see `FeatureEngine`.
  ///
  /// - Returns: the plan, and by slot the members that it may read, in the order of the scalars.
  public func plan(requestsOf type: Int) -> (plan: RequestPlan, paths: [[String]]) {
    let plan = engine.plan(requestsOf: type, schema: schema)
    return (plan, schema.plan.paths)
  }

  /// The values that break their guards, after a look-up.
  public var broken: [(place: Int, consequence: BrokenGuard)] { engine.broken }

  /// Fills `values` with the plan's features as of just before `time`. Text among them is valid until the next look-up.
  ///
  /// - Parameter given: by place, what the request brings itself; nulls where it brings nothing.
  public func lookUp(
    _ plan: RequestPlan, _ scalars: UnsafePointer<Scalar>, at time: Timestamp, given: [Scalar],
    into values: inout [Scalar]
  ) {
    engine.stack.reset()
    values.removeAll(keepingCapacity: true)
    outcome = OnlineOutcome()
    keys.removeAll()
    for index in 0..<plan.views.count {
      let asked = plan.views[index]
      if key.assign(asked.keySlots, scalars) { keys.append(asked.view, key.bytes) }
    }
    var isAnswered = true
    do throws(Failure) {
      try source.fetch(keys)
    } catch {
      isAnswered = false
    }
    var next = 0
    for index in 0..<plan.views.count {
      let view = plan.views[index].view
      guard next < keys.count, keys.view(next) == view else {
        // The request names no entity.
        appendNulls(view, &values)
        continue
      }
      if isAnswered {
        answer(view, keys.key(next), at: time, into: &values)
      } else {
        outcome.unanswered += 1
        appendNulls(view, &values)
      }
      next += 1
    }
    engine.complete(plan, scalars, at: time, &values, given: given)
  }

  private func appendNulls(_ view: Int, _ values: inout [Scalar]) {
    for _ in definitions.views[view].features { values.append(.null) }
  }

  private func answer(
    _ view: Int, _ key: Bytes, at time: Timestamp, into values: inout [Scalar]
  ) {
    if let recalled = source.recall(view, key, at: time) {
      outcome.recalled += 1
      outcome.offset = min(outcome.offset, recalled.offset)
      outcome.watermark = min(outcome.watermark, recalled.watermark)
      values.append(contentsOf: recalled.values)
      return
    }
    let committed = source.committed(view)
    outcome.offset = min(outcome.offset, committed.offset)
    outcome.watermark = min(outcome.watermark, committed.watermark)
    let state = engine.states[view]
    state.forgetTexts()
    if let age = source.age(view, key) {
      outcome.stale += 1
      outcome.age = max(outcome.age, age)
    }
    switch source.row(view, key) {
    case .row(let row):
      let before = values.count
      guard let answer = state.answer(row, at: time, into: &values) else {
        outcome.damaged += 1
        return appendNulls(view, &values)
      }
      if answer.isAhead { outcome.ahead += 1 }
      guard isAlive(view, answer.latest, at: time) else {
        values.removeLast(values.count - before)
        outcome.absent += 1
        return state.answerNothing(at: time, into: &values)
      }
      if let finished = answer.finished { source.remember(view, key, finished, values[before...]) }
    case .damaged:
      outcome.damaged += 1
      appendNulls(view, &values)
    case .absent:
      outcome.absent += 1
      state.answerNothing(at: time, into: &values)
    case .unanswered:
      outcome.unanswered += 1
      appendNulls(view, &values)
    }
  }

  /// Whether a row whose latest event is of that time still counts.
  private func isAlive(_ view: Int, _ latest: Timestamp, at time: Timestamp) -> Bool {
    guard let span = source.timeToLive(view) else { return true }
    return latest + span >= time
  }

  /// One view's row of an entity, for people; nil where there is none.
  public func inspect(
    _ view: Int, _ entity: [Scalar], at time: Timestamp, into values: inout [Scalar]
  ) throws(Failure) -> (answer: RowAnswer, bytes: Int)? {
    let state = engine.states[view]
    state.forgetTexts()
    values.removeAll(keepingCapacity: true)
    let isNamed = entity.withUnsafeBufferPointer {
      key.assign(KeySlots(owning: Array(entity.indices)), $0.baseAddress!)
    }
    precondition(isNamed && !entity.isEmpty, "an entity is named by values")
    keys.removeAll()
    keys.append(view, key.bytes)
    try source.fetch(keys)
    let found = source.row(view, key.bytes)
    if case .unanswered = found {
      throw .inputOutput("\(state.view.name): the store did not answer in time")
    }
    guard case .absent = found else {
      if case .row(let row) = found, let answer = state.answer(row, at: time, into: &values) {
        return (answer, row.count)
      }
      throw .badData(
        "\(state.view.name): the row is damaged",
        hint: "rtinfer materialize backfill writes the store anew")
    }
    return nil
  }

  /// Up to which offset and watermark a view's rows are true.
  public func committed(_ view: Int) -> (offset: Int64, watermark: Timestamp) {
    source.committed(view)
  }
}

extension ViewState {
  /// Distinct texts that a reader keeps before it forgets them all.
  private static let textsMax = 65_536

  /// What earlier answers referred to is gone.
  func forgetTexts() {
    texts.forgetDocuments()
    if texts.strings.count > ViewState.textsMax { texts.strings.removeAll() }
  }
}

extension FeatureView {
  /// The values that name an entity, from what a person typed, by the types of the members. Where those say
  /// nothing, 42 is a number or a text: each way that it can be read, the likeliest first.
  public func entityValues(_ texts: [String], _ schema: EventSchema) throws(Failure) -> [[Scalar]] {
    precondition(texts.count == entity.count, "a value for each member of the entity")
    var all: [[Scalar]] = [[]]
    for (place, (member, text)) in zip(entity, texts).enumerated() {
      guard let index = join?.entityTypes[place] ?? sources[0].eventType else {
        preconditionFailure("only a join's source has no event type")
      }
      let type = schema.types[index]
      let field = type.fields.first { $0.name == member }
      let isTime = member == type.timeMember
      let readings = FeatureView.readings(text, as: isTime ? .time : field?.type)
      guard !readings.isEmpty else {
        throw .usage("\(name): \(member) is a \((field?.type ?? .time).rawValue), not '\(text)'")
      }
      all = readings.flatMap { reading in all.map { $0 + [reading] } }
    }
    return all
  }

  private static func readings(_ text: String, as type: FieldType?) -> [Scalar] {
    let bytes = Bytes(owning: text)
    let flag: [Scalar] = text == "true" || text == "false" ? [.bool(text == "true")] : []
    switch type {
    case .integer, .number: return [JSONNumber.scalar(bytes)].compactMap { $0 }
    case .boolean: return flag
    case .time: return [Timestamp(rfc3339: bytes).map(Scalar.time)].compactMap { $0 }
    case .string: return [.text(bytes)]
    case .any, nil: return [JSONNumber.scalar(bytes)].compactMap { $0 } + flag + [.text(bytes)]
    }
  }
}
