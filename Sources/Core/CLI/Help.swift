// Help text from the declarations: what a command does, its flags in columns, and examples that can be pasted.

public enum Help {
  private static let width = 80

  /// `rtinfer --help`.
  public static func overview(commands: [Command], topics: [HelpTopic]) -> String {
    let nameWidth = (commands.map(\.name) + topics.map(\.name)).map(\.count).max()! + 2
    func row(_ name: String, _ summary: String) -> String {
      "  \(padded(name, nameWidth))\(summary)\n"
    }
    var text = """
      rtinfer: real-time machine-learning inference in pipes of newline-delimited JSON

      Usage: rtinfer <command> [options] [FILE ...]

      Commands:

      """
    for command in commands { text += row(command.name, command.summary) }
    text += "\nTopics (rtinfer help <topic>):\n"
    for topic in topics { text += row(topic.name, topic.summary) }
    text += "\nrtinfer <command> --help shows a command's flags and examples.\n"
    return text
  }

  /// `rtinfer <command> --help`.
  public static func page(_ command: Command) -> String {
    var text = "\(command.summary)\n\nUsage: rtinfer \(command.name) [options]"
    switch command.operands {
    case .none: break
    case .files: text += " [FILE ...]"
    case .choice(let words): text += " \(words.joined(separator: "|"))"
    case .word(let placeholder): text += " [\(placeholder)]"
    }
    for verb in command.verbs { text += "\n       rtinfer \(verb.name) [options]" }
    text += "\n\n" + wrapped(command.story, indent: 0)
    text += "\nOptions:\n"
    for flag in command.flags + CommonFlags.everywhere { text += entry(flag) }
    if !command.examples.isEmpty {
      text += "\nExamples:\n"
      for example in command.examples { text += "  \(example.line)\n      \(example.note)\n" }
    }
    return text
  }

  private static func entry(_ flag: Flag) -> String {
    let short = flag.short.map { "-\($0), " } ?? "    "
    let value = flag.placeholder.map { flag.takesNextWord ? " \($0)" : "[=\($0)]" } ?? ""
    var summary = flag.summary
    if let defaultText = flag.defaultText { summary += " (default: \(defaultText))" }
    let head = "  \(short)--\(flag.name)\(value)"
    let column = 30
    let body = wrapped(summary, indent: column)
    if head.count + 2 > column { return head + "\n" + body }
    return padded(head, column) + body.dropFirst(column)
  }

  /// Paragraphs broken at word borders; lines that start with a space are kept as they are.
  static func wrapped(_ text: String, indent: Int) -> String {
    let margin = String(repeating: " ", count: indent)
    var result = ""
    for paragraph in text.split(separator: "\n", omittingEmptySubsequences: false) {
      if paragraph.first == " " || paragraph.isEmpty {
        result += paragraph.isEmpty ? "\n" : margin + paragraph + "\n"
        continue
      }
      var line = margin
      for word in paragraph.split(separator: " ") {
        if line.count > indent, line.count + 1 + word.count > width {
          result += line + "\n"
          line = margin
        }
        line += (line.count > indent ? " " : "") + word
      }
      result += line + "\n"
    }
    return result
  }

  public static func padded(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.count))
  }
}

/// A page of help that belongs to no command.
public struct HelpTopic: Sendable {
  public let name: String
  public let summary: String
  public let text: String

  public init(name: String, summary: String, text: String) {
    self.name = name
    self.summary = summary
    self.text = text
  }
}
