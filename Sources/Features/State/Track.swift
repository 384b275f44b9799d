// The partial states of one entity in one family: its rows are folded from left to right, each row once, up to the
// row that has last been asked for. Where the grouping says so, a state is closed and becomes a tile.
//
//     rows     0 1 2 3 4 │ 5 6 │ 7 8 9 10 11 │ 12 13      ▲ a late event lands on row 9
//     tiles    [  T0   ] [ T1 ] [    T2      ]            T2 is taken back
//     current                                  (12 13)
//     checkpoints  ●0            ●8                       folding goes on from row 8
//
// A checkpoint is the fold as it was at some row. The first one stands at the first row that is kept, so a late event
// can always be folded in; further ones stand every few rows, so that it need not be folded from the start. A question
// about a time before the last row asked for starts from a checkpoint as well, and changes nothing.

import Core

/// The fold of the rows before `row`.
struct Snapshot<State> {
  var row: Int
  /// The first time that does not belong to the group at hand; the distant past before the first row.
  var boundary = Timestamp.distantPast
  /// Tiles closed so far, also those forgotten since.
  var tiles = 0
  /// Of the group at hand.
  var state: State
}

struct Tile<State> {
  let start: Timestamp
  let state: State
}

struct Track<State: Aggregation> {
  var current: Snapshot<State>
  var checkpoints: [Snapshot<State>]
  /// Closed, in order of time; only those that hold events.
  var tiles: [Tile<State>] = []
  /// Tiles that no question can reach any more.
  var forgotten = 0
  /// For each window of the family: what has been merged for it last.
  var merged: [MergedTiles<State>?] = []
  var suffixes: [Suffixes<State>] = []

  init(from row: Int, _ empty: State) {
    current = Snapshot(row: row, state: empty)
    checkpoints = [current]
  }
}

/// The merge of a run of tiles, kept while questions come within the same hop.
struct MergedTiles<State> {
  /// By the count of all tiles ever closed.
  var tiles: Range<Int>
  var state: State
}

/// For an exact window whose start lies within a tile: the fold of that tile's last rows, for every number of them.
/// While the start moves on, each question takes the next shorter one (the front stack of the two-stacks way to
/// aggregate a queue).
struct Suffixes<State> {
  /// Behind the last row of the tile; -1 where none is known.
  var end = -1
  /// `states[k]` is the fold of the rows `end - 1 - k ..< end`.
  var states: [State] = []
}

extension Track {
  /// Folds on to row `end`.
  ///
  /// - Complexity: O(rows). Time is spent here.
  mutating func advance(_ history: EntityHistory, _ shape: FoldShape, _ empty: State, to end: Int) {
    guard current.row < end else { return }
    let first = current.row
    history.withRows(from: first, column: shape.column) { times, cells, stride in
      for index in 0..<(end - first) {
        let row = first + index
        if row % State.checkpointSpacing == 0, row > checkpoints[checkpoints.count - 1].row {
          current.row = row
          checkpoints.append(current)
        }
        let time = times[index]
        if time >= current.boundary { close(shape, empty, next: time) }
        if shape.isSession {
          current.boundary = max(current.boundary, shape.grouping.boundary(after: time))
        }
        current.state.add(cells[index * stride], at: time)
      }
    }
    current.row = end
  }

  private mutating func close(_ shape: FoldShape, _ empty: State, next: Timestamp) {
    if let width = shape.width, current.boundary > .distantPast {
      tiles.append(Tile(start: current.boundary - width, state: current.state))
      current.tiles += 1
    }
    current.state = empty
    current.boundary = shape.grouping.boundary(after: next)
  }

  /// The fold as it was at an earlier row.
  ///
  /// - Complexity: O(log checkpoints + checkpoint spacing).
  func snapshot(
    _ history: EntityHistory, _ shape: FoldShape, _ empty: State, at end: Int
  ) -> Snapshot<State> {
    if end == current.row { return current }
    var low = 0
    var high = checkpoints.count
    while low + 1 < high {
      let middle = (low + high) / 2
      if checkpoints[middle].row <= end { low = middle } else { high = middle }
    }
    var result = checkpoints[low]
    guard result.row < end else { return result }
    history.withRows(from: result.row, column: shape.column) { times, cells, stride in
      for index in 0..<(end - result.row) {
        let time = times[index]
        if time >= result.boundary {
          if shape.width != nil, result.boundary > .distantPast { result.tiles += 1 }
          result.state = empty
          result.boundary = shape.grouping.boundary(after: time)
        }
        if shape.isSession {
          result.boundary = max(result.boundary, shape.grouping.boundary(after: time))
        }
        result.state.add(cells[index * stride], at: time)
      }
    }
    result.row = end
    return result
  }

  /// The number of the first tile that starts at `time` or later, among the first `end` ever closed.
  ///
  /// - Complexity: O(log tiles).
  func firstTile(notBefore time: Timestamp, upTo end: Int) -> Int {
    var low = 0
    var high = end - forgotten
    while low < high {
      let middle = (low + high) / 2
      if tiles[middle].start < time { low = middle + 1 } else { high = middle }
    }
    return forgotten + low
  }

  /// Merges tiles, by the count of all ever closed, onto a state.
  func merge(_ range: Range<Int>, onto state: State) -> State {
    var state = state
    for index in range { state.merge(tiles[index - forgotten].state) }
    return state
  }

  /// Takes back what was folded from `row` on: an event has been put there.
  mutating func takeBack(to row: Int) {
    for index in suffixes.indices where suffixes[index].end > row {
      suffixes[index] = Suffixes()
    }
    guard row < current.row else { return }
    while checkpoints[checkpoints.count - 1].row > row { checkpoints.removeLast() }
    current = checkpoints[checkpoints.count - 1]
    tiles.removeLast(forgotten + tiles.count - current.tiles)
    for index in merged.indices {
      if let known = merged[index], known.tiles.upperBound > current.tiles { merged[index] = nil }
    }
  }

  /// Makes `row` the first that can be folded anew, and forgets tiles that start before `horizon`.
  mutating func settle(
    _ history: EntityHistory, _ shape: FoldShape, _ empty: State, to row: Int, horizon: Timestamp
  ) {
    advance(history, shape, empty, to: row)
    let base = snapshot(history, shape, empty, at: row)
    let passed = checkpoints.firstIndex { $0.row > row } ?? checkpoints.count
    checkpoints.replaceSubrange(0..<passed, with: CollectionOfOne(base))
    forgetTiles(before: horizon)
  }

  mutating func forgetTiles(before horizon: Timestamp) {
    let settled = checkpoints[0].tiles - forgotten
    var count = 0
    while count < settled, tiles[count].start < horizon { count += 1 }
    guard count > 0 else { return }
    // Moving the rest to the front at each time would cost all tiles for each that goes.
    guard count * 2 >= tiles.count || count >= 16 else { return }
    tiles.removeFirst(count)
    forgotten += count
    for index in merged.indices {
      if let known = merged[index], known.tiles.lowerBound < forgotten { merged[index] = nil }
    }
  }
}
