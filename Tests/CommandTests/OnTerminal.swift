// A command as somebody at a terminal runs it, in this process: what it prints there, not on a pipe.

import Core
import Foundation

@testable import rtinfer

/// What a command says on a terminal.
///
/// - Parameters:
///   - folder: where it is run.
///   - event: what it counts as instructions.
func said(
  by command: Command, _ words: [String], in folder: URL,
  counting event: EventCounter.Event = .instructions
) throws -> String {
  let (output, messages) = (MemorySink(), MemorySink())
  _ = try command.run(
    Invocation(
      command: command, options: try Options(words, for: command, environment: [:]),
      output: OutputBuffer(output),
      messages: Messages(messages, command: command.name, isQuiet: true),
      terminal: Terminal(input: false, output: true, error: false, environment: [:]),
      environment: [:], workingFolder: folder.path(), clock: SystemClock(),
      files: RealFileSystem(), counting: event))
  return String(decoding: output.bytes, as: UTF8.self)
}
