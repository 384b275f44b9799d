// The partial states of one aggregation of one column, for all entities of a view. Every window of that aggregation
// whose tiles are as wide is answered from the same states. The generic subclass holds them as plain values, one
// after another, so that no state is a box and one dynamic call a question leads into specialised code (`Answering`).

import Core

/// How a family's rows are folded.
struct FoldShape {
  let grouping: Grouping
  /// Nil where whole events are counted.
  let column: Int?
  let isSession: Bool
  /// Of tiles.
  let width: TimeSpan?

  init(_ grouping: Grouping, column: Int?) {
    self.grouping = grouping
    self.column = column
    if case .sessions = grouping { isSession = true } else { isSession = false }
    if case .tiles(let width) = grouping { self.width = width } else { width = nil }
  }
}

class Family {
  /// Up to so many rows are folded at once; an exact window that holds more is made of tiles.
  static let plainRowsMax = 64

  final let shape: FoldShape
  /// The windows that are asked for, by their slot.
  final private(set) var windows: [Window] = []
  /// How far before the watermark tiles are needed.
  final private(set) var reach = TimeSpan.zero

  init(_ grouping: Grouping, column: Int?) { shape = FoldShape(grouping, column: column) }

  /// The slot of a window, added if it is new. All are added before the first track is made.
  final func slot(_ window: Window) -> Int {
    if let known = windows.firstIndex(of: window) { return known }
    windows.append(window)
    reach = max(reach, window.reach ?? .zero)
    return windows.count - 1
  }

  /// Makes room for one more entity with partial states.
  func addTrack(from row: Int) { preconditionFailure("a family is typed") }
  /// Starts an entity's partial states anew.
  func resetTrack(_ track: Int, from row: Int) { preconditionFailure("a family is typed") }
  /// An event was put at `row`, before others.
  func takeBack(_ track: Int, to row: Int) { preconditionFailure("a family is typed") }
  /// No row before `row` will be looked at again.
  func settle(_ history: EntityHistory, to row: Int, watermark: Timestamp) {
    preconditionFailure("a family is typed")
  }
  func value(
    _ history: EntityHistory, slot: Int, _ asked: UnsafePointer<AskedWindow>
  ) -> Cell { preconditionFailure("a family is typed") }

  // As bytes; see `EntityRow`.

  /// Writes an entity's partial states, of which those before `row` are for good.
  func write(_ history: EntityHistory, from row: Int, to bytes: inout StateWriter) {
    preconditionFailure("a family is typed")
  }
  /// Makes an entity's partial states what was written; false if that is damaged.
  func restore(_ track: Int, from section: StateReader) -> Bool {
    preconditionFailure("a family is typed")
  }
  /// The same as of a history, from what was written; nil if that is damaged.
  func value(
    _ row: AskedRow, _ fold: FoldPlan, _ asked: UnsafePointer<AskedWindow>
  ) -> Cell? { preconditionFailure("a family is typed") }

  /// How few rows are folded without this family.
  var quickFold: QuickFold { preconditionFailure("a family is typed") }
  /// Whether its result of whole events is their number.
  var countsEvents: Bool { preconditionFailure("a family is typed") }
  /// Whether an answer moves with the question's own time, though nothing comes into the window or leaves it.
  var hasMovingAnswers: Bool { preconditionFailure("a family is typed") }
}

/// Where a family's parts of a row lie, by its view's numbering.
struct FoldPlan {
  let family: Int
  let grouping: Int
  /// Whether any window is answered from partial states.
  let isGrouped: Bool
}

final class TypedFamily<State: Aggregation>: Family {
  let parameters: State.Parameters
  let empty: State
  var tracks: [Track<State>] = []

  init(_ parameters: State.Parameters, _ grouping: Grouping, column: Int?) {
    self.parameters = parameters
    empty = State(parameters)
    super.init(grouping, column: column)
  }

  fileprivate func newTrack(from row: Int) -> Track<State> {
    var track = Track(from: row, empty)
    if shape.width != nil {
      track.merged = Array(repeating: nil, count: windows.count)
      if windows.contains(where: { $0.rowReach > .zero }) {
        track.suffixes = Array(repeating: Suffixes(), count: windows.count)
      }
    }
    return track
  }

  // The methods of a generic class are never specialised; those of the conforming types that they lead to are.

  override func addTrack(from row: Int) { tracks.append(newTrack(from: row)) }
  override func resetTrack(_ track: Int, from row: Int) { tracks[track] = newTrack(from: row) }
  override func takeBack(_ track: Int, to row: Int) { State.takeBack(self, track, to: row) }

  override func settle(_ history: EntityHistory, to row: Int, watermark: Timestamp) {
    State.settle(self, history, to: row, watermark: watermark)
  }

  override func value(
    _ history: EntityHistory, slot: Int, _ asked: UnsafePointer<AskedWindow>
  ) -> Cell { State.value(self, history, slot: slot, asked) }

  override func write(_ history: EntityHistory, from row: Int, to bytes: inout StateWriter) {
    State.write(self, history, from: row, to: &bytes)
  }

  override func restore(_ track: Int, from section: StateReader) -> Bool {
    State.restore(self, track, from: section)
  }

  override func value(
    _ row: AskedRow, _ fold: FoldPlan, _ asked: UnsafePointer<AskedWindow>
  ) -> Cell? { State.value(self, row, fold, asked) }

  override var quickFold: QuickFold { State.quickFold }
  override var countsEvents: Bool { State.countsEvents && shape.column == nil }
  override var hasMovingAnswers: Bool { State.movesWithTime || shape.isSession }
}
