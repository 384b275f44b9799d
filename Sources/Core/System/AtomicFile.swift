// Files appear whole: written beside their name, synced, renamed over it, and the folder synced so that the
// new name survives a power cut. A reader sees the old content or the new, never a part.

public enum AtomicFile {
  /// Replaces the file at `path`, or makes it.
  public static func write(
    _ contents: Bytes, to path: String, in files: any FileSystem
  ) throws(Failure) {
    let temporary = "\(path).new"
    do throws(SystemError) {
      let file = try files.open(temporary, .replace)
      try file.write(contents)
      try file.sync()
      try files.rename(temporary, to: path)
      try files.syncFolder(folder(of: path))
    } catch {
      // The half-written file is of no use to anyone; that it cannot be removed is not worth a word more.
      try? files.remove(temporary)
      throw .inputOutput("\(path): \(error.call): \(error.reason)")
    }
  }

  static func folder(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }
}
