// A forest laid out for walks from node to node: for trees too deep for `LevelPlan` or too large for `PlanePlan`. A node is one
// word, so that a step is a load, a comparison and an addition, without a branch; and since each step has to wait for
// the one before it, eight walks are under way at once: eight trees for one row, or one tree for eight rows.
//
//     63            32 31     16 15      0
//     │ left child     │ column │  rank  │       next = left + (bin[column] > rank ? 1 : 0)
//
// A leaf leads to itself, so a walk that has arrived may go on until the longest of the eight has.

final class WalkPlan: Sendable {
  let binning: Binning
  /// Where each tree starts.
  private let roots: Frozen<Int32>
  /// Steps to each tree's deepest leaf.
  private let depths: Frozen<Int32>
  private let nodes: Frozen<UInt64>
  /// By node: its value, in a leaf.
  private let leaves: Frozen<Double>
  private let treeOutput: Frozen<Int32>
  private let accumulation: Forest.Accumulation
  private let baseMargins: [Double]

  /// Rows below which walking through all trees row by row keeps up with taking one tree at a time.
  private static let lanes = 8
  private static let nodesInCacheMax = 1 << 16
  private static let columnsMax = 1 << 16

  /// Nil for a forest with leaves that are not plain values, or with more columns than a node can name.
  init?(_ forest: Forest) {
    guard forest.leafVectors.isEmpty, forest.linearLeaves.isEmpty else { return nil }
    let builder = BinningBuilder(forest, ranksPerColumn: 65_534)
    binning = builder.binning()
    guard binning.columnCount < Self.columnsMax else { return nil }
    roots = Frozen(forest.roots)
    treeOutput = Frozen(forest.treeOutput)
    accumulation = forest.accumulation
    baseMargins = forest.baseMargins
    leaves = Frozen(forest.value)
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
    let block = min(rowCount, Binning.blockRows)
    let treeByTree = nodes.count > Self.nodesInCacheMax
    withUnsafeTemporaryAllocation(of: UInt16.self, capacity: block * max(1, binning.columnCount)) {
      bins in
      let bins = bins.baseAddress!
      var row = 0
      while row < rowCount {
        let count = min(block, rowCount - row)
        binning.bin(rows + row * binning.inputCount, count: count, into: .wordRows(bins))
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

  private func start(_ sums: UnsafeMutablePointer<Double>, _ count: Int) {
    for row in 0..<count {
      for output in baseMargins.indices {
        sums[row * baseMargins.count + output] =
          accumulation.start(baseMargins[output])
      }
    }
  }

  private func finish(_ sums: UnsafeMutablePointer<Double>, _ count: Int) {
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
    if accumulation.isFloat {
      sum.pointee = Double(Float(sum.pointee) + Float(leaves.base[leaf]))
    } else {
      sum.pointee += leaves.base[leaf]
    }
  }

  // MARK: Walks

  /// One row through all trees, eight at a time.
  private func walkRow(
    _ bins: UnsafePointer<UInt16>, into sums: UnsafeMutablePointer<Double>
  ) {
    let nodes = nodes.base
    var tree = 0
    while tree < depths.count {
      let count = min(Self.lanes, depths.count - tree)
      var starts = SIMD8<Int32>()
      var depth: Int32 = 0
      for lane in 0..<count {
        starts[lane] = roots.base[tree + lane]
        depth = max(depth, depths.base[tree + lane])
      }
      // Lanes without a tree walk the last one once more, for nothing.
      for lane in count..<Self.lanes { starts[lane] = starts[count - 1] }
      let ends = walk(
        nodes, starts, Int(depth), bins, bins, bins, bins, bins, bins, bins, bins)
      for lane in 0..<count {
        add(Int(ends[lane]), sums + Int(treeOutput.base[tree + lane]))
      }
      tree += count
    }
  }

  /// A block of rows through one tree after another, eight rows at a time: a large tree is read once for all.
  private func walkTreeByTree(
    _ bins: UnsafePointer<UInt16>, _ count: Int, into sums: UnsafeMutablePointer<Double>
  ) {
    let width = binning.columnCount
    for tree in 0..<depths.count {
      let starts = SIMD8<Int32>(repeating: roots.base[tree])
      let output = Int(treeOutput.base[tree])
      var row = 0
      while row < count {
        // The last eight may overlap the ones before; what was done is not added again.
        let first = min(row, count - Self.lanes)
        let bin = bins + first * width
        let ends = walk(
          nodes.base, starts, Int(depths.base[tree]), bin, bin + width, bin + 2 * width,
          bin + 3 * width, bin + 4 * width, bin + 5 * width, bin + 6 * width, bin + 7 * width)
        for lane in (row - first)..<Self.lanes {
          add(Int(ends[lane]), sums + (first + lane) * baseMargins.count + output)
        }
        row = first + Self.lanes
      }
    }
  }
}

/// Eight walks of `depth` steps. A free function over pointers, so that all of it stays in registers.
@inline(__always)
private func walk(
  _ nodes: UnsafePointer<UInt64>, _ starts: SIMD8<Int32>, _ depth: Int,
  _ bins0: UnsafePointer<UInt16>, _ bins1: UnsafePointer<UInt16>, _ bins2: UnsafePointer<UInt16>,
  _ bins3: UnsafePointer<UInt16>, _ bins4: UnsafePointer<UInt16>, _ bins5: UnsafePointer<UInt16>,
  _ bins6: UnsafePointer<UInt16>, _ bins7: UnsafePointer<UInt16>
) -> SIMD8<Int32> {
  var (a, b, c, d) = (Int(starts[0]), Int(starts[1]), Int(starts[2]), Int(starts[3]))
  var (e, f, g, h) = (Int(starts[4]), Int(starts[5]), Int(starts[6]), Int(starts[7]))
  for _ in 0..<depth {
    a = step(nodes[a], bins0)
    b = step(nodes[b], bins1)
    c = step(nodes[c], bins2)
    d = step(nodes[d], bins3)
    e = step(nodes[e], bins4)
    f = step(nodes[f], bins5)
    g = step(nodes[g], bins6)
    h = step(nodes[h], bins7)
  }
  return SIMD8<Int32>(
    Int32(truncatingIfNeeded: a), Int32(truncatingIfNeeded: b), Int32(truncatingIfNeeded: c),
    Int32(truncatingIfNeeded: d), Int32(truncatingIfNeeded: e), Int32(truncatingIfNeeded: f),
    Int32(truncatingIfNeeded: g), Int32(truncatingIfNeeded: h))
}

@inline(__always)
private func step(_ node: UInt64, _ bins: UnsafePointer<UInt16>) -> Int {
  let bin = bins[Int(truncatingIfNeeded: node >> 16 & 0xFFFF)]
  let goesRight = bin > UInt16(truncatingIfNeeded: node)
  return Int(truncatingIfNeeded: node >> 32) &+ (goesRight ? 1 : 0)
}
