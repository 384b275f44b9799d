// A forest laid out for `PlaneKernel`: for batches, where every tree has at most 256 leaves, as boosted trees do.
//
//     places:  │ zeros │ ones │ masks of column 0 │ masks of column 1 │ … │ results of a tree's choices │

import Core
import Wide

final class PlanePlan: Sendable {
  let binning: Binning
  let columns: Frozen<PlaneColumn>
  let trees: Frozen<PlaneTree>
  let choices: Frozen<PlaneChoice>
  let leaves: MarginLeaves
  let firstResult: Int
  /// Planes of a block, results of choices included.
  let placeCount: Int
  let baseMargins: [Double]

  /// Nil for a forest whose trees do not fit.
  init?(_ forest: Forest) {
    guard forest.leafVectors.isEmpty, forest.linearLeaves.isEmpty else { return nil }
    var builder = PlanePlanBuilder(forest)
    guard builder.addTrees() else { return nil }
    binning = builder.binning
    columns = Frozen(builder.columns)
    trees = Frozen(builder.trees)
    choices = Frozen(builder.choices)
    firstResult = builder.firstResult
    placeCount = builder.firstResult + builder.resultsMax
    baseMargins = forest.baseMargins
    leaves = MarginLeaves(builder.leaves, forest.accumulation)
  }

  /// The margins of any number of rows, as `Forest.referenceMargins` gives them, bit for bit.
  ///
  /// - Parameter wide: with AVX2, which the processor must have.
  /// - Complexity: O(rows × trees + rows / 256 × splits); one allocation for each call.
  func margins(
    _ rows: UnsafeBufferPointer<Double>, rowCount: Int,
    into margins: UnsafeMutableBufferPointer<Double>, wide: Bool = Processor.isWide
  ) {
    guard rowCount > 0, let rows = rows.baseAddress, let margins = margins.baseAddress else {
      return
    }
    // Whatever pointers into it are at work.
    defer { withExtendedLifetime(self) {} }
    let scratch = PlaneScratch(self)
    defer { scratch.deallocate() }
    var row = 0
    while row < rowCount {
      let count = min(Binning.blockRows, rowCount - row)
      binning.bin(
        rows + row * binning.inputCount, count: count, into: .columns(scratch.bins), wide: wide)
      add(scratch, wide: wide, count, into: margins + row * baseMargins.count)
      row += count
    }
  }

  private func add(
    _ scratch: PlaneScratch, wide: Bool, _ count: Int, into margins: UnsafeMutablePointer<Double>
  ) {
    let width = PlaneKernel.rows
    let accumulation = leaves.accumulation
    switch leaves.base {
    case .floats(let leaves):
      let sums = scratch.sums.assumingMemoryBound(to: Float.self)
      for output in baseMargins.indices {
        let start = Float(accumulation.start(baseMargins[output]))
        for row in 0..<width { sums[output * width + row] = start }
      }
      if wide {
        Wide.PlaneKernel.add(
          wideProgram, bins: scratch.bins, planes: scratch.planes, numbers: scratch.numbers,
          leaves: leaves, to: sums)
      } else {
        PlaneKernel.add(
          program, bins: scratch.bins, planes: scratch.planes, numbers: scratch.numbers,
          leaves: leaves, to: sums)
      }
      for row in 0..<count {
        for output in baseMargins.indices {
          margins[row * baseMargins.count + output] = accumulation.margin(
            Double(sums[output * width + row]), baseMargins[output])
        }
      }
    case .doubles(let leaves):
      let sums = scratch.sums.assumingMemoryBound(to: Double.self)
      for index in 0..<width * baseMargins.count { sums[index] = 0 }
      if wide {
        Wide.PlaneKernel.add(
          wideProgram, bins: scratch.bins, planes: scratch.planes, numbers: scratch.numbers,
          leaves: leaves, to: sums)
      } else {
        PlaneKernel.add(
          program, bins: scratch.bins, planes: scratch.planes, numbers: scratch.numbers,
          leaves: leaves, to: sums)
      }
      for row in 0..<count {
        for output in baseMargins.indices {
          margins[row * baseMargins.count + output] = accumulation.margin(
            sums[output * width + row], baseMargins[output])
        }
      }
    }
  }

  private var program: PlaneProgram {
    PlaneProgram(
      columns: columns.base, columnCount: columns.count, trees: trees.base,
      treeCount: trees.count, choices: choices.base, firstResult: firstResult)
  }

  private var wideProgram: Wide.PlaneProgram {
    Wide.PlaneProgram(
      columns: columns.base, columnCount: columns.count, trees: trees.base,
      treeCount: trees.count, choices: choices.base, firstResult: firstResult)
  }
}

/// What a call needs besides the forest.
private struct PlaneScratch {
  let planes: UnsafeMutableRawPointer
  let numbers: UnsafeMutableRawPointer
  let bins: UnsafeMutablePointer<UInt8>
  let sums: UnsafeMutableRawPointer

  init(_ plan: PlanePlan) {
    let planeBytes = plan.placeCount * MemoryLayout<Plane>.size
    let numberBytes = PlaneKernel.treesAtOnce * PlaneKernel.rows
    let binBytes = plan.binning.columnCount * PlaneKernel.rows
    let sumBytes = plan.baseMargins.count * PlaneKernel.rows * 8
    planes = .allocate(
      byteCount: planeBytes + numberBytes + binBytes + sumBytes, alignment: 64)
    let places = planes.assumingMemoryBound(to: Plane.self)
    places[0] = Plane()
    places[1] = Plane(repeating: .max)
    numbers = planes + planeBytes
    bins = (numbers + numberBytes).bindMemory(to: UInt8.self, capacity: binBytes)
    // Rows that are not there are evaluated too, with whatever bins.
    bins.initialize(repeating: 0, count: binBytes)
    sums = numbers + numberBytes + binBytes
  }

  func deallocate() { planes.deallocate() }
}

/// Lays a forest out.
private struct PlanePlanBuilder {
  /// Bytes of the masks of a block. They should stay in the third level of the cache.
  private static let maskBytesMax = 4 << 20
  /// Numbers for each leaf, used or not: more would fill the cache with nothing.
  private static let numbersPerLeafMax = 4
  private static let zeros: Int32 = 0
  private static let ones: Int32 = 1

  private let forest: Forest
  private let builder: BinningBuilder
  let binning: Binning
  private(set) var columns: [PlaneColumn] = []
  private(set) var trees: [PlaneTree] = []
  private(set) var choices: [PlaneChoice] = []
  private(set) var leaves: [Double] = []
  private(set) var firstResult = 2
  /// The most choices that a tree has.
  private(set) var resultsMax = 0
  /// By column.
  private var firstMasks: [Int] = []

  init(_ forest: Forest) {
    self.forest = forest
    builder = BinningBuilder(forest, ranksPerColumn: 254)
    binning = builder.binning()
    for column in 0..<binning.columnCount {
      let bits = Int.bitWidth - binning.fullBin(column).leadingZeroBitCount
      firstMasks.append(firstResult)
      columns.append(PlaneColumn(firstMask: firstResult, bits: bits))
      firstResult += 1 << bits
    }
  }

  /// False where a tree has too many leaves.
  mutating func addTrees() -> Bool {
    guard firstResult * MemoryLayout<Plane>.size <= Self.maskBytesMax else { return false }
    let depths = forest.depths()
    // Order matters only among the trees of one output.
    for output in 0..<forest.outputCount {
      for tree in 0..<forest.treeCount where forest.treeOutput[tree] == Int32(output) {
        let nodes = Int(forest.roots[tree])..<Int(forest.roots[tree + 1])
        guard nodes.count / 2 < PlaneKernel.leavesMax else { return false }
        add(nodes, depth: Int(depths[tree]), output)
      }
    }
    return true
  }

  private mutating func add(_ nodes: Range<Int>, depth: Int, _ output: Int) {
    let firstLeaf = leaves.count
    let firstChoice = choices.count
    // By node: the planes of the leaf numbers below it. From the last node to the first, as children have
    // higher numbers.
    var planes = [SIMD8<Int32>](repeating: SIMD8(), count: nodes.count)
    number(
      nodes.lowerBound, depth: depth, leafCount: nodes.count / 2 + 1, &planes)
    for node in nodes.reversed() where forest.left[node] >= 0 {
      let left = Int(forest.left[node]) - nodes.lowerBound
      let test = builder.test(node)
      let mask = firstMasks[test.column] + test.rank
      for bit in 0..<8 {
        planes[node - nodes.lowerBound][bit] = choose(
          mask, planes[left][bit], planes[left + 1][bit], firstChoice)
      }
    }
    trees.append(
      PlaneTree(
        firstChoice: firstChoice, choiceCount: choices.count - firstChoice, firstLeaf: firstLeaf,
        output: output, planes: planes[0]))
    resultsMax = max(resultsMax, choices.count - firstChoice)
  }

  /// Numbers the leaves, so that those below a split share their upper bits, which then cost nothing: by the way
  /// from the root, a bit a level, where few numbers stay unused; else from left to right.
  private mutating func number(
    _ root: Int, depth: Int, leafCount: Int, _ planes: inout [SIMD8<Int32>]
  ) {
    let byWay = depth <= 8 && 1 << depth <= leafCount * Self.numbersPerLeafMax
    let firstLeaf = leaves.count
    if byWay { leaves += Array(repeating: 0, count: 1 << depth) }
    var stack = [(node: root, way: 0, level: 0)]
    var met = 0
    while let (node, way, level) = stack.popLast() {
      if forest.left[node] >= 0 {
        let left = Int(forest.left[node])
        stack.append((left + 1, way << 1 | 1, level + 1))
        stack.append((left, way << 1, level + 1))
        continue
      }
      let number = byWay ? way << (depth - level) : met
      if byWay {
        leaves[firstLeaf + number] = forest.value[node]
      } else {
        leaves.append(forest.value[node])
      }
      met += 1
      for bit in 0..<8 {
        planes[node - root][bit] = number >> bit & 1 == 1 ? Self.ones : Self.zeros
      }
    }
  }

  private mutating func choose(
    _ mask: Int, _ left: Int32, _ right: Int32, _ firstChoice: Int
  ) -> Int32 {
    if left == right { return left }
    if left == Self.zeros, right == Self.ones { return Int32(mask) }
    choices.append(PlaneChoice(mask: mask, left: Int(left), right: Int(right)))
    return Int32(firstResult + choices.count - 1 - firstChoice)
  }
}
