// Where a log's files lie, and which segments there are.

public import Core

/// The names in a log's folder.
struct LogFolder {
  let path: String
  let files: any FileSystem

  var lock: String { "\(path)/lock" }
  var sources: String { "\(path)/sources" }
  var consumers: String { "\(path)/consumers" }

  func segment(_ base: Int64) -> String { "\(path)/\(LogFolder.digits(base)).log" }
  func index(_ base: Int64) -> String { "\(path)/\(LogFolder.digits(base)).index" }

  /// Twenty digits, so that names sort as their numbers do.
  private static func digits(_ base: Int64) -> String {
    let text = String(base)
    return String(repeating: "0", count: 20 - text.count) + text
  }

  /// The base offsets of all segments, ascending; none where there is no folder.
  func bases() throws(Failure) -> [Int64] { try numbers("log") }

  /// The base offsets that index files are named by.
  func indexBases() throws(Failure) -> [Int64] { try numbers("index") }

  private func numbers(_ ending: String) throws(Failure) -> [Int64] {
    do throws(SystemError) {
      return try files.names(in: path).compactMap { name in
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2, parts[1] == ending, parts[0].count == 20 else { return nil }
        return Int64(parts[0])
      }.sorted()
    } catch {
      if error.isMissingFile { return [] }
      throw failure(error, path)
    }
  }

  func failure(_ error: SystemError, _ path: String) -> Failure {
    .inputOutput("\(path): \(error.call): \(error.reason)")
  }

  /// Runs what may be refused by the system, and names the file if it is.
  func attempt<Result>(
    _ path: String, _ body: () throws(SystemError) -> Result
  ) throws(Failure) -> Result {
    do throws(SystemError) { return try body() } catch { throw failure(error, path) }
  }
}

/// A place in a log that a reader can come back to: the next offset, and the epoch that wrote the event
/// before it. Should the log ever lose that event (it was not synced, and the power failed) and write
/// another in its place, the epochs differ and the reader is told.
public struct LogPosition: Sendable, Equatable {
  public var offset: Int64
  /// Nil where nothing was read yet.
  public var epoch: UInt32?

  public init(offset: Int64, epoch: UInt32? = nil) {
    self.offset = offset
    self.epoch = epoch
  }
}

/// A place where a log does not hold what was written.
public struct LogDamage: Sendable, Equatable {
  /// The segment's path.
  public let segment: String
  /// The first offset that cannot be read.
  public let offset: Int64
  /// Where in the segment.
  public let byte: Int
  public let reason: String

  /// As an error that nothing may go on from.
  public var failure: Failure {
    Failure(
      .inputOutput, "\(segment): damaged at byte \(byte), offset \(offset): \(reason)",
      hint: "it was whole on the disk once, so this is no torn write: restore the file from a copy;"
        + " rtinfer ingest log verify shows all of it")
  }
}
