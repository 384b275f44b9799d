// Reads a log from any place on, while another process may be writing it. A reader holds no lock and leaves no
// trace; at the end it says so, and can be asked again later.
//
//     segment ─▶ runs of batches that may hold what is looked for ─▶ batch ─▶ events
//                (index of a finished segment; all of the active one)
//
// A batch that counts only once it is synced is handed out when a later header, or a later segment, says that
// it was: what a reader has seen is never taken back by a power cut.

public import Core

/// Which events of a log are wanted. Offsets and times: from the first bound up to before the second.
public struct LogRange: Sendable, Equatable {
  public var offsets: Range<Int64> = 0..<Int64.max
  public var eventTimes = Timestamp.distantPast..<Timestamp.distantFuture
  public var ingestTimes = Timestamp.distantPast..<Timestamp.distantFuture

  public init() {}

  func mayMeet(_ eventTimes: LogTimes, _ ingestTimes: LogTimes) -> Bool {
    eventTimes.mayMeet(self.eventTimes) && ingestTimes.mayMeet(self.ingestTimes)
  }
}

public final class LogReader {
  private let folder: LogFolder
  private let range: LogRange
  private var segment: SegmentFile?
  /// Parts of the segment that are still to be read, the next one last.
  private var runs: [LogIndex.Run] = []
  private var position = 0
  /// The offset that the next batch begins with; nil where the rest of the segment is passed over.
  private var expected: Int64?
  /// The first offset behind the segment, where its index says it.
  private var segmentEnd: Int64?
  /// All offsets of the range have been seen.
  private var isFinished = false
  /// Up to where the segment is known to have been synced.
  private var provenBytes = 0
  private var resuming: LogPosition?
  /// The next event to be handed out; what a consumer commits.
  public private(set) var end: LogPosition
  /// Bytes behind the last whole batch, when the end was met: being written, or torn.
  public private(set) var incompleteBytes = 0

  /// Opens the log at the first event of the range.
  public convenience init(
    _ path: String, range: LogRange = LogRange(), files: any FileSystem
  ) throws(Failure) {
    try self.init(
      LogFolder(path: path, files: files), range, LogPosition(offset: range.offsets.lowerBound))
  }

  /// Opens the log where a reader stopped before; throws if the log has lost what it had read.
  public convenience init(
    _ path: String, after position: LogPosition, files: any FileSystem
  ) throws(Failure) {
    var range = LogRange()
    range.offsets = position.offset..<Int64.max
    try self.init(LogFolder(path: path, files: files), range, position)
  }

  private init(_ folder: LogFolder, _ range: LogRange, _ position: LogPosition) throws(Failure) {
    self.folder = folder
    self.range = range
    end = position
    resuming = position.epoch == nil ? nil : position
    guard folder.files.exists(folder.path) else {
      throw .inputOutput(
        "\(folder.path): no log there", hint: "rtinfer ingest --log writes one")
    }
    let bases = try folder.bases()
    guard let first = bases.first else { return }
    // Where nothing in particular was asked for, the log begins where it begins.
    let offset = position.offset == 0 && position.epoch == nil ? first : position.offset
    guard offset >= first else {
      throw .inputOutput(
        "\(folder.path): offset \(offset) is gone: the log begins with offset \(first)",
        hint: "retention has removed what lies before; read from \(first) on")
    }
    // A resuming reader begins one event earlier, to see who wrote it.
    let start = resuming == nil ? offset : max(offset - 1, first)
    try enter(bases.last { $0 <= start }!, at: start)
  }

  // MARK: Segments

  /// Opens a segment and plans which of its parts to read.
  private func enter(_ base: Int64, at offset: Int64) throws(Failure) {
    guard let opened = try SegmentFile(folder, base: base) else {
      throw .inputOutput("\(folder.segment(base)): removed while the log was read")
    }
    segment = opened
    runs = [LogIndex.Run(bytes: SegmentHeader.byteCount..<Int.max, first: base)]
    position = 0
    provenBytes = 0
    expected = nil
    segmentEnd = nil
    guard try folder.bases().contains(where: { $0 > base }) else { return }
    provenBytes = Int.max
    let bytes = try opened.size()
    // Without an index all of the segment is read; its writer makes the index again.
    guard let index = try LogIndex.read(folder, base: base, segmentBytes: bytes) else { return }
    runs = index.runs(range, from: offset).reversed()
    segmentEnd = index.next
    expected = index.next
  }

  /// The segment behind the current one, if it has been begun.
  private func enterNext() throws(Failure) -> Bool {
    let bases = try folder.bases()
    guard let segment else {
      guard let first = bases.first else { return false }
      try enter(first, at: first)
      return true
    }
    guard let next = bases.first(where: { $0 > segment.base }) else { return false }
    if let expected, expected != next {
      throw folder.missing(from: expected, to: next, segment)
    }
    try enter(next, at: next)
    return true
  }

  // MARK: Batches

  /// The next batch with events that may be wanted; nil when there is none yet.
  public func next() throws(Failure) -> LogEvents? {
    while !isFinished {
      guard let segment else {
        guard try enterNext() else { return nil }
        continue
      }
      if let run = runs.last {
        if position < run.bytes.lowerBound {
          if position == 0 { try checkHeader(segment) }
          position = run.bytes.lowerBound
          expected = run.first
        }
        if position >= run.bytes.upperBound {
          runs.removeLast()
          expected = segmentEnd
          continue
        }
        switch try step(segment) {
        case .events(let events): return events
        case .passed: continue
        case .atEnd: break
        }
      }
      if isFinished { break }
      if try enterNext() { continue }
      try checkEnd()
      return nil
    }
    return nil
  }

  /// The log must not end before what was read of it.
  private func checkEnd() throws(Failure) {
    guard let resuming, let expected, expected < resuming.offset, incompleteBytes == 0 else {
      return
    }
    throw lost(resuming, "it ends with offset \(expected)")
  }

  private func lost(_ known: LogPosition, _ what: String) -> Failure {
    .inputOutput(
      "\(folder.path): the log has lost events that were read, up to offset \(known.offset): \(what)",
      hint:
        "they were not synced when the power failed; --fsync always lets nobody read such events")
  }

  private enum Step {
    case events(LogEvents)
    case passed
    case atEnd
  }

  private func checkHeader(_ segment: SegmentFile) throws(Failure) {
    guard try segment.segmentHeader() == nil, try segment.size() >= SegmentHeader.byteCount else {
      return
    }
    throw LogDamage(
      segment: segment.path, offset: segment.base, byte: 0,
      reason: "the segment's header is damaged"
    ).failure
  }

  private func step(_ segment: SegmentFile) throws(Failure) -> Step {
    guard let header = try segment.batchHeader(at: position), header.base == expected else {
      return try noBatch(segment)
    }
    provenBytes = max(provenBytes, header.synced)
    if isUnwanted(header) {
      pass(header)
      return .passed
    }
    if header.base >= range.offsets.upperBound {
      isFinished = true
      return .atEnd
    }
    guard try isProven(header, segment) else { return .atEnd }
    guard case .batch(_, let body) = try segment.batch(at: position, expecting: header.base) else {
      return try noBatch(segment)
    }
    try checkResuming(header)
    let from = max(range.offsets.lowerBound, end.offset)
    let events = LogEvents(header, body, range, from: from)
    pass(header)
    return events.isEmpty ? .passed : .events(events)
  }

  /// True if nothing in the batch is wanted, so that its body need not be read.
  private func isUnwanted(_ header: BatchHeader) -> Bool {
    if header.isSeal { return true }
    if let resuming, header.next >= resuming.offset { return false }
    return header.next <= range.offsets.lowerBound
      || !range.mayMeet(header.eventTimes, header.ingestTimes)
  }

  private func pass(_ header: BatchHeader) {
    position += header.byteCount
    expected = header.next
    if header.next > end.offset, !header.isSeal {
      end = LogPosition(offset: header.next, epoch: header.epoch)
    }
  }

  /// True if the batch at `position` counts: what is not synced yet may never have been.
  private func isProven(_ header: BatchHeader, _ segment: SegmentFile) throws(Failure) -> Bool {
    let batchEnd = position + header.byteCount
    guard header.countsOnceSynced, provenBytes < batchEnd else { return true }
    var place = batchEnd
    while let later = try segment.batchHeader(at: place) {
      provenBytes = max(provenBytes, later.synced)
      if provenBytes >= batchEnd { return true }
      place += later.byteCount
    }
    if try isLast(segment) {
      // A seal that cannot be read is no missing seal.
      try checkTail(segment, at: place, expecting: header.next)
      segment.forgetWindow()
      return false
    }
    provenBytes = Int.max
    return true
  }

  private func isLast(_ segment: SegmentFile) throws(Failure) -> Bool {
    try !folder.bases().contains { $0 > segment.base }
  }

  /// The log ends here, or is being written, or is damaged. A writer that mends a log puts a new file in the
  /// segment's place, so the segment is opened again.
  private func noBatch(_ segment: SegmentFile) throws(Failure) -> Step {
    guard let fresh = try SegmentFile(folder, base: segment.base) else {
      throw .inputOutput("\(segment.path): removed while the log was read")
    }
    self.segment = fresh
    incompleteBytes = try checkTail(fresh, at: position, expecting: expected!)
    guard incompleteBytes == 0, try fresh.batchHeader(at: position) != nil else {
      fresh.forgetWindow()
      return .atEnd
    }
    return .passed
  }

  /// Returns how many bytes lie behind `place` that are no whole batch yet; throws if they should be one.
  @discardableResult
  private func checkTail(
    _ segment: SegmentFile, at place: Int, expecting offset: Int64
  ) throws(Failure) -> Int {
    let left = try segment.size() - place
    guard left > 0 else { return 0 }
    let isLast = try isLast(segment)
    let beyond = try segment.beyond(place)
    // What was not there a moment ago may have been written meanwhile.
    segment.forgetWindow()
    guard case .damage(let reason) = try segment.batch(at: place, expecting: offset) else {
      return 0
    }
    guard isLast, !beyond.provesSync else {
      throw LogDamage(segment: segment.path, offset: offset, byte: place, reason: reason).failure
    }
    return left
  }

  private func checkResuming(_ header: BatchHeader) throws(Failure) {
    guard let known = resuming, header.next >= known.offset else { return }
    resuming = nil
    guard header.base < known.offset, header.epoch != known.epoch else { return }
    throw lost(known, "others were written in their place")
  }
}

extension LogIndex {
  /// A part of a segment, from one batch up to before another.
  struct Run: Equatable {
    var bytes: Range<Int>
    /// The offset that it begins with.
    let first: Int64
  }

  /// The parts of the segment that may hold what is wanted, ascending.
  func runs(_ range: LogRange, from offset: Int64) -> [Run] {
    var runs: [Run] = []
    for (number, entry) in entries.enumerated() {
      let isLast = number + 1 == entries.count
      let end = isLast ? segmentBytes : entries[number + 1].position
      let next = isLast ? self.next : entries[number + 1].first
      guard next > offset, entry.first < range.offsets.upperBound,
        range.mayMeet(entry.eventTimes, entry.ingestTimes)
      else { continue }
      if let last = runs.last, last.bytes.upperBound == entry.position {
        runs[runs.count - 1].bytes = last.bytes.lowerBound..<end
      } else {
        runs.append(Run(bytes: entry.position..<end, first: entry.first))
      }
    }
    return runs
  }
}
