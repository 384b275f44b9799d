// Two number columns at the same places: at every value where all values are known, else at the reference's edges, where
// the counts of both are exact.

import Core

struct NumberPair {
  /// Ascending.
  let grid: [Double]
  /// How many values lie at or below each place.
  let reference: [Double]
  let current: [Double]
  let referenceTotal: Double
  let currentTotal: Double
  let isExact: Bool

  init(_ reference: EdgeCounts, _ current: EdgeCounts) {
    isExact = reference.isExact && current.isExact
    var grid = reference.edges
    if isExact {
      grid = EdgeCounts.union(grid, current.edges)
    } else {
      // Beyond the reference's ends the current has places of its own.
      let low = current.edges.prefix { $0 < grid[0] }
      let high = current.edges.drop { $0 <= grid[grid.count - 1] }
      grid = low + grid + high
    }
    self.grid = grid
    self.reference = reference.cumulative(grid)
    self.current = current.cumulative(grid)
    referenceTotal = Double(reference.total)
    currentTotal = Double(current.total)
  }

  var pairs: PairedCounts {
    PairedCounts(NumberPair.steps(reference), NumberPair.steps(current))
  }

  private static func steps(_ cumulative: [Double]) -> [Double] {
    zip(cumulative, [0] + cumulative.dropLast()).map { $0 - $1 }
  }

  var referenceShares: [Double] { reference.map { $0 / referenceTotal } }
  var currentShares: [Double] { current.map { $0 / currentTotal } }

  /// Bins of about equal mass in the reference, open at both ends; each of few values is a bin of its own.
  func bins(_ most: Int) -> [DriftBin] {
    var cuts: [Int] = []
    let steps = NumberPair.steps(reference)
    let filled = steps.indices.filter { steps[$0] > 0 }
    if isExact, filled.count <= DriftRules.fewValues {
      cuts = filled
    } else {
      for part in 1..<max(2, most) {
        let wanted = referenceTotal * Double(part) / Double(max(2, most))
        if let cut = reference.firstIndex(where: { $0 >= wanted }), cut != cuts.last,
          reference[cut] < referenceTotal
        {
          cuts.append(cut)
        }
      }
      // Nothing lies between: one value has nearly everything.
      if cuts.isEmpty, let last = filled.last { cuts = [last] }
    }
    var result: [DriftBin] = []
    var before: Int?
    for cut in cuts + [grid.count - 1] where cut != before {
      let name = name(from: before, to: cut, isLast: cut == grid.count - 1 && cut != cuts.last)
      result.append(
        DriftBin(
          name: name, reference: reference[cut] - (before.map { reference[$0] } ?? 0),
          current: current[cut] - (before.map { current[$0] } ?? 0)))
      before = cut
    }
    return result.filter { $0.reference + $0.current > 0 }
  }

  private func name(from low: Int?, to high: Int, isLast: Bool) -> String {
    if isLast, let low { return "> \(grid[low].plain)" }
    guard let low else { return "≤ \(grid[high].plain)" }
    return "(\(grid[low].plain), \(grid[high].plain)]"
  }
}

/// A bin of a column and what of either side lies in it.
public struct DriftBin: Sendable, Equatable {
  public let name: String
  public var reference: Double
  public var current: Double
}

enum CategoryBins {
  static let rareName = "(rare)"
  static let otherName = "(other)"

  /// All categories of both sides; what one side counted among its others is there on the other side, too.
  static func bins(_ reference: CategoryCounts, _ current: CategoryCounts) -> [DriftBin] {
    var bins: [DriftBin] = []
    var other = DriftBin(
      name: otherName, reference: Double(reference.other), current: Double(current.other))
    for category in reference.top(.max) {
      let count = current.count(of: category.name)
      if count == nil, current.other > 0 {
        other.reference += Double(category.count)
        continue
      }
      bins.append(
        DriftBin(
          name: category.name, reference: Double(category.count), current: Double(count ?? 0)))
    }
    for category in current.top(.max) where reference.count(of: category.name) == nil {
      if reference.other > 0 {
        other.current += Double(category.count)
      } else {
        bins.append(DriftBin(name: category.name, reference: 0, current: Double(category.count)))
      }
    }
    if other.reference + other.current > 0 { bins.append(other) }
    return bins
  }

  /// Joins bins of which the smaller side would have fewer than five records if nothing had moved: they say nothing one by
  /// one, and the tests' limits do not hold for them.
  static func joiningRare(_ bins: [DriftBin]) -> [DriftBin] {
    let reference = bins.reduce(0) { $0 + $1.reference }
    let current = bins.reduce(0) { $0 + $1.current }
    let smaller = min(reference, current) / max(1, reference + current)
    func expected(_ bin: DriftBin) -> Double { (bin.reference + bin.current) * smaller }
    let rare = bins.filter { expected($0) < 5 }
    guard rare.count > 1 else { return bins }
    var joined = DriftBin(name: rareName, reference: 0, current: 0)
    for bin in rare {
      joined.reference += bin.reference
      joined.current += bin.current
    }
    return bins.filter { expected($0) >= 5 } + [joined]
  }
}
