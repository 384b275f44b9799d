import Core

extension Moments2 {
  /// What is no number is passed over.
  mutating func add(_ cell: Cell) {
    if let value = cell.number { add(value) }
  }
}

extension Moments4 {
  /// What is no number is passed over.
  mutating func add(_ cell: Cell) {
    if let value = cell.number { add(value) }
  }
}
