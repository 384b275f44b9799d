// In which bin does a value lie? Halving a thousand edges ten times finds it, and whoever guesses which half it will be
// guesses wrong every other time: as a branch, a step costs a processor as much as ten steps without. So eight values
// are looked for together, each in its lane of a vector, where a comparison gives a mask and never a branch:
//
//     values       0.31   -1.2    0.02   …       the edges in the middle of what is left for each value
//     edges         0.5    0.5     0.5   …       are compared with it; where the edge is below, the place
//     below          0      0       0    …       moves up by half of what is left
//     places         0      0       0    …
//
// And most of the ten steps are saved by a grid of equal cells between the first edge and the last, which knows how many
// edges lie before each cell. As many steps are left as the fullest cell's edges need: three where values spread like a
// normal distribution, all ten where one far value stretches the grid.

struct EdgeSearch: Sendable {
  private static let lanes = 8
  private static let cells = 512

  private let origin: Double
  /// Cells to a unit.
  private let scale: Double
  /// By cell: a place from which on `span` places hold that of any value in it.
  private let starts: [Int32]
  private let span: Int

  /// - Parameter edges: ascending, at least one; the same that are searched.
  init(_ edges: [Double]) {
    let scale = Double(EdgeSearch.cells) / (edges[edges.count - 1] - edges[0])
    // Edges that lie too near or too far from each other for this arithmetic are all in one cell.
    let hasCells = scale.isFinite && scale > 0
    (self.origin, self.scale) = hasCells ? (edges[0], scale) : (0, 0)
    var before = [Int](repeating: 0, count: EdgeSearch.cells + 2)
    for edge in edges { before[EdgeSearch.cell(edge, self.origin, self.scale) + 1] += 1 }
    let span = min(before.max()! + 1, edges.count)
    for cell in 1..<before.count { before[cell] += before[cell - 1] }
    self.span = span
    starts = before.dropLast().map { Int32(min($0, edges.count - span)) }
  }

  /// What rises with a value never lowers its cell, whatever is rounded on the way: adding 2^52 leaves a whole number in
  /// the last bits.
  private static func cell(_ value: Double, _ origin: Double, _ scale: Double) -> Int {
    let place = max(0, min((value - origin) * scale, Double(cells)))
    return Int(truncatingIfNeeded: (place + 0x1p52).bitPattern & 0xFFFF)
  }

  @inline(__always)
  private func cells(of values: SIMD8<Double>) -> SIMD8<Int64> {
    var places = (values - origin) * scale
    places.replace(with: 0, where: places .< 0)
    let last = Double(EdgeSearch.cells)
    places.replace(with: last, where: places .> last)
    return unsafeBitCast(places + 0x1p52, to: SIMD8<Int64>.self) & 0xFFFF
  }

  /// The first edge that is not below each value; the last one where all are.
  ///
  /// - Complexity: O(log edges of the fullest cell), no branch that depends on a value.
  @inline(__always)
  private func places(
    of values: SIMD8<Double>, _ edges: UnsafePointer<Double>, _ starts: UnsafePointer<Int32>
  ) -> SIMD8<Int64> {
    let cells = cells(of: values)
    var places = SIMD8(
      Int64(starts[Int(cells[0])]), Int64(starts[Int(cells[1])]), Int64(starts[Int(cells[2])]),
      Int64(starts[Int(cells[3])]), Int64(starts[Int(cells[4])]), Int64(starts[Int(cells[5])]),
      Int64(starts[Int(cells[6])]), Int64(starts[Int(cells[7])]))
    var length = span
    while length > 1 {
      let half = length >> 1
      let found = EdgeSearch.gather(edges + (half &- 1), places)
      places &+= SIMD8.zero.replacing(with: Int64(half), where: found .< values)
      length &-= half
    }
    return places
  }

  /// The edge at each place. Written out, as a lane that is chosen while running takes a detour over memory.
  @inline(__always)
  private static func gather(
    _ edges: UnsafePointer<Double>, _ places: SIMD8<Int64>
  ) -> SIMD8<Double> {
    SIMD8(
      edges[Int(places[0])], edges[Int(places[1])], edges[Int(places[2])], edges[Int(places[3])],
      edges[Int(places[4])], edges[Int(places[5])], edges[Int(places[6])], edges[Int(places[7])])
  }

  /// The same for one value, the slow and obvious twin.
  static func place(of value: Double, _ edges: UnsafeBufferPointer<Double>) -> Int {
    var (start, end) = (0, edges.count - 1)
    while start < end {
      let middle = (start + end) / 2
      if edges[middle] < value { start = middle + 1 } else { end = middle }
    }
    return start
  }

  /// Counts values in their bins.
  ///
  /// - Returns: whether all of those inside equal their bin's edge (false where `isExact` is), and how many lie below the
  ///   first edge and above the last; these are counted in no bin.
  func count(
    _ values: UnsafeBufferPointer<Double>, _ edges: UnsafeBufferPointer<Double>,
    into counts: UnsafeMutableBufferPointer<Int64>, isExact: Bool
  ) -> (exact: Bool, outside: Int) {
    let (below, above) = EdgeSearch.outside(values, edges[0], edges[edges.count - 1])
    let grouped = values.count & ~(EdgeSearch.lanes - 1)
    var misses = 0
    if isExact {
      misses = countGroups(values, grouped, edges, into: counts, withMisses: true)
    } else {
      _ = countGroups(values, grouped, edges, into: counts, withMisses: false)
    }
    for value in values[grouped...] {
      let place = EdgeSearch.place(of: value, edges)
      counts[place] += 1
      misses += edges[place] == value ? 0 : 1
    }
    // What lies outside was counted at the ends, and is no value of theirs.
    counts[0] -= Int64(below)
    counts[counts.count - 1] -= Int64(above)
    return (isExact && misses == below + above, below + above)
  }

  /// The first `count` values, a multiple of eight; how many of them are not their edge.
  @inline(__always)
  private func countGroups(
    _ values: UnsafeBufferPointer<Double>, _ count: Int, _ edges: UnsafeBufferPointer<Double>,
    into counts: UnsafeMutableBufferPointer<Int64>, withMisses: Bool
  ) -> Int {
    guard count > 0 else { return 0 }
    let source = UnsafeRawPointer(values.baseAddress!)
    let (first, bins) = (edges.baseAddress!, counts.baseAddress!)
    var misses = SIMD8<Int64>.zero
    var index = 0
    starts.withUnsafeBufferPointer { starts in
      while index < count {
        let group = source.loadUnaligned(fromByteOffset: index &* 8, as: SIMD8<Double>.self)
        let places = places(of: group, first, starts.baseAddress!)
        bins[Int(places[0])] &+= 1
        bins[Int(places[1])] &+= 1
        bins[Int(places[2])] &+= 1
        bins[Int(places[3])] &+= 1
        bins[Int(places[4])] &+= 1
        bins[Int(places[5])] &+= 1
        bins[Int(places[6])] &+= 1
        bins[Int(places[7])] &+= 1
        if withMisses {
          let found = EdgeSearch.gather(first, places)
          misses &+= SIMD8.zero.replacing(with: 1, where: found .!= group)
        }
        index &+= EdgeSearch.lanes
      }
    }
    return Int(misses.wrappedSum())
  }

  private static func outside(
    _ values: UnsafeBufferPointer<Double>, _ first: Double, _ last: Double
  ) -> (below: Int, above: Int) {
    var (below, above) = (0, 0)
    for value in values {
      below &+= value < first ? 1 : 0
      above &+= value > last ? 1 : 0
    }
    return (below, above)
  }
}
