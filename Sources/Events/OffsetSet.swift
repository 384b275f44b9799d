// Which offsets of a source partition have been seen. They come in order but for what is delivered again, so a
// few ranges hold millions of them; what lies between two ranges has not been seen and is new if it comes.
//
//     seen  0 ..< 4,711   4,712 ..< 90,200        4,711 marked the end of a transaction

import Core

struct OffsetSet: Equatable {
  /// Ascending, with gaps between them.
  private(set) var ranges: [Range<Int64>] = []

  init() {}

  /// Nil unless the ranges ascend with gaps between them.
  init?(_ ranges: [Range<Int64>]) {
    for (range, next) in zip(ranges, ranges.dropFirst()) where range.upperBound >= next.lowerBound {
      return nil
    }
    guard ranges.allSatisfy({ !$0.isEmpty }) else { return nil }
    self.ranges = ranges
  }

  /// Behind the last offset seen; 0 where there is none.
  var end: Int64 { ranges.last?.upperBound ?? 0 }

  /// True if the offset was not there.
  ///
  /// - Complexity: O(1) at the end, else O(number of ranges).
  mutating func insert(_ offset: Int64) -> Bool {
    guard let last = ranges.last else {
      ranges.append(offset..<offset + 1)
      return true
    }
    if offset == last.upperBound {
      ranges[ranges.count - 1] = last.lowerBound..<offset + 1
      return true
    }
    if offset > last.upperBound {
      ranges.append(offset..<offset + 1)
      if ranges.count > Limits.sourceGapsMax { closeFirstGap() }
      return true
    }
    return insertBefore(offset)
  }

  private mutating func insertBefore(_ offset: Int64) -> Bool {
    // The first range that ends behind the offset or at it.
    var (low, high) = (0, ranges.count)
    while low < high {
      let middle = (low + high) / 2
      if ranges[middle].upperBound < offset { low = middle + 1 } else { high = middle }
    }
    let range = ranges[low]
    if range.contains(offset) { return false }
    if range.upperBound == offset {
      ranges[low] = range.lowerBound..<offset + 1
      if low + 1 < ranges.count, ranges[low + 1].lowerBound == offset + 1 {
        ranges[low] = range.lowerBound..<ranges[low + 1].upperBound
        ranges.remove(at: low + 1)
      }
    } else if range.lowerBound == offset + 1 {
      ranges[low] = offset..<range.upperBound
    } else {
      ranges.insert(offset..<offset + 1, at: low)
      if ranges.count > Limits.sourceGapsMax { closeFirstGap() }
    }
    return true
  }

  private mutating func closeFirstGap() {
    ranges[1] = ranges[0].lowerBound..<ranges[1].upperBound
    ranges.remove(at: 0)
  }
}
