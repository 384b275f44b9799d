// What a window is folded into. An aggregation is a partial state that values are added to in the order of
// their events and that merges with the state of a later stretch: merge only, nothing is ever taken
// back out, since a minimum cannot give back what it has swallowed and a variance loses its digits.
//
// One rule for what is missing: a null is no value. It is not counted, summed, picked or remembered; an
// aggregation of nothing is 0 if it counts and null if it does not. A new aggregation is one file here and
// one line in `AggregationTable`.

import Core

protocol Aggregation: Sendable {
  associatedtype Parameters: Sendable = NoParameters
  /// The state of no values.
  init(_ parameters: Parameters)
  /// Takes the next value in event order. Nulls are left to the aggregation.
  mutating func add(_ cell: Cell, at time: Timestamp)
  /// Takes the state of the values that come after this one's. Merged into the state of no values it
  /// gives exactly that state.
  mutating func merge(_ later: Self)
  func result(_ question: Question) -> Cell
  /// States are copied once in this many events, so that a late event need not fold everything anew. Those
  /// that hold lists or sets, whose copies cost, say a larger number.
  static var checkpointSpacing: Int { get }
  /// The state as bytes, from which `init(_:from:)` makes an equal one. A state's bytes are read alone: their end is
  /// its end.
  func write(to bytes: inout StateWriter)
  init(_ parameters: Parameters, from bytes: inout StateReader)

  /// Whether the result is the same to the last bit however the values are grouped.
  static var isIndifferentToGrouping: Bool { get }
  /// Whether the result of whole events is their number.
  static var countsEvents: Bool { get }
  /// The same result by fewer steps, where the rows of an exact window are few.
  static var quickFold: QuickFold { get }
  /// Whether the result moves with the question's own time, though nothing comes into the window or leaves it.
  static var movesWithTime: Bool { get }

  // The same for all; see `Answering` and `RowAnswering`.

  static func takeBack(_ family: TypedFamily<Self>, _ track: Int, to row: Int)
  static func settle(
    _ family: TypedFamily<Self>, _ history: EntityHistory, to row: Int, watermark: Timestamp)
  static func value(
    _ family: TypedFamily<Self>, _ history: EntityHistory, slot: Int,
    _ asked: UnsafePointer<AskedWindow>
  ) -> Cell
  static func write(
    _ family: TypedFamily<Self>, _ history: EntityHistory, from row: Int,
    to bytes: inout StateWriter)
  static func restore(_ family: TypedFamily<Self>, _ track: Int, from section: StateReader) -> Bool
  static func value(
    _ family: TypedFamily<Self>, _ row: AskedRow, _ fold: FoldPlan,
    _ asked: UnsafePointer<AskedWindow>
  ) -> Cell?
}

extension Aggregation {
  static var checkpointSpacing: Int { 64 }
  static var isIndifferentToGrouping: Bool { false }
  static var countsEvents: Bool { false }
  static var quickFold: QuickFold { .none }
  static var movesWithTime: Bool { false }
}

/// For aggregations that are told nothing but their values.
struct NoParameters: Sendable {}

/// What a result may depend on besides the values.
struct Question {
  private(set) var time: Timestamp
  /// Where the window starts.
  private(set) var start: Timestamp
  /// Where it ends: `time`, or before.
  private(set) var end: Timestamp
  /// Of the view, which outlives its questions.
  unowned(unsafe) let texts: AnswerTexts
  /// The first row in the window that is kept.
  var firstRow = 0
  /// Behind the last row in the window.
  var endRow = 0
}

extension Question {
  /// Makes it the next question about the same window of the same view.
  @inline(__always)
  mutating func ask(
    at time: Timestamp, _ start: Timestamp, _ end: Timestamp, rows first: Int, _ behind: Int
  ) {
    (self.time, self.start, self.end) = (time, start, end)
    (firstRow, endRow) = (first, behind)
  }
}

/// The number that an aggregation of numbers takes; nil for what is none.
extension Cell {
  @inline(__always)
  var number: Double? {
    switch self {
    case .int(let value): Double(value)
    case .uint(let value): Double(value)
    case .double(let value): value
    case .bool(let value): value ? 1 : 0
    case .null, .text, .time, .document: nil
    }
  }
}
