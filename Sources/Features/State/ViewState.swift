// Everything that is known under one view: for each entity its latest rows, and for each family of windows the
// partial states into which older rows are folded.
//
// Memory: an entity of whom little is known has rows only, 24 bytes and 16 for each column. Partial states come when
// rows have to go, or when there are too many to fold for each question.

import Core
import Events

final class ViewState {
  let view: FeatureView
  private let keys = ByteTable()
  private let texts: AnswerTexts
  private var histories: [EntityHistory] = []
  private let families: [Family]
  private let plans: [FeaturePlan]
  private var trackCount = 0
  private var key = EntityKey()
  private var row: [Cell] = []
  private let stack: ExpressionStack
  /// How far before the watermark a question can reach; nil: without end.
  private let reach: TimeSpan?
  /// How far before the watermark the events themselves are needed.
  private let rowReach: TimeSpan
  /// The history of an entity of which nothing is known.
  private let nothing: EntityHistory
  private var swept = Timestamp.distantPast

  /// Settled rows wait until there are more than this many, so that an entity to which little happens needs no
  /// partial states.
  private static let settledRowsMax = 16
  /// With more rows than this, questions are answered from partial states.
  private static let plainRowsMax = 32

  /// Where a feature's value comes from.
  private struct FeaturePlan {
    // Held by `families`; counting references for each question would cost as much as many answers.
    unowned(unsafe) let family: Family
    let slot: Int
    /// What it is divided by.
    unowned(unsafe) let divisor: Family?
    let divisorSlot: Int
    let window: Window
  }

  init(_ view: FeatureView, stack: ExpressionStack) {
    self.view = view
    self.stack = stack
    self.nothing = EntityHistory(columns: view.columns.count)
    self.texts = AnswerTexts(strings: ByteTable())
    let reaches = view.features.map(\.window.reach)
    self.reach = reaches.contains(nil) ? nil : reaches.compactMap { $0 }.max()
    self.rowReach = view.features.map(\.window.rowReach).max() ?? .zero
    var families = FamilyTable()
    self.plans = view.features.map { feature in
      let (family, slot) = families.place(feature.term, feature.window)
      let divisor = feature.divisor.map { families.place($0, feature.window) }
      return FeaturePlan(
        family: family, slot: slot, divisor: divisor?.family, divisorSlot: divisor?.slot ?? 0,
        window: feature.window)
    }
    self.families = families.all
  }

  /// The families that the features of a view need, each once.
  private struct FamilyTable {
    private(set) var all: [Family] = []
    private var byName: [String: Family] = [:]

    mutating func place(_ term: Term, _ window: Window) -> (family: Family, slot: Int) {
      let grouping = window.grouping
      let column = term.column.map(String.init) ?? "*"
      let name = "\(term.aggregation.signature) \(column) \(grouping)"
      let family = byName[name] ?? term.aggregation.family(grouping, term.column)
      if byName.updateValue(family, forKey: name) == nil { all.append(family) }
      return (family, family.slot(window))
    }
  }

  var entityCount: Int { keys.count }

  // MARK: Events

  /// Lets an event of one of the view's types count.
  func apply(
    source index: Int, _ scalars: UnsafePointer<Scalar>, at time: Timestamp, order: Int64,
    watermark: Timestamp
  ) {
    if let filter = view.sources[index].filter {
      guard case .bool(true) = filter.evaluate(scalars, stack) else { return }
    }
    guard key.assign(view.sources[index].keySlots, scalars) else { return }
    row.removeAll(keepingCapacity: true)
    for column in view.columns.indices {
      guard let expression = view.columns[column].expressions[index] else {
        row.append(.null)
        continue
      }
      let value = expression.evaluate(scalars, stack)
      row.append(
        view.columns[column].isHashed
          ? Cell(hashOf: value) : Cell(value, strings: texts.strings))
    }
    let entity = key.bytes.withBytes { keys.insert($0) }
    if entity.isNew { histories.append(EntityHistory(columns: row.count)) }
    insert(histories[entity.index], time, order: order)
    // Nobody may ask about a time before the watermark any more.
    settle(histories[entity.index], watermark)
    sweep(watermark)
  }

  private func insert(_ history: EntityHistory, _ time: Timestamp, order: Int64) {
    let place = history.insert(time, order: order, cells: row)
    guard let track = history.track, place + 1 < history.endRow else { return }
    for family in families { family.takeBack(track, to: place) }
  }

  /// Folds the rows that only partial states are still needed of, once there are enough of them.
  private func settle(_ history: EntityHistory, _ watermark: Timestamp) {
    let horizon = watermark - rowReach
    guard history.rowCount > ViewState.settledRowsMax,
      history.time(history.firstRow + ViewState.settledRowsMax) < horizon
    else { return }
    if history.track == nil { dropOutOfReach(history, watermark) }
    let end = history.firstRow(notBefore: horizon)
    guard end - history.firstRow > ViewState.settledRowsMax else { return }
    addTracks(history)
    for family in families { family.settle(history, to: end, watermark: watermark) }
    history.drop(before: end)
  }

  /// Rows that no question can reach.
  private func dropOutOfReach(_ history: EntityHistory, _ watermark: Timestamp) {
    guard let reach else { return }
    let end = history.firstRow(notBefore: watermark - reach)
    if end > history.firstRow { history.drop(before: end) }
  }

  private func addTracks(_ history: EntityHistory) {
    guard history.track == nil else { return }
    history.track = trackCount
    trackCount += 1
    for family in families { family.addTrack(from: history.firstRow) }
  }

  /// Entities to which nothing happens any more forget too, once for each reach of event time, so that
  /// the work is a constant share of the events'.
  private func sweep(_ watermark: Timestamp) {
    guard let reach else { return }
    let horizon = watermark - reach
    guard horizon > swept + max(reach, .hours(1)) else { return }
    swept = horizon
    for history in histories where history.latest < horizon {
      if history.rowCount > 0 { history.drop(before: history.endRow) }
      guard let track = history.track else { continue }
      for family in families { family.resetTrack(track, from: history.firstRow) }
    }
  }

  // MARK: Questions

  /// The view's features for the entity that a request names, as of just before `time`. An entity of which
  /// nothing is known has counts of 0; a request that names no entity has nulls throughout.
  func lookUp(
    _ slots: [Int], _ scalars: UnsafePointer<Scalar>, at time: Timestamp,
    into values: inout [Scalar]
  ) {
    texts.forgetDocuments()
    guard key.assign(slots, scalars) else {
      for _ in view.features { values.append(.null) }
      return
    }
    let entity = key.bytes.withBytes { keys.find($0) }
    let history = entity.map { histories[$0] } ?? nothing
    if history.rowCount > ViewState.plainRowsMax { addTracks(history) }
    for plan in plans {
      let (start, end) = plan.window.stretch(at: time)
      let question = Question(time: time, start: start, end: end, texts: texts)
      var value = plan.family.value(history, slot: plan.slot, question)
      if let divisor = plan.divisor {
        value = Ratio.quotient(
          value, divisor.value(history, slot: plan.divisorSlot, question))
      }
      values.append(value.scalar(texts))
    }
  }
}
