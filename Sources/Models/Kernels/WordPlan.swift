// A forest laid out for `WordKernel`: for single rows, and for as many as are too few for `PlanePlan`. Each tree is cut
// into blocks of six levels, and each block is padded to a perfect one, so that a split's place tells where its sides
// are. What is missing below a leaf is padded with splits that send every row to the right; all their exits are that leaf.
//
//     a block, 128 bytes:  │ 63 columns, 0 │ 63 bounds, 0 │

import Core
import Wide

final class WordPlan: Sendable {
  let binning: Binning
  private let blocks: Frozen<UInt8>
  private let ways: Frozen<UInt16>
  private let lowerWays: Frozen<UInt8>
  /// 64 for each block; none where every tree is one block, whose leaves then stand in the order of its exits.
  private let exits: Frozen<Int32>
  private let isShallow: Bool
  private let leaves: MarginLeaves
  private let treeCount: Int
  private let treeOutput: Frozen<Int32>
  private let baseMargins: [Double]
  /// Bins of a row, in tables of 16.
  private let rowBytes: Int

  /// More would come from memory for each row.
  private static let blocksMax = 1 << 15
  /// Blocks for each one that the splits would fill. More would be walked faster from node to node.
  private static let paddingMax = 6

  /// Nil for a forest with leaves that are not plain values, with too many columns, or too deep.
  init?(_ forest: Forest) {
    guard forest.leafVectors.isEmpty, forest.linearLeaves.isEmpty else { return nil }
    let builder = BinningBuilder(forest, ranksPerColumn: 254)
    binning = builder.binning()
    guard binning.columnCount <= WordKernel.columnsMax else { return nil }
    let splitCount = forest.nodeCount / 2
    let room = max(splitCount / 63 * Self.paddingMax, 8 * forest.treeCount)
    var layout = WordLayout(forest, builder)
    guard layout.addTrees(blocksMax: min(room, Self.blocksMax)) else { return nil }
    blocks = Frozen(layout.blocks)
    ways = Frozen(WordLayout.ways.map { UInt16($0 << 9 | 7 + 7 * $0) })
    lowerWays = Frozen(WordLayout.ways.map { UInt8($0) })
    isShallow = layout.blockCount == forest.treeCount
    let values = forest.value
    leaves = MarginLeaves(
      isShallow ? layout.exits.map { values[Int($0)] } : values, forest.accumulation)
    exits = Frozen(isShallow ? [] : layout.exits)
    treeCount = forest.treeCount
    treeOutput = Frozen(forest.treeOutput)
    baseMargins = forest.baseMargins
    rowBytes = binning.columnCount <= 16 ? 16 : binning.columnCount <= 32 ? 32 : 64
  }

  /// The margins of any number of rows, as `Forest.referenceMargins` gives them, bit for bit. The processor must have
  /// AVX2.
  ///
  /// - Complexity: O(rows × trees × levels / 6); no allocation for single rows of usual width.
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
    // The last row's tables may reach behind the bins that it has.
    let room = block * binning.columnCount + WordKernel.columnsMax
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: room) { bins in
      bins.initialize(repeating: 0)
      let bins = bins.baseAddress!
      var row = 0
      while row < rowCount {
        let count = min(block, rowCount - row)
        binning.bin(rows + row * binning.inputCount, count: count, into: .rows(bins))
        for one in 0..<count {
          add(bins + one * binning.columnCount, into: margins + (row + one) * baseMargins.count)
        }
        row += count
      }
    }
  }

  private func add(_ bins: UnsafePointer<UInt8>, into margins: UnsafeMutablePointer<Double>) {
    let accumulation = leaves.accumulation
    switch leaves.base {
    case .floats(let leaves):
      withUnsafeTemporaryAllocation(of: Float.self, capacity: baseMargins.count) { sums in
        let sums = sums.baseAddress!
        for output in baseMargins.indices {
          sums[output] = Float(accumulation.start(baseMargins[output]))
        }
        if isShallow {
          WordKernel.addShallow(program, bins: bins, leaves: leaves, to: sums)
        } else {
          WordKernel.addDeep(program, bins: bins, leaves: leaves, to: sums)
        }
        for output in baseMargins.indices {
          margins[output] = accumulation.margin(Double(sums[output]), baseMargins[output])
        }
      }
    case .doubles(let leaves):
      for output in baseMargins.indices { margins[output] = 0 }
      if isShallow {
        WordKernel.addShallow(program, bins: bins, leaves: leaves, to: margins)
      } else {
        WordKernel.addDeep(program, bins: bins, leaves: leaves, to: margins)
      }
      for output in baseMargins.indices {
        margins[output] = accumulation.margin(margins[output], baseMargins[output])
      }
    }
  }

  private var program: WordProgram {
    WordProgram(
      blocks: blocks.base, ways: ways.base, lowerWays: lowerWays.base, exits: exits.base,
      treeCount: treeCount, outputs: treeOutput.base, outputCount: baseMargins.count,
      tables: rowBytes / 16)
  }
}

/// Cuts trees into blocks.
private struct WordLayout {
  private let forest: Forest
  private let builder: BinningBuilder
  private(set) var blocks: [UInt8] = []
  /// 64 for each block: the node of a leaf, or the complement of a block.
  private(set) var exits: [Int32] = []
  /// The node at the root of each block.
  private var roots: [Int] = []

  var blockCount: Int { roots.count }

  init(_ forest: Forest, _ builder: BinningBuilder) {
    self.forest = forest
    self.builder = builder
  }

  /// False where it would take too many blocks.
  mutating func addTrees(blocksMax: Int) -> Bool {
    roots = (0..<forest.treeCount).map { Int(forest.roots[$0]) }
    var block = 0
    while block < roots.count {
      guard roots.count <= blocksMax else { return false }
      add(roots[block])
      block += 1
    }
    return true
  }

  private mutating func add(_ root: Int) {
    let base = blocks.count
    blocks += Array(repeating: 0, count: WordKernel.blockBytes)
    var nodes = [root]
    for level in 0..<6 {
      for (index, node) in nodes.enumerated() where forest.left[node] >= 0 {
        let test = builder.test(node)
        let bit = WordLayout.bit(level: level, index)
        blocks[base + bit] = UInt8(test.column)
        blocks[base + 64 + bit] = UInt8(test.rank + 1)
      }
      nodes = nodes.flatMap { node in
        let left = Int(forest.left[node])
        return left < 0 ? [node, node] : [left, left + 1]
      }
    }
    exits += nodes.map { node in
      guard forest.left[node] >= 0 else { return Int32(node) }
      roots.append(node)
      return ~Int32(roots.count - 1)
    }
  }

  /// Where the split at a place of a level has its bit.
  private static func bit(level: Int, _ index: Int) -> Int {
    guard level >= 3 else { return 1 << level - 1 + index }
    let width = 1 << (level - 3)
    return 7 + 7 * (index / width) + width - 1 + index % width
  }

  /// For the answers of three levels the way through them: its bits from the root on, right being 1.
  static var ways: [Int] {
    (0..<128).map { answers in
      var place = 0
      for _ in 0..<3 { place = 2 * place + 1 + (answers >> place & 1) }
      return place - 7
    }
  }
}
