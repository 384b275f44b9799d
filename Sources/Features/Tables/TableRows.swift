// The rows of a table in memory, by entity and time. Filled before the first question, then only read.
//
// Memory: 128 bytes for each entity, and for each row 16 bytes and 16 for each feature; texts are kept once.

public import Core
import Events

public final class TableRows {
  public let view: TableView
  private let decoder: EventDecoder
  private let expressions: [Expression]
  private let keySlots: KeySlots
  private let entities: EntityTable
  private let texts = AnswerTexts(strings: ByteTable())
  private let stack = ExpressionStack()
  private let key = EntityKey()
  private var cells: [Cell] = []
  public private(set) var count = 0

  public init(_ view: TableView) {
    self.view = view
    let schema = EventSchema(types: [view.rowType], fixedType: 0)
    expressions = view.features.map { feature in
      do throws(Failure) {
        return try feature.text.expression(scope: schema.scope(of: 0))
      } catch {
        preconditionFailure("a view's expressions were compiled when it was declared")
      }
    }
    keySlots = KeySlots(owning: view.entity.map(schema.slot))
    decoder = EventDecoder(schema, trustsMarks: false)
    entities = EntityTable(columns: view.features.count)
  }

  /// Adds a row.
  ///
  /// - Parameter padding: bytes behind the line that may be loaded.
  public func add(_ line: Bytes, padding: Int = 0) throws(BadRecord) {
    let row = try decoder.decode(line, as: 0, padding: padding)
    guard key.assign(keySlots, decoder.scalars) else {
      throw BadRecord("names no entity: \(view.entity.joined(separator: " or ")) is missing")
    }
    cells.removeAll(keepingCapacity: true)
    for expression in expressions {
      cells.append(Cell(expression.evaluate(decoder.scalars, stack), strings: texts.strings))
    }
    stack.reset()
    _ = entities.insert(key.bytes).insert(row.time, order: Int64(count), cells: cells)
    count += 1
  }

  /// Appends the values for the entity that a request names, as of `time`; nulls where there is none.
  ///
  /// - Complexity: O(log rows of the entity).
  func lookUp(
    _ slots: KeySlots, _ scalars: UnsafePointer<Scalar>, at time: Timestamp,
    into values: inout [Scalar]
  ) {
    guard let (history, row) = newest(slots, scalars, at: time) else {
      for _ in expressions { values.append(.null) }
      return
    }
    for column in expressions.indices {
      values.append(
        history.withRows(from: row, column: column) { _, cells, _ in cells[0].scalar(texts) })
    }
  }

  /// The value of one feature.
  func value(
    _ column: Int, _ slots: KeySlots, _ scalars: UnsafePointer<Scalar>, at time: Timestamp
  ) -> Scalar {
    guard let (history, row) = newest(slots, scalars, at: time) else { return .null }
    return history.withRows(from: row, column: column) { _, cells, _ in cells[0].scalar(texts) }
  }

  private func newest(
    _ slots: KeySlots, _ scalars: UnsafePointer<Scalar>, at time: Timestamp
  ) -> (EntityHistory, Int)? {
    guard key.assign(slots, scalars), let history = entities.find(key.bytes) else { return nil }
    let row = history.firstRow(notBefore: time + TimeSpan(microseconds: 1)) - 1
    guard row >= history.firstRow else { return nil }
    if let ttl = view.ttl, history.time(row) + ttl < time { return nil }
    return (history, row)
  }
}
