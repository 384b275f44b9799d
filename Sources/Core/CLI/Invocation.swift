// What a command gets to work with: what was typed, the streams, the clock and the files. Nothing is ambient,
// so that a test can run a command in process with its own.

public struct Invocation {
  public let command: Command
  public let options: Options
  public let output: OutputBuffer
  public let messages: Messages
  public let terminal: Terminal
  public let environment: [String: String]
  public let workingFolder: String
  public let clock: any Clock
  public let files: any FileSystem
  /// What is counted as instructions: a test may have counted what is there on every machine.
  public let counting: EventCounter.Event

  public init(
    command: Command, options: Options, output: OutputBuffer, messages: Messages,
    terminal: Terminal, environment: [String: String], workingFolder: String, clock: any Clock,
    files: any FileSystem, counting: EventCounter.Event = .instructions
  ) {
    self.command = command
    self.options = options
    self.output = output
    self.messages = messages
    self.terminal = terminal
    self.environment = environment
    self.workingFolder = workingFolder
    self.clock = clock
    self.files = files
    self.counting = counting
  }

  /// The inputs that the operands name, stdin for none or `-`. A terminal with nothing to read is a
  /// mistake: the user is shown the way instead of a program that hangs.
  public func inputs() throws(Failure) -> [any ByteSource] {
    try inputs(options.operands)
  }

  public func inputs(_ names: [String]) throws(Failure) -> [any ByteSource] {
    let names = names.isEmpty ? ["-"] : names
    guard names.filter({ $0 == "-" }).count <= 1 else {
      throw .usage("stdin ('-') is named twice")
    }
    var sources: [any ByteSource] = []
    for name in names {
      if name == "-" {
        guard !terminal.inputIsTerminal else {
          throw .usage(
            "nothing to read: stdin is a terminal",
            hint: "name a file or pipe records in; rtinfer \(command.name) --help shows examples")
        }
        sources.append(DescriptorSource.standardInput())
      } else {
        sources.append(try DescriptorSource.file(name))
      }
    }
    return sources
  }
}

/// Lines for people, on stderr.
public final class Messages {
  private let sink: any ByteSink
  private let command: String
  public let isQuiet: Bool

  public init(_ sink: any ByteSink, command: String, isQuiet: Bool) {
    self.sink = sink
    self.command = command
    self.isQuiet = isQuiet
  }

  /// What went wrong; printed even when quiet.
  public func error(_ text: String) {
    write("rtinfer\(command.isEmpty ? "" : " \(command)"): \(text)\n")
  }

  public func hint(_ text: String) { write("  \(text)\n") }

  /// What is good to know. It says which command speaks: in a pipe several do.
  public func note(_ text: String) {
    if !isQuiet { error(text) }
  }

  /// A summary at the end, several lines of it.
  public func summary(_ text: String) {
    if !isQuiet { write("\(text)\n") }
  }

  /// Text as it is, for progress lines.
  public func raw(_ text: String) {
    if !isQuiet { write(text) }
  }

  private func write(_ text: String) {
    // Nobody is left to be told that stderr is closed.
    try? Array(text.utf8).withBytes { (bytes) throws(Failure) in try sink.write(bytes) }
  }
}
