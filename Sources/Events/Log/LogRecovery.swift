// How a log is taken up again after its last writer, who may have been killed or lost power.
//
//     finished segments   were synced whole before the next began: anything missing is corruption
//     active segment      whole batches │ what the writer had not synced │
//                                       └ torn, in any order ──▶ cut and reported
//                         unless a later batch proves that the place had been synced ──▶ corruption
//
// What survives and was not synced for certain is copied to a new file, which is synced and renamed: a sync
// that fails may leave pages that look written and are not, and no later sync of the same file brings them to
// the disk.

import Core

/// What was found when a log was opened for writing.
public struct LogRecovery: Sendable, Equatable {
  /// A tail that was cut.
  public struct Cut: Sendable, Equatable {
    public let damage: LogDamage
    /// Bytes that were cut.
    public let bytes: Int
    /// Events in whole batches behind the damaged place, which had to go with it.
    public let events: Int
  }

  public internal(set) var cut: Cut?
  /// Paths of index files that were missing or damaged.
  public internal(set) var rebuiltIndexes: [String] = []

  /// A sentence for each thing that was done, for people.
  public var sentences: [String] {
    var sentences: [String] = []
    if let cut {
      let also = cut.events > 0 ? ", with \(cut.events.grouped) events behind it" : ""
      sentences.append(
        "\(cut.damage.segment): cut a torn tail of \(cut.bytes.grouped) bytes at byte"
          + " \(cut.damage.byte), offset \(cut.damage.offset)\(also) (\(cut.damage.reason))")
    }
    sentences += rebuiltIndexes.map { "\($0): made again" }
    return sentences
  }
}

/// The end of a log, ready to be written on.
struct RecoveredEnd {
  /// Of the active segment, up to where it is on the disk for certain. What lies behind is a seal, which is
  /// written anew: nobody knows whether the old one would ever reach the disk.
  var index: LogIndex
  var epoch: UInt32
  /// True when there is no active segment and one must be made.
  var needsSegment: Bool
}

extension LogFolder {
  /// Looks at all segments and mends what a crash may have left.
  func recover(_ report: inout LogRecovery) throws(Failure) -> RecoveredEnd {
    try removeLeftovers()
    let bases = try bases()
    guard let last = bases.last else {
      return RecoveredEnd(index: LogIndex(base: 0), epoch: 0, needsSegment: true)
    }
    for (base, next) in zip(bases, bases.dropFirst()) {
      try checkFinished(base, next: next, &report)
    }
    return try recoverActive(last, previous: bases.dropLast().last, &report)
  }

  /// Halves of files that were never renamed, and indexes of segments that are gone.
  private func removeLeftovers() throws(Failure) {
    let names = try attempt(path) { () throws(SystemError) in try files.names(in: path) }
    let bases = Set(try bases())
    var leftovers = names.filter { $0.hasSuffix(".new") }.map { "\(path)/\($0)" }
    for base in try indexBases() where !bases.contains(base) { leftovers.append(index(base)) }
    for leftover in leftovers {
      try attempt(leftover) { () throws(SystemError) in try files.remove(leftover) }
    }
  }

  private func checkFinished(
    _ base: Int64, next: Int64, _ report: inout LogRecovery
  ) throws(Failure) {
    guard let segment = try SegmentFile(self, base: base) else { return }
    var end = try LogIndex.read(self, base: base, segmentBytes: try segment.size())
    if end == nil {
      let walk = try SegmentWalk(segment)
      if let damage = walk.damage { throw damage.failure }
      try walk.index.write(self)
      report.rebuiltIndexes.append(index(base))
      end = walk.index
    }
    guard let found = end?.next, found == next else {
      throw missing(from: end!.next, to: next, segment)
    }
  }

  func missing(from offset: Int64, to next: Int64, _ segment: SegmentFile) -> Failure {
    LogDamage(
      segment: segment.path, offset: offset, byte: (try? segment.size()) ?? 0,
      reason: "the segment ends, and the next one begins with offset \(next)"
    ).failure
  }

  private func recoverActive(
    _ base: Int64, previous: Int64?, _ report: inout LogRecovery
  ) throws(Failure) -> RecoveredEnd {
    guard let segment = try SegmentFile(self, base: base) else {
      return RecoveredEnd(index: LogIndex(base: base), epoch: 0, needsSegment: true)
    }
    let walk = try SegmentWalk(segment)
    let size = try segment.size()
    if let damage = walk.damage {
      guard !walk.beyond.provesSync else { throw damage.failure }
      report.cut = LogRecovery.Cut(
        damage: damage, bytes: size - walk.end, events: walk.beyond.events)
    }
    var end = RecoveredEnd(index: walk.index, epoch: walk.epoch, needsSegment: false)
    if walk.end == 0 {
      // It was being made; its name says where the log goes on.
      let path = self.segment(base)
      try attempt(path) { () throws(SystemError) in try files.remove(path) }
      end.needsSegment = true
      end.epoch = try previous.flatMap { (base) throws(Failure) in try lastEpoch(base) } ?? 0
    } else if walk.isSealed, walk.damage == nil {
      end.index.removeSeal()
    } else {
      try rewrite(segment, upTo: walk.end)
    }
    return end
  }

  private func lastEpoch(_ base: Int64) throws(Failure) -> UInt32? {
    try SegmentFile(self, base: base).map { (segment) throws(Failure) in
      try SegmentWalk(segment).epoch
    }
  }

  /// The segment's beginning in a new file, on the disk for certain.
  private func rewrite(_ segment: SegmentFile, upTo end: Int) throws(Failure) {
    let temporary = "\(segment.path).new"
    let copy = try attempt(temporary) { () throws(SystemError) in
      try files.open(temporary, .replace)
    }
    var position = 0
    while position < end {
      let count = min(Limits.readBytes, end - position)
      guard let bytes = try segment.bytes(at: position, count: count) else {
        throw .inputOutput("\(segment.path): became shorter while it was read")
      }
      try attempt(temporary) { () throws(SystemError) in try copy.write(bytes) }
      position += count
    }
    try attempt(segment.path) { () throws(SystemError) in
      try copy.sync()
      try files.rename(temporary, to: segment.path)
      try files.syncFolder(path)
    }
  }
}
