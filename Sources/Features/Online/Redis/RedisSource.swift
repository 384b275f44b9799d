// Reading a store that lies in Redis. One look-up is one round trip: the heads of the views that it needs and the rows of
// its entities, together. Where a head names another generation than the rows were read of, these are read once more.
// What has not come when the deadline passes is taken from what was read last, or said to be unknown.

import Core
import Events

extension OnlineReader {
  /// - Parameters:
  ///   - views: the indices of those that must be there now; nil: all.
  ///   - deadline: how long a look-up waits for the server.
  convenience init(
    _ definitions: FeatureDefinitions, schema: EventSchema, at server: RedisServer,
    views: Set<Int>? = nil, deadline: TimeSpan, clock: any Clock
  ) throws(Failure) {
    let source = RedisSource(definitions.views, server, deadline: deadline, clock: clock)
    try source.open(views ?? Set(definitions.views.indices))
    self.init(definitions, schema: schema, source: source)
  }
}

final class RedisSource: RowSource {
  /// Bytes of rows that are kept for when the server does not answer.
  private static let knownBytesMax = 64 << 20

  /// What a key was answered with.
  private struct Found {
    let view: Int
    let key: [UInt8]
    var value: [UInt8]?
    /// Whether the server has said so, now or before.
    var isKnown = false
    var age: TimeSpan?
  }

  private let views: [FeatureView]
  /// Of the views' definitions; to work them out takes longer than a look-up.
  private let digests: [[UInt8]]
  private let client: RedisClient
  private let layout: RedisLayout
  private let deadline: TimeSpan
  private let clock: any Clock
  private let headCommands: [RedisCommand]
  private var heads: [RedisLayout.Head?]
  /// Of the generations that the heads name.
  private var rowKeys: [RedisLayout.RowKeys?]
  private var known = LastKnownRows(bytesMax: RedisSource.knownBytesMax)
  private var found: [Found] = []
  private var copy = UnsafeMutableRawBufferPointer.allocate(byteCount: 4_096, alignment: 16)

  init(_ views: [FeatureView], _ server: RedisServer, deadline: TimeSpan, clock: any Clock) {
    self.views = views
    digests = views.map(\.digest)
    self.deadline = deadline
    self.clock = clock
    client = RedisClient(server.address, numbers: server.numbers, clock: clock)
    let layout = RedisLayout(prefix: server.address.prefix)
    self.layout = layout
    headCommands = views.map { RedisCommand("GET", key: layout.headKey($0.name)) }
    heads = Array(repeating: nil, count: views.count)
    rowKeys = Array(repeating: nil, count: views.count)
  }

  deinit { copy.deallocate() }

  /// Refuses a server that is not there, or that holds the views not or by other definitions.
  func open(_ wanted: Set<Int>) throws(Failure) {
    defer { client.waitsForNames = false }
    let wanted = wanted.sorted()
    guard !wanted.isEmpty else { return }
    let answers = try client.answers(
      wanted.map { headCommands[$0] }, within: RedisSession.openingSpan, .none)
    for (view, answer) in zip(wanted, answers) {
      note(try client.head(answer, of: views[view]), of: view)
    }
  }

  private func note(_ head: RedisLayout.Head, of view: Int) {
    if heads[view]?.generation != head.generation {
      rowKeys[view] = layout.rowKeys(views[view].name, head.generation)
    }
    heads[view] = head
  }

  // MARK: One look-up

  func fetch(_ keys: AskedKeys) throws(Failure) {
    found.removeAll(keepingCapacity: true)
    for index in 0..<keys.count {
      found.append(Found(view: keys.view(index), key: keys.key(index).copy()))
    }
    let end = clock.monotonicNanoseconds() + deadline.nanoseconds
    var asked: [Int] = []
    for row in found where !asked.contains(row.view) { asked.append(row.view) }
    // Views whose generation is not known yet, or is another one by now, take a second round.
    for _ in 0..<2 where !asked.isEmpty { asked = read(asked, until: end) }
    for index in found.indices where !found[index].isKnown { recall(index) }
  }

  /// Reads the views' heads and rows.
  ///
  /// - Returns: the views whose rows are to be read again, by another generation.
  private func read(_ asked: [Int], until end: UInt64) -> [Int] {
    let now = clock.monotonicNanoseconds()
    guard now < end else { return [] }
    var commands = asked.map { headCommands[$0] }
    var places: [Int] = []
    for index in found.indices where asked.contains(found[index].view) {
      guard let keys = rowKeys[found[index].view] else { continue }
      places.append(index)
      commands.append(RedisCommand("GET", key: found[index].key.withBytes { keys.key($0) }))
    }
    let span = TimeSpan(microseconds: Int64((end - now) / 1_000))
    let answers = client.execute(commands, within: span, .untilDeadline).answers
    var again: [Int] = []
    var unsure: Set<Int> = []
    for (view, answer) in zip(asked, answers) {
      switch take(answer, of: view) {
      case .same: break
      case .other: again.append(view)
      case .none: unsure.insert(view)
      }
    }
    for (index, answer) in zip(places, answers[asked.count...]) {
      let view = found[index].view
      guard !again.contains(view), !unsure.contains(view) else { continue }
      settle(index, answer)
    }
    return again
  }

  private enum HeadChange { case same, other, none }

  /// Without a head, which a server that has lost its memory lacks, no row counts: that one is absent says nothing.
  private func take(_ answer: RESPValue?, of view: Int) -> HeadChange {
    guard case .bytes(let bytes) = answer, let head = RedisLayout.Head(bytes) else { return .none }
    guard head.digest == digests[view] else {
      // By another definition now: what is left of the old one serves on, for those who have read it before.
      return heads[view] == nil ? .none : .same
    }
    let isSame = heads[view]?.generation == head.generation
    note(head, of: view)
    return isSame ? .same : .other
  }

  private func settle(_ index: Int, _ answer: RESPValue?) {
    switch answer {
    case .bytes(let bytes): found[index].value = bytes
    case .null: found[index].value = nil
    default: return
    }
    found[index].isKnown = true
    known.note(
      LastKnownRows.Key(view: found[index].view, entity: found[index].key),
      LastKnownRows.Row(value: found[index].value, time: clock.monotonicNanoseconds()))
  }

  private func recall(_ index: Int) {
    let key = LastKnownRows.Key(view: found[index].view, entity: found[index].key)
    guard let row = known[key] else { return }
    found[index].value = row.value
    found[index].isKnown = true
    let age = clock.monotonicNanoseconds() - row.time
    found[index].age = TimeSpan(microseconds: Int64(age / 1_000))
  }

  // MARK: Answers

  private func place(_ view: Int, _ key: Bytes) -> Int? {
    found.firstIndex { $0.view == view && $0.key.withBytes { $0 == key } }
  }

  func row(_ view: Int, _ key: Bytes) -> FoundRow {
    guard let place = place(view, key), found[place].isKnown else { return .unanswered }
    guard let value = found[place].value else { return .absent }
    if copy.count < value.count {
      copy.deallocate()
      copy = .allocate(byteCount: value.count * 2, alignment: 16)
    }
    copy.copyBytes(from: value)
    let start = UnsafePointer(copy.baseAddress!.assumingMemoryBound(to: UInt8.self))
    let row = RedisLayout.state(Bytes(base: start, count: value.count))
    return row.map { .row($0) } ?? .damaged
  }

  func age(_ view: Int, _ key: Bytes) -> TimeSpan? { place(view, key).flatMap { found[$0].age } }

  func timeToLive(_ view: Int) -> TimeSpan? { heads[view]?.timeToLive }

  func committed(_ view: Int) -> (offset: Int64, watermark: Timestamp) {
    guard let head = heads[view] else { return (.max, .distantFuture) }
    return (head.offset, head.watermark)
  }

  // Whether a row is still the same only the server knows, and to ask it takes as long as to read the row.
  func recall(_: Int, _: Bytes, at _: Timestamp) -> RecalledRow? { nil }
  func remember(_: Int, _: Bytes, _: FinishedRow, _: ArraySlice<Scalar>) {}
}
