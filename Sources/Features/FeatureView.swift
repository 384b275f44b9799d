// Features as they are declared: a view groups what is known about one kind of entity from one or several types of event,
// or from pairs of them.
// Declared once; the stream, the training set and the online read all run on this definition.

import Core
import Events

public struct FeatureView: Sendable {
  public let name: String
  /// The members whose values together name an entity.
  public let entity: [String]
  /// The event types that it draws from; one without a type where it draws from a join.
  let sources: [ViewSource]
  let join: IntervalJoin?
  /// The distinct values that are kept of each event.
  let columns: [Column]
  public let features: [Feature]
  /// What its state depends on, as text: two views with the same text keep the same state of the same events.
  let definition: String

  /// Whether events of a type tell it something.
  public func reads(_ eventType: Int) -> Bool {
    sources.contains { $0.eventType == eventType } || join?.reads(eventType) == true
  }
}

/// One type of event that a view draws from, or the records of a join.
struct ViewSource: Sendable {
  /// Index in the schema; nil for a join, where slots are those of its records.
  let eventType: Int?
  /// Only events for which this is true count.
  let filter: Expression?
  /// Slots of the entity members.
  let keySlots: [Int]
  /// What its expressions read from tables.
  let enrichments: [Enrichment]
}

/// A value that an event gets from a table before it counts: as of the event's time, like the answer to a question.
struct Enrichment: Sendable {
  /// By index among the project's.
  let table: Int
  /// Slots of the table's entity in the event.
  let keySlots: [Int]
  /// Of the table's features.
  let column: Int
  /// Where the value is put.
  let slot: Int
}

/// What is aggregated, and how.
struct Term: Sendable {
  let aggregation: DeclaredAggregation
  /// Index into the view's columns; nil where whole events are counted.
  let column: Int?
}

/// A value that is kept of each event.
struct Column: Sendable {
  let text: String
  /// By source of the view; nil where events of that type have no value.
  let expressions: [Expression?]
  /// Of some values only the hash is needed.
  let isHashed: Bool
}

/// One declared value of a view. A class, since the hot loop passes it around for every look-up.
public final class Feature: Sendable {
  /// As in `view:feature`.
  public let name: String
  /// As in a column of a training set or an input of a model: `view__feature`.
  public let columnName: String
  /// Whether the value is a list or an object, given as JSON text.
  public var givesDocument: Bool { term.aggregation.givesDocument }
  let term: Term
  /// What the term is divided by.
  let divisor: Term?
  let window: Window
  let valueGuard: FeatureGuard?

  init(
    name: String, view: String, term: Term, divisor: Term? = nil, window: Window,
    valueGuard: FeatureGuard? = nil
  ) {
    self.name = "\(view):\(name)"
    self.columnName = "\(view)__\(name)"
    self.term = term
    self.divisor = divisor
    self.window = window
    self.valueGuard = valueGuard
  }
}
