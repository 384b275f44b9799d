// Rows as they were last read, for when the server does not answer in time: as many as fit. They are kept in two halves:
// what is read goes into the young one; when that is full it becomes the old one, and what was old and has not been
// read since is gone.

import Core

struct LastKnownRows {
  struct Key: Hashable {
    let view: Int
    let entity: [UInt8]
  }

  struct Row {
    /// Nil for an entity without a row.
    let value: [UInt8]?
    /// When it was read, in nanoseconds of a clock that never goes back.
    let time: UInt64
  }

  private let bytesMax: Int
  private var young: [Key: Row] = [:]
  private var old: [Key: Row] = [:]
  private var youngBytes = 0

  init(bytesMax: Int) { self.bytesMax = bytesMax }

  /// - Complexity: O(1), but for every so many rows, when a half is let go.
  mutating func note(_ key: Key, _ row: Row) {
    youngBytes += 128 + key.entity.count + (row.value?.count ?? 0)
    if let before = young.updateValue(row, forKey: key) {
      youngBytes -= 128 + key.entity.count + (before.value?.count ?? 0)
    }
    guard youngBytes > bytesMax / 2 else { return }
    old = young
    young = [:]
    youngBytes = 0
  }

  subscript(_ key: Key) -> Row? { young[key] ?? old[key] }

  var count: Int { young.count + old.keys.count(where: { young[$0] == nil }) }
}
