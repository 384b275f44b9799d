import Core

enum CompletionsCommand {
  static let command = Command(
    name: "completions",
    summary: "Print the completion script of a shell",
    story: """
      The scripts also lie in the folder `completions`. They know every command, flag and choice.
      """,
    operands: .choice(Shell.allCases.map(\.rawValue)),
    flags: [],
    examples: [
      .init(
        "source <(rtinfer completions bash)", "For this shell; put it into ~/.bashrc to keep it."),
      .init(
        "rtinfer completions zsh > \"${fpath[1]}/_rtinfer\"",
        "zsh: any folder on its fpath will do."),
      .init("rtinfer completions fish > ~/.config/fish/completions/rtinfer.fish", "fish."),
    ],
    run: run)

  private static func run(_ invocation: Invocation) throws(Failure) -> ExitStatus {
    let shell = Shell(rawValue: invocation.options.operands[0])!
    invocation.output.append(Completions.script(shell, commands: CommandTable.all))
    return .success
  }
}
