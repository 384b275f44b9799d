// How much happens in a unit of time: events ("*") or the sum of values, divided by the length of the window, which for a
// window with a hop is its true length. State: 48 bytes (`RunningSum`). As exact as the sum. 0 of nothing; null of
// a window without a length.

import Core

struct RateUnit: Sendable {
  let span: TimeSpan

  /// `per`, or one second.
  init(_ node: ConfigNode) throws(Failure) {
    span = try node["per"]?.span(atLeast: TimeSpan(microseconds: 1)) ?? .seconds(1)
  }
}

struct Rate: Aggregation {
  private let unit: RateUnit
  private var sum = RunningSum()

  init(_ unit: RateUnit) { self.unit = unit }

  static var movesWithTime: Bool { true }

  mutating func add(_ cell: Cell, at _: Timestamp) { sum.add(cell) }
  mutating func merge(_ later: Rate) { sum.merge(later.sum) }

  func result(_ question: Question) -> Cell {
    let length = question.end.microseconds - question.start.microseconds
    guard length > 0 else { return .null }
    return Cell(finite: sum.double / (Double(length) / Double(unit.span.microseconds)))
  }
}

extension Rate {
  func write(to bytes: inout StateWriter) { sum.write(to: &bytes) }

  init(_ parameters: RateUnit, from bytes: inout StateReader) {
    self.init(parameters)
    sum = RunningSum(from: &bytes)
  }
}
