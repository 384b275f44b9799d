// Latencies in nanoseconds, counted in buckets whose width grows with the value: a power of two is split into
// equal parts, so a percentile is at most one part above the true value, whatever the range: 1/32 (3.2 %) with five
// bits, which suits a meter that is always on, 1/1024 (0.1 %) with ten, which suits a measurement. The layout is
// that of HdrHistogram (Gil Tene); two histograms merge by adding counts.
//
//     five bits   value:   0 … 31 | 32 … 63 | 64 … 127 | 128 … 255 | …
//                 width:      1        1         2           4

/// - Complexity: O(1) to record; 15 KiB of counts with five bits, 440 KiB with ten.
public struct LatencyHistogram: Sendable {
  /// A power of two has 2 to this many parts.
  public let bits: Int
  private var counts: [Int]
  public private(set) var count = 0
  public private(set) var maximum: UInt64 = 0
  public private(set) var sum: UInt64 = 0

  public init(bits: Int = 5) {
    precondition(1...14 ~= bits, "1 to 14 bits")
    self.bits = bits
    counts = [Int](repeating: 0, count: (64 - bits + 1) << bits)
  }

  public mutating func record(_ nanoseconds: UInt64) { record(nanoseconds, times: 1) }

  /// The same value so many times.
  @inline(__always)
  public mutating func record(_ nanoseconds: UInt64, times: Int) {
    counts[bucket(nanoseconds)] += times
    count += times
    sum &+= nanoseconds &* UInt64(truncatingIfNeeded: times)
    if times > 0 { maximum = max(maximum, nanoseconds) }
  }

  /// All of them, in a loop that keeps its sums in registers: some nanoseconds each.
  public mutating func record(contentsOf values: UnsafeBufferPointer<UInt64>) {
    let bits = bits
    var (sum, maximum) = (sum, maximum)
    counts.withUnsafeMutableBufferPointer { counts in
      for value in values {
        counts[LatencyHistogram.bucket(value, bits)] += 1
        sum &+= value
        maximum = max(maximum, value)
      }
    }
    count += values.count
    (self.sum, self.maximum) = (sum, maximum)
  }

  /// - Precondition: both have the same bits.
  public mutating func merge(_ other: LatencyHistogram) {
    precondition(bits == other.bits, "histograms of one layout")
    for index in counts.indices { counts[index] += other.counts[index] }
    count += other.count
    sum &+= other.sum
    maximum = max(maximum, other.maximum)
  }

  /// Takes the values of a histogram of any layout; of another one by the upper ends of its buckets.
  public mutating func add(_ other: LatencyHistogram) {
    if other.bits == bits { return merge(other) }
    other.forEachBucket { _, highest, count in record(highest, times: count) }
  }

  /// The smallest bucket's upper end that at least `percent` of the values do not exceed; nil when empty.
  public func percentile(_ percent: Double) -> UInt64? {
    guard count > 0 else { return nil }
    return value(atRank: Int((percent * Double(count) / 100).rounded(.up)))
  }

  /// The upper end of the bucket that holds the value of that rank, 1 the smallest; ranks outside are those of the
  /// ends.
  /// - Precondition: not empty.
  public func value(atRank rank: Int) -> UInt64 {
    let rank = max(1, rank)
    var seen = 0
    for (index, bucketCount) in counts.enumerated() {
      seen += bucketCount
      if seen >= rank { return min(upperEnd(index), maximum) }
    }
    return maximum
  }

  /// The lower end of that bucket.
  /// - Precondition: not empty.
  public func lowest(atRank rank: Int) -> UInt64 {
    let index = bucket(value(atRank: rank))
    return index == 0 ? 0 : upperEnd(index - 1) + 1
  }

  /// How many values are greater, up to the width of one bucket: those of the bound's own bucket are not.
  public func count(above bound: UInt64) -> Int {
    counts[(bucket(bound) + 1)...].reduce(0, +)
  }

  /// Each bucket that holds something, ascending.
  public func forEachBucket(_ body: (_ lowest: UInt64, _ highest: UInt64, _ count: Int) -> Void) {
    for (index, bucketCount) in counts.enumerated() where bucketCount > 0 {
      body(index == 0 ? 0 : upperEnd(index - 1) + 1, upperEnd(index), bucketCount)
    }
  }

  public mutating func removeAll() {
    for index in counts.indices { counts[index] = 0 }
    (count, maximum, sum) = (0, 0, 0)
  }

  /// As it was written down: buckets by any of their values, with the exact sum and maximum beside them.
  public mutating func restore(sum: UInt64, maximum: UInt64) {
    self.sum = sum
    self.maximum = maximum
  }

  /// Which of the layout's buckets the value falls into.
  public func bucket(of value: UInt64) -> Int { bucket(value) }

  @inline(__always)
  func bucket(_ value: UInt64) -> Int { LatencyHistogram.bucket(value, bits) }

  @inline(__always)
  private static func bucket(_ value: UInt64, _ bits: Int) -> Int {
    guard value >= 1 << UInt64(bits) else { return Int(value) }
    let shift = 63 - value.leadingZeroBitCount - bits
    return ((shift + 1) << bits) + Int(value >> UInt64(shift)) - (1 << bits)
  }

  /// The largest value that falls into the bucket.
  func upperEnd(_ index: Int) -> UInt64 {
    let parts = 1 << bits
    guard index >= parts else { return UInt64(index) }
    let shift = index / parts - 1
    let start = UInt64(index % parts + parts) << UInt64(shift)
    // In this order, so that the last bucket does not overflow.
    return start + ((1 << UInt64(shift)) - 1)
  }
}
