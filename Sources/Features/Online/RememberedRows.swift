// Rows of one view that a reader has finished before: their features' values, which row in the store they were made from,
// and between which times they stay the same. As long as the store's entry leads to that very row, and no tile or row
// has come into a window or left one since, the answer is the one from before, and the row is neither copied nor folded.
//
//     sets      [ hash | hash | hash | hash ]  a key belongs to one set, by its hash; the oldest of four gives way
//     places    version  from ..< until  latest │ key, up to 48 bytes │ values
//
// Not remembered are rows with texts, whose memory goes with the next look-up, and those of views with an answer that moves
// with every microsecond (`time_since_last`, `rate`, sessions). One reader's own, so nobody waits.

import Core

/// Which row a key has led to. While nothing of it has changed, it still does: a row that is in the index is never written
/// to, and another in the same slot has another checksum.
struct RowVersion {
  /// The word that names the index.
  let index: UInt64
  /// Where in it the entry lies, and what it is.
  let slot: Int
  let entry: UInt64
  let checksum: UInt64
}

/// When an answer stays as it is, and what is to be known about it.
struct FinishedRow {
  let from: Timestamp
  let until: Timestamp
  /// When something last happened to the entity.
  let latest: Timestamp

  @inline(__always)
  func holds(at time: Timestamp) -> Bool { time >= from && time < until }
}

/// What was made of a row, and up to where all rows of its view are true now.
struct RecalledRow {
  /// Valid until the next row is remembered.
  let values: UnsafeBufferPointer<Scalar>
  let offset: Int64
  let watermark: Timestamp
}

final class RememberedRows {
  private let features: Int
  private let setMask: Int
  private let hashes: UnsafeMutablePointer<UInt64>
  private let heads: UnsafeMutablePointer<Head>
  private let keys: UnsafeMutablePointer<UInt8>
  private let values: UnsafeMutablePointer<Scalar>
  /// Which of a set's four gives way next.
  private var turn = 0

  private static let ways = 4
  private static let keyBytesMax = 48

  private struct Head {
    /// -1 where nothing is remembered.
    var keyCount = -1
    var version = RowVersion(index: 0, slot: 0, entry: 0, checksum: 0)
    var finished = FinishedRow(
      from: .distantFuture, until: .distantFuture, latest: .distantPast)
  }

  /// - Parameters:
  ///   - features: values of a row.
  ///   - rows: that are remembered, at most.
  init(features: Int, rows: Int) {
    var sets = 1
    while sets * 2 * RememberedRows.ways <= rows { sets *= 2 }
    let places = sets * RememberedRows.ways
    self.features = features
    setMask = sets - 1
    hashes = .allocate(capacity: places)
    hashes.initialize(repeating: 0, count: places)
    heads = .allocate(capacity: places)
    heads.initialize(repeating: Head(), count: places)
    keys = .allocate(capacity: places * RememberedRows.keyBytesMax)
    values = .allocate(capacity: places * features)
    values.initialize(repeating: .null, count: places * features)
  }

  deinit {
    hashes.deallocate()
    heads.deallocate()
    keys.deallocate()
    values.deallocate()
  }

  /// The place of a key, or nil if it is not remembered.
  @inline(__always)
  func place(_ key: Bytes, _ hash: UInt64) -> Int? {
    let first = (Int(truncatingIfNeeded: hash) & setMask) * RememberedRows.ways
    for place in first..<first + RememberedRows.ways where hashes[place] == hash {
      let known = Bytes(
        base: UnsafePointer(keys + place * RememberedRows.keyBytesMax),
        count: max(0, heads[place].keyCount))
      if heads[place].keyCount >= 0, known == key { return place }
    }
    return nil
  }

  func version(_ place: Int) -> RowVersion { heads[place].version }
  func finished(_ place: Int) -> FinishedRow { heads[place].finished }

  func values(_ place: Int) -> UnsafeBufferPointer<Scalar> {
    UnsafeBufferPointer(start: values + place * features, count: features)
  }

  /// Remembers a row in the place of what is known of that key, or of the oldest of its set.
  func remember(
    _ key: Bytes, _ hash: UInt64, _ version: RowVersion, _ finished: FinishedRow,
    _ row: ArraySlice<Scalar>
  ) {
    guard key.count <= RememberedRows.keyBytesMax, row.count == features else { return }
    for case .text in row { return }
    let place = place(key, hash) ?? nextPlace(hash)
    hashes[place] = hash
    heads[place] = Head(keyCount: key.count, version: version, finished: finished)
    (keys + place * RememberedRows.keyBytesMax).update(from: key.base, count: key.count)
    for (index, value) in row.enumerated() { values[place * features + index] = value }
  }

  private func nextPlace(_ hash: UInt64) -> Int {
    let first = (Int(truncatingIfNeeded: hash) & setMask) * RememberedRows.ways
    for place in first..<first + RememberedRows.ways where heads[place].keyCount < 0 {
      return place
    }
    turn = (turn + 1) % RememberedRows.ways
    return first + turn
  }
}
