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
    /// A path behind an equals sign, or none: the flag means something without it, too.
    case optionalFolder
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
    case .folder, .optionalFolder: "DIR"
    case .choice(let words): words.joined(separator: "|")
    }
  }

  public var isSwitch: Bool { argument == .none }

  /// The word behind the flag is its value.
  public var takesNextWord: Bool { !isSwitch && argument != .optionalFolder }
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
  /// What the command can be told to do instead, as in `ingest log verify`: commands of their own, whose names
  /// begin with this one's.
  public let verbs: [Command]
  public let run: @Sendable (Invocation) throws(Failure) -> ExitStatus

  public init(
    name: String, summary: String, story: String, operands: Operands, flags: [Flag],
    examples: [Example], verbs: [Command] = [],
    run: @escaping @Sendable (Invocation) throws(Failure) -> ExitStatus
  ) {
    self.name = name
    self.summary = summary
    self.story = story
    self.operands = operands
    self.flags = flags
    self.examples = examples
    self.verbs = verbs
    self.run = run
  }

  /// The command that a line's words ask for, and the words behind its name; nil where none is of that name.
  /// Throws where a verb is begun and not ended: a file that is called as a verb begins is named `./log`.
  public static func find(
    _ words: [String], among commands: [Command]
  ) throws(Failure) -> (command: Command, rest: [String])? {
    guard let command = commands.first(where: { $0.name == words.first }) else { return nil }
    for verb in command.verbs {
      let name = verb.name.split(separator: " ").map(String.init)
      if words.starts(with: name) { return (verb, Array(words.dropFirst(name.count))) }
    }
    let rest = Array(words.dropFirst())
    if let group = command.verbGroups.first(where: { $0.word == rest.first }),
      rest.count == 1 || !["--help", "-h"].contains(rest[1])
    {
      throw group.unknown(rest.dropFirst().first, of: command)
    }
    return (command, rest)
  }

  /// Verbs that begin with the same word.
  struct VerbGroup {
    let word: String
    var verbs: [Command]

    func unknown(_ typed: String?, of command: Command) -> Failure {
      let known = verbs.map(\.lastWord)
      let nearest = typed.flatMap { Spelling.nearest($0, among: known) }
      return .usage(
        "'\(word)' is followed by one of \(known.joined(separator: ", "))"
          + (typed.map { ", not '\($0)'" } ?? ""),
        hint: nearest.map { "did you mean 'rtinfer \(command.name) \(word) \($0)'?" }
          ?? "a file of that name is './\(word)'")
    }
  }

  /// The words behind the command's own name that begin a verb, each once, with the words that may follow.
  var verbGroups: [VerbGroup] {
    var groups: [VerbGroup] = []
    for verb in verbs {
      let word = String(verb.name.split(separator: " ")[1])
      if let known = groups.firstIndex(where: { $0.word == word }) {
        groups[known].verbs.append(verb)
      } else {
        groups.append(VerbGroup(word: word, verbs: [verb]))
      }
    }
    return groups
  }

  /// The last word of the name.
  var lastWord: String { String(name.split(separator: " ").last!) }
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
