// Entities of events that are about to come. Where there are many, each lies in memory that no cache holds, and an event
// would wait for its slot, then for its record, then for its rows, some hundred nanoseconds each. Reading ahead, the
// entities of many events wait together:
//
//     lines      e1 e2 e3 … e16
//     slots      ── ── ── … ──      all at once
//     records    ── ── ── … ──
//     rows       ── ── ── … ──
//
// It is a hint and nothing else: what is read is dropped, and a line that is looked at wrongly, or that will be rejected, costs
// its time and changes nothing.

public import Core
public import Events

public final class EntitiesAhead {
  /// So many lines at a time.
  public static let linesMax = 16
  /// From so many entities on; fewer are in the cache anyway, and looking ahead costs a second scan of each line.
  public static let entitiesMin = 20_000

  private struct Named {
    let state: Unmanaged<ViewState>
    let keySlots: KeySlots
  }

  private struct Entity {
    let table: Unmanaged<EntityTable>
    let hash: UInt32
    var likely: LikelyEntity?
  }

  private let engine: FeatureEngine
  private let entitiesMin: Int
  private let named: [Named]
  private let scanner: RecordScanner
  private let slotCount: Int
  private let scalars: UnsafeMutablePointer<Scalar>
  private let key = EntityKey()
  private var entities: [Entity] = []
  /// Keeps reads from being left out.
  private var sink: Int64 = 0

  /// - Parameter entitiesMin: from so many entities on it looks at all.
  public init(_ engine: FeatureEngine, schema: EventSchema, entitiesMin: Int = entitiesMin) {
    var plan = FieldPlan()
    var named: [Named] = []
    for state in engine.states {
      var keys: Set<[String]> = [state.view.entity]
      for source in state.view.sources where source.eventType != nil {
        // What is known beside an event is in no line.
        let paths = source.keySlots.filter { $0 < schema.plan.paths.count }.map {
          schema.plan.paths[$0]
        }
        if paths.count == source.keySlots.count, paths.allSatisfy({ $0.count == 1 }) {
          keys.insert(paths.map { $0[0] })
        }
      }
      named += keys.sorted { $0.lexicographicallyPrecedes($1) }.map { members in
        Named(
          state: .passUnretained(state), keySlots: KeySlots(owning: members.map { plan.slot([$0]) })
        )
      }
    }
    self.engine = engine
    self.entitiesMin = entitiesMin
    self.named = named
    scanner = RecordScanner(plan)
    slotCount = plan.paths.count
    scalars = .allocate(capacity: max(slotCount, 1))
    scalars.initialize(repeating: .null, count: slotCount)
    entities.reserveCapacity(EntitiesAhead.linesMax * named.count)
  }

  deinit { scalars.deallocate() }

  /// Whether there are so many entities that it pays.
  public var pays: Bool { engine.entityCount >= entitiesMin }

  /// Takes up the entities that a line names.
  public func add(_ line: Bytes) {
    guard (try? scanner.scan(line, padding: LineReader.padding)) != nil else { return }
    for slot in 0..<slotCount { scalars[slot] = scanner.scalar(slot) ?? .null }
    for view in named where key.assign(view.keySlots, scalars) {
      let hash = EntityTable.hash(key.bytes)
      let table = view.state._withUnsafeGuaranteedRef { Unmanaged.passUnretained($0.entities) }
      entities.append(Entity(table: table, hash: hash))
    }
  }

  /// Reads what those that were taken up will need, and lets go of them.
  public func reach() {
    for index in entities.indices {
      let hash = entities[index].hash
      entities[index].likely = entities[index].table._withUnsafeGuaranteedRef { $0.likely(hash) }
    }
    // Rows can only be found in a record: all records are asked for before the first row is.
    for entity in entities { sink ^= entity.likely?.touchRecord() ?? 0 }
    for entity in entities { sink ^= entity.likely?.touchRows() ?? 0 }
    entities.removeAll(keepingCapacity: true)
  }
}
