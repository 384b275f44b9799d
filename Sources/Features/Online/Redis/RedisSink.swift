// Writing a store that lies in Redis, on from where it was left, or anew beside what serves meanwhile.

import Core

extension OnlineWriter {
  /// - Parameter rebuilds: new generations are made, and serve when all events are in.
  convenience init(
    _ engine: FeatureEngine, at server: RedisServer, rebuilds: Bool, clock: any Clock
  ) throws(Failure) {
    let tables = engine.states.map(\.table) + engine.joins.map(\.table)
    let views = tables.map(\.name)
    let session = try RedisSession(server, views: views, clock: clock)
    if !rebuilds { try session.checkViews(views) }
    var sinks: [any RowSink] = []
    for table in tables {
      sinks.append(try RedisSink(table, session, rebuilds: rebuilds))
    }
    try self.init(engine, sinks: sinks)
  }
}

extension RedisSession {
  /// Refuses a store that holds some of the views and not all: a new one would lack what has happened before.
  fileprivate func checkViews(_ views: [String]) throws(Failure) {
    var missing: [String] = []
    var offset: Int64 = -1
    for view in views {
      if let head = try head(view) {
        offset = max(offset, head.offset)
      } else {
        missing.append(view)
      }
    }
    guard offset >= 0, let view = missing.first else { return }
    throw .badData(
      "\(name): holds nothing of the view '\(view)', and is true up to event \(offset)",
      hint: "rtinfer materialize backfill writes the store anew, with all views")
  }
}

/// The rows of one view, or of one join.
private final class RedisSink: RowSink {
  private let session: RedisSession
  private let view: String
  private var head: RedisLayout.Head
  /// The generation that serves until this one is done.
  private let before: RedisLayout.Head?
  private var isServing: Bool
  /// Whether an earlier writer has left rows.
  private let isResumed: Bool
  private let dropsForgotten: Bool

  init(_ table: StoredTable, _ session: RedisSession, rebuilds: Bool) throws(Failure) {
    self.session = session
    view = table.name
    dropsForgotten = table.dropsForgotten
    let found = try session.head(view)
    try session.clear(view, serving: found?.generation)
    if let found, !rebuilds {
      guard found.digest == table.digest else {
        throw Failure.badData(
          "\(session.name): holds the view '\(view)' by another definition than the project's",
          hint: "rtinfer materialize backfill writes it anew; the old one serves until it is done")
      }
      head = found
      head.epoch = session.epoch
      before = nil
      (isServing, isResumed) = (true, true)
    } else {
      head = RedisLayout.Head(
        epoch: session.epoch, offset: -1, watermark: .distantPast,
        timeToLive: table.serverTimeToLive, generation: session.epoch, digest: table.digest)
      before = found
      // What is made from all events serves when they are in; else there is nothing yet that it could be true of.
      (isServing, isResumed) = (!rebuilds, false)
      precondition(found?.generation != head.generation, "a generation is begun once")
      try session.begin(view, [head.generation] + (found.map { [$0.generation] } ?? []))
    }
    if isServing { session.commit(view, head, isNew: true) }
    try session.settle()
  }

  var name: String { session.name }
  var offset: Int64 { head.offset }
  var watermark: Timestamp { head.watermark }

  func put(_ key: Bytes, _ row: Bytes, order: Int64) throws(Failure) {
    try session.put(
      view, head.generation, key, row, order: order, timeToLive: head.timeToLive)
  }

  func forget(_ key: Bytes) throws(Failure) {
    try session.forget(view, head.generation, key, withRow: dropsForgotten)
  }

  func commit(offset: Int64, watermark: Timestamp) {
    head.offset = offset
    head.watermark = watermark
    if isServing { session.commit(view, head, isNew: false) }
  }

  func takeLoss() throws(Failure) -> Bool { try session.takeLoss() }

  func endLoss() throws(Failure) { try session.endLoss() }

  func visitRows(_ body: (Bytes, Bytes) -> Bool) throws(Failure) -> Int {
    guard isResumed else { return 0 }
    var damaged = 0
    try session.visitRows(view, head.generation) { key, row in
      guard let row, body(key, row) else {
        damaged += 1
        return
      }
    }
    return damaged
  }

  func abandon() {
    guard !isServing else { return }
    try? session.remove(view, head.generation, after: .zero)
    try? session.end(view)
  }

  func finish() throws(Failure) {
    if !isServing {
      session.commit(view, head, isNew: true)
      isServing = true
    }
    try session.check()
    guard !isResumed else { return }
    if let before { try session.remove(view, before.generation, after: RedisLayout.retirement) }
    try session.end(view)
  }
}
