// Where the values of a number column lie: exact counts between edges that are chosen once, from the values that came
// first, with room beyond both ends.
//
//     held     up to 16,384 values, as they come
//                │ full: about a thousand edges, each bin with as many of these values as any other
//                ▼
//     edges        e0      e1      e2            e1023
//     counts    [e0] (e0,e1] (e1,e2]  …              │
//     held    <──                                     ──>  values outside: held again, until there are enough to
//                                                          put further edges there
//
// Every count is exact, always: what is between two edges was counted there, and bins are only ever joined, never
// split. What is approximate is the place of a value within its bin, and with a thousand bins of equal mass no
// quantile is further off than a thousandth of the values, as long as what came first is like what came later (the
// largest bin's share says how far off at worst). A column of few different values has each of them as an edge; then
// nothing is approximate. Two columns that are counted at the same edges are compared exactly, however large.

public struct EdgeCounts: Sendable {
  /// Values before edges are chosen: 128 KiB.
  public static let heldMax = 16_384
  /// Bins that are aimed at; there are at most twice as many.
  public static let binsTarget = 1_024

  private var held: [Double] = []
  private let prescribed: [Double]
  /// Ascending; empty before any were chosen.
  public private(set) var edges: [Double] = []
  /// By bin, as many as edges: of the values above the edge before it and up to its own.
  public private(set) var counts: [Int64] = []
  /// Every value equals its bin's edge.
  public private(set) var isExact = true
  /// Of these edges, once something was counted at them.
  private var search: EdgeSearch?

  /// - Parameter edges: to be used once there are too many values to hold; ascending.
  public init(like edges: [Double] = []) { prescribed = edges }

  /// From what was written down.
  public init(edges: [Double], counts: [Int64], isExact: Bool) {
    precondition(edges.count == counts.count, "a count for each edge")
    prescribed = []
    self.edges = edges
    self.counts = counts
    self.isExact = isExact
  }

  public var total: Int64 { counts.reduce(Int64(held.count), +) }

  // MARK: Counting

  /// - Complexity: O(log edges) a value.
  public mutating func add(_ values: UnsafeBufferPointer<Double>) {
    if edges.isEmpty {
      held.append(contentsOf: values)
      if held.count >= EdgeCounts.heldMax { choose() }
      return
    }
    let search = search ?? EdgeSearch(edges)
    self.search = search
    let (exact, outside) = edges.withUnsafeBufferPointer { edges in
      counts.withUnsafeMutableBufferPointer { counts in
        search.count(values, edges, into: counts, isExact: isExact)
      }
    }
    isExact = exact
    if outside > 0 { hold(values) }
  }

  private mutating func hold(_ values: UnsafeBufferPointer<Double>) {
    let (first, last) = (edges[0], edges[edges.count - 1])
    for value in values where value < first || value > last { held.append(value) }
    if held.count >= EdgeCounts.heldMax { extend() }
  }

  private mutating func choose() {
    if prescribed.isEmpty {
      NumberSort.sort(&held)
      (edges, counts, isExact) = EdgeCounts.bins(held, target: EdgeCounts.binsTarget)
      held = []
    } else {
      edges = prescribed
      counts = Array(repeating: 0, count: edges.count)
      let values = held
      held = []
      values.withUnsafeBufferPointer { add($0) }
    }
  }

  /// Puts edges where the values outside are.
  private mutating func extend() {
    NumberSort.sort(&held)
    let below = held.prefix { $0 < edges[0] }
    let above = held[below.count...]
    let target = EdgeCounts.binsTarget / 2
    let left = EdgeCounts.bins(Array(below), target: target)
    let right = EdgeCounts.bins(Array(above), target: target)
    isExact = isExact && left.isExact && right.isExact
    edges = left.edges + edges + right.edges
    counts = left.counts + counts + right.counts
    held = []
    search = nil
    if edges.count > 2 * EdgeCounts.binsTarget {
      // The edges to be kept stay known for the next time.
      let fewer = thinned(to: EdgeCounts.binsTarget, keeping: prescribed)
      (edges, counts, isExact) = (fewer.edges, fewer.counts, fewer.isExact)
    }
  }

  /// All values as counts at edges, none held any more.
  public func settled() -> EdgeCounts {
    var result = self
    if result.edges.isEmpty {
      NumberSort.sort(&result.held)
      (result.edges, result.counts, result.isExact) = EdgeCounts.bins(result.held, target: .max)
      result.held = []
    } else if !held.isEmpty {
      result.extend()
    }
    return result
  }

  /// Bins of about equal mass over sorted values; each different value has its own where there are no more than
  /// `target` of them.
  private static func bins(
    _ sorted: [Double], target: Int
  ) -> (edges: [Double], counts: [Int64], isExact: Bool) {
    let edges = distinct(sorted)
    var counts = [Int64](repeating: 0, count: edges.count)
    var bin = 0
    for value in sorted {
      if edges[bin] != value { bin += 1 }
      counts[bin] += 1
    }
    var all = EdgeCounts(edges: edges, counts: counts, isExact: true)
    if all.edges.count > target { all = all.thinned(to: target) }
    return (all.edges, all.counts, all.isExact)
  }

  /// The same counts in fewer bins: neighbours are joined as long as they hold no more than their share. Where the next
  /// value is known the edge before it is moved to the number with the fewest digits.
  ///
  /// - Parameter kept: edges that stay.
  public func thinned(to target: Int, keeping kept: [Double] = []) -> EdgeCounts {
    guard edges.count > target else { return self }
    let share = Double(counts.reduce(0, +)) / Double(target)
    var result = EdgeCounts(edges: [], counts: [], isExact: isExact)
    var gathered: Int64 = 0
    var inside = 0
    var keptIndex = 0
    for index in edges.indices {
      gathered += counts[index]
      inside += 1
      let isLast = index == edges.count - 1
      while keptIndex < kept.count, kept[keptIndex] < edges[index] { keptIndex += 1 }
      let stays = keptIndex < kept.count && kept[keptIndex] == edges[index]
      let isFull = isLast || Double(gathered + counts[index + 1]) > share
      guard stays || index == 0 || isFull else { continue }
      if inside > 1 { result.isExact = false }
      let edge =
        isExact && inside > 1 && !isLast && !stays
        ? ShortDecimal.between(edges[index], edges[index + 1]) : edges[index]
      result.edges.append(edge)
      result.counts.append(gathered)
      gathered = 0
      inside = 0
    }
    return result
  }

  // MARK: Reading

  /// How many values are at most `value`: exact at an edge, and where each value is one; between edges the
  /// values are taken to lie evenly.
  /// - Precondition: settled.
  public func cumulative(_ points: [Double]) -> [Double] {
    precondition(held.isEmpty, "settled counts")
    var result: [Double] = []
    result.reserveCapacity(points.count)
    var index = 0
    var below: Int64 = 0
    for point in points {
      while index < edges.count, edges[index] <= point {
        below += counts[index]
        index += 1
      }
      var count = Double(below)
      if !isExact, index > 0, index < edges.count {
        // In halves, which only a distance beyond all doubles tells apart.
        let (before, after) = (edges[index - 1] / 2, edges[index] / 2)
        let part = (point / 2 - before) / (after - before)
        count += Double(counts[index]) * part
      }
      result.append(count)
    }
    return result
  }

  /// The value at rank `share · (count - 1)`, counted from 0; within a bin the values are taken to lie evenly. Nil of
  /// nothing.
  /// - Precondition: settled.
  public func quantile(_ share: Double) -> Double? {
    precondition(held.isEmpty, "settled counts")
    let total = self.total
    guard total > 0 else { return nil }
    let rank = share * Double(total - 1)
    var below = 0.0
    for index in edges.indices where counts[index] > 0 {
      let count = Double(counts[index])
      if rank < below + count {
        guard !isExact, index > 0 else { return edges[index] }
        let part = (rank - below + 1) / count
        let (before, after) = (edges[index - 1] / 2, edges[index] / 2)
        return 2 * (before + (after - before) * min(part, 1))
      }
      below += count
    }
    return edges.last
  }

  /// The largest share of values whose place is known only to lie between two edges: the bound on what is said of
  /// quantiles and distances. 0 where nothing is approximate.
  public var resolution: Double {
    let total = self.total
    guard !isExact, total > 0 else { return 0 }
    return Double(counts.dropFirst().max() ?? 0) / Double(total)
  }

  // MARK: Merging

  /// The counts of both. Exact where the edges are the same or every value is one; else a bin that the other's edges
  /// divide is taken to be evenly filled, so that a count is wrong by less than that bin's.
  public func merged(_ other: EdgeCounts) -> EdgeCounts {
    let (left, right) = (settled(), other.settled())
    if left.total == 0 { return right }
    if right.total == 0 { return left }
    var result = EdgeCounts(edges: left.edges, counts: left.counts, isExact: false)
    if left.edges == right.edges {
      for index in result.counts.indices { result.counts[index] += right.counts[index] }
    } else {
      result.edges = EdgeCounts.union(left.edges, right.edges)
      let one = left.cumulative(result.edges).map { Int64($0.rounded()) }
      let two = right.cumulative(result.edges).map { Int64($0.rounded()) }
      var before: Int64 = 0
      result.counts = zip(one, two).map { (one, two) in
        defer { before = one + two }
        return one + two - before
      }
    }
    result.isExact = left.isExact && right.isExact
    return result
  }

  /// Sorted values, each once.
  public static func distinct(_ sorted: [Double]) -> [Double] {
    var result: [Double] = []
    for value in sorted where result.last != value { result.append(value) }
    return result
  }

  /// Two ascending lists as one, equal values once.
  public static func union(_ left: [Double], _ right: [Double]) -> [Double] {
    var result: [Double] = []
    result.reserveCapacity(left.count + right.count)
    var (one, two) = (0, 0)
    while one < left.count || two < right.count {
      if two == right.count || one < left.count && left[one] <= right[two] {
        if two < right.count, left[one] == right[two] { two += 1 }
        result.append(left[one])
        one += 1
      } else {
        result.append(right[two])
        two += 1
      }
    }
    return result
  }
}
