// A window with the question at hand. Between two of its hops a window starts, and where it ends with a tile ends, at the
// same moments, so that most questions need no division to find them.

import Core

struct AskedWindow {
  let window: Window
  /// Whether it starts between two tiles.
  let isExact: Bool
  let endsWithTile: Bool
  /// Of an exact one, how far it reaches back; zero of any other.
  private let exactSpan: TimeSpan
  var question: Question
  /// The questions whose stretch is that of the last one, but for an end that is the question's own time; none of
  /// an exact window, all of an unbounded one.
  private(set) var steady: (from: Timestamp, until: Timestamp) = (.distantFuture, .distantPast)

  init(_ window: Window, _ texts: AnswerTexts) {
    self.window = window
    isExact = window.rowReach > .zero
    endsWithTile = window.endsWithTile
    exactSpan = window.rowReach
    question = Question(
      time: .distantPast, start: .distantPast, end: .distantPast, texts: texts)
  }

  /// The stretch for a question at `time`.
  @inline(__always)
  mutating func stretch(at time: Timestamp) -> (start: Timestamp, end: Timestamp) {
    if isExact { return (time - exactSpan, time) }
    if time >= steady.from, time < steady.until {
      return (question.start, endsWithTile ? question.end : time)
    }
    let stretch = window.stretch(at: time)
    steady = window.steadyTimes(stretch.start, stretch.end)
    return stretch
  }
}

extension Window {
  /// The questions with the stretch `start ..< end`, or with that start where the end is the question's own time.
  func steadyTimes(_ start: Timestamp, _ end: Timestamp) -> (from: Timestamp, until: Timestamp) {
    switch self {
    case .unbounded, .session: return (.distantPast, .distantFuture)
    case .sliding(_, nil): return (.distantFuture, .distantPast)
    case .sliding(let span, let hop?): return (start + span, start + span + hop)
    case .tumbling(let span): return (end, end + span)
    case .cumulative(_, let step?): return (end, end + step)
    case .cumulative(let span, nil):
      let first = start + TimeSpan(microseconds: 1)
      return (first, first + span)
    }
  }
}
