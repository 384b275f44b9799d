import Core

enum HelpCommand {
  static let command = Command(
    name: "help",
    summary: "Explain a command or a topic",
    story: "Prints the page of a command or a topic; without a name, the overview.",
    operands: .word("TOPIC"),
    flags: [],
    examples: [
      .init("rtinfer help expressions", "What may stand in `where`, `inputs` and `rules`.")
    ],
    run: run)

  private static func run(_ invocation: Invocation) throws(Failure) -> ExitStatus {
    let output = invocation.output
    guard let name = invocation.options.operands.first else {
      output.append(Help.overview(commands: CommandTable.all, topics: HelpTopics.all))
      return .success
    }
    if let command = CommandTable.all.first(where: { $0.name == name }) {
      output.append(Help.page(command))
    } else if let topic = HelpTopics.all.first(where: { $0.name == name }) {
      output.append(topic.text)
    } else {
      let known = CommandTable.all.map(\.name) + HelpTopics.all.map(\.name)
      throw .usage(
        "no command or topic '\(name)'",
        hint: Spelling.nearest(name, among: known).map { "did you mean '\($0)'?" }
          ?? "known: \(known.joined(separator: ", "))")
    }
    return .success
  }
}
