// The skewness of the values themselves, not corrected for a sample: sqrt(n) · M3 / M2^1.5, as Spark and Chronon have
// it. State: 40 bytes (`Moments4`). Grouping changes the last digits only. Null of nothing, and where all
// values are equal.

import Core

struct Skewness: Aggregation {
  private var moments = Moments4()

  init(_: NoParameters) {}

  mutating func add(_ cell: Cell, at _: Timestamp) { moments.add(cell) }
  mutating func merge(_ later: Skewness) { moments.merge(later.moments) }

  func result(_: Question) -> Cell {
    guard moments.squares > 0 else { return .null }
    let spread = moments.squares * moments.squares.squareRoot()
    return Cell(finite: moments.count.squareRoot() * moments.cubes / spread)
  }
}

extension Skewness {
  func write(to bytes: inout StateWriter) { moments.write(to: &bytes) }

  init(_ parameters: NoParameters, from bytes: inout StateReader) {
    self.init(parameters)
    moments = Moments4(from: &bytes)
  }
}
