// How a family's partial states become the bytes of a section, and how a question is answered from those bytes: step by
// step as `Answering` does it from memory, so that both give the same to the last bit. The one exception is a float
// sum over an exact window of more than 32 rows, which is folded here row by row. Compiled for each aggregation,
// as there.

import Core

extension Aggregation {
  static func write(
    _ family: TypedFamily<Self>, _ history: EntityHistory, from row: Int,
    to bytes: inout StateWriter
  ) {
    guard let track = history.track, family.isGrouped else { return }
    family.tracks[track].advance(history, family.shape, family.empty, to: history.endRow)
    let base = family.tracks[track].snapshot(history, family.shape, family.empty, at: row)
    let current = family.tracks[track].current
    bytes.write(current.boundary)
    bytes.write(current.state)
    bytes.write(base.boundary)
    let forgotten = family.tracks[track].forgotten
    // Those that a question after the base can reach, which are the base's but for the last ones.
    let horizon = family.hasUnboundedReach ? .distantPast : history.settled(at: row) - family.reach
    let first = family.tracks[track].firstTile(notBefore: horizon, upTo: base.tiles)
    bytes.write(UInt32(base.tiles - first))
    bytes.write(base.state)
    writeTiles(family.tracks[track].tiles[(first - forgotten)...], family.shape.width, to: &bytes)
  }

  private static func writeTiles(
    _ tiles: ArraySlice<Tile<Self>>, _ width: TimeSpan?, to bytes: inout StateWriter
  ) {
    bytes.write(UInt32(tiles.count))
    guard let first = tiles.first, let width else { return }
    bytes.write(first.start)
    var entry = bytes.count
    for _ in tiles { bytes.write(UInt64(0)) }
    let states = bytes.count
    for tile in tiles {
      tile.state.write(to: &bytes)
      let distance = tile.start.microseconds - first.start.microseconds
      bytes.set(UInt32(clamping: distance / width.microseconds), at: entry)
      bytes.set(UInt32(bytes.count - states), at: entry + 4)
      entry += 8
    }
  }

  static func restore(
    _ family: TypedFamily<Self>, _ track: Int, from section: StateReader
  ) -> Bool {
    guard family.isGrouped else { return true }
    var section = section
    guard let parts = FoldedBytes(&section), let state = read(family, section, parts.base) else {
      return false
    }
    var tiles: [Tile<Self>] = []
    for index in 0..<min(parts.baseTiles, parts.tileCount) {
      guard let state = read(family, section, parts.tile(index, section)) else { return false }
      tiles.append(Tile(start: parts.start(index, section, family.shape.width), state: state))
    }
    family.tracks[track].tiles = tiles
    let base = Snapshot(
      row: 0, boundary: parts.baseBoundary, tiles: tiles.count, state: state)
    family.tracks[track].current = base
    family.tracks[track].checkpoints = [base]
    return true
  }

  private static func read(
    _ family: TypedFamily<Self>, _ section: StateReader, _ range: Range<Int>
  ) -> Self? {
    var bytes = section.part(range)
    let state = Self(family.parameters, from: &bytes)
    return bytes.isDamaged ? nil : state
  }

  // MARK: Questions

  static func value(
    _ family: TypedFamily<Self>, _ row: EntityRow, _ section: StateReader, slot: Int,
    _ question: Question
  ) -> Cell? {
    if family.windows[slot].rowReach > .zero {
      var state = family.empty
      for index in row.firstRow(notBefore: question.start)..<row.firstRow(notBefore: question.end) {
        state.add(row.cell(index, family.shape.column, section.strings), at: row.time(index))
      }
      return state.result(question)
    }
    guard row.sectionCount > 0 else {
      return rowFold(family, row, section.strings, question).result(question)
    }
    var section = section
    guard let parts = FoldedBytes(&section) else { return nil }
    guard let tracked = tracked(family, row, section, parts, question) else { return nil }
    switch family.shape.grouping {
    case .whole: return tracked.state.result(question)
    case .sessions:
      return (question.time < tracked.boundary ? tracked.state : family.empty).result(question)
    case .tiles(let width):
      let endsWithTile = family.windows[slot].endsWithTile
      let first = parts.firstTile(notBefore: question.start, section, width)
      var end = tracked.tiles
      if endsWithTile { end = min(end, parts.firstTile(notBefore: question.end, section, width)) }
      var total = family.empty
      for index in first..<max(first, end) {
        guard let tile = read(family, section, parts.tile(index, section)) else { return nil }
        total.merge(tile)
      }
      let start = tracked.boundary - width
      if start >= question.start, !endsWithTile || tracked.boundary <= question.end {
        total.merge(tracked.state)
      }
      return total.result(question)
    }
  }

  /// The fold of the rows before the question's end: all of them, nearly always.
  private static func tracked(
    _ family: TypedFamily<Self>, _ row: EntityRow, _ section: StateReader, _ parts: FoldedBytes,
    _ question: Question
  ) -> Snapshot<Self>? {
    if row.latest < question.end {
      guard let state = read(family, section, parts.current) else { return nil }
      return Snapshot(
        row: row.rowCount, boundary: parts.boundary, tiles: parts.tileCount, state: state)
    }
    guard let state = read(family, section, parts.base) else { return nil }
    var result = Snapshot(
      row: 0, boundary: parts.baseBoundary, tiles: parts.baseTiles, state: state)
    for index in 0..<row.firstRow(notBefore: question.end) {
      let time = row.time(index)
      if time >= result.boundary {
        if family.shape.width != nil, result.boundary > .distantPast { result.tiles += 1 }
        result.state = family.empty
        result.boundary = family.shape.grouping.boundary(after: time)
      }
      if family.shape.isSession {
        result.boundary = max(result.boundary, family.shape.grouping.boundary(after: time))
      }
      result.state.add(row.cell(index, family.shape.column, section.strings), at: time)
    }
    return result
  }

  /// Of an entity without partial states: grouped and merged as those would be.
  private static func rowFold(
    _ family: TypedFamily<Self>, _ row: EntityRow, _ strings: ByteTable, _ question: Question
  ) -> Self {
    var (total, state) = (family.empty, family.empty)
    var boundary = Timestamp.distantPast
    let first = row.firstRow(notBefore: question.start)
    let end = row.firstRow(notBefore: question.end)
    guard first < end else { return family.empty }
    for index in first..<end {
      let time = row.time(index)
      if time >= boundary {
        if family.shape.width != nil { total.merge(state) }
        state = family.empty
        boundary = family.shape.grouping.boundary(after: time)
      }
      if family.shape.isSession { boundary = family.shape.grouping.boundary(after: time) }
      state.add(row.cell(index, family.shape.column, strings), at: time)
    }
    if family.shape.isSession { return question.time < boundary ? state : family.empty }
    if family.shape.width == nil { return state }
    total.merge(state)
    return total
  }
}

/// Where the parts of a section lie.
struct FoldedBytes {
  let boundary: Timestamp
  let current: Range<Int>
  let baseBoundary: Timestamp
  let baseTiles: Int
  let base: Range<Int>
  let tileCount: Int
  private let firstStart: Timestamp
  private let entries: Int
  private let states: Int

  init?(_ section: inout StateReader) {
    boundary = section.read()
    current = section.range()
    baseBoundary = section.read()
    baseTiles = Int(section.read(UInt32.self))
    base = section.range()
    tileCount = section.readCount(entriesOfAtLeast: 8)
    firstStart = tileCount > 0 ? section.read() : .distantPast
    entries = section.place
    states = entries + tileCount * 8
    guard !section.isDamaged, states <= section.end else { return nil }
  }

  /// When a tile starts.
  func start(_ tile: Int, _ section: StateReader, _ width: TimeSpan?) -> Timestamp {
    let distance = Int64(section.number(at: entries + tile * 8))
    return firstStart + TimeSpan(microseconds: distance &* (width?.microseconds ?? 0))
  }

  /// The bytes of a tile's state.
  func tile(_ tile: Int, _ section: StateReader) -> Range<Int> {
    let start = tile == 0 ? 0 : Int(section.number(at: entries + tile * 8 - 4))
    let end = Int(section.number(at: entries + tile * 8 + 4))
    guard start <= end, states + end <= section.end else { return states..<states }
    return states + start..<states + end
  }

  /// The number of the first tile that starts at `time` or later.
  ///
  /// - Complexity: O(log tiles).
  func firstTile(notBefore time: Timestamp, _ section: StateReader, _ width: TimeSpan) -> Int {
    var low = 0
    var high = tileCount
    while low < high {
      let middle = (low + high) / 2
      if start(middle, section, width) < time { low = middle + 1 } else { high = middle }
    }
    return low
  }
}

extension Family {
  /// Whether any window is answered from partial states.
  final var isGrouped: Bool { windows.contains { $0.rowReach == .zero } }
  fileprivate final var hasUnboundedReach: Bool { windows.contains { $0.reach == nil } }
}

extension StateWriter {
  /// A state behind its length.
  fileprivate mutating func write(_ state: some Aggregation) {
    let start = count
    write(UInt32(0))
    state.write(to: &self)
    set(UInt32(count - start - 4), at: start)
  }
}

extension StateReader {
  /// The range behind a length, which is skipped.
  fileprivate mutating func range() -> Range<Int> {
    let length = Int(read(UInt32.self))
    let start = place
    _ = bytes(length)
    return start..<place
  }
}
