// A golden case is a folder: one line of bash and what it must answer.
//
//     Fixtures/ingest/late-event/
//       cmd             rtinfer ingest --rejects /dev/stdout < stdin.ndjson
//       stdin.ndjson    whatever the line reads lies beside it
//       stdout          no file: nothing is written
//       stderr
//       status          no file: 0
//
// The line runs in the folder, with the built binary first on PATH and an empty folder as HOME,
// where it may write. `RTINFER_UPDATE=1 swift test` rewrites the expectations; the reviewer reads
// the diff.

public import Foundation

public struct GoldenCase: Sendable, CustomStringConvertible {
  /// As in "ingest/late-event".
  public let name: String
  public let folder: URL

  public static let updates = ProcessInfo.processInfo.environment["RTINFER_UPDATE"] == "1"

  /// Every folder `Fixtures/*/*` that holds a `cmd`.
  public static let all: [GoldenCase] = {
    let files = FileManager.default
    func names(_ folder: URL) -> [String] {
      ((try? files.contentsOfDirectory(atPath: folder.path())) ?? []).sorted()
    }
    return names(Fixtures.root).flatMap { command in
      names(Fixtures.root.appending(path: command)).compactMap { name in
        let folder = Fixtures.root.appending(
          path: "\(command)/\(name)", directoryHint: .isDirectory)
        guard files.fileExists(atPath: folder.appending(path: "cmd").path()) else { return nil }
        return GoldenCase(name: "\(command)/\(name)", folder: folder)
      }
    }
  }()

  public var description: String { name }

  /// What a case's files say, or what a run gave.
  public struct Answer: Equatable, Sendable {
    public let parts: [(file: String, text: String)]

    public static func == (left: Answer, right: Answer) -> Bool {
      left.parts.elementsEqual(right.parts) { $0 == $1 }
    }
  }

  public func command() throws -> String {
    try text("cmd").trimmingCharacters(in: .whitespacesAndNewlines)
  }

  private func text(_ file: String) throws -> String {
    String(decoding: try Data(contentsOf: folder.appending(path: file)), as: UTF8.self)
  }

  public func run() throws -> Answer {
    let home = try TemporaryFolder()
    let outcome = try Child.bash(try command(), in: folder, home: home.url, seconds: 30)
    let killed = outcome.wasKilled ? "(killed: it did not end)\n" : ""
    return Answer(parts: [
      ("stdout", GoldenCase.normalised(outcome.output)),
      ("stderr", GoldenCase.normalised(outcome.errors) + killed),
      ("status", "\(outcome.status)\n"),
    ])
  }

  public func expected() throws -> Answer {
    func text(_ file: String, _ absent: String) -> String { (try? self.text(file)) ?? absent }
    return Answer(parts: [
      ("stdout", text("stdout", "")), ("stderr", text("stderr", "")),
      ("status", text("status", "0\n")),
    ])
  }

  /// Writes an answer down as what is expected; what says nothing has no file.
  public func write(_ answer: Answer) throws {
    for (file, text) in answer.parts {
      let url = folder.appending(path: file)
      try? FileManager.default.removeItem(at: url)
      if text.isEmpty || file == "status" && text == "0\n" { continue }
      try Data(text.utf8).write(to: url)
    }
  }

  /// Without what differs from run to run: the time of ingestion, the registry's times and the hashes of them, and
  /// how long things took.
  public static func normalised(_ text: String) -> String {
    text.replacing(#/"((first_|last_)?ingested)":"[^"]*"/#) { "\"\($0.output.1)\":\"<time>\"" }
      .replacing(#/"(at|added)":"[0-9T:.Z-]*"/#) { "\"\($0.output.1)\":\"<time>\"" }
      .replacing(#/"(hash|previous|manifest)":"[0-9a-f]{64}"/#) { "\"\($0.output.1)\":\"<hash>\"" }
      .replacing(#/"layers_us":\{[^}]*\}/#) { match in
        match.output.replacing(#/:[0-9.eE+-]+/#, with: ":<us>")
      }
  }

  /// What a reader of a failure needs: the line that ran, and the lines that differ.
  public func report(_ expected: Answer, _ found: Answer) throws -> String {
    var text = "\(name)\n$ \(try command())\n"
    for (left, right) in zip(expected.parts, found.parts) where left.text != right.text {
      text += "--- \(left.file), expected\n+++ \(left.file), found\n"
      text += LineDifference.text(left.text, right.text)
    }
    return text + "(RTINFER_UPDATE=1 swift test takes what was found as expected)"
  }
}

/// Two texts line by line, as `diff` shows them.
public enum LineDifference {
  /// Lines that were removed begin with "-", added ones with "+"; equal ones show only beside a
  /// difference.
  public static func text(_ old: String, _ new: String, linesMax: Int = 40) -> String {
    let old = lines(old)
    let new = lines(new)
    let changes = new.difference(from: old)
    var removed = Set<Int>()
    var added = Set<Int>()
    for change in changes {
      switch change {
      case .remove(let offset, _, _): removed.insert(offset)
      case .insert(let offset, _, _): added.insert(offset)
      }
    }
    var shown: [String] = []
    var (left, right) = (0, 0)
    while left < old.count || right < new.count {
      if left < old.count, removed.contains(left) {
        shown.append("-\(old[left])")
        left += 1
      } else if right < new.count, added.contains(right) {
        shown.append("+\(new[right])")
        right += 1
      } else {
        if removed.contains(left + 1) || added.contains(right + 1) { shown.append(" \(old[left])") }
        left += 1
        right += 1
      }
    }
    let rest = shown.count - linesMax
    if rest > 0 { shown = shown.prefix(linesMax) + ["… and \(rest) more lines"] }
    return shown.map { $0 + "\n" }.joined()
  }

  /// A text that does not end its last line says so, as the missing end is then what differs.
  private static func lines(_ text: String) -> [String] {
    var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    if lines.last == "" {
      lines.removeLast()
    } else {
      lines[lines.count - 1] += "\\ (no line end)"
    }
    return lines
  }
}
