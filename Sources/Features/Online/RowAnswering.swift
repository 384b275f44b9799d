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
    guard let parts = FoldedBytes(section), let state = read(family, parts.base) else {
      return false
    }
    var tiles: [Tile<Self>] = []
    for index in 0..<min(parts.baseTiles, parts.tileCount) {
      guard let state = read(family, parts.tile(index)) else { return false }
      tiles.append(Tile(start: parts.start(index, family.shape.width), state: state))
    }
    family.tracks[track].tiles = tiles
    let base = Snapshot(
      row: 0, boundary: parts.baseBoundary, tiles: tiles.count, state: state)
    family.tracks[track].current = base
    family.tracks[track].checkpoints = [base]
    return true
  }

  @inline(__always)
  private static func read(_ family: TypedFamily<Self>, _ part: StateReader) -> Self? {
    var bytes = part
    let state = Self(family.parameters, from: &bytes)
    return bytes.isDamaged ? nil : state
  }

  // MARK: Questions

  static func value(
    _ family: TypedFamily<Self>, _ row: AskedRow, _ fold: FoldPlan,
    _ asked: UnsafePointer<AskedWindow>
  ) -> Cell? {
    let question = asked.pointee.question
    let isPlain =
      asked.pointee.isExact
      || (!row.hasSections && isIndifferentToGrouping && !family.shape.isSession)
    if isPlain {
      if countsEvents, family.shape.column == nil {
        return .int(Int64(question.endRow - question.firstRow))
      }
      return plainFold(family, row, question).result(question)
    }
    guard row.hasSections else { return rowFold(family, row, fold, question).result(question) }
    let parts = row.sections[fold.family]
    guard let tracked = tracked(family, row, parts, question) else { return nil }
    switch family.shape.grouping {
    case .whole: return tracked.state.result(question)
    case .sessions:
      return (question.time < tracked.boundary ? tracked.state : family.empty).result(question)
    case .tiles(let width):
      let first = parts.firstTile(notBefore: question.start, width)
      var end = tracked.tiles
      if asked.pointee.endsWithTile {
        end = min(end, parts.firstTile(notBefore: question.end, width))
      }
      var total = family.empty
      for index in first..<max(first, end) {
        guard let tile = read(family, parts.tile(index)) else { return nil }
        total.merge(tile)
      }
      let start = tracked.boundary - width
      if start >= question.start, !asked.pointee.endsWithTile || tracked.boundary <= question.end {
        total.merge(tracked.state)
      }
      return total.result(question)
    }
  }

  private static func plainFold(
    _ family: TypedFamily<Self>, _ row: AskedRow, _ question: Question
  ) -> Self {
    var state = family.empty
    let (cells, stride) = row.column(family.shape.column, from: question.firstRow)
    for index in 0..<(question.endRow - question.firstRow) {
      state.add(cells[index * stride], at: row.row.time(question.firstRow + index))
    }
    return state
  }

  /// The fold of the rows before the question's end: all of them, nearly always.
  @inline(__always)
  private static func tracked(
    _ family: TypedFamily<Self>, _ row: AskedRow, _ parts: FoldedBytes, _ question: Question
  ) -> Snapshot<Self>? {
    guard row.row.latest < question.end else { return refold(family, row, parts, question) }
    guard let state = read(family, parts.current) else { return nil }
    return Snapshot(
      row: row.row.rowCount, boundary: parts.boundary, tiles: parts.tileCount, state: state)
  }

  /// Of a question about the past: from the base on.
  private static func refold(
    _ family: TypedFamily<Self>, _ row: AskedRow, _ parts: FoldedBytes, _ question: Question
  ) -> Snapshot<Self>? {
    guard let state = read(family, parts.base) else { return nil }
    var result = Snapshot(
      row: 0, boundary: parts.baseBoundary, tiles: parts.baseTiles, state: state)
    let (cells, stride) = row.column(family.shape.column, from: 0)
    for index in 0..<question.endRow {
      let time = row.row.time(index)
      if time >= result.boundary {
        if family.shape.width != nil, result.boundary > .distantPast { result.tiles += 1 }
        result.state = family.empty
        result.boundary = family.shape.grouping.boundary(after: time)
      }
      if family.shape.isSession {
        result.boundary = max(result.boundary, family.shape.grouping.boundary(after: time))
      }
      result.state.add(cells[index * stride], at: time)
    }
    return result
  }

  /// Of an entity without partial states: grouped and merged as those would be.
  private static func rowFold(
    _ family: TypedFamily<Self>, _ row: AskedRow, _ fold: FoldPlan, _ question: Question
  ) -> Self {
    let (first, end) = (question.firstRow, question.endRow)
    guard first < end else { return family.empty }
    var (total, state) = (family.empty, family.empty)
    let (cells, stride) = row.column(family.shape.column, from: first)
    let starts = row.starts(fold.grouping, from: first)
    for index in 0..<(end - first) {
      if index > 0, starts[index] {
        if family.shape.width != nil { total.merge(state) }
        state = family.empty
      }
      state.add(cells[index * stride], at: row.row.time(first + index))
    }
    if family.shape.isSession {
      let boundary = family.shape.grouping.boundary(after: row.row.time(end - 1))
      return question.time < boundary ? state : family.empty
    }
    if family.shape.width == nil { return state }
    total.merge(state)
    return total
  }
}

/// Where the parts of a section lie.
struct FoldedBytes {
  let boundary: Timestamp
  let current: StateReader
  let baseBoundary: Timestamp
  let baseTiles: Int
  let base: StateReader
  let tileCount: Int
  private let firstStart: Timestamp
  private let section: StateReader
  private let entries: Int
  private let states: Int

  init?(_ whole: StateReader) {
    var section = whole
    boundary = section.read()
    guard let current = section.section() else { return nil }
    self.current = current
    baseBoundary = section.read()
    baseTiles = Int(section.read(UInt32.self))
    guard let base = section.section() else { return nil }
    self.base = base
    tileCount = section.readCount(entriesOfAtLeast: 8)
    firstStart = tileCount > 0 ? section.read() : .distantPast
    entries = section.place
    states = entries + tileCount * 8
    guard !section.isDamaged, states <= section.end else { return nil }
    self.section = section
  }

  /// When a tile starts.
  func start(_ tile: Int, _ width: TimeSpan?) -> Timestamp {
    firstStart + TimeSpan(microseconds: Int64(distance(tile)) &* (width?.microseconds ?? 0))
  }

  /// How many tile widths a tile starts behind the first.
  @inline(__always)
  private func distance(_ tile: Int) -> UInt32 { section.number(at: entries + tile * 8) }

  /// A tile's state.
  @inline(__always)
  func tile(_ tile: Int) -> StateReader {
    let start = tile == 0 ? 0 : Int(section.number(at: entries + tile * 8 - 4))
    let end = Int(section.number(at: entries + tile * 8 + 4))
    guard start <= end, states + end <= section.end else { return section.part(states..<states) }
    return section.part(states + start..<states + end)
  }

  /// The number of the first tile that starts at `time` or later.
  ///
  /// - Complexity: O(log tiles).
  @inline(__always)
  func firstTile(notBefore time: Timestamp, _ width: TimeSpan) -> Int {
    guard tileCount > 0, time > firstStart else { return 0 }
    let (behind, isFar) = time.microseconds.subtractingReportingOverflow(firstStart.microseconds)
    guard !isFar else { return tileCount }
    // In tile widths, rounded up: one division, and then only numbers are compared.
    let wanted = (UInt64(behind) - 1) / UInt64(width.microseconds) + 1
    var low = 0
    var count = tileCount
    while count > 0 {
      let half = count / 2
      if UInt64(distance(low + half)) < wanted {
        low += half + 1
        count -= half + 1
      } else {
        count = half
      }
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
