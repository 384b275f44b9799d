// One file of the embedded store: a hash table from entity keys to rows in memory that all processes share. One writes,
// any number read, and no reader ever waits or makes a system call.
//
//     0      "RTONLINE"  version (4)  checksum of 16 ..< 192 (4)
//     16     digest of the view's definition (32)  ttl in microseconds (8)  name: length (4), bytes (up to 128)
//     192    words of 8 bytes, each written at once:
//            index   state   end   rows   offset   watermark   is clean   boot   writes   live bytes
//     4096   slots, one behind another up to `end`
//
//     a slot   capacity (4)  key bytes (4)  row bytes (4)  kind (4)  checksum (8)  hash (8) │ key │ row │ room
//
// The index is the array in a slot of the kind 2: a power of two of entries of 8 bytes, searched from the hash on, one
// after another. An entry is the slot's place / 16 in the low 40 bits and the top of the hash in the others; 0 is
// free, one with the place 0 has been. The word `index` is the place of the array / 16 and, in the low byte, its
// length's logarithm.
//
// A row that is in the index is never written to. A new one goes into a free slot, and then the entry is set, which is one
// store: whatever instruction the writer is killed at, every entry leads to a whole row. The old slot is free
// for any other row at once, so a reader copies the row and holds the copy against the checksum, which
// covers the key; where it does not fit and the entry has changed meanwhile, it looks again. A larger index is filled
// before it is set; the old one stays as it is.
//
// Each row says itself up to which event it is true (`EntityRow`); the header's `offset` says it of all rows. After a
// crash the rows may be ahead of it, and events that come again are left out row by row. Memory that is shared outlives
// a killed process but not a power cut: a store that was not closed is trusted only within the same boot.

import Core
import Synchronization

enum TableLayout {
  static let magic: StaticString = "RTONLINE"
  static let version: UInt32 = 1
  static let heap = 4_096
  static let slotHead = 32
  static let nameBytesMax = 128
  static let entryBits: UInt64 = 40
  static let placeMask: UInt64 = (1 << 40) - 1
  /// An entry whose row is gone.
  static let gone: UInt64 = ~placeMask

  enum Word: Int {
    case index, state, end, rows, offset, watermark, isClean, boot, writes, liveBytes
  }

  enum Kind {
    static let free: UInt32 = 0
    static let row: UInt32 = 1
    static let index: UInt32 = 2
  }

  static func entry(hash: UInt64, place: Int) -> UInt64 {
    hash & ~placeMask | UInt64(place) >> 4
  }

  static func place(_ entry: UInt64) -> Int { Int(entry & placeMask) << 4 }

  static func isSameTag(_ entry: UInt64, _ hash: UInt64) -> Bool {
    (entry ^ hash) & ~placeMask == 0
  }

  /// The bytes of a slot that holds so many; a few sizes only, so that a free one soon fits again.
  static func capacity(_ bytes: Int) -> Int {
    let needed = max(64, bytes)
    let octave = 1 << (Int.bitWidth - 1 - needed.leadingZeroBitCount)
    let step = max(16, octave / 8)
    return (needed + step - 1) / step * step
  }
}

/// Where a store's file stands in its life.
public enum TableState: UInt64, Sendable {
  case building = 1
  case serving = 2
  /// Another file has taken its place.
  case retired = 3
}

/// The shared words and slots of a file in memory.
struct TableMemory {
  let base: UnsafeMutableRawPointer
  let count: Int

  @inline(__always)
  func word(at place: Int) -> UnsafeMutablePointer<Atomic<UInt64>> {
    (base + place).assumingMemoryBound(to: Atomic<UInt64>.self)
  }

  @inline(__always)
  subscript(_ word: TableLayout.Word) -> UInt64 {
    get { self.word(at: 192 + word.rawValue * 8).pointee.load(ordering: .acquiring) }
    nonmutating set {
      self.word(at: 192 + word.rawValue * 8).pointee.store(newValue, ordering: .releasing)
    }
  }

  /// The number at a place of a slot.
  @inline(__always)
  func number(_ place: Int) -> Int {
    Int(base.loadUnaligned(fromByteOffset: place, as: UInt32.self).littleEndian)
  }

  func setNumber(_ value: Int, at place: Int) {
    base.storeBytes(of: UInt32(value).littleEndian, toByteOffset: place, as: UInt32.self)
  }

  func long(_ place: Int) -> UInt64 {
    base.loadUnaligned(fromByteOffset: place, as: UInt64.self).littleEndian
  }

  func bytes(_ place: Int, _ count: Int) -> Bytes {
    Bytes(base: (base + place).assumingMemoryBound(to: UInt8.self), count: count)
  }

  /// The array of entries, and its length less one.
  @inline(__always)
  var index: (place: Int, mask: Int) {
    let word = self[.index]
    return (Int(word >> 8) << 4, (1 << Int(word & 0xFF)) - 1)
  }
}

/// The checksum of a slot: four lanes of eight bytes, each turned and multiplied, so that no change of one word can
/// be undone by the next. Not for an adversary.
enum SlotChecksum {
  private static let prime: UInt64 = 0x9E37_79B1_85EB_CA87

  /// - Complexity: O(count), about a twentieth of a nanosecond a byte.
  @inline(__always)
  static func of(_ bytes: UnsafeRawPointer, _ count: Int, keyCount: Int) -> UInt64 {
    passing(bytes, count, keyCount) { _, _ in }
  }

  /// Of bytes that may change meanwhile: each is read once, and what was read is in the copy.
  @inline(__always)
  static func copying(
    _ bytes: UnsafeRawPointer, _ count: Int, keyCount: Int, to copy: UnsafeMutableRawPointer
  ) -> UInt64 {
    passing(bytes, count, keyCount) { place, word in
      copy.storeBytes(of: word, toByteOffset: place, as: UInt64.self)
    }
  }

  /// - Parameter take: is lent each eight bytes and, in the low byte, each of those that are left.
  @inline(__always)
  private static func passing(
    _ bytes: UnsafeRawPointer, _ count: Int, _ keyCount: Int, _ take: (Int, UInt64) -> Void
  ) -> UInt64 {
    var (a, b, c, d) = (prime, prime &* 3, prime &* 5, prime &* 7)
    var place = 0
    @inline(__always) func mix(_ lane: inout UInt64, _ word: UInt64) {
      let turned = lane ^ word
      lane = (turned << 29 | turned >> 35) &* prime
    }
    @inline(__always) func next(_ lane: inout UInt64, _ offset: Int) {
      let word = bytes.loadUnaligned(fromByteOffset: place &+ offset, as: UInt64.self)
      mix(&lane, word)
      take(place &+ offset, word)
    }
    while place &+ 32 <= count {
      next(&a, 0)
      next(&b, 8)
      next(&c, 16)
      next(&d, 24)
      place &+= 32
    }
    while place &+ 8 <= count {
      next(&a, 0)
      place &+= 8
    }
    while place < count {
      let byte = UInt64(bytes.load(fromByteOffset: place, as: UInt8.self))
      mix(&b, byte)
      take(place, byte)
      place &+= 1
    }
    mix(&c, UInt64(truncatingIfNeeded: count))
    mix(&d, UInt64(truncatingIfNeeded: keyCount))
    mix(&a, b)
    mix(&a, c)
    mix(&a, d)
    return a ^ a >> 32
  }
}
