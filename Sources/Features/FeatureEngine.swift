// Events in, feature values out: the one engine behind the stream, the training set and the online read. An
// event is looked up first and applied after, so it never counts in its own features; and a question at
// time q sees only what happened before q.

public import Core
public import Events

/// How the events of one type ask: where in them each view's entity is named.
public struct RequestPlan: Sendable {
  /// Views that the request names an entity for, by index, with the slots of the entity's members.
  public let views: [(view: Int, keySlots: [Int])]
  /// The entity members of all those views, each once, with its slot.
  public let entityMembers: [(name: String, slot: Int)]
}

public final class FeatureEngine {
  public let views: [FeatureView]
  private let states: [ViewState]
  /// For each event type, the views that draw from it.
  private let viewsByType: [[Int]]
  private let stack = ExpressionStack()

  public init(views: [FeatureView], schema: EventSchema) {
    self.views = views
    let stack = self.stack
    self.states = views.map { ViewState($0, stack: stack) }
    self.viewsByType = schema.types.indices.map { type in
      views.indices.filter { views[$0].eventType == type }
    }
  }

  /// Plans how requests of one event type ask. Views whose entity the type does not name are left out.
  public func plan(requestsOf type: Int, schema: EventSchema) -> RequestPlan {
    let scope = schema.scope(of: type)
    var planned: [(view: Int, keySlots: [Int])] = []
    var members: [(name: String, slot: Int)] = []
    for (index, view) in views.enumerated() {
      let slots = view.entity.compactMap { (try? Expression($0, scope: scope))?.slots.first }
      guard slots.count == view.entity.count else { continue }
      planned.append((index, slots))
      for (name, slot) in zip(view.entity, slots)
      where !members.contains(where: { $0.name == name }) {
        members.append((name, slot))
      }
    }
    return RequestPlan(views: planned, entityMembers: members)
  }

  /// The features that a plan's look-ups give, in their order.
  public func features(_ plan: RequestPlan) -> [Feature] {
    plan.views.flatMap { views[$0.view].features }
  }

  /// Fills `values` with the plan's features as of just before `time`.
  ///
  /// Text among them is valid as long as the engine.
  public func lookUp(
    _ plan: RequestPlan, _ scalars: UnsafePointer<Scalar>, at time: Timestamp,
    into values: inout [Scalar]
  ) {
    values.removeAll(keepingCapacity: true)
    for (view, slots) in plan.views { states[view].lookUp(slots, scalars, at: time, into: &values) }
  }

  /// Lets an event count from its time on.
  ///
  /// - Parameters:
  ///   - order: decides between events of one time; later is larger.
  ///   - watermark: no question about an earlier time will come.
  public func apply(
    type: Int, _ scalars: UnsafePointer<Scalar>, at time: Timestamp, order: Int64,
    watermark: Timestamp
  ) {
    for view in viewsByType[type] {
      states[view].apply(scalars, at: time, order: order, watermark: watermark)
    }
    stack.reset()
  }

  /// Entities that anything is known about, over all views.
  public var entityCount: Int { states.reduce(0) { $0 + $1.entityCount } }
}
