// Copies of a few bytes, without the call and the many ways of `memcpy`: names, keys and numbers are nearly always shorter
// than two blocks, and a row of output is made of dozens of them.
//
//     21 bytes   [0 ············ 15]
//                      [5 ············ 20]     two blocks that overlap, whatever the length from 16 to 32

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

enum ShortCopy {
  typealias Block = SIMD16<UInt8>

  /// Copies `count` bytes, which do not overlap with the place where they go.
  @inline(__always)
  static func copy(
    _ source: UnsafePointer<UInt8>, to target: UnsafeMutablePointer<UInt8>, count: Int
  ) {
    let (from, to) = (UnsafeRawPointer(source), UnsafeMutableRawPointer(target))
    if count > 2 * MemoryLayout<Block>.size {
      memcpy(to, from, count)
    } else if count >= MemoryLayout<Block>.size {
      copyEnds(from, to, count, Block.self)
    } else if count >= 8 {
      copyEnds(from, to, count, UInt64.self)
    } else if count >= 4 {
      copyEnds(from, to, count, UInt32.self)
    } else if count > 0 {
      let (first, middle, last) = (source[0], source[count / 2], source[count &- 1])
      target[0] = first
      target[count / 2] = middle
      target[count &- 1] = last
    }
  }

  /// The first and the last block of so many bytes, which may overlap.
  @inline(__always)
  private static func copyEnds<Block: BitwiseCopyable>(
    _ from: UnsafeRawPointer, _ to: UnsafeMutableRawPointer, _ count: Int, _: Block.Type
  ) {
    let behind = count &- MemoryLayout<Block>.size
    let first = from.loadUnaligned(as: Block.self)
    let last = from.loadUnaligned(fromByteOffset: behind, as: Block.self)
    to.storeBytes(of: first, as: Block.self)
    to.storeBytes(of: last, toByteOffset: behind, as: Block.self)
  }
}
