// The registry as a reader sees it: the files, seen through a change that is under way. What was read of the
// pending change when the view was made holds for all of the view, so everything in it is of one moment.

public import Core

public struct RegistryView: Sendable {
  public let folder: RegistryFolder
  let pending: PendingChange?

  /// - Throws: a failure where there is no registry, or one of a later version.
  public init(_ folder: RegistryFolder) throws(Failure) {
    self.folder = folder
    let format = folder.absolute(RegistryFolder.format)
    guard folder.files.exists(format) else {
      throw .usage(
        "\(folder.path): no registry is here",
        hint: "rtinfer registry add NAME FILE makes one; --registry DIR says where")
    }
    let bytes = try folder.files.contents(of: format, bytesMax: 4_096)
    guard bytes == Array(RegistryFolder.formatLine.utf8) else {
      throw .inputOutput(
        "\(format): not the mark of a registry that this version reads"
          + " ('\(RegistryFolder.formatLine.dropLast())')")
    }
    pending = try RegistryView.pending(folder)
  }

  static func pending(_ folder: RegistryFolder) throws(Failure) -> PendingChange? {
    guard let bytes = try RegistryView.bytes(of: RegistryFolder.pending, in: folder) else {
      return nil
    }
    return try PendingChange(bytes, source: folder.absolute(RegistryFolder.pending))
  }

  /// Nil where there is no such file.
  private static func bytes(of name: String, in folder: RegistryFolder) throws(Failure) -> [UInt8]?
  {
    try folder.files.contentsIfThere(
      of: folder.absolute(name), bytesMax: Limits.registryFileBytesMax)
  }

  /// A file's contents; nil where there is none.
  func contents(of name: String) throws(Failure) -> [UInt8]? {
    if let pending {
      if let bytes = pending.writes[name] { return bytes }
      if pending.removes.contains(name) { return nil }
    }
    return try RegistryView.bytes(of: name, in: folder)
  }

  // MARK: The log

  /// All whole lines. A piece of a line at the end is one that is just being written.
  public func log() throws(Failure) -> [UInt8] {
    var bytes = try RegistryView.bytes(of: RegistryFolder.log, in: folder) ?? []
    if let pending {
      guard bytes.count >= pending.logBytes else {
        throw .inputOutput(
          "\(folder.absolute(RegistryFolder.log)): \(bytes.count) bytes, but the change under way"
            + " begins behind byte \(pending.logBytes): lines are missing at its end")
      }
      bytes.removeLast(bytes.count - pending.logBytes)
      return bytes + pending.entry
    }
    let end = bytes.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
    bytes.removeLast(bytes.count - end)
    return bytes
  }

  /// Bytes of the log, the change under way included.
  public func logBytes() throws(Failure) -> Int {
    if let pending { return pending.logBytes + pending.entry.count }
    let path = folder.absolute(RegistryFolder.log)
    guard folder.files.exists(path) else { return 0 }
    return try folder.attempt(RegistryFolder.log) { () throws(SystemError) in
      try folder.files.open(path, .read).size()
    }
  }

  /// What the log adds up to.
  ///
  /// - Parameter time: takes no line later than this one.
  public func state(at time: Timestamp = .distantFuture) throws(Failure) -> RegistryState {
    var state = RegistryState()
    let path = folder.absolute(RegistryFolder.log)
    try RegistryView.forEachLine(of: try log()) { (number, line) throws(Failure) in
      let entry = try RegistryView.entry(line, number, path)
      guard entry.time <= time else { return false }
      if let problem = state.apply(entry) { throw RegistryView.damaged(path, number, problem) }
      return true
    }
    return state
  }

  static func entry(
    _ line: Bytes, _ number: Int, _ path: String
  ) throws(Failure) -> RegistryEntry {
    do throws(JSONError) { return try RegistryEntry(line: line) } catch {
      throw damaged(path, number, error.description)
    }
  }

  /// Which model a line is about.
  public static func model(ofLine line: [UInt8]) throws(Failure) -> String {
    try line.withBytes { (line) throws(Failure) in try entry(line, 0, RegistryFolder.log).model }
  }

  private static func damaged(_ path: String, _ line: Int, _ problem: String) -> Failure {
    .inputOutput(
      "\(path): line \(line): \(problem)",
      hint: "restore the log from a copy; rtinfer registry verify shows all that is wrong")
  }

  /// - Parameter body: takes the line's number from 1 and its bytes without the end; false ends the walk.
  static func forEachLine(
    of bytes: [UInt8], _ body: (Int, Bytes) throws(Failure) -> Bool
  ) throws(Failure) {
    try bytes.withBytes { (bytes) throws(Failure) in
      var (start, number) = (0, 1)
      for index in 0..<bytes.count where bytes[index] == UInt8(ascii: "\n") {
        guard try body(number, bytes[start..<index]) else { return }
        (start, number) = (index + 1, number + 1)
      }
    }
  }

  // MARK: Versions

  /// The number that a reference stands for, without a look at the log.
  public func number(_ uri: ModelURI) throws(Failure) -> Int {
    if case .version(let number) = uri.reference { return number }
    if case .alias(let alias) = uri.reference, alias != RegistryFolder.newest,
      let bytes = try contents(of: RegistryFolder.alias(uri.model, alias))
    {
      guard let number = Int(String(decoding: bytes, as: UTF8.self).dropLast()), number > 0 else {
        throw .inputOutput(
          "\(folder.absolute(RegistryFolder.alias(uri.model, alias))): not a version's number",
          hint: "rtinfer registry verify shows what it ought to be")
      }
      return number
    }
    if case .alias(RegistryFolder.newest) = uri.reference { return try newest(uri) }
    return try state().version(uri).number
  }

  /// The path of a version's file.
  public func path(of file: VersionManifest.File) -> String {
    folder.absolute(RegistryFolder.blob(file.digest))
  }
}

extension Limits {
  /// Bytes of a log, manifest or alias: a log of a million changes has half of it.
  static let registryFileBytesMax = 1 << 30
}
