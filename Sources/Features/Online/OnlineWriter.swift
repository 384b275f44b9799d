// Keeps a store up to date with what an engine has been told: after some events, and whenever no input is ready, the rows
// of all entities that have changed are written, each once, and then the offset up to which all are true.

public import Core
public import Events

/// What takes rows: the files of an embedded store, or a server.
protocol RowSink: AnyObject {
  /// For messages.
  var name: String { get }
  /// Up to which offset all rows are true; -1 before anything was committed.
  var offset: Int64 { get }
  var watermark: Timestamp { get }
  func put(_ key: Bytes, _ row: Bytes, order: Int64) throws(Failure)
  /// An entity is gone.
  func forget(_ key: Bytes) throws(Failure)
  /// Says that all rows are true up to `offset`.
  func commit(offset: Int64, watermark: Timestamp) throws(Failure)
  /// Lends every row that it holds; returns how many are damaged.
  func visitRows(_ body: (_ key: Bytes, _ row: Bytes) -> Bool) throws(Failure) -> Int
  /// Whether what was written may have been lost, so that all of it should be once more.
  func takeLoss() throws(Failure) -> Bool
  /// All of it has been.
  func endLoss() throws(Failure)
  /// Waits until all is written; once more where that was lost again.
  func finish() throws(Failure)
  /// Leaves what serves as it is.
  func abandon()
}

extension RowSink {
  func forget(_ key: Bytes) throws(Failure) {}
  func takeLoss() throws(Failure) -> Bool { false }
  func endLoss() throws(Failure) {}
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
  /// What the store held when it was taken up.
  private var resumed = (offset: Int64(-1), watermark: Timestamp.distantPast)
  /// Of the last event that came.
  private var lastNumber: Int64 = -1
  /// Events that it held already.
  public private(set) var heldCount = 0
  /// By view, the entities whose rows were cut short when they were written.
  private var cut: [ChangedEntities]

  /// - Parameter sinks: one for each view, then one for each join.
  init(_ engine: FeatureEngine, sinks: [any RowSink]) throws(Failure) {
    self.engine = engine
    self.sinks = sinks
    self.writers = engine.states.map { EntityRowWriter(strings: $0.texts.strings) }
    self.cut = engine.states.map { _ in ChangedEntities() }
    for (state, sink) in zip(engine.states, sinks) {
      try OnlineWriter.restore(from: sink) { key, row in state.restore(key, row) }
      state.changes = ChangedEntities()
      resumedCount += state.entityCount
    }
    for (join, sink) in zip(engine.joins, joinSinks) {
      try restore(join, from: sink)
    }
    resumed = (offset, watermark)
  }

  private var joinSinks: ArraySlice<any RowSink> { sinks[engine.states.count...] }

  private func restore(_ join: JoinState, from sink: any RowSink) throws(Failure) {
    try OnlineWriter.restore(from: sink) { key, row in join.restore(key, row) }
    join.resume(offset: sink.offset, watermark: sink.watermark)
    resumedCount += join.waitingCount
  }

  private static func restore(
    from sink: any RowSink, _ body: (_ key: Bytes, _ row: Bytes) -> Bool
  ) throws(Failure) {
    let damaged = try sink.visitRows(body)
    guard damaged == 0 else {
      throw .badData(
        "\(sink.name): \(damaged) rows are damaged",
        hint:
          "rtinfer materialize backfill writes the store anew; the other rows serve until then")
    }
  }

  /// Up to which offset every row is true; -1 for a new store.
  public var offset: Int64 { sinks.map(\.offset).min() ?? -1 }
  /// Behind every event that any row has seen: after a crash rows may be ahead of `offset`.
  public var nextOffset: Int64 {
    let orders = engine.states.map(\.lastOrder) + engine.joins.map(\.lastOrder)
    return 1 + max(offset, orders.max() ?? -1)
  }
  public var watermark: Timestamp { sinks.map(\.watermark).max() ?? .distantPast }

  /// An event is about to be applied. What the store holds already will not count again; but then it must be
  /// the same events that have these numbers.
  ///
  /// - Parameter offset: the number that it has here.
  /// - Throws: where the numbers do not grow, and where one that the store holds comes with a watermark that it has not
  ///   reached, since both only grow: the events were numbered anew.
  public func admit(_ mark: Event.Mark?, offset: Int64) throws(Failure) {
    defer { lastNumber = offset }
    guard let mark else { return }
    guard mark.offset > lastNumber else {
      throw .badData(
        "event \(mark.offset) comes behind event \(lastNumber): these are events of several runs of ingest, or of one and others"
          + " that it has not numbered", hint: OnlineWriter.numbering)
    }
    guard mark.offset <= resumed.offset else { return }
    guard mark.watermark <= resumed.watermark else {
      throw .badData(
        "event \(mark.offset), at the watermark \(mark.watermark.rfc3339), is not the one that the online store holds: it"
          + " is true up to event \(resumed.offset) and the watermark \(resumed.watermark.rfc3339)",
        hint: OnlineWriter.numbering)
    }
    heldCount += 1
  }

  private static let numbering =
    "ingest numbers events anew with each run; with --log its numbers go on"

  /// An event has been applied.
  public func noteEvent(offset: Int64, watermark: Timestamp) {
    uncommitted += 1
    last = (offset, max(watermark, last.watermark))
  }

  /// Whether so many events have been applied that they should be written.
  public var isDue: Bool { uncommitted >= Limits.onlineFlushEvents }

  private var last = (offset: Int64(-1), watermark: Timestamp.distantPast)

  /// Writes what has changed.
  ///
  /// - Complexity: O(bytes of the rows that have changed).
  public func flush() throws(Failure) {
    guard uncommitted > 0 else { return }
    uncommitted = 0
    try writeChanges()
    try writeLost()
  }

  /// Writes all rows once more, as long as they may have been lost.
  ///
  /// - Returns: whether any may have been.
  @discardableResult
  private func writeLost() throws(Failure) -> Bool {
    var isLost = false
    while try takeLoss() {
      isLost = true
      for state in engine.states {
        for entity in 0..<state.entities.numberCount where !state.entities.isFree(entity) {
          state.changes?.note(entity)
        }
      }
      for join in engine.joins { join.noteAll() }
      try writeChanges()
      for sink in sinks { try sink.endLoss() }
    }
    return isLost
  }

  private func takeLoss() throws(Failure) -> Bool {
    for sink in sinks {
      if try sink.takeLoss() { return true }
    }
    return false
  }

  /// Writes the rows of what has changed, and then up to where all are true.
  private func writeChanges() throws(Failure) {
    for (index, state) in engine.states.enumerated() {
      for key in state.takeSwept() {
        try key.withBytes { (key) throws(Failure) in try sinks[index].forget(key) }
      }
      for entity in state.changes?.list ?? [] {
        let (row, isCut) = state.write(entity, with: &writers[index])
        if isCut { cut[index].note(entity) }
        guard try put(row, of: entity, index) else {
          oversized[state.view.name, default: 0] += 1
          continue
        }
      }
      state.changes?.removeAll()
    }
    // After the views' rows: see `JoinChanges`.
    for (join, sink) in zip(engine.joins, joinSinks) {
      for key in join.takeRemoved() {
        try key.withBytes { (key) throws(Failure) in try sink.forget(key) }
      }
      try join.visitChanged { (key, row, order) throws(Failure) in
        try sink.put(key, row, order: order)
      }
    }
    for sink in sinks {
      try sink.commit(
        offset: max(last.offset, sink.offset), watermark: max(last.watermark, sink.watermark))
    }
  }

  /// False if the row is too large.
  private func put(_ row: [UInt8], of entity: Int, _ index: Int) throws(Failure) -> Bool {
    let history = engine.states[index].entities[entity]
    let key = history.key
    guard key.count + row.count <= Limits.onlineRowBytesMax else { return false }
    let order = history.lastOrder
    try row.withBytes { (row) throws(Failure) in
      try sinks[index].put(key, row, order: order)
    }
    return true
  }

  /// Writes the rest and lets go of the store.
  public func finish() throws(Failure) {
    try flush()
    repeat {
      try writeWhole()
      // What waits in a join is replaced before the rows of its view: where a crash leaves one of them old, it is the rows,
      // which leave out what they have seen. Old events of a join would not be those that the new rows lack.
      for sink in joinSinks + sinks[..<engine.states.count] { try sink.finish() }
    } while try writeLost()
  }

  /// Rows that were cut short, as long as a late event may still need them: whoever goes on from here
  /// then answers as if there had been no break.
  private func writeWhole() throws(Failure) {
    for (index, state) in engine.states.enumerated() {
      for entity in cut[index].list where !state.entities.isFree(entity) {
        let row = state.write(entity, with: &writers[index], watermark: watermark).row
        // The shorter one stands where this is too long.
        _ = try put(row, of: entity, index)
      }
      cut[index].removeAll()
    }
  }

  /// Lets go of a store that was to be made anew; the one that is there goes on serving.
  public func abandon() {
    for sink in sinks { sink.abandon() }
  }
}
