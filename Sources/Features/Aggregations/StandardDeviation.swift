// The standard deviation of the sample (divided by n - 1). State: 24 bytes (`Moments2`). Grouping changes the last
// digits only, also far from zero. Null of fewer than two values.

import Core

struct StandardDeviation: Aggregation {
  private var moments = Moments2()

  init(_: NoParameters) {}

  mutating func add(_ cell: Cell, at _: Timestamp) { moments.add(cell) }
  mutating func merge(_ later: StandardDeviation) { moments.merge(later.moments) }

  func result(_: Question) -> Cell {
    moments.count < 2
      ? .null : Cell(finite: (moments.squares / (moments.count - 1)).squareRoot())
  }
}

extension StandardDeviation {
  func write(to bytes: inout StateWriter) { moments.write(to: &bytes) }

  init(_ parameters: NoParameters, from bytes: inout StateReader) {
    self.init(parameters)
    moments = Moments2(from: &bytes)
  }
}
