// The one way in and the one way out: words become an invocation, a command runs, and whatever it threw
// becomes a line on stderr and an exit status. Nothing else in the program ends the process.

import Core

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

@main
enum RTInfer {
  static let version = "0.1.0"

  static func main() {
    Signals.install()
    let status = run(Array(CommandLine.arguments.dropFirst()))
    exit(status.rawValue)
  }

  private static func run(_ words: [String]) -> ExitStatus {
    let environment = processEnvironment()
    let output = OutputBuffer(DescriptorSink.standardOutput())
    let errors = DescriptorSink.standardError()
    let isKnown = CommandTable.all.contains { $0.name == words.first }
    var messages = Messages(errors, command: isKnown ? words[0] : "", isQuiet: false)
    do throws(Failure) {
      guard let (command, rest) = try Command.find(words, among: CommandTable.all) else {
        return try withoutCommand(words, output, environment)
      }
      messages = Messages(errors, command: command.name, isQuiet: false)
      let options = try Options(rest, for: command, environment: environment)
      messages = Messages(
        errors, command: command.name, isQuiet: options.isOn(CommonFlags.quiet))
      if options.isOn(CommonFlags.help) {
        output.append(Help.page(command))
        try output.flush()
        return .success
      }
      let invocation = Invocation(
        command: command, options: options, output: output, messages: messages,
        terminal: .current(environment: environment), environment: environment,
        workingFolder: workingFolder(), clock: SystemClock(), files: RealFileSystem())
      let status = try command.run(invocation)
      try output.flush()
      return Signals.drainStatus ?? status
    } catch {
      if error == .outputClosed { return .success }
      // What was made before the failure is passed on; if that fails too, the first failure is the news.
      try? output.flush()
      messages.error(error.message)
      if let hint = error.hint { messages.hint(hint) }
      return error.status
    }
  }

  private static func withoutCommand(
    _ words: [String], _ output: OutputBuffer, _ environment: [String: String]
  ) throws(Failure) -> ExitStatus {
    switch words.first {
    case "--version":
      output.append("rtinfer \(version)\n")
    case "--help", "-h":
      output.append(Help.overview(commands: CommandTable.all, topics: HelpTopics.all))
    case nil:
      throw .usage("a command is needed", hint: "rtinfer --help lists them")
    case let word?:
      let nearest = Spelling.nearest(word, among: CommandTable.all.map(\.name))
      throw .usage(
        word.hasPrefix("-") ? "unknown flag \(word)" : "unknown command '\(word)'",
        hint: nearest.map { "did you mean 'rtinfer \($0)'?" } ?? "rtinfer --help lists the commands"
      )
    }
    try output.flush()
    return .success
  }
}
