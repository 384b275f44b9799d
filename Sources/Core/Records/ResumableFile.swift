// An output that a later run goes on with: records are appended, and those that it holds already, by the offset of the event
// that each answers (`_rt.offset`, which grows from line to line), are not written again. What a crash has torn is cut off
// first. Several records may answer one event, so it is also counted how many the last one has.
//
//     run 1   … {"_rt":{"offset":41}}⏎ {"_rt":{"off
//     run 2   … {"_rt":{"offset":41}}⏎                     cut; holds(41) once, holds(42) no more

public final class ResumableFile: ByteSink {
  public let path: String
  private let file: any File
  private let lock: any FileLock
  /// Of the event that the last record answers; -1 where there is none.
  public private(set) var lastOffset: Int64 = -1
  /// Records of that event that have not been asked about.
  private var heldAtLast = 0
  /// Bytes behind the last whole record that were cut off.
  public private(set) var cutBytes = 0
  /// Records that were asked about and are there.
  public private(set) var heldCount = 0

  /// Opens the file, or makes it, and looks at its end.
  ///
  /// - Parameter bound: records of later events are cut off, as is needed after a power cut: a disk may keep the end of what
  ///   was not synced, and lose what lies before it.
  /// - Complexity: O(bytes of the last records, and of what is cut).
  public init(
    _ path: String, upTo bound: Int64 = .max, files: any FileSystem
  ) throws(Failure) {
    self.path = path
    var plan = FieldPlan()
    slot = plan.slot(["_rt", "offset"])
    scanner = RecordScanner(plan)
    lock = try ResumableFile.takeLock(path, files)
    do throws(SystemError) {
      let isNew = !files.exists(path)
      file = try files.open(path, .append)
      if isNew { try files.syncFolder(AtomicFile.folder(of: path)) }
    } catch {
      throw .inputOutput("\(path): \(error.call): \(error.reason)")
    }
    let size = try attempt { () throws(SystemError) in try file.size() }
    try cut(to: try findLast(upTo: bound, in: size), from: size, bound)
  }

  private static func takeLock(
    _ path: String, _ files: any FileSystem
  ) throws(Failure) -> any FileLock {
    let answer: LockAnswer
    do throws(SystemError) {
      answer = try files.lock("\(path).lock")
    } catch {
      throw .inputOutput("\(path).lock: \(error.call): \(error.reason)")
    }
    switch answer {
    case .taken(let lock): return lock
    case .held(let holder):
      let who = holder.map { "process \($0)" } ?? "another process"
      throw Failure(
        .locked, "\(path): \(who) is writing it",
        hint: "an output that is gone on with has one writer at a time; try again when it has ended"
      )
    }
  }

  // MARK: The end of what is there

  /// Returns how many bytes lie up to the end of the last record that stays; 0 where there is none.
  private func findLast(upTo bound: Int64, in size: Int) throws(Failure) -> Int {
    var kept = 0
    var end = try lineStart(before: size)
    while end > 0 {
      let start = try lineStart(before: end - 1)
      let offset = try offset(start..<end - 1)
      if kept == 0 {
        if let offset, offset >= 0, offset <= bound {
          (lastOffset, heldAtLast, kept) = (offset, 1, end)
        }
      } else {
        guard offset == lastOffset else { break }
        heldAtLast += 1
      }
      end = start
    }
    return kept
  }

  private let scanner: RecordScanner
  private let slot: Int

  /// Of the event that a line answers; nil where it is no record of ours.
  private func offset(_ line: Range<Int>) throws(Failure) -> Int64? {
    try bytes(line).withBytes { (line) -> Int64? in
      guard (try? scanner.scan(line)) != nil else { return nil }
      let raw = scanner.raw(slot)
      return raw.kind == .number ? JSONNumber.integer(raw.bytes) : nil
    }
  }

  /// Cuts off what is no record; but first it must be known that the file is one of ours.
  private func cut(to end: Int, from size: Int, _ bound: Int64) throws(Failure) {
    guard end < size else { return }
    if end == 0 {
      let start = try bytes(0..<min(size, ResumableFile.sign.count))
      let isTorn = try lineStart(before: size) == 0
      guard ResumableFile.sign.starts(with: start), isTorn || bound < .max else {
        throw .badData(
          "\(path): no line has an _rt.offset, so it is not known where to go on",
          hint: "--out goes on with a file that it has begun; give another name, or remove this one"
        )
      }
    }
    try attempt { () throws(SystemError) in try file.truncate(to: end) }
    cutBytes = size - end
  }

  /// What every record of ours begins with.
  private static let sign = Array("{\"kind\":\"".utf8)

  /// Behind the last line feed before `end`; 0 where there is none.
  private func lineStart(before end: Int) throws(Failure) -> Int {
    var end = end
    while end > 0 {
      let start = max(0, end - Limits.readBytes)
      let block = try bytes(start..<end)
      if let place = block.lastIndex(of: UInt8(ascii: "\n")) { return start + place + 1 }
      end = start
    }
    return 0
  }

  private func bytes(_ range: Range<Int>) throws(Failure) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: range.count)
    var filled = 0
    while filled < bytes.count {
      let count = try attempt { () throws(SystemError) in
        try bytes.withUnsafeMutableBufferPointer { (buffer) throws(SystemError) in
          let rest = UnsafeMutableBufferPointer(rebasing: buffer[filled...])
          return try file.read(
            into: UnsafeMutableRawBufferPointer(rest), at: range.lowerBound + filled)
        }
      }
      guard count > 0 else { throw .inputOutput("\(path): became shorter while it was read") }
      filled += count
    }
    return bytes
  }

  private func attempt<Result>(
    _ body: () throws(SystemError) -> Result
  ) throws(Failure) -> Result {
    do throws(SystemError) {
      return try body()
    } catch {
      throw .inputOutput("\(path): \(error.call): \(error.reason)")
    }
  }

  // MARK: Going on

  /// Whether the next record that answers the event of this offset is there already. To be asked once for each record,
  /// in order.
  public func holds(_ offset: Int64) -> Bool {
    guard offset < lastOffset || offset == lastOffset && heldAtLast > 0 else { return false }
    if offset == lastOffset { heldAtLast -= 1 }
    heldCount += 1
    return true
  }

  public func write(_ bytes: Bytes) throws(Failure) {
    try attempt { () throws(SystemError) in try file.write(bytes) }
  }

  /// Returns when everything written so far is on the disk.
  public func sync() throws(Failure) {
    try attempt { () throws(SystemError) in try file.sync() }
  }
}
