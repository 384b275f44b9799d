// Two hundred and fifty-six rows go down a forest together, without a branch, a bit for each row in every register.
// Where a row stands in a tree is a number, the number of its leaf; bit k of that number, of all rows, is a *plane* of
// 256 bits. A split is a plane too, its mask: the rows that go right. From the leaves up, each split chooses between
// the planes that its two sides gave, and the planes that arrive at the root are the rows' leaf numbers:
//
//     leaf numbers   00  01  10  11         low plane:   a = m1    b = m2    r = m0 ? b : a
//                      ╲ ╱     ╲ ╱          high plane:  r = m0
//     masks            m1      m2
//                        ╲   ╱              all splits are evaluated, also those that a row never meets:
//                          m0               a bit operation for 256 rows is far cheaper than a walk
//
// 1. A column of bins (a byte a row) is turned into its eight planes, as an 8 × 8 matrix of bits is transposed.
// 2. From them come the masks of every rank that a bin can be compared with: what is greater than a rank of k + 1 bits
//    is what is greater than its k lower bits, or has bit k (if the rank has not), or and has it (if the rank has).
//    So a column's masks double with each bit, one operation each; trees share them.
// 3. A tree is a list of choices over planes; at its end the leaf numbers' planes are transposed back to a byte a row.
// 4. Leaves are added in tree order, so that the sums have the library's bits; eight trees at a time, since their
//    sums then stay in registers.
//
// The masks take 64 KB for eight full columns, which is why a block has 256 rows: they should stay in the second level
// of the cache. (Bit-slicing goes back to Biham's DES; Ye et al., RapidScorer (KDD 2018), have forests in byte lanes.)
//
// This text is compiled twice: in the module Models for any processor, and in the module Wide for those that have
// AVX2, twice as fast.

/// 256 rows, a bit each: bit v of byte j is row 32 v + j.
typealias Plane = SIMD4<UInt64>

/// A choice between two planes by a mask: where they are, in bytes from the first of a block's planes.
public struct PlaneChoice: BitwiseCopyable, Sendable {
  let mask: UInt32
  let left: UInt32
  let right: UInt32

  /// - Parameters:
  ///   - mask, left, right: places; rows that are not in the mask get the left one.
  public init(mask: Int, left: Int, right: Int) {
    self.mask = UInt32(mask * MemoryLayout<Plane>.size)
    self.left = UInt32(left * MemoryLayout<Plane>.size)
    self.right = UInt32(right * MemoryLayout<Plane>.size)
  }
}

/// One tree: its choices, and where the planes of its leaf numbers are in the end.
public struct PlaneTree: BitwiseCopyable, Sendable {
  let firstChoice: Int32
  let choiceCount: Int32
  /// Of its leaf 0, into the leaf values.
  let firstLeaf: Int32
  /// Which output it adds to.
  let output: Int32
  /// Bit 0 first.
  let planes: SIMD8<Int32>

  public init(
    firstChoice: Int, choiceCount: Int, firstLeaf: Int, output: Int, planes: SIMD8<Int32>
  ) {
    self.firstChoice = Int32(firstChoice)
    self.choiceCount = Int32(choiceCount)
    self.firstLeaf = Int32(firstLeaf)
    self.output = Int32(output)
    self.planes = planes
  }
}

/// One column: its masks begin at a place, one for each rank below two to the power of its bits.
public struct PlaneColumn: BitwiseCopyable, Sendable {
  let firstMask: Int32
  let bits: Int32

  public init(firstMask: Int, bits: Int) {
    self.firstMask = Int32(firstMask)
    self.bits = Int32(bits)
  }
}

/// What the kernel needs of a forest, borrowed. Untyped at its borders, as its types have twins in the other module.
public struct PlaneProgram {
  let columns: UnsafeBufferPointer<PlaneColumn>
  let trees: UnsafeBufferPointer<PlaneTree>
  let choices: UnsafePointer<PlaneChoice>
  /// Where the results of a tree's choices go, in their order.
  let firstResult: Int

  /// - Parameters:
  ///   - columns: `columnCount` of `PlaneColumn`.
  ///   - trees: `treeCount` of `PlaneTree`, those of one output together.
  ///   - choices: of `PlaneChoice`.
  public init(
    columns: UnsafeRawPointer, columnCount: Int, trees: UnsafeRawPointer, treeCount: Int,
    choices: UnsafeRawPointer, firstResult: Int
  ) {
    self.columns = UnsafeBufferPointer(
      start: columns.assumingMemoryBound(to: PlaneColumn.self), count: columnCount)
    self.trees = UnsafeBufferPointer(
      start: trees.assumingMemoryBound(to: PlaneTree.self), count: treeCount)
    self.choices = choices.assumingMemoryBound(to: PlaneChoice.self)
    self.firstResult = firstResult
  }
}

public enum PlaneKernel {
  /// Rows of a block.
  public static let rows = 256
  /// The leaves that eight planes can number.
  public static let leavesMax = 256
  /// Trees whose leaf numbers are found before their leaves are added.
  public static let treesAtOnce = 8

  /// Adds the leaves of every tree to the sums of a block.
  ///
  /// - Parameters:
  ///   - bins: 256 bytes for each column.
  ///   - planes: room for all places, the first two filled with zeros and ones.
  ///   - numbers: 256 bytes for each of `treesAtOnce` trees.
  ///   - sums: 256 for each output.
  ///   All aligned to 32 bytes.
  /// - Complexity: O(columns × ranks + choices + trees × rows), no allocation.
  public static func add(
    _ program: PlaneProgram, bins: UnsafeRawPointer, planes: UnsafeMutableRawPointer,
    numbers: UnsafeMutableRawPointer, leaves: UnsafePointer<Float>,
    to sums: UnsafeMutablePointer<Float>
  ) {
    addLeaves(program, bins, planes.assumingMemoryBound(to: Plane.self), numbers, leaves, sums)
  }

  public static func add(
    _ program: PlaneProgram, bins: UnsafeRawPointer, planes: UnsafeMutableRawPointer,
    numbers: UnsafeMutableRawPointer, leaves: UnsafePointer<Double>,
    to sums: UnsafeMutablePointer<Double>
  ) {
    addLeaves(program, bins, planes.assumingMemoryBound(to: Plane.self), numbers, leaves, sums)
  }

  @inline(__always)
  private static func addLeaves<Leaf: BinaryFloatingPoint>(
    _ program: PlaneProgram, _ bins: UnsafeRawPointer, _ planes: UnsafeMutablePointer<Plane>,
    _ numbers: UnsafeMutableRawPointer, _ leaves: UnsafePointer<Leaf>,
    _ sums: UnsafeMutablePointer<Leaf>
  ) {
    findMasks(program, bins, planes)
    let trees = program.trees
    var tree = 0
    while tree < trees.count {
      let output = trees[tree].output
      var count = 0
      while count < treesAtOnce, tree &+ count < trees.count,
        trees[tree &+ count].output == output
      {
        findLeaves(program, tree &+ count, planes, numbers + count &* rows)
        count &+= 1
      }
      let first = trees.baseAddress! + tree
      let sums = sums + Int(output) &* rows
      var row = 0
      while row < rows {
        addEight(first, count, numbers + row, leaves, sums + row)
        row &+= 8
      }
      tree &+= count
    }
  }

  // MARK: Masks

  @inline(never)
  private static func findMasks(
    _ program: PlaneProgram, _ bins: UnsafeRawPointer, _ planes: UnsafeMutablePointer<Plane>
  ) {
    for (index, column) in program.columns.enumerated() {
      let bytes = (bins + index &* rows).assumingMemoryBound(to: Plane.self)
      let bits = transposed(
        bytes[0], bytes[1], bytes[2], bytes[3], bytes[4], bytes[5], bytes[6], bytes[7])
      let masks = planes + Int(column.firstMask)
      masks[0] = Plane()
      grow(masks, 0, column.bits, bits.0)
      grow(masks, 1, column.bits, bits.1)
      grow(masks, 2, column.bits, bits.2)
      grow(masks, 3, column.bits, bits.3)
      grow(masks, 4, column.bits, bits.4)
      grow(masks, 5, column.bits, bits.5)
      grow(masks, 6, column.bits, bits.6)
      grow(masks, 7, column.bits, bits.7)
    }
  }

  /// From the masks of ranks of `level` bits those of one more.
  @inline(__always)
  private static func grow(
    _ masks: UnsafeMutablePointer<Plane>, _ level: Int, _ bits: Int32, _ bit: Plane
  ) {
    guard level < bits else { return }
    let count = 1 << level
    for rank in 0..<count {
      let mask = masks[rank]
      masks[rank &+ count] = mask & bit
      masks[rank] = mask | bit
    }
  }

  // MARK: Trees

  @inline(never)
  private static func findLeaves(
    _ program: PlaneProgram, _ index: Int, _ planes: UnsafeMutablePointer<Plane>,
    _ numbers: UnsafeMutableRawPointer
  ) {
    let tree = program.trees.baseAddress! + index
    var choice = program.choices + Int(tree.pointee.firstChoice)
    let end = choice + Int(tree.pointee.choiceCount)
    var result = planes + program.firstResult
    while choice < end {
      let mask = plane(choice.pointee.mask, planes)
      let left = plane(choice.pointee.left, planes)
      let right = plane(choice.pointee.right, planes)
      result.pointee = left ^ (mask & (left ^ right))
      result += 1
      choice += 1
    }
    let place = tree.pointee.planes
    let bytes = transposed(
      planes[Int(place[0])], planes[Int(place[1])], planes[Int(place[2])], planes[Int(place[3])],
      planes[Int(place[4])], planes[Int(place[5])], planes[Int(place[6])], planes[Int(place[7])])
    let number = numbers.assumingMemoryBound(to: Plane.self)
    number[0] = bytes.0
    number[1] = bytes.1
    number[2] = bytes.2
    number[3] = bytes.3
    number[4] = bytes.4
    number[5] = bytes.5
    number[6] = bytes.6
    number[7] = bytes.7
  }

  @inline(__always)
  private static func plane(_ offset: UInt32, _ planes: UnsafeMutablePointer<Plane>) -> Plane {
    UnsafeRawPointer(planes).load(fromByteOffset: Int(offset), as: Plane.self)
  }

  /// The leaves of up to eight trees for eight rows.
  @inline(__always)
  private static func addEight<Leaf: BinaryFloatingPoint>(
    _ trees: UnsafePointer<PlaneTree>, _ count: Int, _ numbers: UnsafeRawPointer,
    _ leaves: UnsafePointer<Leaf>, _ sums: UnsafeMutablePointer<Leaf>
  ) {
    var (a, b, c, d) = (sums[0], sums[1], sums[2], sums[3])
    var (e, f, g, h) = (sums[4], sums[5], sums[6], sums[7])
    for tree in 0..<count {
      let eight = numbers.load(fromByteOffset: tree &* rows, as: UInt64.self)
      let leaves = leaves + Int(trees[tree].firstLeaf)
      a += leaves[Int(eight & 0xFF)]
      b += leaves[Int(eight >> 8 & 0xFF)]
      c += leaves[Int(eight >> 16 & 0xFF)]
      d += leaves[Int(eight >> 24 & 0xFF)]
      e += leaves[Int(eight >> 32 & 0xFF)]
      f += leaves[Int(eight >> 40 & 0xFF)]
      g += leaves[Int(eight >> 48 & 0xFF)]
      h += leaves[Int(eight >> 56)]
    }
    (sums[0], sums[1], sums[2], sums[3]) = (a, b, c, d)
    (sums[4], sums[5], sums[6], sums[7]) = (e, f, g, h)
  }

  // MARK: Transposition

  typealias EightPlanes = (Plane, Plane, Plane, Plane, Plane, Plane, Plane, Plane)

  /// For every byte, of the 8 × 8 bits that eight vectors have there: rows become columns.
  /// (Warren, Hacker's Delight, 7-3, with each row in a vector of its own.)
  @inline(__always)
  private static func transposed(
    _ a: Plane, _ b: Plane, _ c: Plane, _ d: Plane, _ e: Plane, _ f: Plane, _ g: Plane, _ h: Plane
  ) -> EightPlanes {
    var (a, b, c, d, e, f, g, h) = (a, b, c, d, e, f, g, h)
    swap(&a, &e, 4, 0x0F0F_0F0F_0F0F_0F0F)
    swap(&b, &f, 4, 0x0F0F_0F0F_0F0F_0F0F)
    swap(&c, &g, 4, 0x0F0F_0F0F_0F0F_0F0F)
    swap(&d, &h, 4, 0x0F0F_0F0F_0F0F_0F0F)
    swap(&a, &c, 2, 0x3333_3333_3333_3333)
    swap(&b, &d, 2, 0x3333_3333_3333_3333)
    swap(&e, &g, 2, 0x3333_3333_3333_3333)
    swap(&f, &h, 2, 0x3333_3333_3333_3333)
    swap(&a, &b, 1, 0x5555_5555_5555_5555)
    swap(&c, &d, 1, 0x5555_5555_5555_5555)
    swap(&e, &f, 1, 0x5555_5555_5555_5555)
    swap(&g, &h, 1, 0x5555_5555_5555_5555)
    return (a, b, c, d, e, f, g, h)
  }

  /// Exchanges the upper bits of one vector with the lower ones of another.
  @inline(__always)
  private static func swap(
    _ one: inout Plane, _ other: inout Plane, _ shift: UInt64, _ mask: UInt64
  ) {
    let difference = ((one &>> Plane(repeating: shift)) ^ other) & Plane(repeating: mask)
    other ^= difference
    one ^= difference &<< Plane(repeating: shift)
  }
}
