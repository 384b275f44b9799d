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
    _ family: TypedFamily<Self>, _ history: EntityHistory, slot: Int,
    _ asked: UnsafePointer<AskedWindow>
  ) -> Cell {
    let (first, end) = (asked.pointee.question.firstRow, asked.pointee.question.endRow)
    let isPlain =
      asked.pointee.isExact
      || (isIndifferentToGrouping && holdsAll(family, history, asked.pointee.question))
    if isPlain, countsEvents, family.shape.column == nil { return .int(Int64(end - first)) }
    if isPlain, end - first <= Family.plainRowsMax {
      return plainFold(family, history, first, end).result(asked.pointee.question)
    }
    let question = asked.pointee.question
    guard let track = history.track else {
      return rowFold(family, history, first, end, question).result(question)
    }
    if asked.pointee.isExact {
      let total = exactFold(&family.tracks[track], family, history, slot, question)
      return total.result(question)
    }
    return grouped(&family.tracks[track], family, history, slot, asked.pointee)
  }

  /// From partial states.
  private static func grouped(
    _ track: inout Track<Self>, _ family: TypedFamily<Self>, _ history: EntityHistory, _ slot: Int,
    _ asked: AskedWindow
  ) -> Cell {
    let question = asked.question
    if asked.endsWithTile {
      return closedFold(&track, family, history, slot, question).result(question)
    }
    let isFurthest = question.endRow >= track.current.row
    if isFurthest { track.advance(history, family.shape, family.empty, to: question.endRow) }
    // A question about the past changes nothing.
    let tracked =
      isFurthest
      ? track.current
      : track.snapshot(history, family.shape, family.empty, at: question.endRow)
    switch family.shape.grouping {
    case .whole: return tracked.state.result(question)
    case .sessions:
      return (question.time < tracked.boundary ? tracked.state : family.empty).result(question)
    case .tiles(let width):
      var total = mergedTiles(
        &track, family.empty, slot, from: question.start, upTo: tracked.tiles)
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

  /// The tiles from `start` on, among the first `end` ever closed.
  ///
  /// - Complexity: amortised O(tiles / questions in a hop), at least O(log tiles).
  private static func mergedTiles(
    _ track: inout Track<Self>, _ empty: Self, _ slot: Int, from start: Timestamp, upTo end: Int
  ) -> Self {
    let first = track.firstTile(notBefore: start, upTo: end)
    guard first < end else { return empty }
    // A few tiles are merged as fast as they are looked up.
    guard end - first > 3 else { return track.merge(first..<end, onto: empty) }
    var known = MergedTiles(tiles: first..<first, state: empty)
    if let merged = track.merged[slot], merged.tiles.lowerBound == first,
      merged.tiles.upperBound <= end
    {
      if merged.tiles.upperBound == end { return merged.state }
      known = merged
    }
    // What is held here would be copied by the first merge into it.
    track.merged[slot] = nil
    known.state = track.merge(known.tiles.upperBound..<end, onto: known.state)
    known.tiles = first..<end
    track.merged[slot] = known
    return known.state
  }

  /// A window that ends where a tile ends: rows behind it may have been folded already.
  private static func closedFold(
    _ track: inout Track<Self>, _ family: TypedFamily<Self>, _ history: EntityHistory, _ slot: Int,
    _ question: Question
  ) -> Self {
    track.advance(history, family.shape, family.empty, to: question.endRow)
    let tiles = track.firstTile(notBefore: question.end, upTo: track.current.tiles)
    var total = mergedTiles(&track, family.empty, slot, from: question.start, upTo: tiles)
    let boundary = track.current.boundary
    if boundary > question.start, boundary <= question.end { total.merge(track.current.state) }
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
    _ track: inout Track<Self>, _ family: TypedFamily<Self>, _ history: EntityHistory, _ slot: Int,
    _ question: Question
  ) -> Self {
    guard let width = family.shape.width else {
      preconditionFailure("an exact window of many rows is made of tiles")
    }
    let (first, end) = (question.firstRow, question.endRow)
    let inner = (question.start - TimeSpan(microseconds: 1)).roundedDown(to: width) + width
    let edge = min(end, history.firstRow(notBefore: inner))
    var total = suffix(&track, family, history, slot, first, edge)
    let isFurthest = end >= track.current.row
    if isFurthest { track.advance(history, family.shape, family.empty, to: end) }
    let tracked =
      isFurthest ? track.current : track.snapshot(history, family.shape, family.empty, at: end)
    total.merge(mergedTiles(&track, family.empty, slot, from: inner, upTo: tracked.tiles))
    if tracked.boundary - width >= inner { total.merge(tracked.state) }
    return total
  }

  /// The fold of the rows `first ..< end`, the last ones of a tile, from right to left.
  private static func suffix(
    _ track: inout Track<Self>, _ family: TypedFamily<Self>, _ history: EntityHistory, _ slot: Int,
    _ first: Int, _ end: Int
  ) -> Self {
    guard first < end else { return family.empty }
    let needed = end - first
    if track.suffixes[slot].end != end {
      track.suffixes[slot].end = end
      track.suffixes[slot].states.removeAll(keepingCapacity: true)
    }
    let known = track.suffixes[slot].states.count
    guard known < needed else { return track.suffixes[slot].states[needed - 1] }
    history.withRows(from: first, column: family.shape.column) { times, cells, stride in
      for count in known..<needed {
        let index = needed - 1 - count
        var state = family.empty
        state.add(cells[index * stride], at: times[index])
        if count > 0 { state.merge(track.suffixes[slot].states[count - 1]) }
        track.suffixes[slot].states.append(state)
      }
    }
    return track.suffixes[slot].states[needed - 1]
  }
}
