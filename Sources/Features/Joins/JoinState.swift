// Matches two streams as their events come, and lets the records count in the view that draws from them.
//
//     left event ──▶ matches among the right ones that wait ──▶ a record each ──▶ view
//          └───────▶ waits for those that come later, until the watermark has passed the end of its interval
//                    └──▶ unmatched until then, and `outer` is declared ──▶ a record ──▶ view
//
// A record counts when the later of its events to arrive does: features on arrival know what has arrived. An
// unmatched event is known to be one when no event of its interval can come any more, so its record counts once
// the watermark has passed that; the record's own time is the interval's end, however late the watermark.
//
// Records of one time count in the order in which they became known; those that one event completes, in the order of the
// other events' times.

import Core
import Events

final class JoinState {
  enum Side { case left, right }

  let join: IntervalJoin
  let view: ViewState
  private let waiting: (left: JoinBuffer, right: JoinBuffer)
  private let stack: ExpressionStack
  /// The record at hand.
  private let record: UnsafeMutablePointer<Scalar>
  private let key = EntityKey()
  /// The values of the key at hand.
  private let keyValues: UnsafeMutablePointer<Scalar>
  private let keySlots: KeySlots
  /// The members of the event at hand, as bytes.
  private var members = StateWriter(strings: ByteTable())
  /// Reads members: none of their texts are kept there.
  private let noStrings = ByteTable()
  /// No event of an earlier time will come.
  private var complete = Timestamp.distantPast
  /// No question about an earlier time will come, as far as was said before the event at hand.
  private var horizon = Timestamp.distantPast
  /// What a store has yet to be told; nil while there is none.
  var changes: JoinChanges?

  init(_ join: IntervalJoin, _ view: ViewState, stack: ExpressionStack) {
    self.join = join
    self.view = view
    self.stack = stack
    waiting = (JoinBuffer(), JoinBuffer())
    record = .allocate(capacity: max(join.slotCount, 1))
    record.initialize(repeating: .null, count: join.slotCount)
    let parts = join.left.key.count
    keyValues = .allocate(capacity: parts)
    keyValues.initialize(repeating: .null, count: parts)
    keySlots = KeySlots(owning: Array(0..<parts))
    view.records = CompletedRecords()
  }

  deinit {
    record.deallocate()
    keyValues.deallocate()
  }

  /// Events that wait for a match.
  var waitingCount: Int { waiting.left.count + waiting.right.count }

  func buffer(_ side: Side) -> JoinBuffer { side == .left ? waiting.left : waiting.right }

  func stream(_ side: Side) -> JoinedStream { side == .left ? join.left : join.right }

  /// Takes an event of one of the two streams, or of both.
  ///
  /// - Parameter order: greater than those of all events before it.
  func take(
    type: Int, _ scalars: UnsafePointer<Scalar>, at time: Timestamp, order: Int64
  ) {
    // What the store holds already has been matched.
    if let changes, order <= changes.heldOffset { return }
    if join.left.eventType == type { take(.left, scalars, at: time, order: order) }
    if join.right.eventType == type { take(.right, scalars, at: time, order: order) }
  }

  /// No event of an earlier time than `complete` will come.
  ///
  /// - Parameter order: of the event from which that is known.
  func advance(to complete: Timestamp, order: Int64) {
    guard complete > self.complete else { return }
    self.complete = complete
    waiting.left.removeAll(before: complete) { event in
      if join.keepsUnmatched, !event.isMatched { count(unmatched: event, order: order) }
      changes?.noteRemoved(.left, event.order)
    }
    waiting.right.removeAll(before: complete) { changes?.noteRemoved(.right, $0.order) }
  }

  /// Goes on where a store was left: all that waits in it was restored.
  func resume(offset: Int64, watermark: Timestamp) {
    complete = watermark
    var changes = JoinChanges(heldOffset: offset)
    for side in [Side.left, .right] {
      // They have counted, or were matched.
      buffer(side).removeAll(before: watermark) { changes.noteNeedless(side, $0.order) }
      for number in 0..<buffer(side).numberCount {
        guard let event = buffer(side)[number], event.order > offset else { continue }
        changes.noteAhead(side, event.order)
      }
    }
    self.changes = changes
  }

  /// No question about an earlier time will come, once the event at hand is dealt with.
  func settle(_ watermark: Timestamp) { horizon = max(horizon, watermark) }

  // MARK: Matching

  /// Matches an event as one of a side, and lets it wait for those of the other side that come later.
  private func take(
    _ side: Side, _ scalars: UnsafePointer<Scalar>, at time: Timestamp, order: Int64
  ) {
    guard let isKnown = assignKey(side, scalars) else { return }
    // A null matches nothing; but it may be what is waited for in vain.
    let isMatched = isKnown && match(side, scalars, at: time, order: order)
    guard isKnown || (side == .left && join.keepsUnmatched) else { return }
    if let changes, changes.isAhead(side, order) { return }
    let stream = stream(side)
    members.clear()
    for (event, _) in stream.members { members.write(scalars[event]) }
    let number = members.bytes.withBytes {
      // That a right event found no match is told to nobody.
      buffer(side).insert(
        isKnown ? key.bytes : nil, $0, at: time, order: order, end: time + stream.reach,
        isMatched: side == .right || isMatched)
    }
    noteChange(side, number)
    stack.reset()
  }

  /// Builds the key of an event; nil if it takes no part. False where a part of it is null.
  private func assignKey(_ side: Side, _ scalars: UnsafePointer<Scalar>) -> Bool? {
    let stream = stream(side)
    if let filter = stream.filter {
      guard case .bool(true) = filter.evaluate(scalars, stack) else { return nil }
    }
    for (place, part) in stream.key.enumerated() {
      keyValues[place] = part.evaluate(scalars, stack)
    }
    return key.assign(keySlots, keyValues)
  }

  /// Lets the records count that an event with the key at hand completes; true if there are any.
  private func match(
    _ side: Side, _ scalars: UnsafePointer<Scalar>, at time: Timestamp, order: Int64
  ) -> Bool {
    let other: Side = side == .left ? .right : .left
    let (own, others) = (stream(side), buffer(other))
    for (event, slot) in own.members { record[slot] = scalars[event] }
    var isMatched = false
    others.visit(key.bytes, in: own.interval(time, of: stream(other))) { number in
      // An event does not match itself; and after a crash the store may hold some that are yet to come again.
      guard let event = others[number], event.order < order else { return }
      isMatched = true
      if other == .left, !event.isMatched {
        others.noteMatch(number)
        noteChange(.left, number)
      }
      fill(stream(other), event.members)
      count(at: max(time, event.time), order: order)
    }
    return isMatched
  }

  private func noteChange(_ side: Side, _ number: Int) {
    guard changes != nil, buffer(side).noteChange(number) else { return }
    changes?.note(side, number)
  }

  // MARK: Records

  /// Puts what a record takes from an event that waited into its place.
  private func fill(_ stream: JoinedStream, _ members: Bytes) {
    var reader = StateReader(
      UnsafeRawPointer(members.base), 0..<members.count, strings: noStrings)
    for (_, slot) in stream.members { record[slot] = reader.read(Scalar.self) }
  }

  private func count(unmatched event: JoinBuffer.Waiting, order: Int64) {
    for (_, slot) in join.right.members { record[slot] = .null }
    fill(join.left, event.members)
    count(at: event.end, order: order)
  }

  private func count(at time: Timestamp, order: Int64) {
    view.apply(source: 0, record, at: time, order: order, watermark: horizon)
    stack.reset()
  }
}
