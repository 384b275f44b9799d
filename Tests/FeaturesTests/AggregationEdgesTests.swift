// Where doubles end: integers that no double holds, and sums that no double holds.

import Core
import Testing

@testable import Features

@Suite struct AggregationEdgesTests {
  /// Folds the values in every grouping of two parts.
  private func results(_ name: String, _ cells: [Cell]) -> [Cell] {
    (0...cells.count).map { Folding.byName[name]!.merged(cells, [$0]) }
  }

  @Test func extremesOfIntegersAndDoublesAreExactInEveryGrouping() {
    let large: Int64 = 1 << 53
    let cells: [Cell] = [.int(large + 1), .double(Double(large)), .int(large - 1), .double(0x1p53)]
    for result in results("max", cells) { #expect(result == .int(large + 1)) }
    for result in results("min", cells) { #expect(result == .int(large - 1)) }
    let ends: [Cell] = [.int(.max), .double(0x1p63), .int(.min), .double(-0x1p64)]
    for result in results("max", ends) { #expect(result == .double(0x1p63)) }
    for result in results("min", ends) { #expect(result == .double(-0x1p64)) }
  }

  @Test func unsignedIntegersAreExactInEveryGrouping() {
    let top = UInt64.max
    let cells: [Cell] = [
      .uint(top - 1), .int(.max), .uint(1 << 63), .double(0x1p63), .uint(top), .uint(top - 1),
    ]
    for result in results("max", cells) { #expect(result == .uint(top)) }
    for result in results("min", cells) { #expect(result == .int(.max)) }
    // 2^63 as an integer and as a double is one value.
    for result in results("count_distinct", cells) { #expect(result == .int(4)) }
    let summed: [Cell] = [.uint(top), .int(-1), .int(.max), .int(.min), .int(1)]
    for result in results("sum", summed) { #expect(result == .uint(top - 1)) }
    for result in results("sum", [.uint(top), .int(1)]) { #expect(result == .double(0x1p64)) }
    for result in results("mean", [.uint(top), .uint(top)]) {
      #expect(result == .double(0x1p64))
    }
    for result in results("min", [.double(0x1p64), .uint(top)]) {
      #expect(result == .uint(top))
    }
  }

  @Test func entitiesOfNeighbouringIntegersAreApart() {
    func key(_ value: Scalar) -> [UInt8] {
      let key = EntityKey()
      #expect(withUnsafePointer(to: value) { key.assign(KeySlots(owning: [0]), $0) })
      return Array(key.bytes.buffer)
    }
    let ids: [Scalar] = [
      .int(.max), .uint(1 << 63), .uint(1 << 63 + 1), .uint(.max - 1), .uint(.max), .int(.min),
      .int(-1), .double(0x1p64),
    ]
    #expect(Set(ids.map(key)).count == ids.count)
    #expect(key(.uint(1 << 63)) == key(.double(0x1p63)))
  }

  /// On the way to the true sum a grouping may pass beyond the range: then it is null, never not-a-number.
  @Test func aSumThatPassesTheRangeIsNullOrRight() {
    let cells: [Cell] = [.double(1.7e308), .double(1.7e308), .double(-1.7e308)]
    let sums = results("sum", cells)
    #expect(sums.contains(.null))
    for sum in sums { #expect(sum == .null || sum == .double(1.7e308)) }
    for mean in results("mean", cells) { #expect(mean == .null || mean == .double(1.7e308 / 3)) }
  }
}
