// What a view's expressions may read from tables: the features of those whose entity the event names.

import Core
import Events

struct EnrichmentOffer {
  /// As in an expression: `view__feature`.
  let name: String
  let type: ValueType
  private let table: Int
  private let column: Int
  private let keySlots: [Int]

  /// - Parameter event: the scope of the event's own members.
  static func all(_ tables: [TableView], _ event: Scope) -> [EnrichmentOffer] {
    tables.enumerated().flatMap { table, view -> [EnrichmentOffer] in
      let keySlots = view.entity.compactMap { (try? Expression($0, scope: event))?.slots.first }
      guard keySlots.count == view.entity.count else { return [] }
      return view.features.indices.map { column in
        EnrichmentOffer(
          name: view.features[column].columnName, type: view.features[column].type, table: table,
          column: column, keySlots: keySlots)
      }
    }
  }

  /// Nil if it is not among the slots that are read.
  func taken(_ schema: EventSchema, _ read: Set<Int>) -> Enrichment? {
    let slot = schema.knownSlot(name)
    guard read.contains(slot) else { return nil }
    return Enrichment(table: table, keySlots: keySlots, column: column, slot: slot)
  }
}
