// Which events a feature counts when it is asked at a time q. Every window is a stretch [start, end) with
// end ≤ q, so nothing at q is ever seen; all are aligned to the epoch (Flink's rule, right for times
// before 1970 too).
//
//     unbounded                                   everything before q
//     sliding w          [q − w, q)               with a hop, the start is rounded down to it (sawtooth)
//     tumbling w         [k·w, (k+1)·w)           the last one that has ended by q
//     cumulative w       [k·w, e)                 e is q, or the last multiple of the step that is not after q
//     session gap        from its first event     the one that an event at q would still belong to
//
// A window that ends at q has ended at q: a tumbling or cumulative window is whole at its very end, as
// Flink emits it then.

import Core

enum Window: Sendable, Hashable {
  case unbounded
  case sliding(TimeSpan, hop: TimeSpan?)
  case tumbling(TimeSpan)
  case cumulative(TimeSpan, step: TimeSpan?)
  case session(gap: TimeSpan)

  /// The stretch for a question at `time`. Of a session only the end is known without its events.
  @inline(__always)
  func stretch(at time: Timestamp) -> (start: Timestamp, end: Timestamp) {
    switch self {
    case .unbounded, .session: return (.distantPast, time)
    case .sliding(let span, let hop):
      let start = time - span
      return (hop.map(start.roundedDown(to:)) ?? start, time)
    case .tumbling(let span):
      let end = time.roundedDown(to: span)
      return (end - span, end)
    case .cumulative(let span, let step):
      let end = step.map(time.roundedDown(to:)) ?? time
      return ((end - TimeSpan(microseconds: 1)).roundedDown(to: span), end)
    }
  }

  /// How far before a question its stretch can start, at most; nil: without end.
  var reach: TimeSpan? {
    switch self {
    case .unbounded, .session: nil
    case .sliding(let span, let hop):
      TimeSpan(microseconds: span.microseconds + (hop?.microseconds ?? 0))
    case .tumbling(let span): TimeSpan(microseconds: 2 * span.microseconds)
    case .cumulative(let span, let step):
      TimeSpan(microseconds: span.microseconds + (step?.microseconds ?? 1))
    }
  }

  /// How far before the watermark the events themselves are needed: only a start that lies between two
  /// tiles has to look at them again.
  var rowReach: TimeSpan {
    if case .sliding(let span, nil) = self { span } else { .zero }
  }

  /// Whether it always ends where a tile ends.
  var endsWithTile: Bool {
    switch self {
    case .tumbling, .cumulative(_, step: .some): true
    case .unbounded, .sliding, .cumulative, .session: false
    }
  }

  /// Into what the events are folded.
  var grouping: Grouping {
    switch self {
    case .unbounded: .whole
    case .sliding(_, let hop?): .tiles(hop)
    case .sliding(let span, nil):
      .tiles(TimeSpan(microseconds: max(1, span.microseconds / Window.tilesOfExact)))
    case .tumbling(let span): .tiles(span)
    case .cumulative(let span, let step): .tiles(step ?? span)
    case .session(let gap): .sessions(gap: gap)
    }
  }

  /// An exact window is this many tiles and two edges: few enough to merge for each question, many enough
  /// that the edges are short.
  private static let tilesOfExact: Int64 = 16

  /// The hop where none is asked for: fine where windows are short, coarse where they are long, so that the
  /// state of a window is at most a few hundred tiles (Chronon's rule).
  static func defaultHop(_ window: TimeSpan) -> TimeSpan? {
    if window >= .days(12) { return .days(1) }
    if window >= .hours(12) { return .hours(1) }
    if window >= .hours(1) { return .minutes(5) }
    return nil
  }
}

/// Where one partial state ends and the next begins.
enum Grouping: Sendable, Hashable {
  case whole
  /// Of equal width, aligned to the epoch.
  case tiles(TimeSpan)
  /// A new one after a silence longer than the gap. Two events exactly the gap apart are of one session.
  case sessions(gap: TimeSpan)

  /// The first time that does not belong to the group of an event at `time`, if that is the group's latest.
  @inline(__always)
  func boundary(after time: Timestamp) -> Timestamp {
    switch self {
    case .whole: .distantFuture
    case .tiles(let width): time.roundedDown(to: width) + width
    case .sessions(let gap): time + gap + TimeSpan(microseconds: 1)
    }
  }
}
