// A registry is a folder of plain files, so that it can be looked at, copied, backed up and shared without a
// server:
//
//     format                              what this folder is: "rtinfer-registry 1"
//     log.ndjson                          everything that happened, a line each, chained by hashes: the truth
//     head                                how far the log goes: "<lines> <hash of the last>"
//     blobs/<2 hex>/<64 hex>              model files and what belongs to them, named by their SHA-256
//     models/<name>/versions/<n>.json     a version's manifest: never changed
//     models/<name>/aliases/<alias>       the version an alias stands for: "3"
//     index                               what the log adds up to, for a quick look (see `RegistryIndex`)
//     pending                             a change that is under way (see `PendingChange`)
//     lock                                held by the one process that writes
//
// Whoever reads takes no lock and never waits: every file is swapped in whole.

public import Core

/// The names in a registry's folder, and the rules for those that people choose.
public struct RegistryFolder: Sendable {
  public let path: String
  public let files: any FileSystem

  public init(_ path: String, files: any FileSystem) {
    self.path = path
    self.files = files
  }

  /// Whether there is a registry, of any format.
  public var isThere: Bool { files.exists(absolute(RegistryFolder.format)) }

  static let formatLine = "rtinfer-registry 1\n"

  // Names relative to the folder, as `PendingChange` writes them down.
  static let format = "format"
  static let log = "log.ndjson"
  static let head = "head"
  static let index = "index"
  static let pending = "pending"
  static let lock = "lock"

  static func manifest(_ model: String, _ version: Int) -> String {
    "models/\(model)/versions/\(version).json"
  }
  static func alias(_ model: String, _ alias: String) -> String {
    "models/\(model)/aliases/\(alias)"
  }
  static func blob(_ digest: String) -> String { "blobs/\(digest.prefix(2))/\(digest)" }

  func absolute(_ name: String) -> String { "\(path)/\(name)" }

  /// A name is a file's name and a part of a URI: letters, digits, `-`, `_` and `.`, not first, at most 128.
  public static func isName(_ text: String) -> Bool {
    !text.isEmpty && text.utf8.count <= 128 && text.first != "."
      && text.utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
          UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"),
          UInt8(ascii: "."):
          true
        default: false
        }
      }
  }

  /// Metrics are members of expressions, so their names are identifiers.
  public static func isMetric(_ text: String) -> Bool {
    guard let first = text.utf8.first, text.utf8.count <= 128 else { return false }
    func isLetter(_ byte: UInt8) -> Bool {
      byte | 0x20 >= UInt8(ascii: "a") && byte | 0x20 <= UInt8(ascii: "z")
        || byte == UInt8(ascii: "_")
    }
    return isLetter(first) && !["in", "true", "false", "null"].contains(text)
      && text.utf8.allSatisfy { isLetter($0) || (UInt8(ascii: "0")...UInt8(ascii: "9")) ~= $0 }
  }

  /// The version that is always there and that nobody sets: the newest.
  public static let newest = "latest"

  /// - Throws: a usage failure that names what is wrong with it.
  public static func check(model: String) throws(Failure) {
    guard isName(model) else {
      throw .usage(
        "'\(model)' is not a model's name: letters, digits, '-', '_' and '.', at most 128")
    }
  }

  public static func check(alias: String) throws(Failure) {
    // A file that is being swapped in is called so, until it is there.
    guard isName(alias), Int(alias) == nil, alias != newest, !alias.hasSuffix(".new") else {
      throw .usage(
        alias == newest
          ? "'\(newest)' is always the newest version and cannot be set"
          : "'\(alias)' is not an alias: letters, digits, '-', '_' and '.', not a number alone, not ending in '.new'"
      )
    }
  }

  func failure(_ error: SystemError, _ path: String) -> Failure {
    .inputOutput("\(path): \(error.call): \(error.reason)")
  }

  /// Runs what may be refused by the system, and names the file if it is.
  func attempt<Result>(
    _ name: String, _ body: () throws(SystemError) -> Result
  ) throws(Failure) -> Result {
    do throws(SystemError) { return try body() } catch { throw failure(error, absolute(name)) }
  }

  /// Makes the folder above a file, if it is not there.
  func makeParent(of name: String) throws(Failure) {
    guard let slash = name.lastIndex(of: "/") else { return }
    let parent = absolute(String(name[..<slash]))
    try attempt(name) { () throws(SystemError) in try files.makeFolder(parent) }
  }

  /// Puts a file in place, whole.
  func write(_ bytes: [UInt8], to name: String) throws(Failure) {
    try makeParent(of: name)
    try bytes.withBytes { (bytes) throws(Failure) in
      try AtomicFile.write(bytes, to: absolute(name), in: files)
    }
  }

  /// Removes files; one that is not there is as good as removed.
  func remove(_ names: [String]) throws(Failure) {
    for name in names {
      do throws(SystemError) {
        try files.remove(absolute(name))
      } catch {
        if !error.isMissingFile { throw failure(error, absolute(name)) }
      }
    }
  }

  /// The names in a folder below, sorted; none where it is not there.
  func names(in name: String) throws(Failure) -> [String] {
    do throws(SystemError) {
      return try files.names(in: absolute(name)).sorted()
    } catch {
      if error.isMissingFile || error.number == 20 { return [] }  // ENOTDIR: a stray file
      throw failure(error, absolute(name))
    }
  }
}
