// A program that runs beside ours for a while, in a process group of its own, so that all it starts can be ended with it.
// It reads nothing; what it prints goes to a file or to our stderr, since our stdout carries records.

import Core

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

final class ChildProcess {
  private let process: pid_t
  private var status: Int32?

  /// - Parameters:
  ///   - words: the program, found as a shell finds it, and its arguments.
  ///   - output: a file for its stdout; nil: our stderr.
  /// - Throws: the system's error, such as that there is no such program.
  init(
    _ words: [String], environment: [String: String], output: String? = nil
  ) throws(SystemError) {
    #if canImport(Glibc)
      var actions = posix_spawn_file_actions_t()
      var attributes = posix_spawnattr_t()
    #else
      var actions: posix_spawn_file_actions_t?
      var attributes: posix_spawnattr_t?
    #endif
    posix_spawn_file_actions_init(&actions)
    posix_spawnattr_init(&attributes)
    defer {
      posix_spawn_file_actions_destroy(&actions)
      posix_spawnattr_destroy(&attributes)
    }
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    if let output {
      posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    } else {
      posix_spawn_file_actions_adddup2(&actions, 2, 1)
    }
    var defaults = sigset_t()
    sigemptyset(&defaults)
    for number in [SIGPIPE, SIGINT, SIGTERM] { sigaddset(&defaults, number) }
    posix_spawnattr_setsigdefault(&attributes, &defaults)
    posix_spawnattr_setpgroup(&attributes, 0)
    posix_spawnattr_setflags(
      &attributes, Int16(POSIX_SPAWN_SETPGROUP) | Int16(POSIX_SPAWN_SETSIGDEF))
    var words: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) }
    var variables: [UnsafeMutablePointer<CChar>?] = environment.map { strdup("\($0)=\($1)") }
    defer { for text in words + variables { free(text) } }
    words.append(nil)
    variables.append(nil)
    var process: pid_t = 0
    let number = posix_spawnp(&process, words[0]!, &actions, &attributes, words, variables)
    guard number == 0 else { throw SystemError(number, "posix_spawnp") }
    self.process = process
  }

  deinit { stop() }

  /// Whether it has come to an end.
  var hasEnded: Bool {
    guard status == nil else { return true }
    var found: Int32 = 0
    guard waitpid(process, &found, WNOHANG) == process else { return false }
    status = found
    return true
  }

  /// Whether it has ended, and well.
  var hasSucceeded: Bool { hasEnded && status == 0 }

  /// Ends it: SIGTERM, and after ten seconds without asking.
  func stop() {
    guard !hasEnded else { return }
    kill(-process, SIGTERM)
    for _ in 0..<1_000 {
      if hasEnded { return }
      usleep(10_000)
    }
    kill(-process, SIGKILL)
    var found: Int32 = 0
    waitpid(process, &found, 0)
    status = found
  }
}
