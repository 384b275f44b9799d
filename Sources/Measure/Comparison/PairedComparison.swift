// Two ways of deciding the same units, each of which was worth something under both: the difference is taken unit by
// unit, so that what makes units differ from each other drops out, and summed over the clusters in which units hang
// together. The interval comes from the clusters (`ClusterBootstrap`).

import Core

public struct PairedComparison: Sendable {
  public enum Answer: String, Sendable { case pass, fail, inconclusive }

  /// Units that were compared.
  public let count: Int
  /// Units with a difference.
  public let differingCount: Int
  public let clusterCount: Int
  /// Clusters with a difference.
  public let differingClusterCount: Int
  /// The sum over all units of the first less the second.
  public private(set) var difference: Double
  /// Of `difference`, at the bootstrap's confidence; nil where it cannot be said.
  public private(set) var interval: (low: Double, high: Double)?
  /// How large a true difference must be for `answer` to be pass four times in five, by what the interval
  /// reaches and the spread of the clusters' sums: the power of the comparison. Nil where the draws cannot bound it.
  public let detectable: Double?

  /// Below these nothing is said.
  public static let countMin = 30
  public static let clusterCountMin = 6

  /// - Parameters:
  ///   - first, second: what each unit was worth under either.
  ///   - clusters: the number of each unit's cluster, dense from 0.
  /// - Complexity: that of the bootstrap.
  public init(
    _ first: [Double], _ second: [Double], clusters: [Int], bootstrap: ClusterBootstrap
  ) {
    precondition(
      first.count == second.count && first.count == clusters.count, "units come in pairs")
    var sums: [Double] = []
    var differs: [Bool] = []
    var isSeen: [Bool] = []
    var differing = 0
    for (unit, cluster) in clusters.enumerated() {
      while sums.count <= cluster {
        sums.append(0)
        differs.append(false)
        isSeen.append(false)
      }
      isSeen[cluster] = true
      let difference = first[unit] - second[unit]
      guard difference != 0 else { continue }
      sums[cluster] += difference
      differs[cluster] = true
      differing += 1
    }
    let seen = sums.indices.filter { isSeen[$0] }.map { sums[$0] }
    count = first.count
    differingCount = differing
    clusterCount = seen.count
    differingClusterCount = differs.count { $0 }
    let difference = seen.reduce(0, +)
    self.difference = difference
    let interval =
      PairedComparison.lack(
        count: count, clusters: clusterCount, differing: differingClusterCount) == nil
      ? bootstrap.interval(ofSum: seen) : nil
    self.interval = interval
    detectable = interval.flatMap {
      PairedComparison.detectable(seen, reach: difference - $0.low)
    }
  }

  /// - Parameter reach: how far the interval reaches down from the difference; a true one must be as large, and larger by
  ///   what four in five differences lie above less than that. With few clusters it must be larger still: how far the interval
  ///   reaches is drawn with them, by their spread and by the bootstrap's own quantile. By simulation, of normal
  ///   clusters, that is 9 / clusters² of it: 25 % for 6, 14 % for 8, 1 % for 30.
  private static func detectable(_ sums: [Double], reach: Double) -> Double? {
    guard reach.isFinite else { return nil }
    let degrees = Double(sums.count - 1)
    let mean = sums.reduce(0, +) / Double(sums.count)
    let squares = sums.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    let error = (squares / degrees * Double(sums.count)).squareRoot()
    // Where no cluster differs from another nobody knows how they do.
    guard error > 0 else { return nil }
    let count = Double(sums.count)
    return (reach + error * StudentDistribution.quantile(0.8, degrees: degrees))
      * (1 + 9 / (count * count))
  }

  /// Why nothing can be said; nil if something can.
  public var lack: String? {
    let lack = PairedComparison.lack(
      count: count, clusters: clusterCount, differing: differingClusterCount)
    if lack == nil, interval == nil { return "the values are too large to be added up" }
    return lack
  }

  private static func lack(count: Int, clusters: Int, differing: Int) -> String? {
    if count < countMin { return "too little data: \(count) compared, \(countMin) are needed" }
    if clusters < clusterCountMin {
      return "too little data: \(clusters) clusters, \(clusterCountMin) are needed"
    }
    // A few clusters that differ among many that do not: nobody knows how such differences vary.
    if (1..<clusterCountMin).contains(differing) {
      return "too little data: only \(differing) of \(clusters) clusters differ at all,"
        + " \(clusterCountMin) are needed"
    }
    return nil
  }

  /// With a sum taken off that is the same in every draw.
  public func less(_ sum: Double) -> PairedComparison {
    var less = self
    less.difference -= sum
    less.interval = interval.map { ($0.low - sum, $0.high - sum) }
    return less
  }

  /// Whether the first is worth more: its whole interval lies above zero.
  public var answer: Answer {
    guard let interval else { return .inconclusive }
    return interval.low > 0 ? .pass : .fail
  }
}
