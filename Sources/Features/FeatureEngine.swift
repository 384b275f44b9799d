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
  private let isEnriched: Bool

  private struct ToldView {
    let state: Unmanaged<ViewState>
    let source: Int
  }

  let stack = ExpressionStack()
  /// What one derived feature reads.
  private var reads: [Scalar] = []
  /// Those of the values last looked up that break their guards: their places, and what is to become of them.
  public private(set) var broken: [(place: Int, consequence: BrokenGuard)] = []
  /// Whether there are any.
  public var hasBroken: Bool { !broken.isEmpty }

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
    self.isEnriched = views.contains { $0.sources.contains { !$0.enrichments.isEmpty } }
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
      type: type, sharesKey: sharedKeys(type, planned), views: planned, tables: tables,
      entityMembers: members, answers: answers, derived: derived)
  }

  /// For each view that draws from the type, whether a request of that type names its entity by the same members.
  private func sharedKeys(_ type: Int, _ planned: [RequestPlan.AskedView]) -> [Bool] {
    let known = Set(enrichments[type].map(\.slot))
    return (0..<viewsByType[type].count).map { index in
      let told = viewsByType[type][index]
      let slots = told.state._withUnsafeGuaranteedRef { $0.view.sources[told.source].keySlots }
      let asked = planned.first { $0.state.toOpaque() == told.state.toOpaque() }
      // What is known beside an event is not there yet when it asks.
      return asked?.keySlots.slots == slots && known.isDisjoint(with: slots)
    }
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
  /// - Complexity: O(features), and O(rows in the window) for each window that is folded when it is asked. A
  ///   pipeline spends most of its time here.
  public func lookUp(
    _ plan: RequestPlan, _ scalars: UnsafePointer<Scalar>, at time: Timestamp,
    given: [Scalar] = [], into values: inout [Scalar]
  ) {
    stack.reset()
    if values.count > plan.storedCount { values.removeLast(values.count - plan.storedCount) }
    while values.count < plan.storedCount { values.append(.null) }
    find(plan, scalars, at: time)
    values.withUnsafeMutableBufferPointer { values in
      var place = 0
      for index in 0..<plan.views.count {
        place += plan.views[index].state._withUnsafeGuaranteedRef {
          $0.answer(into: UnsafeMutableBufferPointer(rebasing: values[place...]))
        }
      }
    }
    complete(plan, scalars, at: time, &values, given: given)
  }

  /// Finds the entities, in steps; see `ViewState.begin`.
  @inline(__always)
  private func find(_ plan: RequestPlan, _ scalars: UnsafePointer<Scalar>, at time: Timestamp) {
    let views = plan.views
    for index in 0..<views.count {
      let asked = views[index]
      asked.state._withUnsafeGuaranteedRef { $0.begin(asked.keySlots, scalars) }
    }
    for index in 0..<views.count {
      views[index].state._withUnsafeGuaranteedRef { $0.reachRecord() }
    }
    for index in 0..<views.count { views[index].state._withUnsafeGuaranteedRef { $0.reachRows() } }
    for index in 0..<views.count { views[index].state._withUnsafeGuaranteedRef { $0.touchRows() } }
    for index in 0..<views.count {
      views[index].state._withUnsafeGuaranteedRef { $0.find(at: time) }
    }
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
  ///   - plan: by which these very scalars were looked up just now, if they were: their entities need not be found again.
  public func apply(
    type: Int, _ scalars: UnsafeMutablePointer<Scalar>, at time: Timestamp, order: Int64,
    watermark: Timestamp, complete: Timestamp? = nil, asked plan: RequestPlan? = nil
  ) {
    precondition(plan.map { $0.type == type } ?? true, "an event is looked up as what it is")
    if isEnriched { enrich(type, scalars, at: time) }
    let views = viewsByType[type]
    for index in 0..<views.count {
      let view = views[index]
      let isFound = plan.map { $0.sharesKey[index] } ?? false
      view.state._withUnsafeGuaranteedRef {
        $0.apply(
          source: view.source, scalars, at: time, order: order, watermark: watermark,
          isFound: isFound)
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

  private func enrich(_ type: Int, _ scalars: UnsafeMutablePointer<Scalar>, at time: Timestamp) {
    for (rows, keySlots, column, slot) in enrichments[type] {
      scalars[slot] = rows.value(column, keySlots, scalars, at: time)
    }
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
