// One aggregation divided by another over the same window, as in ratio: [{ sum: "late" }, { count: "*" }]. It has no state
// of its own: both share theirs with features that ask for the same. As exact as the two. Null where either is
// null or no number, and where the divisor is 0.

import Core

enum Ratio {
  static let name = "ratio"

  static func quotient(_ dividend: Cell, _ divisor: Cell) -> Cell {
    guard let dividend = dividend.number, let divisor = divisor.number, divisor != 0 else {
      return .null
    }
    return Cell(finite: dividend / divisor)
  }
}
