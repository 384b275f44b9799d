// A row as a look-up asks it, taken apart once for all features of its view:
//
//     questions   of each window the stretch, and which rows lie in it
//     sections    of each family where the parts of its section lie
//     cells       column by column, of the rows that any window looks at
//     starts      of each grouping, at which of these rows a tile or session begins
//
// Rows are looked at by exact windows, by questions about the past, and where the row has no sections.

import Core

struct AskedRow {
  let row: EntityRow
  let hasSections: Bool
  /// By family; of those without partial states, and of a row without sections, they say nothing.
  fileprivate(set) var sections: UnsafePointer<FoldedBytes>
  /// The first row whose cells are known.
  fileprivate var first = 0
  fileprivate var count = 0
  fileprivate var cells: UnsafePointer<Cell>
  fileprivate var starts: UnsafePointer<Bool>
  private let wholeEvent: UnsafePointer<Cell>

  fileprivate init(_ row: EntityRow, _ scratch: RowScratch) {
    self.row = row
    hasSections = row.sectionCount > 0
    sections = UnsafePointer(scratch.sections)
    cells = UnsafePointer(scratch.cells)
    starts = UnsafePointer(scratch.starts)
    wholeEvent = UnsafePointer(scratch.wholeEvent)
  }

  /// The cells of a column from a row on, and how far they lie apart.
  ///
  /// - Parameter column: nil where whole events are counted.
  @inline(__always)
  func column(_ column: Int?, from row: Int) -> (cells: UnsafePointer<Cell>, stride: Int) {
    guard let column else { return (wholeEvent, 0) }
    return (cells + (column * count + row - first), 1)
  }

  /// From a row on, whether each begins a tile or session of the grouping.
  @inline(__always)
  func starts(_ grouping: Int, from row: Int) -> UnsafePointer<Bool> {
    starts + (grouping * count + row - first)
  }
}

/// Memory for what is taken out of a row, kept from one look-up to the next.
final class RowScratch {
  fileprivate let sections: UnsafeMutablePointer<FoldedBytes>
  fileprivate var cells = UnsafeMutablePointer<Cell>.allocate(capacity: 1)
  fileprivate var starts = UnsafeMutablePointer<Bool>.allocate(capacity: 1)
  fileprivate let wholeEvent = UnsafeMutablePointer<Cell>.allocate(capacity: 1)
  private var cellCapacity = 1
  private var startCapacity = 1

  init(families: Int) {
    sections = .allocate(capacity: max(families, 1))
    wholeEvent.initialize(to: .bool(true))
  }

  deinit {
    sections.deallocate()
    cells.deallocate()
    starts.deallocate()
    wholeEvent.deallocate()
  }

  fileprivate func reserve(cells cellCount: Int, starts startCount: Int) {
    if cellCount > cellCapacity {
      cells.deallocate()
      cellCapacity = cellCount * 2
      cells = .allocate(capacity: cellCapacity)
    }
    if startCount > startCapacity {
      starts.deallocate()
      startCapacity = startCount * 2
      starts = .allocate(capacity: startCapacity)
    }
  }
}

extension ViewState {
  /// Takes a row apart for questions at `time`; nil if it is damaged.
  ///
  /// - Returns: also the times at which all answers are the same; nil where there are none such.
  func takeApart(
    _ row: EntityRow, _ bytes: Bytes, at time: Timestamp
  ) -> (row: AskedRow, finished: FinishedRow?)? {
    var asked = AskedRow(row, scratch)
    if asked.hasSections {
      guard row.sectionCount == families.count, readSections(row, bytes) else { return nil }
    }
    let (first, finished) = ask(row, at: time)
    decode(&asked, from: first)
    return (asked, finished)
  }

  private func readSections(_ row: EntityRow, _ bytes: Bytes) -> Bool {
    var reader = StateReader(
      UnsafeRawPointer(bytes.base), row.sections, strings: texts.strings)
    for index in 0..<folds.count {
      guard let section = reader.section() else { return false }
      guard folds[index].isGrouped else { continue }
      guard let parts = FoldedBytes(section) else { return false }
      (scratch.sections + index).initialize(to: parts)
    }
    return true
  }

  /// Finds what each window takes in.
  ///
  /// - Returns: the first row that is looked at, and when the answers are the same.
  private func ask(_ row: EntityRow, at time: Timestamp) -> (first: Int, finished: FinishedRow?) {
    let microsecond = TimeSpan(microseconds: 1)
    var (from, until) = (row.latest + microsecond, Timestamp.distantFuture)
    var first = row.rowCount
    for index in 0..<askedCount {
      let (start, end) = asked[index].stretch(at: time)
      let endRow = row.latest < end ? row.rowCount : row.firstRow(notBefore: end)
      var firstRow = 0
      if asked[index].isExact || row.sectionCount == 0 {
        firstRow = start == .distantPast ? 0 : row.firstRow(notBefore: start)
        first = min(first, firstRow)
      } else if row.latest >= end {
        first = 0
      }
      asked[index].question = Question(
        time: time, start: start, end: end, texts: texts, firstRow: min(firstRow, endRow),
        endRow: endRow)
      if asked[index].isExact {
        // Until the first row has left it, and since the one before that has.
        let span = TimeSpan(microseconds: asked[index].window.rowReach.microseconds + 1)
        if firstRow > 0 { from = max(from, row.time(firstRow - 1) + span) }
        if firstRow < row.rowCount { until = min(until, row.time(firstRow) + span) }
      } else {
        from = max(from, asked[index].steady.from)
        until = min(until, asked[index].steady.until)
      }
    }
    let finished = FinishedRow(from: from, until: until, latest: row.latest)
    return (first, !hasMovingAnswers && finished.holds(at: time) ? finished : nil)
  }

  private func decode(_ asked: inout AskedRow, from first: Int) {
    let row = asked.row
    let count = row.rowCount - first
    guard count > 0 else { return }
    scratch.reserve(
      cells: count * view.columns.count, starts: asked.hasSections ? 0 : count * groupings.count)
    asked.first = first
    asked.count = count
    for column in 0..<view.columns.count {
      row.decode(
        column, from: first, texts.strings, to: scratch.cells + column * count)
    }
    asked.cells = UnsafePointer(scratch.cells)
    asked.starts = UnsafePointer(scratch.starts)
    guard !asked.hasSections else { return }
    for index in 0..<groupings.count {
      let starts = scratch.starts + index * count
      var boundary = Timestamp.distantPast
      for place in 0..<count {
        let time = row.time(first + place)
        starts[place] = time >= boundary
        if time >= boundary || groupings[index].isSession {
          boundary = groupings[index].grouping.boundary(after: time)
        }
      }
    }
  }
}

extension StateReader {
  /// The next section, without its length; nil at the end.
  mutating func section() -> StateReader? {
    let length = Int(read(UInt32.self))
    let start = place
    _ = bytes(length)
    return isDamaged ? nil : part(start..<place)
  }
}
