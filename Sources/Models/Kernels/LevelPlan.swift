// A forest of shallow trees laid out for single rows. Every tree is padded to a perfect one of the same number of
// levels, so that a split's place tells where its sides are, and a step is a load, a comparison and an addition with
// carry:
//
//     place     1              next = 2 · place + (bin[column] > rank ? 1 : 0)
//             2   3
//            4 5 6 7           leaf = place - 2^levels
//
// Each step has to wait for the one before it, so four trees are walked at once; the processor begins the next four
// before these have arrived. A split takes two bytes, so that the upper five levels of a tree are one line of the
// cache.

final class LevelPlan: Sendable {
  let binning: Binning
  let levels: Int
  private let treeCount: Int
  /// 2^levels for each tree: column and rank, a byte each. Place 0 is not used.
  private let splits: Frozen<UInt16>
  /// 2^levels for each tree.
  private let leaves: MarginLeaves
  private let treeOutput: Frozen<Int32>
  private let baseMargins: [Double]

  private static let levelsMax = 8
  /// Places of the padded trees for each split that is really there. More would be walked faster from node to node.
  private static let paddingMax = 4

  /// Nil for a forest whose trees are too deep, or too uneven.
  init?(_ forest: Forest) {
    guard forest.leafVectors.isEmpty, forest.linearLeaves.isEmpty else { return nil }
    let levels = max(1, Int(forest.depths().max() ?? 0))
    let splitCount = forest.nodeCount / 2
    guard levels <= Self.levelsMax,
      forest.treeCount << levels <= max(splitCount * Self.paddingMax, 1 << 10)
    else { return nil }
    let builder = BinningBuilder(forest, ranksPerColumn: 254)
    binning = builder.binning()
    guard binning.columnCount <= 256 else { return nil }
    self.levels = levels
    treeCount = forest.treeCount
    var splits: [UInt16] = []
    var leaves: [Double] = []
    for tree in 0..<forest.treeCount {
      // By level, the node in each place; a leaf takes the places of all that would be below it.
      var nodes = [Int(forest.roots[tree])]
      splits.append(0)
      for _ in 0..<levels {
        splits += nodes.map { node in
          // Both sides of a leaf are the same leaf.
          guard forest.left[node] >= 0 else { return 0 }
          let test = builder.test(node)
          return UInt16(test.column) << 8 | UInt16(test.rank)
        }
        nodes = nodes.flatMap { node in
          let left = Int(forest.left[node])
          return left < 0 ? [node, node] : [left, left + 1]
        }
      }
      leaves += nodes.map { forest.value[$0] }
    }
    self.splits = Frozen(splits)
    self.leaves = MarginLeaves(leaves, forest.accumulation)
    treeOutput = Frozen(forest.treeOutput)
    baseMargins = forest.baseMargins
  }

  /// The margins of any number of rows, as `Forest.referenceMargins` gives them, bit for bit.
  ///
  /// - Complexity: O(rows × trees × levels); no allocation for rows of usual width.
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
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: block * max(1, binning.columnCount)) {
      bins in
      let bins = bins.baseAddress!
      var row = 0
      while row < rowCount {
        let count = min(block, rowCount - row)
        binning.bin(rows + row * binning.inputCount, count: count, into: .rows(bins))
        for one in 0..<count {
          walk(bins + one * binning.columnCount, into: margins + (row + one) * baseMargins.count)
        }
        row += count
      }
    }
  }

  private func walk(_ bins: UnsafePointer<UInt8>, into margins: UnsafeMutablePointer<Double>) {
    let accumulation = leaves.accumulation
    switch leaves.base {
    case .floats(let leaves):
      withUnsafeTemporaryAllocation(of: Float.self, capacity: baseMargins.count) { sums in
        for output in baseMargins.indices {
          sums[output] = Float(accumulation.start(baseMargins[output]))
        }
        addTrees(splits.base, leaves, treeOutput.base, bins, sums.baseAddress!)
        for output in baseMargins.indices {
          margins[output] = accumulation.margin(Double(sums[output]), baseMargins[output])
        }
      }
    case .doubles(let leaves):
      for output in baseMargins.indices { margins[output] = 0 }
      addTrees(splits.base, leaves, treeOutput.base, bins, margins)
      for output in baseMargins.indices {
        margins[output] = accumulation.margin(margins[output], baseMargins[output])
      }
    }
  }

  @inline(__always)
  private func addTrees<Leaf: BinaryFloatingPoint>(
    _ splits: UnsafePointer<UInt16>, _ leaves: UnsafePointer<Leaf>, _ outputs: UnsafePointer<Int32>,
    _ bins: UnsafePointer<UInt8>, _ sums: UnsafeMutablePointer<Leaf>
  ) {
    let size = 1 &<< levels
    var tree = 0
    while tree < treeCount {
      // Where four trees are no longer left, the last one is walked again, for nothing.
      let last = treeCount &- 1
      let second = min(tree &+ 1, last)
      let third = min(tree &+ 2, last)
      let fourth = min(tree &+ 3, last)
      var (a, b, c, d) = (1, 1, 1, 1)
      for _ in 0..<levels {
        a = LevelPlan.step(splits + tree &* size, a, bins)
        b = LevelPlan.step(splits + second &* size, b, bins)
        c = LevelPlan.step(splits + third &* size, c, bins)
        d = LevelPlan.step(splits + fourth &* size, d, bins)
      }
      let count = treeCount &- tree
      // A place after the last level is 2^levels + the leaf.
      sums[Int(outputs[tree])] += leaves[(tree &- 1) &* size &+ a]
      if count > 1 { sums[Int(outputs[second])] += leaves[(second &- 1) &* size &+ b] }
      if count > 2 { sums[Int(outputs[third])] += leaves[(third &- 1) &* size &+ c] }
      if count > 3 { sums[Int(outputs[fourth])] += leaves[(fourth &- 1) &* size &+ d] }
      tree &+= 4
    }
  }

  @inline(__always)
  private static func step(
    _ splits: UnsafePointer<UInt16>, _ place: Int, _ bins: UnsafePointer<UInt8>
  ) -> Int {
    let split = splits[place]
    // The sign of a difference, as a comparison might become a branch.
    let difference = Int32(split & 0xFF) &- Int32(bins[Int(split &>> 8)])
    return place &+ place &+ Int(UInt32(bitPattern: difference) &>> 31)
  }
}
