// Which commit the working folder is at, read from the files that Git keeps, so that no program is started.

import Core

enum GitCommit {
  /// 40 or 64 hexadecimal digits; nil outside a repository, or before the first commit.
  static func current(from folder: String, _ files: any FileSystem) -> String? {
    var folder = folder
    while true {
      if let commit = commit(inRepository: "\(folder)/.git", files) { return commit }
      guard let slash = folder.lastIndex(of: "/"), folder != "/" else { return nil }
      folder = String(folder[..<slash])
    }
  }

  private static func commit(inRepository path: String, _ files: any FileSystem) -> String? {
    // In a linked worktree `.git` is a file: "gitdir: <path>"; branches lie with the main one.
    guard let head = line("\(path)/HEAD", files) else {
      guard let link = line(path, files), link.hasPrefix("gitdir: ") else { return nil }
      return commit(inRepository: String(link.dropFirst(8)), files)
    }
    guard head.hasPrefix("ref: ") else { return digest(head) }
    let name = String(head.dropFirst(5))
    let common = line("\(path)/commondir", files).map { "\(path)/\($0)" } ?? path
    if let loose = line("\(path)/\(name)", files) ?? line("\(common)/\(name)", files) {
      return digest(loose)
    }
    let packed = text("\(common)/packed-refs", files) ?? ""
    let found = packed.split(separator: "\n").first { $0.hasSuffix(" \(name)") }
    return found.flatMap { digest(String($0.prefix { $0 != " " })) }
  }

  private static func digest(_ text: String) -> String? {
    [40, 64].contains(text.utf8.count) && text.allSatisfy(\.isHexDigit) ? text : nil
  }

  private static func text(_ path: String, _ files: any FileSystem) -> String? {
    (try? files.contents(of: path, bytesMax: Limits.projectBytesMax))
      .map { String(decoding: $0, as: UTF8.self) }
  }

  private static func line(_ path: String, _ files: any FileSystem) -> String? {
    text(path, files)?.split(separator: "\n").first.map(String.init)
  }
}
