// The state of all views, kept in the process that also answers from it: one thread tells the engine what has happened,
// any thread asks it.
//
//     events ──▶ apply ─┐
//                       ├─ one lock ─▶ FeatureEngine
//     requests ─▶ look up ┘
//
// One engine behind one lock, rather than an engine for each thread: a question folds and remembers partial states, so
// it writes as much as an event does, and state that is held once is as large as the data and no larger. Both take
// some microseconds, and whatever waits for a disk or a network is done outside. Texts in an answer belong to the engine, so
// they are copied before the lock is let go.

public import Core
public import Events
import Synchronization

public final class LiveState: @unchecked Sendable {
  // Sendable since all that changes is touched only under the lock.
  private let lock = Mutex(())
  private let engine: FeatureEngine
  /// By event type; made before the first decoder, since plans add to the schema's own.
  private let plans: [RequestPlan]
  private let paths: [[String]]
  private var offset: Int64 = -1
  private var watermark = Timestamp.distantPast

  /// - Precondition: no decoder of the schema has been made.
  /// - Parameter tables: as for the engine.
  public init(_ definitions: FeatureDefinitions, schema: EventSchema, tables: [TableRows]? = nil) {
    let engine = FeatureEngine(definitions, schema: schema, tables: tables)
    self.engine = engine
    plans = schema.types.indices.map { engine.plan(requestsOf: $0, schema: schema) }
    paths = schema.plan.paths
  }

  /// Lets an event count, from its own time on.
  ///
  /// - Parameters:
  ///   - scalars: of the event, by the schema's slots.
  ///   - offset: decides between events of one time.
  public func apply(
    type: Int, _ scalars: UnsafeMutablePointer<Scalar>, at time: Timestamp, offset: Int64,
    watermark: Timestamp
  ) {
    lock.withLock { _ in
      engine.apply(type: type, scalars, at: time, order: offset, watermark: watermark)
      self.offset = max(self.offset, offset)
      self.watermark = max(self.watermark, watermark)
    }
  }

  /// Entities that anything is known about, and up to where all events have been applied: -1 and the distant past
  /// before the first.
  public var extent: (entities: Int, offset: Int64, watermark: Timestamp) {
    lock.withLock { _ in (engine.entityCount, offset, watermark) }
  }

  fileprivate func plan(_ type: Int) -> (plan: RequestPlan, paths: [[String]]) {
    (plans[type], paths)
  }

  fileprivate func lookUp(
    _ plan: RequestPlan, _ scalars: UnsafePointer<Scalar>, at time: Timestamp, given: [Scalar],
    into values: inout [Scalar], texts: OutputBuffer
  ) -> (outcome: OnlineOutcome, broken: [(place: Int, consequence: BrokenGuard)]) {
    lock.withLock { _ in
      engine.lookUp(plan, scalars, at: time, given: given, into: &values)
      copyTexts(&values, to: texts)
      var outcome = OnlineOutcome()
      outcome.offset = offset < 0 ? .max : offset
      outcome.watermark = watermark > .distantPast ? watermark : .distantFuture
      // What lies before the watermark may have been folded away.
      if time < watermark { outcome.ahead = plan.views.count }
      return (outcome, engine.broken)
    }
  }

  private func copyTexts(_ values: inout [Scalar], to texts: OutputBuffer) {
    texts.rewind(to: 0)
    for case .text(let text) in values { texts.append(text) }
    // Only now that all are there they stay where they are.
    let kept = texts.pending
    var start = 0
    for index in values.indices {
      guard case .text(let text) = values[index] else { continue }
      values[index] = .text(kept[start..<start + text.count])
      start += text.count
    }
  }
}

/// Asks a live state; one for each who asks.
public final class LiveReader: FeatureReader {
  private let state: LiveState
  private let texts = OutputBuffer(MemorySink(), capacity: 256)
  public private(set) var outcome = OnlineOutcome()
  public private(set) var broken: [(place: Int, consequence: BrokenGuard)] = []

  public init(_ state: LiveState) { self.state = state }

  public func beside() -> LiveReader { LiveReader(state) }

  public func plan(requestsOf type: Int) -> (plan: RequestPlan, paths: [[String]]) {
    state.plan(type)
  }

  public func lookUp(
    _ plan: RequestPlan, _ scalars: UnsafePointer<Scalar>, at time: Timestamp, given: [Scalar],
    into values: inout [Scalar]
  ) {
    (outcome, broken) = state.lookUp(
      plan, scalars, at: time, given: given, into: &values, texts: texts)
  }
}
