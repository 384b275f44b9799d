// Everything that is known under one view: for each entity its latest rows, and for each family of windows the
// partial states into which older rows are folded.
//
// Memory: an entity of whom little is known has rows only, 24 bytes and 16 for each column. Partial states come when
// rows have to go, or when there are too many to fold for each question.

import Core
import Events

final class ViewState {
  let view: FeatureView
  let entities: EntityTable
  let texts: AnswerTexts
  let families: [Family]
  let plans: FrozenList<FeaturePlan>
  /// By family.
  let folds: FrozenList<FoldPlan>
  /// Those of the families, each once.
  let groupings: FrozenList<FoldShape>
  /// Whether an answer moves with every microsecond.
  let hasMovingAnswers: Bool
  /// Where rows of an online store are taken apart.
  let scratch: RowScratch
  /// Each window that is asked for once, with the question at hand.
  let asked: UnsafeMutablePointer<AskedWindow>
  let askedCount: Int
  /// The entity that is asked about; nil where the request names none.
  private var found: EntityHistory?
  /// The rows in its longest window.
  private var rowsMax = 0
  /// What the entity's quick answers have in common.
  let quickFolds: QuickFolds
  private var trackCount = 0
  /// Tracks of entities that were removed.
  private var freeTracks: [Int] = []
  /// What has changed since it was last written to an online store; nil while there is none.
  var changes: ChangedEntities?
  /// Nil where it draws from events themselves.
  var records: CompletedRecords?
  private let key = EntityKey()
  /// Whether all members of the key are there.
  private var isNamed = false
  private var hash: UInt32 = 0
  private var likely: LikelyEntity?
  private var likelyRow: UnsafePointer<Timestamp>?
  private var likelyTime = Timestamp.distantPast
  private let sources: FrozenList<SourcePlan>
  /// By source and column.
  private let columns: FrozenList<ColumnPlan>
  /// The cells of the event at hand, one for each column.
  private let row: UnsafeMutablePointer<Cell>
  private let columnCount: Int
  private let stack: ExpressionStack
  /// How far before the watermark a question can reach; nil: without end.
  let reach: TimeSpan?
  /// How far before the watermark the events themselves are needed.
  let rowReach: TimeSpan
  private var swept = Timestamp.distantPast
  /// No watermark up to here moves the horizon far enough.
  private var nextSweep = Timestamp.distantPast

  /// Settled rows wait until there are more than this many, so that an entity to which little happens needs no
  /// partial states.
  private static let settledRowsMax = 64

  // What follows is held by `view` and `families`; counting references for each event and question would cost as much as
  // many answers.

  /// Where a feature's value comes from.
  struct FeaturePlan {
    let family: Unmanaged<Family>
    let slot: Int
    /// In `families`.
    let familyIndex: Int
    /// What it is divided by.
    let divisor: Unmanaged<Family>?
    let divisorSlot: Int
    let divisorIndex: Int
    /// Among those asked for.
    let windowIndex: Int
    let window: Window
    /// The same value without the family, where its rows are few.
    let quick: QuickAnswer
  }

  private struct SourcePlan {
    let filter: Unmanaged<Expression>?
    let keySlots: KeySlots
  }

  private struct ColumnPlan {
    let expression: Unmanaged<Expression>?
    let isHashed: Bool
  }

  init(_ view: FeatureView, stack: ExpressionStack) {
    self.view = view
    self.stack = stack
    self.entities = EntityTable(columns: view.columns.count)
    self.columnCount = view.columns.count
    self.row = .allocate(capacity: max(view.columns.count, 1))
    self.row.initialize(repeating: .null, count: view.columns.count)
    self.sources = FrozenList(
      view.sources.map { source in
        SourcePlan(
          filter: source.filter.map(Unmanaged.passUnretained),
          keySlots: KeySlots(owning: source.keySlots))
      })
    self.columns = FrozenList(
      view.sources.indices.flatMap { source in
        view.columns.map { column in
          ColumnPlan(
            expression: column.expressions[source].map(Unmanaged.passUnretained),
            isHashed: column.isHashed)
        }
      })
    let texts = AnswerTexts(strings: ByteTable())
    self.texts = texts
    let reaches = view.features.map(\.window.reach)
    self.reach = reaches.contains(nil) ? nil : reaches.compactMap { $0 }.max()
    self.rowReach = view.features.map(\.window.rowReach).max() ?? .zero
    var families = FamilyTable()
    var windows: [Window] = []
    var folds = QuickFolds.Places()
    let plans = view.features.map { feature in
      if !windows.contains(feature.window) { windows.append(feature.window) }
      let (family, slot) = families.place(feature.term, feature.window)
      let divisor = feature.divisor.map { families.place($0, feature.window) }
      return FeaturePlan(
        family: .passUnretained(family), slot: slot, familyIndex: families.index(family),
        divisor: divisor.map { .passUnretained($0.family) }, divisorSlot: divisor?.slot ?? 0,
        divisorIndex: divisor.map { families.index($0.family) } ?? 0,
        windowIndex: windows.firstIndex(of: feature.window)!, window: feature.window,
        quick: divisor == nil
          ? folds.answer(family, feature.window, windows.firstIndex(of: feature.window)!) : .none)
    }
    self.quickFolds = QuickFolds(folds)
    self.plans = FrozenList(plans)
    self.families = families.all
    var groupings: [FoldShape] = []
    self.folds = FrozenList(
      families.all.enumerated().map { index, family in
        let grouping = family.shape.grouping
        if !groupings.contains(where: { $0.grouping == grouping }) {
          groupings.append(FoldShape(grouping, column: nil))
        }
        let place = groupings.firstIndex { $0.grouping == grouping }!
        return FoldPlan(family: index, grouping: place, isGrouped: family.isGrouped)
      })
    self.groupings = FrozenList(groupings)
    hasMovingAnswers = families.all.contains(where: \.hasMovingAnswers)
    scratch = RowScratch(families: families.all.count)
    askedCount = windows.count
    asked = .allocate(capacity: max(windows.count, 1))
    asked.initialize(from: windows.map { AskedWindow($0, texts) }, count: windows.count)
  }

  deinit {
    row.deallocate()
    asked.deallocate()
    quickFolds.deallocate()
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

    func index(_ family: Family) -> Int { all.firstIndex { $0 === family }! }
  }

  var entityCount: Int { entities.count }

  /// An entity that is not known yet.
  func addEntity(_ key: Bytes) -> EntityHistory {
    let before = entities.count
    let history = entities.insert(key)
    precondition(
      entities.count > before, "an entity is taken from a store before anything happens to it")
    return history
  }

  // MARK: Events

  /// Lets an event of one of the view's types count.
  ///
  /// - Parameter isFound: its entity is the one that was found last.
  func apply(
    source index: Int, _ scalars: UnsafePointer<Scalar>, at time: Timestamp, order: Int64,
    watermark: Timestamp, isFound: Bool = false
  ) {
    let source = sources[index]
    if let filter = source.filter {
      guard case .bool(true) = filter._withUnsafeGuaranteedRef({ $0.evaluate(scalars, stack) })
      else { return }
    }
    guard isFound ? found != nil : key.assign(source.keySlots, scalars) else { return }
    for column in 0..<columnCount {
      let plan = columns[index * columnCount + column]
      let value =
        plan.expression?._withUnsafeGuaranteedRef { $0.evaluate(scalars, stack) } ?? .null
      row[column] =
        plan.isHashed ? Cell(hashOf: value) : Cell(value, strings: texts.strings)
    }
    let history = entity(isFound)
    if changes != nil {
      // An event that the online store holds already comes again after a crash.
      guard order > history.lastOrder || records?.holds(history.number, of: order) == true
      else { return }
      records?.note(history.number, of: order)
      changes?.note(history.number)
    }
    insert(history, time, order: order)
    // Nobody may ask about a time before the watermark any more.
    settle(history, watermark)
    sweep(watermark)
  }

  /// The entity of the key at hand, which is also that of the question at hand.
  private func entity(_ isFound: Bool) -> EntityHistory {
    if isFound, let found, found != entities.nothing { return found }
    return entities.insert(key.bytes)
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

  func addTracks(_ history: EntityHistory) {
    guard history.track == nil else { return }
    if let track = freeTracks.popLast() {
      history.track = track
      for family in families { family.resetTrack(track, from: history.firstRow) }
      return
    }
    history.track = trackCount
    trackCount += 1
    for family in families { family.addTrack(from: history.firstRow) }
  }

  /// Entities to which nothing happens any more are forgotten, once for each reach of event time, so that
  /// the work is a constant share of the events'.
  private func sweep(_ watermark: Timestamp) {
    guard let reach, watermark > nextSweep else { return }
    let horizon = watermark - reach
    guard horizon > swept + max(reach, .hours(1)) else { return }
    swept = horizon
    nextSweep = swept + max(reach, .hours(1)) + reach
    for number in 0..<entities.numberCount where !entities.isFree(number) {
      let history = entities[number]
      // What a store has yet to be told of stays until the next time.
      guard history.latest < horizon, changes?.contains(number) != true else { continue }
      if let track = history.track {
        for family in families { family.resetTrack(track, from: 0) }
        freeTracks.append(track)
      }
      changes?.noteSwept(history.key.copy())
      entities.remove(number)
    }
  }

  // MARK: Questions

  // The views of an engine take each step one after another before any takes the next one, and so wait for memory at the
  // same time: for the slot, for the record and for the rows.

  /// Takes up the key that a request names.
  func begin(_ slots: KeySlots, _ scalars: UnsafePointer<Scalar>) {
    isNamed = key.assign(slots, scalars)
    hash = EntityTable.hash(key.bytes)
  }

  func reachRecord() { likely = entities.likely(hash) }

  func reachRows() { likelyRow = likely?.lastRow }

  func touchRows() { if let likelyRow { likelyTime = likelyRow.pointee } }

  /// Finds the entity, and its rows in every window of a question at `time`.
  func find(at time: Timestamp) {
    guard isNamed else {
      found = nil
      return
    }
    let history = entities.find(key.bytes, hash, likely: likely) ?? entities.nothing
    found = history
    rowsMax = ask(history, at: time)
  }

  /// The view's features for the entity that was found, as of just before `time`. An entity of which
  /// nothing is known has counts of 0; a request that names no entity has nulls throughout.
  ///
  /// - Returns: how many there are.
  func answer(into values: UnsafeMutableBufferPointer<Scalar>) -> Int {
    precondition(values.count >= plans.count, "room for every feature")
    texts.forgetDocuments()
    guard let history = found else {
      for index in 0..<plans.count { values[index] = .null }
      return plans.count
    }
    if rowsMax > Family.plainRowsMax { addTracks(history) }
    for index in 0..<plans.count {
      let plan = plans.address(index)
      let window = UnsafePointer(asked + plan.pointee.windowIndex)
      let quick = quickFolds.answer(plan.pointee.quick, history, window)
      let value = quick ?? answer(plan, history, window)
      values[index] = value.scalar(texts)
    }
    return plans.count
  }

  /// One feature by the question at hand, from its family.
  func answer(
    _ plan: UnsafePointer<FeaturePlan>, _ history: EntityHistory,
    _ window: UnsafePointer<AskedWindow>
  ) -> Cell {
    let value = plan.pointee.family._withUnsafeGuaranteedRef {
      $0.value(history, slot: plan.pointee.slot, window)
    }
    guard let divisor = plan.pointee.divisor else { return value }
    let other = divisor._withUnsafeGuaranteedRef {
      $0.value(history, slot: plan.pointee.divisorSlot, window)
    }
    return Ratio.quotient(value, other)
  }

  /// Finds the rows of every window.
  ///
  /// - Returns: how many there are in the longest.
  private func ask(_ history: EntityHistory, at time: Timestamp) -> Int {
    let now = history.firstRow(notBefore: time)
    var rowsMax = 0
    // A longer window's start is looked for before that of the shorter one, which mostly is the one before it.
    var (known, knownRow) = (time, now)
    for index in 0..<askedCount {
      let window = asked + index
      let (start, end) = window.pointee.stretch(at: time)
      let endRow = end == time ? now : history.firstRow(notBefore: end)
      let firstRow =
        start == .distantPast
        ? history.firstRow
        : start <= known
          ? history.firstRow(notBefore: start, upTo: knownRow) : history.firstRow(notBefore: start)
      (known, knownRow) = (start, firstRow)
      window.pointee.question.ask(at: time, start, end, rows: firstRow, endRow)
      rowsMax = max(rowsMax, endRow - firstRow)
    }
    return rowsMax
  }
}
