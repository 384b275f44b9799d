// Flags are data. One declaration drives parsing, `--help`, the completions for three shells and the README's
// tables; the tests in `CommandTests` hold the declarations to their rules.

/// A flag as data.
public struct Flag: Sendable {
  public enum Argument: Sendable, Equatable {
    /// A switch: on when it is there.
    case none
    /// Free text; the placeholder names it in the help, as in "FILE" or "N".
    case text(String)
    /// A path that the shell should complete.
    case file
    case folder
    /// One of these words.
    case choice([String])
  }

  /// Without the dashes.
  public let name: String
  public let short: Character?
  public let argument: Argument
  /// One sentence without a full stop; ends with the default where there is one.
  public let summary: String
  /// What holds when the flag is not given; shown in the help.
  public let defaultText: String?

  public init(
    _ name: String, short: Character? = nil, _ argument: Argument, _ summary: String,
    default defaultText: String? = nil
  ) {
    self.name = name
    self.short = short
    self.argument = argument
    self.summary = summary
    self.defaultText = defaultText
  }

  /// A switch.
  public init(_ name: String, short: Character? = nil, _ summary: String) {
    self.init(name, short: short, .none, summary)
  }

  /// "RTINFER_MAX_REJECTS" for `--max-rejects`: asked when the flag is not given.
  public var environmentName: String {
    "RTINFER_" + name.uppercased().map { $0 == "-" ? "_" : String($0) }.joined()
  }

  /// What follows the name in the help: "FILE", "csv|ndjson", or nothing.
  public var placeholder: String? {
    switch argument {
    case .none: nil
    case .text(let name): name
    case .file: "FILE"
    case .folder: "DIR"
    case .choice(let words): words.joined(separator: "|")
    }
  }

  public var isSwitch: Bool { argument == .none }
}

/// A command as data: what the help, the completions and the dispatch need to know.
public struct Command: Sendable {
  public enum Operands: Sendable, Equatable {
    case none
    /// Input files; none or `-` means stdin.
    case files
    /// Exactly one of these words.
    case choice([String])
    /// At most one word; the placeholder names it.
    case word(String)
  }

  public struct Example: Sendable {
    public let line: String
    public let note: String

    public init(_ line: String, _ note: String) {
      self.line = line
      self.note = note
    }
  }

  public let name: String
  /// One line for the table of commands.
  public let summary: String
  /// What it reads, does and writes, in a few short paragraphs.
  public let story: String
  public let operands: Operands
  public let flags: [Flag]
  public let examples: [Example]
  public let run: @Sendable (Invocation) throws(Failure) -> ExitStatus

  public init(
    name: String, summary: String, story: String, operands: Operands, flags: [Flag],
    examples: [Example], run: @escaping @Sendable (Invocation) throws(Failure) -> ExitStatus
  ) {
    self.name = name
    self.summary = summary
    self.story = story
    self.operands = operands
    self.flags = flags
    self.examples = examples
    self.run = run
  }
}

/// Flags that several commands share, each declared once.
public enum CommonFlags {
  public static let help = Flag("help", short: "h", "Show this help")
  public static let quiet = Flag("quiet", short: "q", "Say nothing on stderr but errors")
  public static let project = Flag(
    "project", .file, "The project file", default: "rtinfer.json, looked for upward from here")
  public static let rejects = Flag(
    "rejects", .file, "Write rejected records there, one JSON object a line, with their raw bytes")
  public static let maxRejects = Flag(
    "max-rejects", .text("N|P%"), "How many rejected records still end with status 0", default: "0")
  public static let strict = Flag("strict", "Stop at the first rejected record")

  /// What every command that reads records takes.
  public static let records = [rejects, maxRejects, strict]
  /// Every command has these, at the end of its own.
  public static let everywhere = [quiet, help]
}
