// Offsets seen, held against a plain set of numbers.

import Core
import Testing

@testable import Events

@Suite struct OffsetSetTests {
  @Test(arguments: 0..<30) func agreesWithAPlainSet(_ seed: Int) {
    var random = SplitMix64(seed: UInt64(seed))
    var offsets = OffsetSet()
    var twin: Set<Int64> = []
    let bound = Int64([8, 40, 400][seed % 3])
    for step in 0..<600 {
      // Mostly in order, as a partition comes, with jumps back and forth.
      let next = offsets.end + (seed % 2 == 0 ? 0 : 1)
      let offset =
        step % 5 == 0 || next > bound ? Int64.random(in: 0..<bound, using: &random) : next
      let isNew = offsets.insert(offset)
      #expect(isNew == twin.insert(offset).inserted)
      #expect(offsets.end == twin.max()! + 1)
    }
    #expect(Set(offsets.ranges.flatMap { Array($0) }) == twin)
    #expect(OffsetSet(offsets.ranges) == offsets, "ascending, with gaps between")
  }

  @Test func aPartitionInOrderIsOneRange() {
    var offsets = OffsetSet()
    var count = 0
    for offset in Int64(5)..<100_000 where offsets.insert(offset) { count += 1 }
    #expect(count == 99_995)
    #expect(offsets.ranges == [5..<100_000])
    let again = [offsets.insert(5), offsets.insert(99_999), offsets.insert(4)]
    #expect(again == [false, false, true])
  }

  @Test func memoryIsBoundedByTakingTheOldestGapForSeen() {
    var offsets = OffsetSet()
    for number in 0..<Int64(Limits.sourceGapsMax) + 10 { _ = offsets.insert(number * 2) }
    #expect(offsets.ranges.count == Limits.sourceGapsMax)
    let (old, young) = (offsets.insert(1), offsets.insert(Int64(Limits.sourceGapsMax) * 2 - 1))
    #expect(!old && young, "the oldest gaps are closed, the youngest are not")
  }

  @Test func rangesOutOfOrderAreNone() {
    #expect(OffsetSet([0..<2, 2..<3]) == nil)
    #expect(OffsetSet([4..<5, 0..<2]) == nil)
    #expect(OffsetSet([1..<1]) == nil)
    #expect(OffsetSet([])?.end == 0)
  }
}
