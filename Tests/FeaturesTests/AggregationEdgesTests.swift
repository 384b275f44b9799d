// Where doubles end: integers that no double holds, and sums that no double holds.

import Testing

@testable import Features

@Suite struct AggregationEdgesTests {
  /// Folds the values in every grouping of two parts.
  private func results<State: Aggregation>(_: State.Type, _ cells: [Cell]) -> [Cell] {
    (0...cells.count).map { cut in
      var first = State()
      var second = State()
      for cell in cells[..<cut] { first.add(cell) }
      for cell in cells[cut...] { second.add(cell) }
      first.merge(second)
      return first.result
    }
  }

  @Test func extremesOfIntegersAndDoublesAreExactInEveryGrouping() {
    let large: Int64 = 1 << 53
    let cells: [Cell] = [.int(large + 1), .double(Double(large)), .int(large - 1), .double(0x1p53)]
    for result in results(Maximum.self, cells) { #expect(result == .int(large + 1)) }
    for result in results(Minimum.self, cells) { #expect(result == .int(large - 1)) }
    let ends: [Cell] = [.int(.max), .double(0x1p63), .int(.min), .double(-0x1p64)]
    for result in results(Maximum.self, ends) { #expect(result == .double(0x1p63)) }
    for result in results(Minimum.self, ends) { #expect(result == .double(-0x1p64)) }
  }

  /// On the way to the true sum a grouping may pass beyond the range: then it is null, never not-a-number.
  @Test func aSumThatPassesTheRangeIsNullOrRight() {
    let cells: [Cell] = [.double(1.7e308), .double(1.7e308), .double(-1.7e308)]
    let sums = results(Sum.self, cells)
    #expect(sums.contains(.null))
    for sum in sums { #expect(sum == .null || sum == .double(1.7e308)) }
    for mean in results(Mean.self, cells) { #expect(mean == .null || mean == .double(1.7e308 / 3)) }
  }
}
