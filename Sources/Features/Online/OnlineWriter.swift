// Keeps a store up to date with what an engine has been told: after some events, and whenever no input is ready, the rows
// of all entities that have changed are written, each once, and then the offset up to which all are true.

public import Core

/// What takes rows: the files of an embedded store, or a server.
protocol RowSink: AnyObject {
  /// For messages.
  var name: String { get }
  /// Up to which offset all rows are true; -1 before anything was committed.
  var offset: Int64 { get }
  var watermark: Timestamp { get }
  func put(_ key: Bytes, _ row: Bytes, order: Int64) throws(Failure)
  /// Says that all rows are true up to `offset`.
  func commit(offset: Int64, watermark: Timestamp) throws(Failure)
  /// Lends every row that it holds; returns how many are damaged.
  func visitRows(_ body: (_ key: Bytes, _ row: Bytes) -> Bool) throws(Failure) -> Int
  func finish() throws(Failure)
}

public final class OnlineWriter {
  private let engine: FeatureEngine
  private let sinks: [any RowSink]
  private var writers: [EntityRowWriter]
  private var uncommitted = 0
  /// Entities that were taken over from the store.
  public private(set) var resumedCount = 0
  /// Rows that were too large to be written, by view.
  public private(set) var oversized: [String: Int] = [:]

  /// - Parameter sinks: one for each view.
  init(_ engine: FeatureEngine, sinks: [any RowSink]) throws(Failure) {
    self.engine = engine
    self.sinks = sinks
    self.writers = engine.states.map { EntityRowWriter(strings: $0.texts.strings) }
    for (state, sink) in zip(engine.states, sinks) {
      let damaged = try sink.visitRows { key, row in state.restore(key, row) }
      guard damaged == 0 else {
        throw .badData(
          "\(sink.name): \(damaged) rows are damaged",
          hint:
            "rtinfer materialize backfill writes the store anew; the other rows serve until then")
      }
      state.changes = ChangedEntities()
      resumedCount += state.entityCount
    }
  }

  /// Up to which offset every row is true; -1 for a new store.
  public var offset: Int64 { sinks.map(\.offset).min() ?? -1 }
  /// Behind every event that any row has seen: after a crash rows may be ahead of `offset`.
  public var nextOffset: Int64 {
    1 + max(offset, engine.states.map(\.lastOrder).max() ?? -1)
  }
  public var watermark: Timestamp { sinks.map(\.watermark).max() ?? .distantPast }

  /// An event has been applied; writes where enough have.
  public func noteEvent(offset: Int64, watermark: Timestamp) throws(Failure) {
    uncommitted += 1
    last = (offset, max(watermark, last.watermark))
    if uncommitted >= Limits.onlineFlushEvents { try flush() }
  }

  private var last = (offset: Int64(-1), watermark: Timestamp.distantPast)

  /// Writes what has changed.
  ///
  /// - Complexity: O(bytes of the rows that have changed).
  public func flush() throws(Failure) {
    guard uncommitted > 0 else { return }
    uncommitted = 0
    for (index, state) in engine.states.enumerated() {
      for entity in state.changes?.list ?? [] {
        let row = state.write(entity, with: &writers[index])
        let history = state.entities[entity]
        let key = history.key
        guard key.count + row.count <= Limits.onlineRowBytesMax else {
          oversized[state.view.name, default: 0] += 1
          continue
        }
        let order = history.lastOrder
        try row.withBytes { (row) throws(Failure) in
          try sinks[index].put(key, row, order: order)
        }
      }
      state.changes?.removeAll()
    }
    for sink in sinks {
      try sink.commit(
        offset: max(last.offset, sink.offset), watermark: max(last.watermark, sink.watermark))
    }
  }

  /// Writes the rest and lets go of the store.
  public func finish() throws(Failure) {
    try flush()
    for sink in sinks { try sink.finish() }
  }
}
