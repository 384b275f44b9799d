import Core

/// The commands, in the order in which data passes through them.
enum CommandTable {
  static let all = [
    IngestCommand.command,
    MaterializeCommand.command,
    ScoreCommand.command,
    ServeCommand.command,
    BenchCommand.command,
    DriftCommand.command,
    RegistryCommand.command,
    BudgetCommand.command,
    HelpCommand.command,
    CompletionsCommand.command,
  ]
}
