// An output that a later run goes on with: records are appended, and those that it holds already, by the offset of the event
// that each answers (`_rt.offset`, which grows from line to line), are not written again. What a crash has torn is cut off
// first. Several records may answer one event, so it is also counted how many the last one has.
//
//     run 1   … {"_rt":{"offset":41}}⏎ {"_rt":{"off
//     run 2   … {"_rt":{"offset":41}}⏎                     cut; holds(41) once, holds(42) no more

public final class ResumableFile: ByteSink {
  public let path: String
  private let file: any File
  private let onCut: (_ bytes: Int) -> Void
  private let lock: any FileLock
  /// Of the event that the last record answers; -1 where there is none.
  public private(set) var lastOffset: Int64 = -1
  /// That event's id as it stands in the record.
  private var lastId: [UInt8] = []
  /// Records of that event that have not been asked about.
  private var heldAtLast = 0
  /// Bytes behind the last record that stays which were cut off.
  public private(set) var cutBytes = 0
  /// Where the last record that stays ends; nil where nothing lies behind it.
  private var pendingCut: Int?
  /// The last offset that was asked about.
  private var askedOffset: Int64 = -1
  /// Records that were asked about and are there.
  public private(set) var heldCount = 0

  /// Opens the file, or makes it, and looks at its end. A torn end is cut off at once.
  ///
  /// - Parameters:
  ///   - kind: of its records; a file of others is not touched.
  ///   - bound: records of later events are to be cut off, as is needed after a power cut: a disk may keep the end of
  ///     what was not synced, and lose what lies before it. That waits for the first write or for `cutBack`, as the
  ///     records may yet be good.
  ///   - onCut: told of what was cut off.
  /// - Complexity: O(bytes of the last records, and of what is cut).
  public init(
    _ path: String, kind: String, upTo bound: Int64 = .max, files: any FileSystem,
    onCut: @escaping (_ bytes: Int) -> Void = { _ in }
  ) throws(Failure) {
    self.path = path
    self.onCut = onCut
    var plan = FieldPlan()
    slot = plan.slot(["_rt", "offset"])
    idSlot = plan.slot(["id"])
    sign = Array("{\"kind\":\"\(kind)\"".utf8)
    scanner = RecordScanner(plan)
    guard !files.standsForAnother(path) else {
      throw .usage(
        "\(path): is a link, a device or a pipe, which cannot be gone on with",
        hint: "name a plain file, or leave --out away and redirect stdout")
    }
    lock = try ResumableFile.takeLock(path, files)
    do throws(SystemError) {
      let isNew = !files.exists(path)
      file = try files.open(path, .append)
      if isNew { try files.syncFolder(AtomicFile.folder(of: path)) }
    } catch {
      throw .inputOutput("\(path): \(error.call): \(error.reason)")
    }
    let size = try attempt { () throws(SystemError) in try file.size() }
    let (end, isOurs) = try findLast(upTo: bound, in: size)
    block = ([], 0)
    guard end < size else { return }
    if end == 0, !isOurs { try checkBeginning(size, isAfterPowerCut: bound < .max) }
    pendingCut = end
    if bound == .max { try cutBack() }
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

  /// Returns how many bytes lie up to the end of the last record that stays, 0 where there is none; and whether a record was
  /// met at all.
  private func findLast(
    upTo bound: Int64, in size: Int
  ) throws(Failure) -> (end: Int, isOurs: Bool) {
    var kept = 0
    var isOurs = false
    var end = try lineStart(before: size)
    while end > 0 {
      let start = try lineStart(before: end - 1)
      let (offset, id) = try marks(start..<end - 1)
      if offset != nil { isOurs = true }
      if kept == 0 {
        if let offset, offset >= 0, offset <= bound {
          (lastOffset, heldAtLast, kept) = (offset, 1, end)
          lastId = id
        }
      } else {
        guard offset == lastOffset else { break }
        heldAtLast += 1
      }
      end = start
    }
    return (kept, isOurs)
  }

  private let scanner: RecordScanner
  private let slot: Int
  private let idSlot: Int

  /// Of the event that a line answers; without an offset where it is no record of ours.
  private func marks(_ line: Range<Int>) throws(Failure) -> (offset: Int64?, id: [UInt8]) {
    let line = Array(try text(line))
    guard line.starts(with: sign) else { return (nil, []) }
    return line.withBytes { line in
      guard (try? scanner.scan(line)) != nil else { return (nil, []) }
      let raw = scanner.raw(slot)
      let offset = raw.kind == .number ? JSONNumber.integer(raw.bytes) : nil
      return (offset, scanner.raw(idSlot).literal.copy())
    }
  }

  /// A file without a record of ours is somebody else's, or one whose first record was torn; by a power cut with line feeds
  /// in what the disk has made of it.
  private func checkBeginning(_ size: Int, isAfterPowerCut: Bool) throws(Failure) {
    let start = try bytes(0..<min(size, sign.count))
    let lastLine = isAfterPowerCut ? 0 : try lineStart(before: size)
    guard sign.starts(with: start), lastLine == 0 else {
      throw .badData(
        "\(path): holds something else: no line begins with \(String(decoding: sign, as: UTF8.self)) and has an _rt.offset",
        hint: "--out goes on with a file that it has begun; give another name, or remove this one"
      )
    }
  }

  /// Cuts off what lies behind the last record that stays.
  public func cutBack() throws(Failure) {
    guard let end = pendingCut else { return }
    let size = try attempt { () throws(SystemError) in try file.size() }
    try attempt { () throws(SystemError) in try file.truncate(to: end) }
    cutBytes = size - end
    pendingCut = nil
    onCut(cutBytes)
  }

  /// What every record of ours begins with.
  private let sign: [UInt8]

  /// What was read last, as the walk from line to line goes through it, and where in the file it begins.
  private var block: (bytes: [UInt8], start: Int) = ([], 0)

  /// Behind the last line feed before `end`; 0 where there is none.
  private func lineStart(before end: Int) throws(Failure) -> Int {
    var end = end
    while end > 0 {
      if end <= block.start || end > block.start + block.bytes.count {
        let start = max(0, end - Limits.readBytes)
        block = (try bytes(start..<end), start)
      }
      let feed = block.bytes[..<(end - block.start)].lastIndex(of: UInt8(ascii: "\n"))
      if let feed { return block.start + feed + 1 }
      end = block.start
    }
    return 0
  }

  /// The bytes of a line.
  private func text(_ line: Range<Int>) throws(Failure) -> ArraySlice<UInt8> {
    guard line.lowerBound >= block.start, line.upperBound <= block.start + block.bytes.count else {
      return try bytes(line)[...]
    }
    return block.bytes[(line.lowerBound - block.start)..<(line.upperBound - block.start)]
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
  /// in order: what is there is known by its last record.
  ///
  /// - Parameter id: the event's, as records show it; asked for only where the last record is met.
  public func holds(_ offset: Int64, id: () -> [UInt8]) throws(Failure) -> Bool {
    guard offset >= askedOffset else {
      throw .badData(
        "\(path): a record of offset \(offset) comes after one of \(askedOffset)",
        hint:
          "--out goes on with records in the order of their offsets, as a stream on arrival gives them"
      )
    }
    askedOffset = offset
    guard offset < lastOffset || offset == lastOffset && heldAtLast > 0 else { return false }
    if offset == lastOffset {
      try checkLast(id())
      heldAtLast -= 1
    }
    heldCount += 1
    return true
  }

  /// All records have been asked about.
  public func checkEnd() throws(Failure) {
    guard heldCount > 0, askedOffset < lastOffset else { return }
    throw .badData(
      "\(path): holds records up to offset \(lastOffset), and what came in ended at \(askedOffset):"
        + " it is not what was read before, or not all of it", hint: ResumableFile.numbersHint)
  }

  /// Offsets that were given anew would leave out what is new.
  private func checkLast(_ id: [UInt8]) throws(Failure) {
    guard id != lastId else { return }
    throw .badData(
      "\(path): its record of offset \(lastOffset) is of event \(String(decoding: lastId, as: UTF8.self)), now"
        + " it is \(String(decoding: id, as: UTF8.self)): these are the offsets of another log",
      hint: ResumableFile.numbersHint)
  }

  private static let numbersHint =
    "offsets that last come from ingest --log; without a log every run numbers from 0, so give each an --out of its own"

  public func write(_ bytes: Bytes) throws(Failure) {
    try cutBack()
    try attempt { () throws(SystemError) in try file.write(bytes) }
  }

  /// Returns when everything written so far is on the disk.
  public func sync() throws(Failure) {
    try attempt { () throws(SystemError) in try file.sync() }
  }
}
