// The events that wait for a match as rows of an online store, in a table beside the view's: after a restart they are
// matched as if there had been none. One row an event, so that a key with many events costs no more to write than others.
//
//     key    'l' or 'r' (1)   order (8, big)
//     row    end (8)  order (8)  time (8)  matched (1)  key: 1 + its length, or 0 for a null (4), bytes │ members
//
// An end stands where a view's row has its latest event time, so both grow old by the same rule. Numbers are little-endian
// but for the key's.

import Core
import Events

/// A table of an online store.
struct StoredTable {
  /// Of its file, or in the names of a server's keys.
  let name: String
  let digest: [UInt8]
  /// How far behind the watermark its rows' times may be before they go; nil: without end.
  let timeToLive: TimeSpan?
  /// The same by the clock of a server.
  let serverTimeToLive: TimeSpan?
  /// Whether nobody reads a row any more that the writer has forgotten, so that a server need not keep it for its time.
  let dropsForgotten: Bool
}

extension ViewState {
  var table: StoredTable {
    StoredTable(
      name: view.name, digest: view.digest, timeToLive: reach, serverTimeToLive: reach,
      dropsForgotten: false)
  }
}

extension JoinState {
  /// How long a server keeps an event beyond its interval, as long as nothing comes: what counts is the time of events, of
  /// which it knows nothing.
  private static let serverMargin = TimeSpan.days(30)

  /// A view's own name has no dot.
  static func tableName(_ view: FeatureView) -> String { "\(view.name).join" }

  var table: StoredTable {
    let reach = max(join.left.reach, join.right.reach).microseconds
    let (life, isEndless) = reach.addingReportingOverflow(JoinState.serverMargin.microseconds)
    return StoredTable(
      name: JoinState.tableName(view.view), digest: view.view.digest, timeToLive: .zero,
      serverTimeToLive: isEndless ? nil : TimeSpan(microseconds: life), dropsForgotten: true)
  }

  /// The greatest number in the order of arrival; -1 if nothing waits.
  var lastOrder: Int64 {
    [Side.left, .right].reduce(-1) { last, side in
      let buffer = buffer(side)
      return (0..<buffer.numberCount).reduce(last) { max($0, buffer[$1]?.order ?? -1) }
    }
  }

  // MARK: Writing

  /// All that waits is to be written.
  func noteAll() {
    for side in [Side.left, .right] {
      for number in 0..<buffer(side).numberCount where buffer(side).noteChange(number) {
        changes?.note(side, number)
      }
    }
  }

  /// Lends the rows that have changed.
  func visitChanged(
    _ body: (_ key: Bytes, _ row: Bytes, _ order: Int64) throws(Failure) -> Void
  ) throws(Failure) {
    var row = StateWriter(strings: ByteTable())
    for (side, number) in changes?.takeChanged() ?? [] {
      guard let event = buffer(side)[number], event.isChanged else { continue }
      row.clear()
      row.write(event.end)
      row.write(event.order)
      row.write(event.time)
      row.write(UInt8(event.isMatched ? 1 : 0))
      row.write(UInt32(event.key.map { $0.count + 1 } ?? 0))
      if let key = event.key { row.write(key) }
      row.write(event.members)
      try JoinState.rowKey(side, event.order).withBytes { (key) throws(Failure) in
        try row.bytes.withBytes { (row) throws(Failure) in try body(key, row, event.order) }
      }
      buffer(side).noteWritten(number)
    }
  }

  /// The keys of rows that can go.
  func takeRemoved() -> [[UInt8]] {
    (changes?.takeRemoved() ?? []).map { JoinState.rowKey($0.side, $0.order) }
  }

  /// A row and its key, where no value is a text: a text's bytes are extra.
  static func rowBytes(keyParts: Int, members: Int) -> Int { 9 + 29 + 9 * (keyParts + members) }

  private static func rowKey(_ side: Side, _ order: Int64) -> [UInt8] {
    var key = side == .left ? [UInt8(ascii: "l")] : [UInt8(ascii: "r")]
    key.append(big: order)
    return key
  }

  // MARK: Reading

  /// Takes an event over from a store; false if its row is damaged.
  func restore(_ key: Bytes, _ row: Bytes) -> Bool {
    guard key.count == 9, row.count >= 29 else { return false }
    let side: Side = key[0] == UInt8(ascii: "l") ? .left : .right
    var reader = StateReader(UnsafeRawPointer(row.base), 0..<row.count, strings: ByteTable())
    let (end, order): (Timestamp, Int64) = (reader.read(), reader.read())
    let time: Timestamp = reader.read()
    let isMatched = reader.read(UInt8.self) == 1
    let keyLength = Int(reader.read(UInt32.self))
    let joinKey = keyLength == 0 ? nil : reader.bytes(keyLength - 1)
    let start = reader.place
    for _ in stream(side).members { _ = reader.read(Scalar.self) }
    guard !reader.isDamaged, reader.place == row.count, end == time + stream(side).reach,
      key.copy() == JoinState.rowKey(side, order)
    else { return false }
    let members = Bytes(base: row.base + start, count: row.count - start)
    _ = buffer(side).insert(
      joinKey, members, at: time, order: order, end: end, isMatched: isMatched)
    return true
  }
}
