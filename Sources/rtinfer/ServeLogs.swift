// The logs of a server, each with a thread that writes it.

import Core
import Service

struct ServeLogs {
  private(set) var access: LogWriter?
  private(set) var decisions: LogWriter?
  private var threads: [WorkerThread] = []

  init(_ invocation: Invocation) throws(Failure) {
    let options = invocation.options
    let hasAccessLog = try options.value(ServeCommand.accessLog) != nil
    let hasDecisionLog = try options.value(ServeCommand.decisions) != nil
    if !hasAccessLog, !hasDecisionLog {
      for flag in [ServeCommand.rotateSize, ServeCommand.rotateKeep] where options.isTyped(flag) {
        throw .usage("\(options.origin(flag)) is for --access-log and --decisions")
      }
    }
    access = try open(ServeCommand.accessLog, invocation)
    decisions = try open(ServeCommand.decisions, invocation)
  }

  private mutating func open(
    _ flag: Flag, _ invocation: Invocation
  ) throws(Failure) -> LogWriter? {
    guard let path = try invocation.options.value(flag) else { return nil }
    let bytesMax = try LogFlags.bytes(ServeCommand.rotateSize, invocation.options)
    let keptMax = try invocation.options.integer(ServeCommand.rotateKeep, in: 1...1_000) ?? 5
    let file: RotatedFile
    do throws(SystemError) {
      file = try RotatedFile(path, files: invocation.files, bytesMax: bytesMax, keptMax: keptMax)
    } catch {
      throw .inputOutput("\(path): \(error.reason)")
    }
    let log = LogWriter(name: flag.name)
    let messages = invocation.messages
    threads.append(
      try WorkerThread {
        log.run(into: file) { error in
          messages.error(
            "\(path): \(error.call): \(error.reason); lines are dropped until it can be written again"
          )
        }
      })
    return log
  }

  /// Goes on in new files where the old ones have been moved away.
  func reopen() {
    for log in [access, decisions] { log?.reopen() }
  }

  /// Writes what is left.
  func finish() {
    for log in [access, decisions] { log?.close() }
    for thread in threads { thread.join() }
  }
}
