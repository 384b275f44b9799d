// Everything that is known under one view: a history for each entity.

import Core
import Events

final class ViewState {
  let view: FeatureView
  private let keys = ByteTable()
  private let strings = ByteTable()
  private var histories: [EntityHistory] = []
  private var key = EntityKey()
  private var row: [Cell] = []
  private let stack: ExpressionStack
  /// How far back rows are needed; nil when there is no window at all, then rows are folded at once.
  private let reach: TimeSpan
  private let endless: [Feature]
  private let endlessIndex: [Int?]
  /// The history of an entity of which nothing is known.
  private let nothing = EntityHistory()
  private var swept = Timestamp.distantPast

  init(_ view: FeatureView, stack: ExpressionStack) {
    self.view = view
    self.stack = stack
    self.reach = view.features.compactMap(\.reach).max() ?? .zero
    self.endless = view.features.filter { $0.window == nil }
    var count = 0
    self.endlessIndex = view.features.map { feature in
      guard feature.window == nil else { return nil }
      defer { count += 1 }
      return count
    }
  }

  var entityCount: Int { keys.count }

  /// Lets an event of the view's type count.
  func apply(
    _ scalars: UnsafePointer<Scalar>, at time: Timestamp, order: Int64, watermark: Timestamp
  ) {
    if let filter = view.filter {
      guard case .bool(true) = filter.evaluate(scalars, stack) else { return }
    }
    guard key.assign(view.keySlots, scalars) else { return }
    row.removeAll(keepingCapacity: true)
    for column in view.columns {
      row.append(Cell(column.evaluate(scalars, stack), strings: strings))
    }
    let entity = key.bytes.withBytes { keys.insert($0) }
    if entity.isNew { histories.append(EntityHistory()) }
    histories[entity.index].insert(time, order: order, cells: row)
    // Nobody may ask about a time before the watermark any more.
    let horizon = watermark - reach
    histories[entity.index].forget(before: horizon, endless: endless, columns: view.columns.count)
    sweep(horizon)
  }

  /// Entities to which nothing happens any more forget too, once for each reach of event time, so that
  /// the work is a constant share of the events'.
  private func sweep(_ horizon: Timestamp) {
    guard horizon > swept + max(reach, .hours(1)) else { return }
    swept = horizon
    for index in histories.indices {
      histories[index].forget(before: horizon, endless: endless, columns: view.columns.count)
    }
  }

  /// The view's features for the entity that a request names, as of just before `time`. An entity of which
  /// nothing is known has counts of 0; a request that names no entity has nulls throughout.
  func lookUp(
    _ slots: [Int], _ scalars: UnsafePointer<Scalar>, at time: Timestamp,
    into values: inout [Scalar]
  ) {
    guard key.assign(slots, scalars) else {
      for _ in view.features { values.append(.null) }
      return
    }
    let entity = key.bytes.withBytes { keys.find($0) }
    let history = entity.map { histories[$0] } ?? nothing
    let columns = view.columns.count
    for index in 0..<view.features.count {
      let cell = history.value(
        view.features[index], at: time, columns: columns, base: endlessIndex[index])
      values.append(cell.scalar(strings: strings))
    }
  }
}
