// A view's entities as rows of an online store: written, taken back into memory, and asked where they lie.

public import Core

/// Entities by number, each once.
struct ChangedEntities {
  private(set) var list: [Int] = []
  private var isListed: [Bool] = []
  /// The keys of those that are gone.
  fileprivate var swept: [[UInt8]] = []

  mutating func note(_ entity: Int) {
    while isListed.count <= entity { isListed.append(false) }
    guard !isListed[entity] else { return }
    isListed[entity] = true
    list.append(entity)
  }

  mutating func noteSwept(_ key: [UInt8]) { swept.append(key) }

  func contains(_ entity: Int) -> Bool { entity < isListed.count && isListed[entity] }

  mutating func removeAll() {
    for entity in list { isListed[entity] = false }
    list.removeAll(keepingCapacity: true)
  }
}

/// What a row says of a question.
public struct RowAnswer: Sendable {
  /// When something last happened to the entity.
  public let latest: Timestamp
  /// The order, which in a log is the offset, of the last event that the row has seen.
  public let lastOrder: Int64
  /// Whether what was folded together reaches to the question or beyond, so that more may count than should.
  public let isAhead: Bool
  /// Until when the answers stay as they are; nil where that is not known.
  let finished: FinishedRow?
}

extension ViewState {
  /// With partial states, only so many of the latest rows are written, unless an exact window needs more: a busy
  /// entity is written every few thousand events. A writer that ends as it should writes all that late events may
  /// need; after a crash, what is learned of a time before these rows counts in the oldest tile that can still change.
  static let writtenRowsMax = 128
  /// With more rows, an entity gets partial states when it is written.
  private static let plainRowsMax = 16

  /// The greatest number in the order of arrival, over all entities; -1 if nothing has happened.
  var lastOrder: Int64 { (0..<entities.numberCount).reduce(-1) { max($0, entities[$1].lastOrder) } }

  /// The keys of entities that have gone since the last time, and have not come again.
  func takeSwept() -> [[UInt8]] {
    guard let swept = changes?.swept, !swept.isEmpty else { return [] }
    changes?.swept.removeAll()
    return swept.filter { $0.withBytes { entities.find($0) == nil } }
  }

  /// - Parameter watermark: rows that an event behind it may come before are written too; nil: the latest only.
  /// - Returns: the row, and whether late events may need more of it.
  func write(
    _ entity: Int, with writer: inout EntityRowWriter, watermark: Timestamp? = nil
  ) -> (row: [UInt8], isCut: Bool) {
    let history = entities[entity]
    if history.rowCount > ViewState.plainRowsMax { addTracks(history) }
    var row = history.firstRow
    if history.track != nil {
      row = max(row, history.endRow - ViewState.writtenRowsMax)
      if rowReach > .zero { row = min(row, history.firstRow(notBefore: history.latest - rowReach)) }
      if let watermark {
        row = min(row, history.firstRow(notBefore: min(history.latest, watermark) - rowReach))
      }
    }
    let bytes = writer.write(
      history, from: row, columns: view.columns.count, families: families)
    return (bytes, row > history.firstRow)
  }

  /// Takes an entity over from a store; false if its row is damaged.
  func restore(_ key: Bytes, _ bytes: Bytes) -> Bool {
    guard let row = EntityRow(bytes, columns: view.columns.count, strings: texts.strings) else {
      return false
    }
    let history = addEntity(key)
    for index in 0..<row.rowCount {
      let cells = view.columns.indices.map { row.cell(index, $0, texts.strings) }
      _ = cells.withUnsafeBufferPointer {
        history.insert(row.time(index), order: row.order(index), cells: $0.baseAddress!)
      }
    }
    history.resume(settled: row.settled, latest: row.latest, lastOrder: row.lastOrder)
    guard row.sectionCount > 0 else { return true }
    guard row.sectionCount == families.count else { return false }
    addTracks(history)
    var sections = StateReader(
      UnsafeRawPointer(bytes.base), row.sections, strings: texts.strings)
    for family in families {
      guard let section = sections.section(), family.restore(history.track!, from: section) else {
        return false
      }
    }
    return true
  }

  /// Appends the view's features as of just before `time` from a row; nil if it is damaged, and then nothing is
  /// appended.
  func answer(
    _ bytes: Bytes, at time: Timestamp, into values: inout [Scalar]
  ) -> RowAnswer? {
    guard let row = EntityRow(bytes, columns: view.columns.count, strings: texts.strings),
      let (asked, finished) = takeApart(row, bytes, at: time)
    else { return nil }
    let before = values.count
    guard answer(asked, into: &values) else {
      values.removeLast(values.count - before)
      return nil
    }
    let reached = rowReach > .zero && row.settled > time - rowReach
    return RowAnswer(
      latest: row.latest, lastOrder: row.lastOrder,
      isAhead: row.settled > .distantPast
        && (row.settled >= time || (reached && row.latest >= time)),
      finished: finished)
  }

  private func answer(_ row: AskedRow, into values: inout [Scalar]) -> Bool {
    for index in 0..<plans.count {
      let plan = plans.address(index)
      let window = UnsafePointer(asked + plan.pointee.windowIndex)
      guard
        var value = plan.pointee.family._withUnsafeGuaranteedRef({
          $0.value(row, folds[plan.pointee.familyIndex], window)
        })
      else { return false }
      if let divisor = plan.pointee.divisor {
        guard
          let divided = divisor._withUnsafeGuaranteedRef({
            $0.value(row, folds[plan.pointee.divisorIndex], window)
          })
        else { return false }
        value = Ratio.quotient(value, divided)
      }
      values.append(value.scalar(texts))
    }
    return true
  }

  /// Appends what is said of an entity of which nothing is known.
  func answerNothing(at time: Timestamp, into values: inout [Scalar]) {
    for index in 0..<askedCount {
      let (start, end) = asked[index].stretch(at: time)
      asked[index].question = Question(time: time, start: start, end: end, texts: texts)
    }
    for index in 0..<plans.count {
      let plan = plans.address(index)
      let window = UnsafePointer(asked + plan.pointee.windowIndex)
      values.append(answer(plan, entities.nothing, window).scalar(texts))
    }
  }
}
