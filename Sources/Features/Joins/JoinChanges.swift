// What a store has yet to be told of a join, and what it holds already.
//
// After a crash the store's rows may be ahead of what was committed, and the events since then come again. What makes
// this safe: rows of the view are written before those of the join, so an event that waits in the store has counted for
// all of its records, and each entity leaves out what it has seen; events are only forgotten one commit after the watermark has passed
// their end, so that whatever comes again finds all of its matches; and matching is done again, from events before the
// one at hand only, so that it comes to the same.

import Core

struct JoinChanges {
  /// Up to here all has been dealt with before.
  let heldOffset: Int64
  /// Orders of events behind that which the store holds too.
  private var ahead: (left: Set<Int64>, right: Set<Int64>) = ([], [])
  /// Events that are new, or matched for the first time.
  private var list: [(side: JoinState.Side, number: Int)] = []
  /// Events that no match can come for, since the last commit and since the one before.
  private var removed: [(side: JoinState.Side, order: Int64)] = []
  private var removedBefore: [(side: JoinState.Side, order: Int64)] = []

  init(heldOffset: Int64) { self.heldOffset = heldOffset }

  func isAhead(_ side: JoinState.Side, _ order: Int64) -> Bool {
    (side == .left ? ahead.left : ahead.right).contains(order)
  }

  mutating func noteAhead(_ side: JoinState.Side, _ order: Int64) {
    if side == .left { ahead.left.insert(order) } else { ahead.right.insert(order) }
  }

  mutating func note(_ side: JoinState.Side, _ number: Int) { list.append((side, number)) }

  mutating func noteRemoved(_ side: JoinState.Side, _ order: Int64) {
    removed.append((side, order))
  }

  /// No match can come for it, and that is committed.
  mutating func noteNeedless(_ side: JoinState.Side, _ order: Int64) {
    removedBefore.append((side, order))
  }

  /// Those that are to be written, some of them perhaps twice or gone since.
  mutating func takeChanged() -> [(side: JoinState.Side, number: Int)] {
    defer { list.removeAll(keepingCapacity: true) }
    return list
  }

  /// Those that the store need not hold any longer.
  mutating func takeRemoved() -> [(side: JoinState.Side, order: Int64)] {
    defer { (removedBefore, removed) = (removed, []) }
    return removedBefore
  }
}

/// The entities that the records of one event have counted for.
struct CompletedRecords {
  private var order: Int64 = -1
  private var entities: Set<Int> = []

  func holds(_ entity: Int, of order: Int64) -> Bool {
    order == self.order && entities.contains(entity)
  }

  mutating func note(_ entity: Int, of order: Int64) {
    if order != self.order {
      entities.removeAll(keepingCapacity: true)
      self.order = order
    }
    entities.insert(entity)
  }
}
