// The one writer of a log. Batches go to the end of the active segment; whether and when they are synced is the
// policy's business, and `commit` returns when they are as durable as the policy says.
//
//     append ─▶ append ─▶ commit ─▶ sync ─▶ seal          always: one sync for many batches
//     append ─▶ commit ─▶ append ─▶ … 100 ms … ─▶ sync ─▶ seal    interval
//
// A write that fails is undone, and the log can go on when there is room again. A sync that fails is the end:
// what it should have brought to the disk may be lost without a trace, so nothing after it can be promised.

public import Core

public final class LogWriter {
  /// What was found when the log was opened.
  public private(set) var recovery = LogRecovery()
  public let settings: LogSettings
  private let folder: LogFolder
  private let clock: any Clock
  private let lock: any FileLock
  private var active: any File
  private var index: LogIndex
  private let epoch: UInt32
  /// Bytes of the active segment that are on the disk for certain.
  private var synced = 0
  private var unsyncedSince: UInt64?
  /// After this nothing can be promised any more.
  private var ending: Failure?
  private var head = LogRecordBytes()

  /// The offset that the next event gets.
  public var nextOffset: Int64 { index.next }
  public var path: String { folder.path }

  /// Opens the log in the folder at `path`, which is made if it is not there, and mends what a crash has
  /// left. Throws with the status `locked` while another process writes it.
  public init(
    _ path: String, settings: LogSettings = LogSettings(), files: any FileSystem,
    clock: any Clock
  ) throws(Failure) {
    let folder = LogFolder(path: path, files: files)
    try folder.attempt(path) { () throws(SystemError) in try files.makeFolder(path) }
    lock = try LogWriter.takeLock(folder)
    var report = LogRecovery()
    let end = try folder.recover(&report)
    // Above all that the log knows of, and above what a power cut may have taken from it: a reader that has
    // seen events of an opening must not take another's for them.
    epoch = max(end.epoch + 1, UInt32(clamping: clock.now().microseconds / 1_000_000))
    index = end.index
    if end.needsSegment {
      active = try LogWriter.makeSegment(folder, base: end.index.next, epoch: epoch, clock)
    } else {
      let segment = folder.segment(end.index.base)
      active = try folder.attempt(segment) { () throws(SystemError) in
        let file = try files.open(segment, .append)
        try file.truncate(to: end.index.segmentBytes)
        return file
      }
    }
    self.folder = folder
    self.clock = clock
    self.settings = settings
    recovery = report
    synced = index.segmentBytes
    try seal()
    try trim()
  }

  private static func takeLock(_ folder: LogFolder) throws(Failure) -> any FileLock {
    let answer = try folder.attempt(folder.lock) { () throws(SystemError) in
      try folder.files.lock(folder.lock)
    }
    switch answer {
    case .taken(let lock): return lock
    case .held(let holder):
      let who = holder.map { "process \($0)" } ?? "another process"
      throw Failure(
        .locked, "\(folder.path): \(who) is writing this log",
        hint: "a log has one writer; --wait 30s waits for it to end")
    }
  }

  private static func makeSegment(
    _ folder: LogFolder, base: Int64, epoch: UInt32, _ clock: any Clock
  ) throws(Failure) -> any File {
    let path = folder.segment(base)
    do throws(SystemError) {
      let file = try folder.files.open(path, .replace)
      let header = SegmentHeader(base: base, made: clock.now(), epoch: epoch)
      try header.encoded().withBytes { (bytes) throws(SystemError) in try file.write(bytes) }
      try file.sync()
      try folder.files.syncFolder(folder.path)
      return file
    } catch {
      // An empty beginning is mended at the next opening; it is only tidier without.
      try? folder.files.remove(path)
      throw folder.failure(error, path)
    }
  }

  // MARK: Writing

  /// Writes the batch behind all others. It counts only after `commit`.
  ///
  /// - Precondition: the first event's mark says `nextOffset`.
  public func append(_ batch: LogBatch) throws(Failure) {
    guard !batch.isEmpty else { return }
    try checkUsable()
    let bytes = BatchHeader.byteCount + batch.count * BatchHeader.entryBytes + batch.lineBytes
    if index.next > index.base, index.segmentBytes + bytes > settings.segmentBytes { try roll() }
    let header = batch.withEncoded({ stamp(&$0) }, into: &head)
    try write(header, lines: batch.text)
    if unsyncedSince == nil { unsyncedSince = clock.monotonicNanoseconds() }
  }

  private func stamp(_ header: inout BatchHeader) {
    header.base = index.next
    header.epoch = epoch
    header.synced = synced
    header.countsOnceSynced = settings.fsync == .always
  }

  /// What `head` holds, and the lines behind it; undone if it fails.
  private func write(_ header: BatchHeader, lines: Bytes) throws(Failure) {
    let end = index.segmentBytes
    do throws(SystemError) {
      try head.bytes.withBytes { (bytes) throws(SystemError) in try active.write(bytes) }
      if !lines.isEmpty { try active.write(lines) }
    } catch {
      let failure = folder.failure(error, folder.segment(index.base))
      do throws(SystemError) {
        try active.truncate(to: end)
      } catch {
        // The half batch is cut at the next opening; nothing may come behind it.
        ending = failure
      }
      throw failure
    }
    index.add(header, at: end)
  }

  /// Returns when everything appended is as durable as the policy says.
  public func commit() throws(Failure) {
    try checkUsable()
    switch settings.fsync {
    case .always: if unsyncedSince != nil { try sync() }
    case .interval: if nanosecondsUntilSync == 0 { try sync() }
    case .never: break
    }
  }

  /// How long a sync may wait by the policy; nil when nothing waits for one.
  public var nanosecondsUntilSync: UInt64? {
    guard case .interval(let span) = settings.fsync, let since = unsyncedSince, ending == nil else {
      return nil
    }
    let due = since + span.nanoseconds
    let now = clock.monotonicNanoseconds()
    return due > now ? due - now : 0
  }

  /// Brings everything appended to the disk, whatever the policy.
  public func sync() throws(Failure) {
    try checkUsable()
    try bringToDisk()
    try seal()
  }

  private func bringToDisk() throws(Failure) {
    do throws(SystemError) {
      try active.sync()
    } catch {
      let path = folder.segment(index.base)
      let failure = Failure(
        .inputOutput, "\(path): \(error.call): \(error.reason)",
        hint: "a failed sync may have lost what was written: nothing more is accepted;"
          + " the next run goes on with what the disk holds")
      ending = failure
      throw failure
    }
    synced = index.segmentBytes
    unsyncedSince = nil
  }

  /// Says how far the disk has followed. Readers wait for it, nobody else: where there is no room for it the
  /// next batch will say the same.
  private func seal() throws(Failure) {
    guard index.segmentBytes == synced else { return }
    var header = BatchHeader()
    stamp(&header)
    head.removeAll()
    header.append(to: &head)
    try? write(header, lines: .empty)
    try checkUsable()
  }

  private func checkUsable() throws(Failure) {
    if let ending { throw ending }
  }

  /// Closes the active segment and begins the next one.
  private func roll() throws(Failure) {
    try bringToDisk()
    try index.write(folder)
    active = try LogWriter.makeSegment(folder, base: index.next, epoch: epoch, clock)
    index = LogIndex(base: index.next)
    synced = index.segmentBytes
    try trim()
  }

  /// Syncs and seals, so that the next opening finds a log that was left in order.
  public func close() throws(Failure) {
    try checkUsable()
    if unsyncedSince != nil { try sync() }
    ending = .inputOutput("\(path): the log is closed")
  }

  // MARK: Retention

  /// Removes what the settings allow from the log's beginning. Returns how many segments went.
  @discardableResult
  public func trim() throws(Failure) -> Int {
    try folder.trim(settings.retention, activeBytes: index.segmentBytes, now: clock.now())
  }
}
