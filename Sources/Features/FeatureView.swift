// Features as they are declared: a view groups what is known about one kind of entity from one type of event.
// Declared once; the stream, the training set and the online read all run on this definition.

import Core
import Events

public struct FeatureView: Sendable {
  public let name: String
  /// The members whose values together name an entity.
  public let entity: [String]
  /// Index of the event type in the schema.
  public let eventType: Int
  /// Only events for which this is true count.
  let filter: Expression?
  /// Slots of the entity members in an event of the view's type.
  let keySlots: [Int]
  /// The distinct values that are kept of each event.
  let columns: [Expression]
  public let features: [Feature]
}

/// One declared value of a view. A class, since the hot loop passes it around for every look-up.
public final class Feature: Sendable {
  /// As in `view:feature`.
  public let name: String
  /// As in a column of a training set or an input of a model: `view__feature`.
  public let columnName: String
  let aggregation: AggregationEntry
  /// Index into the view's columns; nil where whole events are counted.
  let column: Int?
  /// Nil: everything that ever happened.
  let window: TimeSpan?
  /// The window's start is rounded down to a multiple of this; nil: exact.
  let hop: TimeSpan?

  init(
    name: String, view: String, aggregation: AggregationEntry, column: Int?, window: TimeSpan?,
    hop: TimeSpan?
  ) {
    self.name = "\(view):\(name)"
    self.columnName = "\(view)__\(name)"
    self.aggregation = aggregation
    self.column = column
    self.window = window
    self.hop = hop
  }

  /// Where the window of a question at `time` starts.
  func start(at time: Timestamp) -> Timestamp {
    guard let window else { return .distantPast }
    let start = time - window
    return hop.map(start.roundedDown(to:)) ?? start
  }

  /// How far back a window can reach, at most.
  var reach: TimeSpan? {
    window.map { TimeSpan(microseconds: $0.microseconds + (hop?.microseconds ?? 0)) }
  }

  /// The hop where none is asked for: fine where windows are short, coarse where they are long, so that the
  /// state of a window is at most a few hundred tiles (Chronon's rule).
  static func defaultHop(_ window: TimeSpan) -> TimeSpan? {
    if window >= .days(12) { return .days(1) }
    if window >= .hours(12) { return .hours(1) }
    if window >= .hours(1) { return .minutes(5) }
    return nil
  }
}
