// Latencies in nanoseconds, counted in buckets whose width grows with the value: a power of two is split into
// 32 equal parts, so a percentile is at most 1/32 (3.2 %) above the true value, whatever the range. The
// layout is that of HdrHistogram (Gil Tene) with five bits; two histograms merge by adding counts.
//
//     value:   0 … 31 | 32 … 63 | 64 … 127 | 128 … 255 | …
//     width:      1        1         2           4

/// - Complexity: O(1) to record; about 15 KiB of counts.
public struct LatencyHistogram: Sendable {
  private static let bits = 5
  private static let parts = 1 << bits
  private var counts = [Int](repeating: 0, count: (64 - bits + 1) * parts)
  public private(set) var count = 0
  public private(set) var maximum: UInt64 = 0
  public private(set) var sum: UInt64 = 0

  public init() {}

  public mutating func record(_ nanoseconds: UInt64) {
    counts[LatencyHistogram.bucket(nanoseconds)] += 1
    count += 1
    sum &+= nanoseconds
    maximum = max(maximum, nanoseconds)
  }

  /// The same value so many times.
  public mutating func record(_ nanoseconds: UInt64, times: Int) {
    counts[LatencyHistogram.bucket(nanoseconds)] += times
    count += times
    sum &+= nanoseconds &* UInt64(times)
    if times > 0 { maximum = max(maximum, nanoseconds) }
  }

  public mutating func merge(_ other: LatencyHistogram) {
    for index in counts.indices { counts[index] += other.counts[index] }
    count += other.count
    sum &+= other.sum
    maximum = max(maximum, other.maximum)
  }

  /// The smallest bucket's upper end that at least `percent` of the values do not exceed; nil when empty.
  public func percentile(_ percent: Double) -> UInt64? {
    guard count > 0 else { return nil }
    let rank = max(1, Int((percent * Double(count) / 100).rounded(.up)))
    var seen = 0
    for (index, bucketCount) in counts.enumerated() {
      seen += bucketCount
      if seen >= rank { return min(LatencyHistogram.upperEnd(index), maximum) }
    }
    return maximum
  }

  static func bucket(_ value: UInt64) -> Int {
    guard value >= UInt64(parts) else { return Int(value) }
    let shift = 63 - value.leadingZeroBitCount - bits
    return (shift + 1) * parts + Int(value >> UInt64(shift)) - parts
  }

  /// The largest value that falls into the bucket.
  static func upperEnd(_ index: Int) -> UInt64 {
    guard index >= parts else { return UInt64(index) }
    let shift = index / parts - 1
    let start = UInt64(index % parts + parts) << UInt64(shift)
    // In this order, so that the last bucket does not overflow.
    return start + ((1 << UInt64(shift)) - 1)
  }
}
