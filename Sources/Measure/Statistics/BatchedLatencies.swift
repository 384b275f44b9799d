// Latencies in the order in which they came, in flat memory: one fine histogram of all, and coarse ones of batches of
// equal length, at most 64, two of which are put together whenever there would be more. From the batches follows how
// strongly neighbours hang together, at any threshold: if they did not, the share above it would vary between batches
// by p(1 − p)/length and no more ("batch means").
//
//     batches:   ▏ 64 ▏ 64 ▏ 64 ▏ …     full: pairs become one, and the length doubles
//
// An error is a value above every threshold here, if the caller records it as such.

public import Core

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

public struct BatchedLatencies: Sendable {
  public private(set) var all = LatencyHistogram(bits: 10)
  /// Those that are full, and the one that is being filled.
  private var batches: [LatencyHistogram] = []
  private var open = LatencyHistogram(bits: 5)
  private var length = 16
  private static let batchesMax = 64
  /// Fewer batches say nothing of how they vary.
  private static let batchesMin = 8

  public init() {}

  public mutating func record(_ nanoseconds: UInt64) {
    all.record(nanoseconds)
    if open.count == length { closeBatch() }
    open.record(nanoseconds)
  }

  /// Values in their order, as one after another.
  public mutating func record(contentsOf values: UnsafeBufferPointer<UInt64>) {
    all.record(contentsOf: values)
    var rest = values
    while !rest.isEmpty {
      if open.count == length { closeBatch() }
      let part = min(rest.count, length - open.count)
      open.record(contentsOf: UnsafeBufferPointer(rebasing: rest[..<part]))
      rest = UnsafeBufferPointer(rebasing: rest[part...])
    }
  }

  /// Values whose order is not known.
  public mutating func merge(_ histogram: LatencyHistogram) {
    all.add(histogram)
  }

  @inline(never)
  private mutating func closeBatch() {
    batches.append(open)
    open.removeAll()
    guard batches.count == BatchedLatencies.batchesMax else { return }
    for index in 0..<(batches.count / 2) {
      batches[index] = batches[index * 2]
      batches[index].merge(batches[index * 2 + 1])
    }
    batches.removeLast(batches.count / 2)
    length *= 2
  }

  private var whole: [LatencyHistogram] { open.count == length ? batches + [open] : batches }

  /// By how much more the share above the percentile varies than that of independent values; 1 at least. An estimate
  /// of few batches is itself unsure, which Student's factor allows for.
  public func inflation(at percent: Double, confidence: Double) -> Double {
    guard all.count > 0 else { return 1 }
    let bound = all.percentile(percent)!
    return BatchVariance.inflation(
      whole.map { $0.count(above: bound) }, length: length, confidence: confidence,
      batchesMin: BatchedLatencies.batchesMin)
  }

  /// Where the percentile lies.
  public func interval(_ percent: Double, confidence: Double) -> QuantileInterval {
    QuantileInterval.interval(
      of: all, percent, confidence: confidence,
      inflation: inflation(at: percent, confidence: confidence))
  }

  /// The mean and an interval around it by the batches' means; nil where there are too few of them.
  public func mean(confidence: Double) -> (value: Double, low: Double, high: Double)? {
    guard all.count > 0 else { return nil }
    let value = Double(all.sum) / Double(all.count)
    let means = whole.map { Double($0.sum) / Double($0.count) }
    guard means.count >= BatchedLatencies.batchesMin else { return nil }
    let center = means.reduce(0, +) / Double(means.count)
    let squares = means.reduce(0) { $0 + ($1 - center) * ($1 - center) }
    let degrees = Double(means.count - 1)
    let factor = StudentDistribution.quantile(1 - (1 - confidence) / 2, degrees: degrees)
    let half = factor * (squares / degrees / Double(means.count)).squareRoot()
    return (value, max(0, value - half), value + half)
  }
}

/// How counts of something vary between batches of equal length.
public enum BatchVariance {
  public static func inflation(
    _ counts: [Int], length: Int, confidence: Double, batchesMin: Int = 8
  ) -> Double {
    guard counts.count >= batchesMin else { return 1 }
    let expected = Double(counts.reduce(0, +)) / Double(counts.count)
    let share = expected / Double(length)
    guard share > 0, share < 1 else { return 1 }
    let squares = counts.reduce(0) { $0 + (Double($1) - expected) * (Double($1) - expected) }
    let degrees = Double(counts.count - 1)
    let ratio = squares / degrees / (expected * (1 - share))
    guard ratio > 1 else { return 1 }
    let tail = 1 - (1 - confidence) / 2
    let factor =
      StudentDistribution.quantile(tail, degrees: degrees) / NormalDistribution.quantile(tail)
    return ratio * factor * factor
  }
}

/// Failures among requests in their order, in batches as above.
public struct BatchedErrors: Sendable {
  public private(set) var count = 0
  public private(set) var errors = 0
  private var batches: [(count: Int, errors: Int)] = []
  private var length = 16

  public init() {}

  public mutating func record(isError: Bool) {
    count += 1
    if isError { errors += 1 }
    if batches.isEmpty || batches[batches.count - 1].count >= length {
      if batches.count == 64 {
        for index in 0..<32 {
          let (left, right) = (batches[index * 2], batches[index * 2 + 1])
          batches[index] = (left.count + right.count, left.errors + right.errors)
        }
        batches.removeLast(32)
        length *= 2
      }
      batches.append((0, 0))
    }
    batches[batches.count - 1].count += 1
    if isError { batches[batches.count - 1].errors += 1 }
  }

  /// Requests whose order is not known.
  public mutating func add(_ count: Int, errors: Int) {
    self.count += count
    self.errors += errors
  }

  /// Where the share of errors lies (Clopper and Pearson, of as many independent requests as these are worth).
  public func interval(confidence: Double) -> ClosedRange<Double> {
    let inflation = BatchVariance.inflation(
      batches.filter { $0.count == length }.map(\.errors), length: length, confidence: confidence)
    let trials = max(1, Int(Double(count) / inflation))
    let failed = min(trials, Int((Double(errors) / inflation).rounded()))
    return BinomialDistribution.interval(failed, of: trials, confidence: confidence)
  }
}
