// A segment from its first batch to its last, every checksum checked: what recovery, verification and an index
// that must be made again have in common.

import Core

struct SegmentWalk {
  /// What the whole batches gave.
  var index: LogIndex
  /// Behind the last whole batch: where a torn tail is cut.
  var end = 0
  /// Of the last whole batch; 0 where there is none.
  var epoch: UInt32 = 0
  /// Batches with events in them.
  var batches = 0
  /// The last batch is a seal: everything before it was synced, and no sync has failed.
  var isSealed = false
  /// Why the walk ended before the file did.
  var damage: LogDamage?
  var beyond = SegmentFile.Beyond()

  /// The first offset behind the whole batches.
  var next: Int64 { index.next }

  /// - Parameter visit: is given each batch's header, place and body, which is borrowed.
  /// - Complexity: O(bytes of the segment).
  init(
    _ segment: SegmentFile,
    visit: (BatchHeader, Int, Bytes) throws(Failure) -> Void = { _, _, _ in }
  ) throws(Failure) {
    index = LogIndex(base: segment.base)
    guard let header = try segment.segmentHeader() else {
      try stop(segment, "the segment's header is damaged")
      return
    }
    epoch = header.epoch
    end = SegmentHeader.byteCount
    while true {
      switch try segment.batch(at: end, expecting: index.next) {
      case .end: return
      case .damage(let reason):
        try stop(segment, reason)
        return
      case .batch(let header, let body):
        try visit(header, end, body)
        index.add(header, at: end)
        epoch = header.epoch
        isSealed = header.isSeal && header.synced == end
        if !header.isSeal { batches += 1 }
        end += header.byteCount
      }
    }
  }

  private mutating func stop(_ segment: SegmentFile, _ reason: String) throws(Failure) {
    damage = LogDamage(segment: segment.path, offset: next, byte: end, reason: reason)
    beyond = try segment.beyond(end)
  }
}
