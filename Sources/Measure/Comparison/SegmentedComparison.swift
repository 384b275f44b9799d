// Where a difference comes from: the units of a comparison by what they have in common, as flights by their airport.
// Each segment's difference is paired and clustered like the whole one (`PairedComparison`), and the parts add up to it.
//
// Whoever looks into twenty segments finds one in twenty without there being anything. So the intervals hold together:
// each is as wide as Bonferroni asks (Dunn, "Multiple comparisons among means", 1961), and the chance that any of them
// leaves out its own truth is at most that of one interval elsewhere. Of segments beyond the largest twenty nothing is
// said one by one: they are taken together.

public struct SegmentedComparison: Sendable {
  public struct Segment: Sendable {
    /// The numbers of the segments in it, ascending: one, or all those that are taken together.
    public let numbers: [Int]
    /// Units in it, those that are not compared included.
    public let unitCount: Int
    public let comparison: PairedComparison
  }

  /// Segments that are told one by one.
  public static let countMax = 20

  /// By the size of the difference, the largest first; those that are taken together come last.
  public let segments: [Segment]
  /// Of each interval by itself, so that all hold together.
  public let confidence: Double

  /// - Parameters:
  ///   - first, second: what each unit was worth under either; where any is nil, a unit is not compared.
  ///   - numbers: of each unit's segment, dense from 0.
  ///   - clusters: of each unit, dense from 0.
  /// - Complexity: that of a bootstrap for each of at most 21 segments, with draws in proportion to their number.
  public init(
    _ first: [Double?], _ second: [Double?], segments numbers: [Int], clusters: [Int],
    bootstrap: ClusterBootstrap
  ) {
    precondition(
      numbers.count == clusters.count && first.count == clusters.count
        && second.count == clusters.count, "each unit has a segment and a cluster")
    let (single, rest, units) = SegmentedComparison.groups(numbers)
    let groups = rest.isEmpty ? single : single + [rest]
    let shared = bootstrap.shared(among: max(1, groups.count))
    let compared = groups.map { group in
      let members = group.count == 1 ? units[group[0]] : group.flatMap { units[$0] }
      let known = members.filter { first[$0] != nil && second[$0] != nil }
      return Segment(
        numbers: group, unitCount: members.count,
        comparison: PairedComparison(
          known.map { first[$0]! }, known.map { second[$0]! }, clusters: known.map { clusters[$0] },
          bootstrap: shared))
    }
    confidence = shared.confidence
    segments =
      compared.prefix(single.count).sorted {
        let (one, two) = ($0.comparison.difference.magnitude, $1.comparison.difference.magnitude)
        return one == two ? $0.numbers[0] < $1.numbers[0] : one > two
      } + compared.dropFirst(single.count)
  }

  /// The largest segments, each by itself; the others; and by segment its units.
  ///
  /// - Parameter counts: whether a unit makes its segment larger; a segment without any such unit is none.
  static func groups(
    _ numbers: [Int], counting counts: (Int) -> Bool = { _ in true }
  ) -> (single: [[Int]], rest: [Int], units: [[Int]]) {
    var units: [[Int]] = []
    for (unit, number) in numbers.enumerated() {
      while units.count <= number { units.append([]) }
      units[number].append(unit)
    }
    let sizes = units.map { $0.count(where: counts) }
    let bySize = units.indices.filter { sizes[$0] > 0 }
      .sorted { (sizes[$1], $0) < (sizes[$0], $1) }
    // A rest of one segment is that segment.
    let count = bySize.count == countMax + 1 ? bySize.count : countMax
    return (bySize.prefix(count).map { [$0] }, bySize.dropFirst(count).sorted(), units)
  }
}
