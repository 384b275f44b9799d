// One row goes down a tree without a step that waits for another: all splits of six levels are answered at once, a bit
// each of one 64-bit word, and the word is then read like an address.
//
//     columns of 63 splits   3  0  7  3  1 …     the row's bins, looked up by column: a byte shuffle
//     their bounds          12 90  4 31  2 …     bin ≥ bound: a comparison
//     answers                1  0  1  1  0 …     the sign bits of 64 bytes
//
// Bits 0 to 6 of the answers are the upper three levels (place 0 the root, 2i + 1 and 2i + 2 below i). A table of 128
// entries turns them into the way through them, 0 to 7; the seven bits of the three levels below that way begin at bit
// 7 + 7 · way, and a second table turns these into the other half of the way. So a tree of six levels costs some
// thirty-five instructions, none of which is a branch, and the processor has several trees under way at once; only the
// sum of the leaves goes from tree to tree. Trees with more levels are made of such *blocks*: an exit of a block is a
// leaf or another block.
//
// (Answering all of a tree's splits at once goes back to QuickScorer: Lucchese et al., SIGIR 2015.)

#if arch(x86_64)
  import SystemHeaders
#endif

/// What the kernel needs of a forest, borrowed.
public struct WordProgram {
  let blocks: UnsafePointer<UInt8>
  let ways: UnsafePointer<UInt16>
  let lowerWays: UnsafePointer<UInt8>
  let exits: UnsafePointer<Int32>
  let treeCount: Int
  let outputs: UnsafePointer<Int32>
  let outputCount: Int
  let tables: Int

  /// - Parameters:
  ///   - blocks: 64 columns and 64 bounds each; those of the trees' roots first, in the trees' order.
  ///   - ways: for each of the 128 answers of the upper levels, 512 times the way through them, and where the answers
  ///     below it begin.
  ///   - lowerWays: for each of the 128 answers of the lower levels, the way through them.
  ///   - exits: 64 for each block: a leaf, or the complement of a block. `addShallow` does not read them:
  ///     there the leaves are at 64 × tree + exit.
  ///   - outputs: to which each tree adds.
  ///   - tables: of 16 bins, in a row's bins: 1, 2 or 4.
  public init(
    blocks: UnsafePointer<UInt8>, ways: UnsafePointer<UInt16>, lowerWays: UnsafePointer<UInt8>,
    exits: UnsafePointer<Int32>, treeCount: Int, outputs: UnsafePointer<Int32>, outputCount: Int,
    tables: Int
  ) {
    self.blocks = blocks
    self.ways = ways
    self.lowerWays = lowerWays
    self.exits = exits
    self.treeCount = treeCount
    self.outputs = outputs
    self.outputCount = outputCount
    self.tables = tables
  }
}

public enum WordKernel {
  /// Bytes of a block.
  public static let blockBytes = 128
  /// Exits of a block.
  public static let exits = 64
  /// The most columns that a row's tables hold.
  public static let columnsMax = 64
  /// Trees whose exits are found before their leaves are added, where trees have several blocks.
  private static let treesAtOnce = 96

  /// Adds the leaf of every tree to the sums of one row; every tree is one block.
  ///
  /// - Parameter bins: 16 for each table.
  /// - Complexity: O(trees), no allocation.
  public static func addShallow(
    _ program: WordProgram, bins: UnsafePointer<UInt8>, leaves: UnsafePointer<Float>,
    to sums: UnsafeMutablePointer<Float>
  ) {
    shallow(program, bins, leaves, sums)
  }

  public static func addShallow(
    _ program: WordProgram, bins: UnsafePointer<UInt8>, leaves: UnsafePointer<Double>,
    to sums: UnsafeMutablePointer<Double>
  ) {
    shallow(program, bins, leaves, sums)
  }

  /// The same where a tree may have several blocks.
  public static func addDeep(
    _ program: WordProgram, bins: UnsafePointer<UInt8>, leaves: UnsafePointer<Float>,
    to sums: UnsafeMutablePointer<Float>
  ) {
    deep(program, bins, leaves, sums)
  }

  public static func addDeep(
    _ program: WordProgram, bins: UnsafePointer<UInt8>, leaves: UnsafePointer<Double>,
    to sums: UnsafeMutablePointer<Double>
  ) {
    deep(program, bins, leaves, sums)
  }

  @inline(__always)
  private static func shallow<Leaf: BinaryFloatingPoint>(
    _ program: WordProgram, _ bins: UnsafePointer<UInt8>, _ leaves: UnsafePointer<Leaf>,
    _ sums: UnsafeMutablePointer<Leaf>
  ) {
    switch program.tables {
    case 1: shallow(program, OneTable(bins), leaves, sums)
    case 2: shallow(program, TwoTables(bins), leaves, sums)
    default: shallow(program, FourTables(bins), leaves, sums)
    }
  }

  @inline(__always)
  private static func shallow<Leaf: BinaryFloatingPoint, Row: BinTables>(
    _ program: WordProgram, _ row: Row, _ leaves: UnsafePointer<Leaf>,
    _ sums: UnsafeMutablePointer<Leaf>
  ) {
    var block = program.blocks
    if program.outputCount == 1 {
      // In a register, or each addition would wait for a store and a load.
      var sum = sums[0]
      for tree in 0..<program.treeCount {
        sum += leaves[tree &* exits &+ findExit(block, program, row)]
        block += blockBytes
      }
      sums[0] = sum
    } else {
      for tree in 0..<program.treeCount {
        sums[Int(program.outputs[tree])] += leaves[tree &* exits &+ findExit(block, program, row)]
        block += blockBytes
      }
    }
  }

  @inline(__always)
  private static func deep<Leaf: BinaryFloatingPoint>(
    _ program: WordProgram, _ bins: UnsafePointer<UInt8>, _ leaves: UnsafePointer<Leaf>,
    _ sums: UnsafeMutablePointer<Leaf>
  ) {
    switch program.tables {
    case 1: deep(program, OneTable(bins), leaves, sums)
    case 2: deep(program, TwoTables(bins), leaves, sums)
    default: deep(program, FourTables(bins), leaves, sums)
    }
  }

  /// Whether a tree goes on below its first block is a guess that would often be wrong; so those that do are listed,
  /// without a branch, and then taken together.
  @inline(__always)
  private static func deep<Leaf: BinaryFloatingPoint, Row: BinTables>(
    _ program: WordProgram, _ row: Row, _ leaves: UnsafePointer<Leaf>,
    _ sums: UnsafeMutablePointer<Leaf>
  ) {
    withUnsafeTemporaryAllocation(of: Int32.self, capacity: 2 * treesAtOnce) { scratch in
      let found = scratch.baseAddress!
      let pending = found + treesAtOnce
      var first = 0
      while first < program.treeCount {
        let count = min(treesAtOnce, program.treeCount &- first)
        var open = 0
        for tree in 0..<count {
          let place = next(first &+ tree, program, row)
          found[tree] = place
          pending[open] = Int32(truncatingIfNeeded: tree)
          open &+= Int(UInt32(bitPattern: place) &>> 31)
        }
        while open > 0 {
          var left = 0
          for index in 0..<open {
            let tree = pending[index]
            let place = next(Int(~found[Int(tree)]), program, row)
            found[Int(tree)] = place
            pending[left] = tree
            left &+= Int(UInt32(bitPattern: place) &>> 31)
          }
          open = left
        }
        for tree in 0..<count {
          sums[Int(program.outputs[first &+ tree])] += leaves[Int(found[tree])]
        }
        first &+= count
      }
    }
  }

  @inline(__always)
  private static func next<Row: BinTables>(_ block: Int, _ program: WordProgram, _ row: Row)
    -> Int32
  {
    let exit = findExit(program.blocks + block &* blockBytes, program, row)
    return program.exits[block &* exits &+ exit]
  }

  /// Which of a block's exits the row takes.
  @inline(__always)
  private static func findExit<Row: BinTables>(
    _ block: UnsafePointer<UInt8>, _ program: WordProgram, _ row: Row
  ) -> Int {
    let answers = row.answers(block)
    let way = program.ways[Int(answers & 127)]
    // The shift looks at the lower six bits only.
    let below = answers &>> UInt64(way)
    return Int(way &>> 6) &+ Int(program.lowerWays[Int(below & 127)])
  }
}

/// A row's bins, ready to be looked up by the bytes of a vector.
private protocol BinTables {
  /// A bit for each split of a block: 1 where the bin reaches the bound.
  func answers(_ block: UnsafePointer<UInt8>) -> UInt64
}

#if arch(x86_64)
  /// A shuffle looks up in 16 bytes; a place whose top bit is set gives 0.
  private struct OneTable: BinTables {
    let table: __m256i

    @inline(__always)
    init(_ bins: UnsafePointer<UInt8>) {
      table = _mm256_broadcastsi128_si256(
        UnsafeRawPointer(bins).loadUnaligned(as: __m128i.self))
    }

    @inline(__always)
    func answers(_ block: UnsafePointer<UInt8>) -> UInt64 {
      join(half(block), half(block + 32))
    }

    @inline(__always)
    private func half(_ block: UnsafePointer<UInt8>) -> UInt32 {
      reaches(_mm256_shuffle_epi8(table, load(block)), block)
    }
  }

  private struct TwoTables: BinTables {
    let low: OneTable
    let high: OneTable

    @inline(__always)
    init(_ bins: UnsafePointer<UInt8>) {
      low = OneTable(bins)
      high = OneTable(bins + 16)
    }

    @inline(__always)
    func answers(_ block: UnsafePointer<UInt8>) -> UInt64 {
      join(half(block), half(block + 32))
    }

    @inline(__always)
    private func half(_ block: UnsafePointer<UInt8>) -> UInt32 {
      let columns = load(block)
      // From 16 on the sum has its top bit set, below 16 the difference has.
      let below = _mm256_shuffle_epi8(low.table, _mm256_add_epi8(columns, _mm256_set1_epi8(0x70)))
      let above = _mm256_shuffle_epi8(high.table, _mm256_sub_epi8(columns, _mm256_set1_epi8(16)))
      return reaches(_mm256_or_si256(below, above), block)
    }
  }

  private struct FourTables: BinTables {
    let first: OneTable
    let second: OneTable
    let third: OneTable
    let fourth: OneTable

    @inline(__always)
    init(_ bins: UnsafePointer<UInt8>) {
      first = OneTable(bins)
      second = OneTable(bins + 16)
      third = OneTable(bins + 32)
      fourth = OneTable(bins + 48)
    }

    @inline(__always)
    func answers(_ block: UnsafePointer<UInt8>) -> UInt64 {
      join(half(block), half(block + 32))
    }

    @inline(__always)
    private func half(_ block: UnsafePointer<UInt8>) -> UInt32 {
      let columns = load(block)
      let lower = _mm256_or_si256(look(first, columns, 0), look(second, columns, 16))
      let upper = _mm256_or_si256(look(third, columns, 32), look(fourth, columns, 48))
      return reaches(_mm256_or_si256(lower, upper), block)
    }

    /// The bins of one table's columns, 0 for others: theirs are 16 or more once its first one is taken away.
    @inline(__always)
    private func look(_ table: OneTable, _ columns: __m256i, _ first: Int8) -> __m256i {
      let own = _mm256_xor_si256(columns, _mm256_set1_epi8(first))
      return _mm256_shuffle_epi8(table.table, _mm256_add_epi8(own, _mm256_set1_epi8(0x70)))
    }
  }

  @inline(__always)
  private func load(_ bytes: UnsafePointer<UInt8>) -> __m256i {
    UnsafeRawPointer(bytes).load(as: __m256i.self)
  }

  /// A block's bounds stand 64 bytes behind its columns.
  @inline(__always)
  private func reaches(_ bins: __m256i, _ columns: UnsafePointer<UInt8>) -> UInt32 {
    let greater = _mm256_max_epu8(bins, load(columns + 64))
    return UInt32(bitPattern: _mm256_movemask_epi8(_mm256_cmpeq_epi8(greater, bins)))
  }

  @inline(__always)
  private func join(_ low: UInt32, _ high: UInt32) -> UInt64 { UInt64(high) &<< 32 | UInt64(low) }
#else
  /// The same split by split, for processors on which it is never chosen.
  private struct PlainTables: BinTables {
    let bins: UnsafePointer<UInt8>

    init(_ bins: UnsafePointer<UInt8>) { self.bins = bins }

    func answers(_ block: UnsafePointer<UInt8>) -> UInt64 {
      (0..<64).reduce(0) { word, split in
        word | (bins[Int(block[split])] >= block[64 + split] ? 1 << UInt64(split) : 0)
      }
    }
  }

  private typealias OneTable = PlainTables
  private typealias TwoTables = PlainTables
  private typealias FourTables = PlainTables
#endif
