// A forest's factors for `ContributionKernel`, made once when explanations are asked for. Trees are
// sorted by the points that their paths need, so that shallow ones have short vectors.

struct ContributionPlan: Sendable {
  let binning: Binning
  private let kernels: [Kernel]

  /// Concrete types, so that the compiler makes each vector's own code.
  private enum Kernel {
    case four(ContributionTrees<SIMD4<Double>>)
    case eight(ContributionTrees<SIMD8<Double>>)
    case sixteen(ContributionTrees<SIMD16<Double>>)
    case thirtyTwo(ContributionTrees<SIMD32<Double>>)
  }

  /// Points of a kernel's vectors. Where more than 64 players stand on one path the last is no longer
  /// the integral itself, but as near to it as rounding is.
  private static let pointCounts = [4, 8, 16, 32]
  private static let columnsMax = 1 << 16
  /// Beyond that a forest is explained without tables.
  private static let bytesMax = 1 << 30

  /// Nil for a forest with too many columns or nodes.
  init?(_ forest: Forest, _ players: Players) {
    let bins = BinningBuilder(forest, ranksPerColumn: 65_534)
    binning = bins.binning()
    guard binning.columnCount < Self.columnsMax else { return nil }
    var trees = [[Int]](repeating: [], count: Self.pointCounts.count)
    var bytes = 0
    for tree in 0..<forest.treeCount {
      let needed = (Self.longestPath(forest, players, tree) + 1) / 2
      let kind = Self.pointCounts.firstIndex { $0 >= needed } ?? Self.pointCounts.count - 1
      trees[kind].append(tree)
      let nodes = Int(forest.roots[tree + 1] - forest.roots[tree])
      bytes += nodes * forest.outputs(ofTree: tree).count * (Self.pointCounts[kind] + 1) * 32
      guard bytes <= Self.bytesMax else { return nil }
    }
    var kernels: [Kernel] = []
    if !trees[0].isEmpty {
      var builder = ContributionBuilder<SIMD4<Double>>(forest, players, bins)
      kernels.append(.four(builder.trees(trees[0])))
    }
    if !trees[1].isEmpty {
      var builder = ContributionBuilder<SIMD8<Double>>(forest, players, bins)
      kernels.append(.eight(builder.trees(trees[1])))
    }
    if !trees[2].isEmpty {
      var builder = ContributionBuilder<SIMD16<Double>>(forest, players, bins)
      kernels.append(.sixteen(builder.trees(trees[2])))
    }
    if !trees[3].isEmpty {
      var builder = ContributionBuilder<SIMD32<Double>>(forest, players, bins)
      kernels.append(.thirtyTwo(builder.trees(trees[3])))
    }
    self.kernels = kernels
  }

  /// The most different players on a way from the root to a leaf.
  private static func longestPath(_ forest: Forest, _ players: Players, _ tree: Int) -> Int {
    let nodes = Int(forest.roots[tree])..<Int(forest.roots[tree + 1])
    var paths = [[Int32]](repeating: [], count: nodes.count)
    var longest = 0
    for node in nodes where forest.left[node] >= 0 {
      let place = node - nodes.lowerBound
      var path = paths[place]
      paths[place] = []
      let player = players.ofInput[Int(forest.feature[node])]
      if !path.contains(player) { path.append(player) }
      longest = max(longest, path.count)
      let child = Int(forest.left[node]) - nodes.lowerBound
      (paths[child], paths[child + 1]) = (path, path)
    }
    return longest
  }

  /// Adds what the players get.
  ///
  /// - Parameters:
  ///   - rows: `rowCount` rows of the forest's inputs, at most `Binning.blockRows`.
  ///   - values: rows of outputs × players.
  func add(
    _ rows: UnsafePointer<Double>, rowCount: Int, to values: UnsafeMutablePointer<Double>
  ) {
    let columns = binning.columnCount
    withUnsafeTemporaryAllocation(of: UInt16.self, capacity: max(1, rowCount * columns)) { bins in
      binning.bin(rows, count: rowCount, into: .wordRows(bins.baseAddress!))
      let bins = UnsafePointer(bins.baseAddress!)
      for kernel in kernels {
        switch kernel {
        case .four(let trees):
          trees.add(bins, columnCount: columns, rowCount: rowCount, to: values)
        case .eight(let trees):
          trees.add(bins, columnCount: columns, rowCount: rowCount, to: values)
        case .sixteen(let trees):
          trees.add(bins, columnCount: columns, rowCount: rowCount, to: values)
        case .thirtyTwo(let trees):
          trees.add(bins, columnCount: columns, rowCount: rowCount, to: values)
        }
      }
    }
  }
}

/// Makes the factors of trees that need as many points as `Lanes` has.
private struct ContributionBuilder<Lanes: SIMD & Sendable & BitwiseCopyable>
where Lanes.Scalar == Double {
  private let forest: Forest
  private let players: Players
  private let bins: BinningBuilder
  /// The points t, 1 - t, and their weights.
  private let known: Lanes
  private let unknown: Lanes
  private let weights: Lanes

  private var found: [ContributionTrees<Lanes>.Tree] = []
  private var splits: [ContributionSplit<Lanes>] = []
  private var sides: [ContributionSide<Lanes>] = []

  init(_ forest: Forest, _ players: Players, _ bins: BinningBuilder) {
    (self.forest, self.players, self.bins) = (forest, players, bins)
    let rule = GaussLegendre(Lanes.scalarCount)
    known = Lanes(rule.points)
    unknown = 1 - known
    weights = Lanes(rule.weights)
  }

  mutating func trees(_ places: [Int]) -> ContributionTrees<Lanes> {
    for tree in places {
      for output in forest.outputs(ofTree: tree) { add(tree, output) }
    }
    return ContributionTrees(
      trees: Frozen(found), splits: Frozen(splits), sides: Frozen(sides),
      largestSplitCount: found.map { Int($0.splitCount) }.max() ?? 0,
      outputCount: forest.outputCount, playerCount: players.count)
  }

  /// Takes a tree's values for one output. Nodes are in breadth-first order.
  private mutating func add(_ tree: Int, _ output: Int) {
    let first = Int(forest.roots[tree])
    let nodes = first..<Int(forest.roots[tree + 1])
    let start = splits.count
    // By node: the player of the split above, the node's z, and the next node above of its player.
    var player = [Int32](repeating: -1, count: nodes.count)
    var parts = [Double](repeating: 1, count: nodes.count)
    var parents = [Int](repeating: 0, count: nodes.count)
    for node in nodes where forest.left[node] >= 0 {
      let own = players.ofInput[Int(forest.feature[node])]
      var above = node - first
      while above != 0, player[above] != own { above = parents[above] }
      let left = Int(forest.left[node]) - first
      let test = bins.test(node)
      splits.append(
        ContributionSplit(
          coldWeight: -weights / unknown - knownWeight(parts[above]),
          node: Int32(node - first), left: Int32(left), above: Int32(above), player: own,
          column: Int32(test.column), rank: Int32(test.rank)))
      for child in [left, left + 1] {
        let ratio = forest.share(ofChild: first + child, of: node)
        player[child] = own
        parents[child] = node - first
        parts[child] = parts[above] * ratio
        let isLeaf = forest.left[first + child] < 0
        sides.append(
          side(
            parts[child], above: parts[above], ratio,
            isLeaf ? forest.leafValue(first + child, output) : 1))
      }
    }
    guard splits.count > start else { return }
    found.append(
      .init(
        firstSplit: Int32(start), splitCount: Int32(splits.count - start), output: Int32(output)))
  }

  private func side(
    _ part: Double, above: Double, _ ratio: Double, _ value: Double
  ) -> ContributionSide<Lanes> {
    let before = known + unknown * above
    return ContributionSide(
      known: (known + unknown * part) / before * value, unknown: unknown * part / before * value,
      weight: knownWeight(part) - knownWeight(above), ratio: ratio * value)
  }

  /// w · (1 - z) / (t + (1 - t) · z)
  private func knownWeight(_ part: Double) -> Lanes {
    weights * (1 - part) / (known + unknown * part)
  }
}
