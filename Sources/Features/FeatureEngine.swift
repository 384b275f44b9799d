// Events in, feature values out: the one engine behind the stream, the training set and the online read. An
// event is looked up first and applied after, so it never counts in its own features; and a question at
// time q sees only what happened before q.

public import Core
public import Events

/// All features of a project.
public struct FeatureDefinitions: Sendable {
  public private(set) var views: [FeatureView] = []
  public private(set) var tables: [TableView] = []
  public private(set) var derived: [DerivedView] = []

  /// The members of the project file's `features`, compiled against the schema.
  public init(_ members: [ConfigNode.Member], schema: EventSchema) throws(Failure) {
    for member in members where TableView.isDeclared(member.node) {
      guard !DerivedView.isDeclared(member.node) else { continue }
      let table = try TableView(member)
      try table.checkEntity(member.node, against: schema)
      tables.append(table)
    }
    for member in members
    where !DerivedView.isDeclared(member.node) && !TableView.isDeclared(member.node) {
      views.append(try FeatureView(member, schema: schema, tables: tables))
    }
    for member in members where DerivedView.isDeclared(member.node) {
      derived.append(try DerivedView(member, schema: schema, views: nameable, others: derived))
    }
  }

  /// Every feature, as in `view:feature`.
  public var names: [String] {
    nameable.flatMap { $0.features.map(\.name) } + derived.flatMap { $0.features.map(\.name) }
  }

  /// What derived features may use.
  private var nameable: [NameableView] { views.map(\.nameable) + tables.map(\.nameable) }
}

/// How the events of one type ask: where in them each view's entity is named. A class, since the hot loop passes it
/// around for every question.
public final class RequestPlan {
  /// A feature that is answered.
  public struct Answer {
    /// As in `view:feature`.
    public let name: String
    /// As in a column: `view__feature`.
    public let columnName: String
    /// Whether the value is a list or an object, given as JSON text.
    public let isDocument: Bool
    /// What its guard has seen, if it has one.
    public let tally: GuardTally?

    /// Why a row is rejected whose value breaks the guard.
    public var rejection: String {
      "the feature \(name) breaks its guard (broken: \"reject\")"
    }
  }

  /// A view that the request names an entity for. The engine that made the plan holds it.
  struct AskedView {
    let state: Unmanaged<ViewState>
    /// In the engine's order.
    let view: Int
    let keySlots: KeySlots
  }

  let views: FrozenList<AskedView>
  /// Views whose entity requests name.
  public var viewCount: Int { views.count }
  /// The same for tables.
  let tables: [(rows: TableRows, keySlots: KeySlots)]
  /// The entity members of all those views, each once, with its slot.
  public let entityMembers: [(name: String, slot: Int)]
  /// In the order of the values.
  public let answers: [Answer]
  /// Those among them that are expressions, with the places of what they read.
  let derived: [(expression: Expression, reads: [DerivedRead])]
  /// The places of guarded answers, with what guards them.
  let guarded: [(place: Int, tally: GuardTally)]

  /// The places of what tables answer: behind the views', before the derived.
  private var tablePlaces: Range<Int> {
    let end = answers.count - derived.count
    return end - tables.reduce(0) { $0 + $1.rows.view.features.count }..<end
  }

  /// Whether an answer is a table's, or made of one.
  public func readsTable(_ place: Int) -> Bool {
    guard place >= tablePlaces.upperBound else { return tablePlaces.contains(place) }
    return derived[place - tablePlaces.upperBound].reads.contains { read in
      if case .answer(let other) = read { readsTable(other) } else { false }
    }
  }

  /// Every slot that a look-up reads.
  public var memberSlots: [Int] {
    var slots = Set(entityMembers.map(\.slot))
    for read in derived.flatMap(\.reads) {
      if case .member(let slot) = read { slots.insert(slot) }
    }
    return slots.sorted()
  }

  init(
    views: [AskedView], tables: [(rows: TableRows, keySlots: KeySlots)],
    entityMembers: [(name: String, slot: Int)],
    answers: [Answer], derived: [(expression: Expression, reads: [DerivedRead])]
  ) {
    self.views = FrozenList(views)
    self.tables = tables
    self.entityMembers = entityMembers
    self.answers = answers
    self.derived = derived
    self.guarded = answers.enumerated().compactMap { place, answer in
      answer.tally.map { (place, $0) }
    }
  }
}

/// Where an expression's value comes from.
enum DerivedRead {
  case member(slot: Int)
  case answer(place: Int)
}

public final class FeatureEngine {
  public let definitions: FeatureDefinitions
  let states: [ViewState]
  private let tables: [TableRows]
  /// For each event type, the views that draw from it, and as which of their sources.
  private let viewsByType: [FrozenList<ToldView>]
  /// Those that views draw from.
  let joins: [JoinState]
  /// For each event type, what it is enriched with before it is told to the views.
  private let enrichments: [[(rows: TableRows, keySlots: KeySlots, column: Int, slot: Int)]]

  private struct ToldView {
    let state: Unmanaged<ViewState>
    let source: Int
  }

  let stack = ExpressionStack()
  /// What one derived feature reads.
  private var reads: [Scalar] = []
  /// Those of the values last looked up that break their guards: their places, and what is to become of them.
  public private(set) var broken: [(place: Int, consequence: BrokenGuard)] = []

  /// - Parameter tables: filled, in the order of their declaration; without them tables are empty.
  public init(
    _ definitions: FeatureDefinitions, schema: EventSchema, tables: [TableRows]? = nil
  ) {
    self.definitions = definitions
    let tables = tables ?? definitions.tables.map(TableRows.init)
    self.tables = tables
    let stack = self.stack
    let views = definitions.views
    self.enrichments = schema.types.indices.map { type in
      views.flatMap(\.sources).filter { $0.eventType == type }.flatMap(\.enrichments).map {
        (tables[$0.table], KeySlots(owning: $0.keySlots), $0.column, $0.slot)
      }
    }
    let states = views.map { ViewState($0, stack: stack) }
    self.states = states
    self.joins = states.compactMap { state in
      state.view.join.map { JoinState($0, state, stack: stack) }
    }
    self.viewsByType = schema.types.indices.map { type in
      FrozenList(
        views.indices.compactMap { view in
          views[view].sources.firstIndex { $0.eventType == type }.map {
            ToldView(state: .passUnretained(states[view]), source: $0)
          }
        })
    }
  }

  /// Plans how requests of one event type ask. Views whose entity the type does not name are left out.
  public func plan(requestsOf type: Int, schema: EventSchema) -> RequestPlan {
    let scope = schema.scope(of: type)
    var planned: [RequestPlan.AskedView] = []
    var members: [(name: String, slot: Int)] = []
    var answers: [RequestPlan.Answer] = []
    func keySlots(_ entity: [String]) -> [Int]? {
      let slots = entity.compactMap { (try? Expression($0, scope: scope))?.slots.first }
      guard slots.count == entity.count else { return nil }
      for (name, slot) in zip(entity, slots) where !members.contains(where: { $0.name == name }) {
        members.append((name, slot))
      }
      return slots
    }
    for (index, view) in definitions.views.enumerated() {
      guard let slots = keySlots(view.entity) else { continue }
      planned.append(
        RequestPlan.AskedView(
          state: .passUnretained(states[index]), view: index, keySlots: KeySlots(owning: slots)))
      answers += view.features.map { feature in
        RequestPlan.Answer(
          name: feature.name, columnName: feature.columnName, isDocument: feature.givesDocument,
          tally: feature.valueGuard.map { GuardTally(feature.name, $0) })
      }
    }
    var tables: [(rows: TableRows, keySlots: KeySlots)] = []
    for rows in self.tables {
      guard let slots = keySlots(rows.view.entity) else { continue }
      tables.append((rows, KeySlots(owning: slots)))
      answers += rows.view.features.map { feature in
        RequestPlan.Answer(
          name: feature.name, columnName: feature.columnName, isDocument: false,
          tally: feature.valueGuard.map { GuardTally(feature.name, $0) })
      }
    }
    var derived: [(expression: Expression, reads: [DerivedRead])] = []
    for feature in definitions.derived.filter({ $0.eventType == type }).flatMap(\.features) {
      derived.append((feature.expression, reads(of: feature, among: answers)))
      answers.append(
        RequestPlan.Answer(
          name: feature.name, columnName: feature.columnName, isDocument: false,
          tally: feature.valueGuard.map { GuardTally(feature.name, $0) }))
    }
    return RequestPlan(
      views: planned, tables: tables, entityMembers: members, answers: answers, derived: derived)
  }

  private func reads(
    of feature: DerivedFeature, among answers: [RequestPlan.Answer]
  ) -> [DerivedRead] {
    feature.sources.map { source in
      switch source {
      case .member(let slot): return .member(slot: slot)
      case .feature(let name):
        guard let place = answers.firstIndex(where: { $0.name == name }) else {
          preconditionFailure("a derived feature was checked against what is answered before it")
        }
        return .answer(place: place)
      }
    }
  }

  /// Fills `values` with the plan's features as of just before `time`.
  ///
  /// Text among them is valid until the next look-up.
  ///
  /// - Parameter given: by place, what the request brings itself; empty where that is nothing.
  public func lookUp(
    _ plan: RequestPlan, _ scalars: UnsafePointer<Scalar>, at time: Timestamp,
    given: [Scalar] = [], into values: inout [Scalar]
  ) {
    values.removeAll(keepingCapacity: true)
    stack.reset()
    for index in 0..<plan.views.count {
      let asked = plan.views[index]
      asked.state._withUnsafeGuaranteedRef { $0.find(asked.keySlots, scalars, at: time) }
    }
    for index in 0..<plan.views.count {
      plan.views[index].state._withUnsafeGuaranteedRef { $0.answer(into: &values) }
    }
    complete(plan, scalars, at: time, &values, given: given)
  }

  /// Appends what tables know, holds all that against its guards and appends the derived features.
  ///
  /// - Parameter given: by place, what the request brings itself, which stands as it is; nulls, or nothing at all, where
  ///   it brings nothing.
  func complete(
    _ plan: RequestPlan, _ scalars: UnsafePointer<Scalar>, at time: Timestamp,
    _ values: inout [Scalar], given: [Scalar] = []
  ) {
    if !broken.isEmpty { broken.removeAll(keepingCapacity: true) }
    for index in 0..<plan.tables.count {
      plan.tables[index].rows.lookUp(
        plan.tables[index].keySlots, scalars, at: time, into: &values)
    }
    take(given, &values, from: 0)
    guard !plan.guarded.isEmpty || !plan.derived.isEmpty else { return }
    let stored = values.count
    check(plan, &values, in: 0..<stored, given: given)
    for (index, feature) in plan.derived.enumerated() {
      reads.removeAll(keepingCapacity: true)
      for read in feature.reads {
        switch read {
        case .member(let slot): reads.append(scalars[slot])
        case .answer(let place): reads.append(values[place])
        }
      }
      values.append(
        reads.withUnsafeBufferPointer { reads in
          // A constant reads nothing, and an empty array has no address.
          reads.baseAddress.map { feature.expression.evaluate($0, stack) }
            ?? feature.expression.evaluate(scalars, stack)
        })
      take(given, &values, from: stored + index)
      check(plan, &values, in: stored + index..<stored + index + 1, given: given)
    }
  }

  /// Puts what the request brings in its places.
  private func take(_ given: [Scalar], _ values: inout [Scalar], from start: Int) {
    guard !given.isEmpty else { return }
    for place in start..<values.count where !given[place].isNull { values[place] = given[place] }
  }

  private func check(
    _ plan: RequestPlan, _ values: inout [Scalar], in places: Range<Int>, given: [Scalar]
  ) {
    for (place, tally) in plan.guarded where places.contains(place) {
      guard given.isEmpty || given[place].isNull else { continue }
      if let consequence = tally.consequence(&values[place]) {
        broken.append((place, consequence))
      }
    }
  }

  /// Lets an event count from its time on.
  ///
  /// - Parameters:
  ///   - scalars: of the event; the slots of what is known beside it are filled here.
  ///   - order: decides between events of one time; later is larger.
  ///   - watermark: no question about an earlier time will come.
  ///   - complete: no event of an earlier time will come; nil: that is the watermark.
  public func apply(
    type: Int, _ scalars: UnsafeMutablePointer<Scalar>, at time: Timestamp, order: Int64,
    watermark: Timestamp, complete: Timestamp? = nil
  ) {
    for index in 0..<enrichments[type].count {
      let (rows, keySlots, column, slot) = enrichments[type][index]
      scalars[slot] = rows.value(column, keySlots, scalars, at: time)
    }
    let views = viewsByType[type]
    for index in 0..<views.count {
      let view = views[index]
      view.state._withUnsafeGuaranteedRef {
        $0.apply(source: view.source, scalars, at: time, order: order, watermark: watermark)
      }
    }
    if !joins.isEmpty {
      let complete = complete ?? watermark
      advance(to: min(complete, time), order: order)
      for join in joins where join.join.reads(type) {
        join.take(type: type, scalars, at: time, order: order)
      }
      advance(to: complete, order: order)
      for join in joins { join.settle(watermark) }
    }
    stack.reset()
  }

  /// Lets count what is known because no event of an earlier time than `complete` will come: that events of a join have found
  /// no match.
  ///
  /// - Parameter order: of the next event to be applied.
  public func advance(to complete: Timestamp, order: Int64) {
    for join in joins { join.advance(to: complete, order: order) }
  }

  /// Entities that anything is known about, over all views.
  public var entityCount: Int { states.reduce(0) { $0 + $1.entityCount } }
}
