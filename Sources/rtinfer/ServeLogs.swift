// The logs of a server, each with a thread that writes it.

import Core
import Service

struct ServeLogs {
  private(set) var access: LogWriter?
  private(set) var decisions: LogWriter?
  private var threads: [WorkerThread] = []

  init(_ invocation: Invocation) throws(Failure) {
    access = try open(ServeCommand.accessLog, invocation)
    decisions = try open(ServeCommand.decisions, invocation)
  }

  private mutating func open(
    _ flag: Flag, _ invocation: Invocation
  ) throws(Failure) -> LogWriter? {
    guard let path = try invocation.options.value(flag) else { return nil }
    let file: any File
    do throws(SystemError) {
      file = try invocation.files.open(path, .append)
    } catch {
      throw .inputOutput("\(path): \(error.reason)")
    }
    let log = LogWriter(name: flag.name)
    let messages = invocation.messages
    threads.append(
      try WorkerThread {
        log.run(into: file) { messages.error("\(path): \($0.call): \($0.reason); it ends here") }
      })
    return log
  }

  /// Writes what is left.
  func finish() {
    for log in [access, decisions] { log?.close() }
    for thread in threads { thread.join() }
  }
}
