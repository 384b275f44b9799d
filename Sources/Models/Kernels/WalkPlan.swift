// A forest laid out for walks from node to node: for trees too deep for `LevelPlan` or too large for `PlanePlan`. A node is one
// word, so that a step is a load, a comparison and an addition, without a branch; and since each step has to wait for
// the one before it, sixteen walks are under way at once: sixteen trees for one row, or one tree for sixteen rows.
//
//     63            32 31     16 15      0
//     │ left child     │ column │  rank  │       next = left + (bin[column] > rank ? 1 : 0)
//
// A leaf leads to itself, so a walk that has arrived may go on until the longest of the sixteen has.

final class WalkPlan: Sendable {
  let binning: Binning
  /// Where each tree starts.
  fileprivate let roots: Frozen<Int32>
  /// Steps to each tree's deepest leaf.
  private let depths: Frozen<Int32>
  fileprivate let nodes: Frozen<UInt64>
  /// By node: its value, in a leaf.
  fileprivate let leaves: MarginLeaves
  private let treeOutput: Frozen<Int32>
  private let baseMargins: [Double]

  fileprivate static let lanes = 16
  /// Up to here walking through all trees row by row keeps up with taking one tree at a time.
  private static let nodesInCacheMax = 1 << 16
  /// Of bins of rows that go through a tree together. A large tree comes from memory once for all of them, and they must
  /// leave room in the cache for it.
  private static let binBytesMax = 1 << 18
  private static let columnsMax = 1 << 16

  /// Nil for a forest with leaves that are not plain values, or with more columns than a node can name.
  init?(_ forest: Forest) {
    guard forest.leafVectors.isEmpty, forest.linearLeaves.isEmpty else { return nil }
    let builder = BinningBuilder(forest, ranksPerColumn: 65_534)
    binning = builder.binning()
    guard binning.columnCount < Self.columnsMax else { return nil }
    roots = Frozen(forest.roots)
    treeOutput = Frozen(forest.treeOutput)
    baseMargins = forest.baseMargins
    leaves = MarginLeaves(forest.value, forest.accumulation)
    nodes = Frozen(
      (0..<forest.nodeCount).map { node in
        guard forest.left[node] >= 0 else { return UInt64(node) << 32 | 0xFFFF }
        let test = builder.test(node)
        return UInt64(forest.left[node]) << 32 | UInt64(test.column) << 16 | UInt64(test.rank)
      })
    depths = Frozen(forest.depths())
  }

  /// The margins of any number of rows, as `Forest.referenceMargins` gives them, bit for bit.
  ///
  /// - Complexity: O(rows × trees × depth); no allocation for single rows of usual width.
  func margins(
    _ rows: UnsafeBufferPointer<Double>, rowCount: Int,
    into margins: UnsafeMutableBufferPointer<Double>
  ) {
    guard rowCount > 0, let rows = rows.baseAddress, let margins = margins.baseAddress else {
      return
    }
    // Whatever pointers into it are at work.
    defer { withExtendedLifetime(self) {} }
    let treeByTree = nodes.count > Self.nodesInCacheMax
    let width = max(1, binning.columnCount)
    let most = treeByTree ? max(Self.binBytesMax / 2 / width, Binning.blockRows) : Binning.blockRows
    let block = min(rowCount, most)
    withUnsafeTemporaryAllocation(of: UInt16.self, capacity: block * width) { bins in
      let bins = bins.baseAddress!
      var row = 0
      while row < rowCount {
        let count = min(block, rowCount - row)
        bin(rows + row * binning.inputCount, count, into: bins)
        let sums = margins + row * baseMargins.count
        start(sums, count)
        if treeByTree, count >= Self.lanes {
          walkTreeByTree(bins, count, into: sums)
        } else {
          for one in 0..<count {
            walkRow(
              bins + one * binning.columnCount, into: sums + one * baseMargins.count)
          }
        }
        finish(sums, count)
        row += count
      }
    }
  }

  private func bin(
    _ rows: UnsafePointer<Double>, _ count: Int, into bins: UnsafeMutablePointer<UInt16>
  ) {
    for first in stride(from: 0, to: count, by: Binning.blockRows) {
      binning.bin(
        rows + first * binning.inputCount, count: min(Binning.blockRows, count - first),
        into: .wordRows(bins + first * binning.columnCount))
    }
  }

  private func start(_ sums: UnsafeMutablePointer<Double>, _ count: Int) {
    for row in 0..<count {
      for output in baseMargins.indices {
        sums[row * baseMargins.count + output] =
          leaves.accumulation.start(baseMargins[output])
      }
    }
  }

  private func finish(_ sums: UnsafeMutablePointer<Double>, _ count: Int) {
    let accumulation = leaves.accumulation
    if accumulation == .float { return }
    for row in 0..<count {
      for output in baseMargins.indices {
        let index = row * baseMargins.count + output
        sums[index] = accumulation.margin(sums[index], baseMargins[output])
      }
    }
  }

  @inline(__always)
  private func add(_ leaf: Int, _ sum: UnsafeMutablePointer<Double>) {
    switch leaves.base {
    case .floats(let leaves): sum.pointee = Double(Float(sum.pointee) + leaves[leaf])
    case .doubles(let leaves): sum.pointee += leaves[leaf]
    }
  }

  // MARK: Walks

  /// One row through all trees, sixteen at a time.
  private func walkRow(
    _ bins: UnsafePointer<UInt16>, into sums: UnsafeMutablePointer<Double>
  ) {
    let nodes = nodes.base
    var tree = 0
    while tree < depths.count {
      let count = min(Self.lanes, depths.count - tree)
      var starts = SIMD16<Int32>()
      var depth: Int32 = 0
      for lane in 0..<count {
        starts[lane] = roots.base[tree + lane]
        depth = max(depth, depths.base[tree + lane])
      }
      // Lanes without a tree walk the last one once more, for nothing.
      for lane in count..<Self.lanes { starts[lane] = starts[count - 1] }
      let ends = walk(nodes, starts, Int(depth), bins, width: 0)
      for lane in 0..<count {
        add(Int(ends[lane]), sums + Int(treeOutput.base[tree + lane]))
      }
      tree += count
    }
  }

  /// A block of rows through one tree after another, sixteen rows at a time: a large tree is read once for all.
  private func walkTreeByTree(
    _ bins: UnsafePointer<UInt16>, _ count: Int, into sums: UnsafeMutablePointer<Double>
  ) {
    let width = binning.columnCount
    var tree = 0
    while tree < depths.count {
      let starts = SIMD16<Int32>(repeating: roots.base[tree])
      let output = Int(treeOutput.base[tree])
      var next = NodesAhead(self, tree: tree + 1, rowCount: count)
      var row = 0
      while row < count {
        next.fetch()
        // The last sixteen may overlap the ones before; what was done is not added again.
        let first = min(row, count - Self.lanes)
        let ends = walk(
          nodes.base, starts, Int(depths.base[tree]), bins + first * width, width: width)
        for lane in (row - first)..<Self.lanes {
          add(Int(ends[lane]), sums + (first + lane) * baseMargins.count + output)
        }
        row = first + Self.lanes
      }
      tree += 1 + next.nothing
    }
  }
}

/// A tree that comes next. Many rows will ask for most of its nodes, here and there, and wait for each; so while they are in
/// the tree before it, its nodes are fetched one after the other.
private struct NodesAhead {
  /// From so many rows on; fewer do not ask for enough of its nodes.
  private static let rowsMin = 64
  /// Of a line of the cache.
  private static let nodesPerLine = 8

  private let nodes: UnsafePointer<UInt64>
  private let leaves: UnsafeRawPointer
  private let leafBytes: Int
  private var place = 0
  private var end = 0
  private var linesAtOnce = 0
  private var sink: UInt64 = 0
  /// Always 0, as no node's word has its highest bit set; but whoever adds it cannot leave out the reads.
  var nothing: Int { Int(sink >> 63) }

  init(_ plan: WalkPlan, tree: Int, rowCount: Int) {
    nodes = plan.nodes.base
    switch plan.leaves.base {
    case .floats(let values): (leaves, leafBytes) = (UnsafeRawPointer(values), 4)
    case .doubles(let values): (leaves, leafBytes) = (UnsafeRawPointer(values), 8)
    }
    guard rowCount >= Self.rowsMin, tree < plan.roots.count else { return }
    place = Int(plan.roots.base[tree])
    end = tree + 1 < plan.roots.count ? Int(plan.roots.base[tree + 1]) : plan.nodes.count
    let lines = max(0, end - place) / Self.nodesPerLine
    linesAtOnce = lines / (rowCount / WalkPlan.lanes) + 1
  }

  /// A share of it; all of them when each sixteen rows have asked for theirs.
  @inline(__always)
  mutating func fetch() {
    for _ in 0..<linesAtOnce where place < end {
      let leaf = leaves.load(fromByteOffset: place &* leafBytes, as: UInt32.self)
      sink |= nodes[place] & UInt64(leaf) << 32
      place &+= Self.nodesPerLine
    }
  }
}

/// Sixteen walks of `depth` steps. A free function over pointers, so that what fits stays in registers.
///
/// - Parameter width: from the bins of one walk's row to those of the next; 0 where all are of one row.
@inline(__always)
private func walk(
  _ nodes: UnsafePointer<UInt64>, _ starts: SIMD16<Int32>, _ depth: Int,
  _ bins: UnsafePointer<UInt16>, width: Int
) -> SIMD16<Int32> {
  var (a, b, c, d) = (Int(starts[0]), Int(starts[1]), Int(starts[2]), Int(starts[3]))
  var (e, f, g, h) = (Int(starts[4]), Int(starts[5]), Int(starts[6]), Int(starts[7]))
  var (i, j, k, l) = (Int(starts[8]), Int(starts[9]), Int(starts[10]), Int(starts[11]))
  var (m, n, o, p) = (Int(starts[12]), Int(starts[13]), Int(starts[14]), Int(starts[15]))
  for _ in 0..<depth {
    a = step(nodes[a], bins)
    b = step(nodes[b], bins + width)
    c = step(nodes[c], bins + 2 &* width)
    d = step(nodes[d], bins + 3 &* width)
    e = step(nodes[e], bins + 4 &* width)
    f = step(nodes[f], bins + 5 &* width)
    g = step(nodes[g], bins + 6 &* width)
    h = step(nodes[h], bins + 7 &* width)
    i = step(nodes[i], bins + 8 &* width)
    j = step(nodes[j], bins + 9 &* width)
    k = step(nodes[k], bins + 10 &* width)
    l = step(nodes[l], bins + 11 &* width)
    m = step(nodes[m], bins + 12 &* width)
    n = step(nodes[n], bins + 13 &* width)
    o = step(nodes[o], bins + 14 &* width)
    p = step(nodes[p], bins + 15 &* width)
  }
  return SIMD16<Int32>(
    lowHalf: SIMD8(
      lowHalf: ends(a, b, c, d), highHalf: ends(e, f, g, h)),
    highHalf: SIMD8(lowHalf: ends(i, j, k, l), highHalf: ends(m, n, o, p)))
}

@inline(__always)
private func ends(_ a: Int, _ b: Int, _ c: Int, _ d: Int) -> SIMD4<Int32> {
  SIMD4(
    Int32(truncatingIfNeeded: a), Int32(truncatingIfNeeded: b), Int32(truncatingIfNeeded: c),
    Int32(truncatingIfNeeded: d))
}

@inline(__always)
private func step(_ node: UInt64, _ bins: UnsafePointer<UInt16>) -> Int {
  let bin = bins[Int(truncatingIfNeeded: node >> 16 & 0xFFFF)]
  let goesRight = bin > UInt16(truncatingIfNeeded: node)
  return Int(truncatingIfNeeded: node >> 32) &+ (goesRight ? 1 : 0)
}
