// How a question is answered from a family's partial states and rows. These are requirements of `Aggregation` that nobody
// writes anew: through the witness of each conforming type, the defaults here are compiled for that very type.

import Core

extension Aggregation {
  static func takeBack(_ family: TypedFamily<Self>, _ track: Int, to row: Int) {
    family.tracks[track].takeBack(to: row)
  }

  static func settle(
    _ family: TypedFamily<Self>, _ history: EntityHistory, to row: Int, watermark: Timestamp
  ) {
    guard let track = history.track else { return }
    family.tracks[track].settle(
      history, family.shape, family.empty, to: row, horizon: watermark - family.reach)
  }

  // MARK: Questions

  static func value(
    _ family: TypedFamily<Self>, _ history: EntityHistory, slot: Int, _ question: Question
  ) -> Cell {
    let (first, end) = (question.firstRow, question.endRow)
    if family.windows[slot].rowReach > .zero {
      if countsEvents, family.shape.column == nil { return .int(Int64(end - first)) }
      if end - first <= Family.plainRowsMax {
        return plainFold(family, history, first, end).result(question)
      }
      return exactFold(family, history, first, end, slot, question).result(question)
    }
    if isIndifferentToGrouping, holdsAll(family, history, question) {
      if countsEvents, family.shape.column == nil { return .int(Int64(end - first)) }
      if end - first <= Family.plainRowsMax {
        return plainFold(family, history, first, end).result(question)
      }
    }
    guard let track = history.track else {
      return rowFold(family, history, first, end, question).result(question)
    }
    if family.windows[slot].endsWithTile {
      return closedFold(family, history, track, slot, end, question).result(question)
    }
    let tracked = trackedFold(family, history, track, end)
    switch family.shape.grouping {
    case .whole: return tracked.state.result(question)
    case .sessions:
      return (question.time < tracked.boundary ? tracked.state : family.empty).result(question)
    case .tiles(let width):
      var total = mergedTiles(family, track, slot, from: question.start, upTo: tracked.tiles)
      if tracked.boundary - width >= question.start { total.merge(tracked.state) }
      return total.result(question)
    }
  }

  /// Whether all that is in the window is still there row by row. A session's start is not known before its rows are
  /// folded.
  private static func holdsAll(
    _ family: TypedFamily<Self>, _ history: EntityHistory, _ question: Question
  ) -> Bool {
    guard !family.shape.isSession else { return false }
    return history.settled == .distantPast || question.start > history.settled
  }

  /// The fold at row `end`, which is remembered if it is the furthest so far.
  private static func trackedFold(
    _ family: TypedFamily<Self>, _ history: EntityHistory, _ track: Int, _ end: Int
  ) -> Snapshot<Self> {
    guard end >= family.tracks[track].current.row else {
      return family.tracks[track].snapshot(history, family.shape, family.empty, at: end)
    }
    family.tracks[track].advance(history, family.shape, family.empty, to: end)
    return family.tracks[track].current
  }

  /// The tiles from `start` on, among the first `end` ever closed.
  ///
  /// - Complexity: amortised O(tiles / questions in a hop), at least O(log tiles).
  private static func mergedTiles(
    _ family: TypedFamily<Self>, _ track: Int, _ slot: Int, from start: Timestamp, upTo end: Int
  ) -> Self {
    let forgotten = family.tracks[track].forgotten
    let first = family.tracks[track].firstTile(notBefore: start, upTo: end)
    var known = MergedTiles(tiles: first..<first, state: family.empty)
    if let merged = family.tracks[track].merged[slot], merged.tiles.lowerBound == first,
      merged.tiles.upperBound <= end
    {
      if merged.tiles.upperBound == end { return merged.state }
      known = merged
    }
    guard known.tiles.upperBound < end else { return known.state }
    // What is held here would be copied by the first merge into it.
    family.tracks[track].merged[slot] = nil
    for index in known.tiles.upperBound..<end {
      known.state.merge(family.tracks[track].tiles[index - forgotten].state)
    }
    known.tiles = first..<end
    // A few tiles are merged as fast as they are looked up.
    if end - first > 3 { family.tracks[track].merged[slot] = known }
    return known.state
  }

  /// A window that ends where a tile ends: rows behind it may have been folded already.
  private static func closedFold(
    _ family: TypedFamily<Self>, _ history: EntityHistory, _ track: Int, _ slot: Int, _ end: Int,
    _ question: Question
  ) -> Self {
    family.tracks[track].advance(history, family.shape, family.empty, to: end)
    let current = family.tracks[track].current
    let tiles = family.tracks[track].firstTile(notBefore: question.end, upTo: current.tiles)
    var total = mergedTiles(family, track, slot, from: question.start, upTo: tiles)
    if current.boundary > question.start, current.boundary <= question.end {
      total.merge(current.state)
    }
    return total
  }

  // MARK: Folding rows

  private static func plainFold(
    _ family: TypedFamily<Self>, _ history: EntityHistory, _ first: Int, _ end: Int
  ) -> Self {
    var state = family.empty
    guard first < end else { return state }
    history.withRows(from: first, column: family.shape.column) { times, cells, stride in
      for index in 0..<(end - first) { state.add(cells[index * stride], at: times[index]) }
    }
    return state
  }

  /// The fold of few rows of an entity without partial states: grouped and merged as those would be, so that the
  /// result is the same to the last bit.
  private static func rowFold(
    _ family: TypedFamily<Self>, _ history: EntityHistory, _ first: Int, _ end: Int,
    _ question: Question
  ) -> Self {
    var (total, state) = (family.empty, family.empty)
    var boundary = Timestamp.distantPast
    guard first < end else { return family.empty }
    history.withRows(from: first, column: family.shape.column) { times, cells, stride in
      for index in 0..<(end - first) {
        let time = times[index]
        if time >= boundary {
          if family.shape.width != nil { total.merge(state) }
          state = family.empty
          boundary = family.shape.grouping.boundary(after: time)
        }
        if family.shape.isSession { boundary = family.shape.grouping.boundary(after: time) }
        state.add(cells[index * stride], at: time)
      }
    }
    if family.shape.isSession { return question.time < boundary ? state : family.empty }
    if family.shape.width == nil { return state }
    total.merge(state)
    return total
  }

  /// An exact window of many rows: the end of the tile in which it starts, whole tiles, and the beginning of the tile
  /// in which it ends.
  private static func exactFold(
    _ family: TypedFamily<Self>, _ history: EntityHistory, _ first: Int, _ end: Int, _ slot: Int,
    _ question: Question
  ) -> Self {
    guard let track = history.track, let width = family.shape.width else {
      preconditionFailure("an entity with many rows has partial states, in tiles")
    }
    let inner = (question.start - TimeSpan(microseconds: 1)).roundedDown(to: width) + width
    let edge = min(end, history.firstRow(notBefore: inner))
    var total = suffix(family, history, track, slot, first, edge)
    let tracked = trackedFold(family, history, track, end)
    total.merge(mergedTiles(family, track, slot, from: inner, upTo: tracked.tiles))
    if tracked.boundary - width >= inner { total.merge(tracked.state) }
    return total
  }

  /// The fold of the rows `first ..< end`, the last ones of a tile, from right to left.
  private static func suffix(
    _ family: TypedFamily<Self>, _ history: EntityHistory, _ track: Int, _ slot: Int, _ first: Int,
    _ end: Int
  ) -> Self {
    guard first < end else { return family.empty }
    let needed = end - first
    if family.tracks[track].suffixes[slot].end != end {
      family.tracks[track].suffixes[slot].end = end
      family.tracks[track].suffixes[slot].states.removeAll(keepingCapacity: true)
    }
    let known = family.tracks[track].suffixes[slot].states.count
    guard known < needed else { return family.tracks[track].suffixes[slot].states[needed - 1] }
    history.withRows(from: first, column: family.shape.column) { times, cells, stride in
      for count in known..<needed {
        let index = needed - 1 - count
        var state = family.empty
        state.add(cells[index * stride], at: times[index])
        if count > 0 { state.merge(family.tracks[track].suffixes[slot].states[count - 1]) }
        family.tracks[track].suffixes[slot].states.append(state)
      }
    }
    return family.tracks[track].suffixes[slot].states[needed - 1]
  }
}
