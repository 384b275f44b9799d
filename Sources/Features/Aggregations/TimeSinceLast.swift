// The seconds since the last event ("*") or the last value that is not null. State: that time, 8 bytes. Exact to the
// microsecond. Null of nothing.

import Core

struct TimeSinceLast: Aggregation {
  private var latest = Timestamp.distantPast

  init(_: NoParameters) {}

  static var movesWithTime: Bool { true }

  mutating func add(_ cell: Cell, at time: Timestamp) {
    if cell != .null { latest = max(latest, time) }
  }

  mutating func merge(_ later: TimeSinceLast) { latest = max(latest, later.latest) }

  func result(_ question: Question) -> Cell {
    guard latest > .distantPast else { return .null }
    return .double(Double(question.time.microseconds - latest.microseconds) / 1e6)
  }
}

extension TimeSinceLast {
  func write(to bytes: inout StateWriter) { bytes.write(latest) }

  init(_ parameters: NoParameters, from bytes: inout StateReader) {
    self.init(parameters)
    latest = bytes.read()
  }
}
