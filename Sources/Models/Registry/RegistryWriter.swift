// The one who changes the registry, by a lock. A change is first written down whole (`PendingChange`), then put
// in place; what another process left half done is finished before anything else is.

public import Core

public final class RegistryWriter {
  public let folder: RegistryFolder
  private let clock: any Clock
  private let lock: any FileLock
  /// What the log adds up to, this writer's changes included.
  public private(set) var state: RegistryState
  private(set) var logBytes: Int

  var now: Timestamp { clock.now() }

  /// Takes the lock; makes the registry if there is none.
  ///
  /// - Parameters:
  ///   - patience: how long to wait for another process that is writing.
  ///   - pause: sleeps so many milliseconds; true if it was woken to end.
  /// - Throws: `.locked` with the other's process id; an I/O failure.
  public init(
    _ folder: RegistryFolder, clock: any Clock, patience: TimeSpan = .zero,
    pause: (Int) -> Bool = { _ in true }
  ) throws(Failure) {
    self.folder = folder
    self.clock = clock
    try folder.attempt("") { () throws(SystemError) in try folder.files.makeFolder(folder.path) }
    lock = try RegistryLock.take(folder, clock, patience, pause)
    if !folder.files.exists(folder.absolute(RegistryFolder.format)) {
      try folder.write(Array(RegistryFolder.formatLine.utf8), to: RegistryFolder.format)
    }
    if let pending = try RegistryView(folder).pending { try RegistryWriter.place(pending, folder) }
    let view = try RegistryView(folder)
    let log = try view.log()
    logBytes = log.count
    state = try view.state()
    try checkEnd(try view.contents(of: RegistryFolder.head))
  }

  /// What follows a log whose end is missing would hide that, and so would what follows an old copy of it, as a shared
  /// disk may show that does not keep what its machines see together.
  private func checkEnd(_ head: [UInt8]?) throws(Failure) {
    let own = state.count > 0 ? "\(state.count) \(state.hash)\n" : nil
    guard head.map({ String(decoding: $0, as: UTF8.self) }) != own else { return }
    throw .inputOutput(
      "\(folder.absolute(RegistryFolder.log)): ends with line \(state.count), and"
        + " \(RegistryFolder.head) tells of another end: nothing is changed",
      hint: "rtinfer registry verify shows what is wrong; restore the log from a copy")
  }

  // MARK: Changes

  /// Makes a change durable and visible, and the index one of it.
  @discardableResult
  func commit(
    _ change: RegistryEntry, writes: [String: [UInt8]], removes: [String] = []
  ) throws(Failure) -> [UInt8] {
    let line = try commitWithoutIndex(change, writes: writes, removes: removes)
    writeIndex()
    return line
  }

  /// Makes a change durable and visible; whoever makes many of them writes the index when they are made.
  ///
  /// - Parameters:
  ///   - writes: files to put in place, by name.
  ///   - removes: files to take away.
  /// - Returns: the line of the log, with its end.
  func commitWithoutIndex(
    _ change: RegistryEntry, writes: [String: [UInt8]], removes: [String] = []
  ) throws(Failure) -> [UInt8] {
    var entry = change
    // The wall clock may have gone back; the log's times never do.
    let line = entry.seal(
      sequence: state.count + 1, previous: state.hash, time: max(clock.now(), state.time))
    var writes = writes
    writes[RegistryFolder.head] = Array("\(entry.sequence) \(entry.hash)\n".utf8)
    let pending = PendingChange(
      logBytes: logBytes, entry: line, writes: writes, removes: removes)
    try folder.write(pending.encode(), to: RegistryFolder.pending)
    let problem = state.apply(entry)
    precondition(problem == nil, "a change follows from the state: \(problem ?? "")")
    try RegistryWriter.place(pending, folder)
    logBytes += line.count
    return line
  }

  /// Puts a change's parts in place; those that already are stay as they are.
  private static func place(_ change: PendingChange, _ folder: RegistryFolder) throws(Failure) {
    try append(change, folder)
    for (name, bytes) in change.writes.sorted(by: { $0.key < $1.key }) {
      try folder.write(bytes, to: name)
    }
    try folder.remove(change.removes)
    try folder.remove([RegistryFolder.pending])
    try folder.attempt("") { () throws(SystemError) in try folder.files.syncFolder(folder.path) }
  }

  private static func append(_ change: PendingChange, _ folder: RegistryFolder) throws(Failure) {
    let path = folder.absolute(RegistryFolder.log)
    let size = try folder.attempt(RegistryFolder.log) { () throws(SystemError) in
      let file = try folder.files.open(path, .append)
      let size = try file.size()
      guard size >= change.logBytes else { return size }
      if size > change.logBytes { try file.truncate(to: change.logBytes) }
      try change.entry.withBytes { (bytes) throws(SystemError) in try file.write(bytes) }
      try file.sync()
      if size == 0 { try folder.files.syncFolder(folder.path) }
      return size
    }
    guard size >= change.logBytes else {
      throw .inputOutput(
        "\(path): \(size) bytes, but the change under way begins behind byte \(change.logBytes):"
          + " lines are missing at its end",
        hint: "restore the log from a copy")
    }
  }
}
