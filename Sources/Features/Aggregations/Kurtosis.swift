// The excess kurtosis of the values themselves, not corrected for a sample: n · M4 / M2² - 3, as Spark and Chronon
// have it; 0 for a normal distribution. State: 40 bytes (`Moments4`). Grouping changes the last digits only. Null
// of nothing, and where all values are equal.

import Core

struct Kurtosis: Aggregation {
  private var moments = Moments4()

  init(_: NoParameters) {}

  mutating func add(_ cell: Cell, at _: Timestamp) { moments.add(cell) }
  mutating func merge(_ later: Kurtosis) { moments.merge(later.moments) }

  func result(_: Question) -> Cell {
    guard moments.squares > 0 else { return .null }
    return Cell(finite: moments.count * moments.fourths / (moments.squares * moments.squares) - 3)
  }
}

extension Kurtosis {
  func write(to bytes: inout StateWriter) { moments.write(to: &bytes) }

  init(_ parameters: NoParameters, from bytes: inout StateReader) {
    self.init(parameters)
    moments = Moments4(from: &bytes)
  }
}
