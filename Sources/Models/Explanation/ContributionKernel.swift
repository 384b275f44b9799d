// Shapley values of trees in time linear in their nodes. A leaf with value v, behind splits of d
// different players, gives player i
//
//     v · (oᵢ - zᵢ) · ∫₀¹ ∏ⱼ≠ᵢ (t·oⱼ + (1 - t)·zⱼ) dt
//
// where z is the part of the training rows that goes on along the player's splits, and o is 1 if the
// row does, else 0 (the multilinear extension of the game; Owen, "Multilinear Extensions of Games",
// 1972). Under the integral stands a polynomial of degree d - 1, so a sum over d / 2 points (Gauss and
// Legendre) is the integral itself, not an estimate. At each point the product P goes down the tree
// edge by edge, the sums G of v·P come up, and an edge adds G · w · (o - z) / (t·o + (1 - t)·z) to its
// player; where an edge above has the same player, that one's is taken off again, and both are one
// move. The points lie in the lanes of a vector, so that all of it is done at once. (Linear TreeShap,
// Yu et al. 2022, does the same with coefficients of polynomials.)
//
// Of the row an edge knows two bits only: whether it is the one that the row takes, and whether the
// row took the last edge of the same player. So all factors are made beforehand, by side of a split:
//
//     takes  took above   P of the child =             added to the player
//     yes    yes          P · `known`                  G · `weight`
//     no     yes          P · `unknown`                G · `splits[…].coldWeight`
//     any    no           P · `ratio`                  nothing: both moves cancel out

/// A split as a kernel sees it.
struct ContributionSplit<Lanes: SIMD & Sendable>: BitwiseCopyable, Sendable
where Lanes.Scalar == Double, Lanes: BitwiseCopyable {
  /// For the side that the row does not take.
  var coldWeight: Lanes
  /// Its node and its left child, among the tree's nodes.
  var node: Int32
  var left: Int32
  /// The child on the path whose split had the same player; 0, the root, where none had.
  var above: Int32
  var player: Int32
  var column: Int32
  var rank: Int32
}

/// The factors of a split's side. Those of a leaf have its value in them.
struct ContributionSide<Lanes: SIMD & Sendable>: BitwiseCopyable, Sendable
where Lanes.Scalar == Double, Lanes: BitwiseCopyable {
  var known: Lanes
  var unknown: Lanes
  var weight: Lanes
  var ratio: Double
}

/// Trees of similar depth with their factors.
struct ContributionTrees<Lanes: SIMD & Sendable>: Sendable
where Lanes.Scalar == Double, Lanes: BitwiseCopyable {
  struct Tree: BitwiseCopyable, Sendable {
    var firstSplit: Int32
    var splitCount: Int32
    var output: Int32
  }

  let trees: Frozen<Tree>
  let splits: Frozen<ContributionSplit<Lanes>>
  /// Two for each split, the left one first.
  let sides: Frozen<ContributionSide<Lanes>>
  let largestSplitCount: Int
  let outputCount: Int
  let playerCount: Int

  /// Adds what the players of these trees get.
  ///
  /// - Parameters:
  ///   - bins: rows of `columnCount` bins.
  ///   - values: rows of outputs × players.
  /// - Complexity: O(rows × nodes), no allocation on the heap for rows of usual width.
  func add(
    _ bins: UnsafePointer<UInt16>, columnCount: Int, rowCount: Int,
    to values: UnsafeMutablePointer<Double>
  ) {
    let width = outputCount * playerCount
    let nodes = 2 * largestSplitCount + 1
    withUnsafeTemporaryAllocation(of: Lanes.self, capacity: nodes + rowCount * width) { lanes in
      withUnsafeTemporaryAllocation(of: UInt8.self, capacity: nodes + largestSplitCount) { bits in
        let (products, sums) = (lanes.baseAddress!, lanes.baseAddress! + nodes)
        let (takes, states) = (bits.baseAddress!, bits.baseAddress! + nodes)
        sums.initialize(repeating: .zero, count: rowCount * width)
        for tree in 0..<trees.count {
          let place = trees.base[tree]
          for row in 0..<rowCount {
            addContributions(
              splits.base + Int(place.firstSplit), sides.base + 2 * Int(place.firstSplit),
              Int(place.splitCount), bins + row * columnCount, products, takes, states,
              sums + row * width + Int(place.output) * playerCount)
          }
        }
        for index in 0..<rowCount * width { values[index] += sums[index].sum() }
      }
    }
  }
}

/// One row through one tree, down and up again. Time is spent here.
@inline(__always)
private func addContributions<Lanes: SIMD & Sendable & BitwiseCopyable>(
  _ splits: UnsafePointer<ContributionSplit<Lanes>>,
  _ sides: UnsafePointer<ContributionSide<Lanes>>, _ count: Int,
  _ bins: UnsafePointer<UInt16>, _ products: UnsafeMutablePointer<Lanes>,
  _ takes: UnsafeMutablePointer<UInt8>, _ states: UnsafeMutablePointer<UInt8>,
  _ sums: UnsafeMutablePointer<Lanes>
) where Lanes.Scalar == Double {
  products[0] = Lanes(repeating: 1)
  takes[0] = 1
  for index in 0..<count {
    let split = splits + index
    let goesRight = Int32(bins[Int(split.pointee.column)]) > split.pointee.rank ? 1 : 0
    let product = products[Int(split.pointee.node)]
    let left = Int(split.pointee.left)
    let hot = sides + 2 * index + goesRight
    let cold = sides + 2 * index + 1 - goesRight
    let tookAbove = takes[Int(split.pointee.above)]
    if tookAbove != 0 {
      products[left + goesRight] = product * hot.pointee.known
      products[left + 1 - goesRight] = product * cold.pointee.unknown
    } else {
      products[left + goesRight] = product * hot.pointee.ratio
      products[left + 1 - goesRight] = product * cold.pointee.ratio
    }
    takes[left + goesRight] = tookAbove
    takes[left + 1 - goesRight] = 0
    states[index] = UInt8(truncatingIfNeeded: goesRight) | tookAbove << 1
  }
  for index in stride(from: count - 1, through: 0, by: -1) {
    let split = splits + index
    let left = Int(split.pointee.left)
    let goesRight = Int(states[index] & 1)
    let hot = products[left + goesRight]
    let cold = products[left + 1 - goesRight]
    products[Int(split.pointee.node)] = hot + cold
    if states[index] & 2 != 0 {
      sums[Int(split.pointee.player)] +=
        hot * sides[2 * index + goesRight].weight + cold * split.pointee.coldWeight
    }
  }
}
