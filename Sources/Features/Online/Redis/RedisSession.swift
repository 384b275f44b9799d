// One writer's time at a server: it takes the store over from whoever wrote before, writes in large batches, and notices
// when it is taken over from itself, or when the server comes back with less than it was given.

import Core

final class RedisSession {
  /// How long a writer waits for servers that are away, loading or moving slots.
  private static let patience = TimeSpan.seconds(30)
  /// How long is waited for a server at the start.
  static let openingSpan = TimeSpan.seconds(5)
  /// Commands, and bytes of them, that go out in one batch.
  private static let batchCount = 2_000
  private static let batchBytes = 4 << 20

  let layout: RedisLayout
  private(set) var epoch: Int64 = 0
  private let client: RedisClient
  private var names: [RedisScript: [UInt8]] = [:]
  private var pending: [RedisCommand] = []
  private var pendingBytes = 0
  /// By view.
  private var heads: [String: (head: RedisLayout.Head, isNew: Bool)] = [:]
  private var lossesSeen = 0
  /// Whether something was missing that this writer has put there.
  private var isForgotten = false
  /// Whether what was lost is being written again.
  private var isRestoring = false
  /// How often all that was written had to be offered again.
  private(set) var lossCount = 0

  var name: String { client.address.description }

  /// Takes the store over.
  ///
  /// - Parameter views: all that it will write.
  init(_ server: RedisServer, views: [String], clock: any Clock) throws(Failure) {
    client = RedisClient(server.address, numbers: server.numbers, clock: clock)
    layout = RedisLayout(prefix: server.address.prefix)
    client.scripts = RedisScript.allCases.map(\.text)
    let loads = RedisScript.allCases.map { RedisCommand("SCRIPT", "LOAD", $0.text) }
    let answers = try client.answers(loads, within: RedisSession.openingSpan, .none)
    for (script, answer) in zip(RedisScript.allCases, answers) {
      guard case .bytes(let name) = answer else { throw client.unexpected(answer) }
      names[script] = name
    }
    let last = max(try lastEpoch(views), clock.now().microseconds)
    epoch = try number(atLeast: last + 1, adding: 1)
    try claim()
    // Of course they were another's.
    isForgotten = false
  }

  /// The highest number that any writer has left, wherever the server has kept one.
  private func lastEpoch(_ views: [String]) throws(Failure) -> Int64 {
    let fences = (0..<RedisLayout.bucketCount).map(layout.fenceKey)
    let keys = fences + views.map(layout.headKey)
    var last: Int64 = 0
    for case .bytes(let value) in try answers(keys.map { RedisCommand("GET", key: $0) }) {
      if let epoch = RedisLayout.epoch(ofFence: value) { last = max(last, epoch) }
      if let head = RedisLayout.Head(value) { last = max(last, head.epoch, head.generation) }
    }
    return last
  }

  /// Lets the number of writers be no lower than `least`.
  ///
  /// - Returns: what it has become.
  @discardableResult
  private func number(atLeast least: Int64, adding: Int) throws(Failure) -> Int64 {
    let arguments = [String(least), String(adding)].map { Array($0.utf8) }
    let command = RedisCommand(
      script: names[.number]!, keys: [layout.epochKey], arguments: arguments)
    let answer = try answers([command])[0]
    guard case .integer(let number) = answer else { throw client.unexpected(answer) }
    return number
  }

  /// Sets the fences of all buckets, and notes it if one was missing.
  private func claim() throws(Failure) {
    for bucket in 0..<RedisLayout.bucketCount { try claim(bucket) }
    try send()
  }

  private func claim(_ bucket: Int) throws(Failure) {
    try add(.claim, keys: [layout.fenceKey(bucket)], arguments: [mark])
  }

  private var mark: [UInt8] {
    var mark: [UInt8] = []
    mark.append(big: epoch)
    return mark
  }

  func answers(_ commands: [RedisCommand]) throws(Failure) -> [RESPValue] {
    try client.answers(commands, within: RedisSession.patience, .untilDeadline)
  }

  // MARK: Writing

  func put(
    _ view: String, _ generation: Int64, _ key: Bytes, _ row: Bytes, order: Int64,
    timeToLive: TimeSpan?
  ) throws(Failure) {
    let span = timeToLive.map { ($0.microseconds + RedisLayout.margin.microseconds) / 1_000 }
    let bucket = RedisLayout.bucket(key)
    try add(
      .put,
      keys: [
        layout.fenceKey(bucket), layout.rowKey(view, generation, key),
        layout.indexKey(bucket, view, generation),
      ],
      arguments: [
        RedisLayout.row(epoch: epoch, order: order, row), key.copy(),
        Array((span.map(String.init) ?? "").utf8),
      ])
  }

  /// Takes an entity off the list of its bucket.
  ///
  /// - Parameter withRow: its row goes at once, and not when its time is over.
  func forget(
    _ view: String, _ generation: Int64, _ key: Bytes, withRow: Bool
  ) throws(Failure) {
    let bucket = RedisLayout.bucket(key)
    var keys = [layout.fenceKey(bucket), layout.indexKey(bucket, view, generation)]
    if withRow { keys.append(layout.rowKey(view, generation, key)) }
    try add(.forget, keys: keys, arguments: [mark, key.copy()])
  }

  /// Writes a head when all is written that was put before: with the next `settle`.
  func commit(_ view: String, _ head: RedisLayout.Head, isNew: Bool) {
    let isFirst = isNew || heads[view]?.isNew == true
    heads[view] = (head, isFirst)
  }

  private func add(
    _ script: RedisScript, keys: [[UInt8]], arguments: [[UInt8]]
  ) throws(Failure) {
    let command = RedisCommand(script: names[script]!, keys: keys, arguments: arguments)
    pending.append(command)
    pendingBytes += command.wire.count
    if pending.count >= RedisSession.batchCount || pendingBytes >= RedisSession.batchBytes {
      try send()
    }
  }

  /// Waits until all is written: rows first, then the heads that speak of them, unless rows are missing.
  func settle() throws(Failure) {
    // Heads have no fence of their own.
    if !heads.isEmpty { try claim(0) }
    try send()
    guard !heads.isEmpty, !isForgotten else { return }
    let committed = heads
    heads = [:]
    for (view, commit) in committed {
      let mayBeNew = commit.isNew || isRestoring
      try add(
        .commit, keys: [layout.headKey(view)],
        arguments: [commit.head.bytes, mayBeNew ? [UInt8(ascii: "1")] : []])
    }
    try send()
  }

  private func send() throws(Failure) {
    guard !pending.isEmpty else { return }
    let commands = pending
    pending.removeAll(keepingCapacity: true)
    pendingBytes = 0
    for answer in try answers(commands) {
      guard case .integer(let number) = answer,
        let outcome = RedisScript.Outcome(rawValue: number)
      else { throw client.unexpected(answer) }
      switch outcome {
      case .done, .known: break
      case .forgotten: isForgotten = true
      case .deposed:
        throw Failure(
          .locked,
          "\(name): another writer has taken this store over; this one was writer \(epoch)",
          hint: "a store has one writer, which is the last that was started")
      }
    }
  }

  /// Waits until all is written, and says whether the server may have less than it was given: a connection was lost,
  /// and who knows what else. Then the buckets are this writer's again, if nobody has taken them over, and all rows
  /// should be written once more.
  func takeLoss() throws(Failure) -> Bool {
    try settle()
    guard client.lossCount > lossesSeen || isForgotten else { return false }
    lossesSeen = client.lossCount
    isRestoring = true
    lossCount += 1
    try claim()
    try number(atLeast: epoch, adding: 0)
    isForgotten = false
    return true
  }

  /// Waits until all is written, and asks whether it is all still there.
  func check() throws(Failure) {
    try settle()
    try claim()
  }

  /// Waits until all that was lost is written again, heads included, which may be new as well.
  func endLoss() throws(Failure) {
    try settle()
    isRestoring = false
  }

  // MARK: Reading

  func head(_ view: String) throws(Failure) -> RedisLayout.Head? {
    try client.head(
      try answers([RedisCommand("GET", key: layout.headKey(view))])[0], of: view)
  }

  /// Lends the rows of a generation; `forget` says what becomes of entities whose rows have expired.
  func visitRows(
    _ view: String, _ generation: Int64, _ body: (_ key: Bytes, _ row: Bytes?) -> Void
  ) throws(Failure) {
    try client.visitRows(layout, view, generation, within: RedisSession.patience) {
      (bucket, key, value) throws(Failure) in
      if let value {
        value.withBytes { value in key.withBytes { body($0, RedisLayout.state(value)) } }
      } else {
        let index = layout.indexKey(bucket, view, generation)
        _ = try answers([RedisCommand("SREM", key: index, [key])])
      }
    }
  }

  // MARK: Generations

  /// Removes generations that do not serve, since a writer was stopped before it had done so.
  func clear(_ view: String, serving: Int64?) throws(Failure) {
    let key = layout.unfinishedKey(view)
    let answer = try answers([RedisCommand("SMEMBERS", key: key)])[0]
    guard case .list(let members) = answer else { throw client.unexpected(answer) }
    for case .bytes(let text) in members {
      guard let number = Int64(String(decoding: text, as: UTF8.self)), number != serving else {
        continue
      }
      try remove(view, number, after: .zero)
    }
    try end(view)
  }

  /// Notes generations of which one only will stay.
  func begin(_ view: String, _ generations: [Int64]) throws(Failure) {
    let key = layout.unfinishedKey(view)
    let texts = generations.map { Array(String($0).utf8) }
    _ = try answers([RedisCommand("SADD", key: key, texts)])
  }

  func end(_ view: String) throws(Failure) {
    _ = try answers([RedisCommand("DEL", key: layout.unfinishedKey(view))])
  }

  /// Lets the rows of a generation go after a while.
  func remove(_ view: String, _ generation: Int64, after span: TimeSpan) throws(Failure) {
    let milliseconds = Array(String(max(1, span.microseconds / 1_000)).utf8)
    for bucket in 0..<RedisLayout.bucketCount {
      let index = layout.indexKey(bucket, view, generation)
      guard case .list(let members) = try answers([RedisCommand("SMEMBERS", key: index)])[0],
        !members.isEmpty
      else { continue }
      var keys = [index]
      for case .bytes(let entity) in members {
        keys.append(entity.withBytes { layout.rowKey(view, generation, $0) })
      }
      _ = try answers(
        keys.map { RedisCommand("PEXPIRE", key: $0, [milliseconds]) })
    }
  }
}
