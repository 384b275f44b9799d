// What may go from a log's beginning: whole finished segments, the oldest first, never the active one, and
// never what a named consumer has yet to read unless that is forced.

import Core

extension LogFolder {
  /// Returns how many segments were removed.
  func trim(
    _ retention: LogRetention, activeBytes: Int, now: Timestamp
  ) throws(Failure) -> Int {
    guard retention.age != nil || retention.bytes != nil else { return 0 }
    let bases = try bases()
    var finished: [(base: Int64, index: LogIndex)] = []
    for base in bases.dropLast() {
      guard let segment = try SegmentFile(self, base: base) else { continue }
      let bytes = try segment.size()
      if let index = try LogIndex.read(self, base: base, segmentBytes: bytes) {
        finished.append((base, index))
      } else {
        finished.append((base, try SegmentWalk(segment).index))
      }
    }
    let consumers = retention.ignoresConsumers ? [] : try LogConsumers(self).all()
    let unread = consumers.map(\.position.offset).min()
    var total = activeBytes + finished.reduce(0) { $0 + $1.index.segmentBytes }
    var removed = 0
    for (base, index) in finished {
      let isOld = retention.age.map { index.ingestTimes.latest < now - $0 } ?? false
      let isTooMuch = retention.bytes.map { total > $0 } ?? false
      guard isOld || isTooMuch, unread.map({ index.next <= $0 }) ?? true else { break }
      try remove(base)
      total -= index.segmentBytes
      removed += 1
    }
    return removed
  }

  /// The segment first: an index without one is swept up at the next opening.
  private func remove(_ base: Int64) throws(Failure) {
    for path in [segment(base), index(base)] where files.exists(path) {
      try attempt(path) { () throws(SystemError) in try files.remove(path) }
    }
    try attempt(path) { () throws(SystemError) in try files.syncFolder(path) }
  }
}
