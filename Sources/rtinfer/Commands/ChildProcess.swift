// A program that runs beside ours for a while, in a process group of its own, so that all it starts can be ended with it,
// also what outlives it. It reads nothing; what it prints goes to our stderr, since our stdout carries records.
//
//     start ─▶ runs ─▶ has ended, but is kept: its number, which is the group's, is nobody else's ─▶ stop: the group is told
//     to end, waited for and, where it will not, killed

import Core

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

final class ChildProcess {
  /// How a program has ended.
  enum Ending: Equatable {
    case status(Int32)
    case signal(Int32)
    /// Somebody else has taken note of it.
    case unknown

    var description: String {
      switch self {
      case .status(let status): "ended with status \(status)"
      case .signal(let number):
        "was ended by signal \(number) (\(String(cString: strsignal(number))))"
      case .unknown: "ended"
      }
    }
  }

  /// The program, and the group of all that it starts.
  private let process: pid_t
  private(set) var ending: Ending?

  /// - Parameter words: the program, found as a shell finds it, and its arguments.
  /// - Throws: the system's error, such as that there is no such program.
  init(_ words: [String], environment: [String: String]) throws(SystemError) {
    Signals.drainOnHangUp()
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
    posix_spawn_file_actions_adddup2(&actions, 2, 1)
    var defaults = sigset_t()
    sigemptyset(&defaults)
    for number in [SIGPIPE, SIGINT, SIGTERM] { sigaddset(&defaults, number) }
    posix_spawnattr_setsigdefault(&attributes, &defaults)
    // The thread that starts it may have blocked what is to end it.
    var blocked = sigset_t()
    sigemptyset(&blocked)
    posix_spawnattr_setsigmask(&attributes, &blocked)
    posix_spawnattr_setpgroup(&attributes, 0)
    posix_spawnattr_setflags(
      &attributes,
      Int16(POSIX_SPAWN_SETPGROUP) | Int16(POSIX_SPAWN_SETSIGDEF) | Int16(POSIX_SPAWN_SETSIGMASK))
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

  /// Whether the program has come to an end; what it has started may go on.
  var hasEnded: Bool {
    guard ending == nil else { return true }
    var found = siginfo_t()
    // It stays to be waited for: until then its number is the group's and goes to nobody else.
    while waitid(P_PID, id_t(process), &found, WEXITED | WNOHANG | WNOWAIT) != 0 {
      guard errno == EINTR else {
        ending = .unknown
        return true
      }
    }
    return found.si_signo == SIGCHLD
  }

  /// Ends it and all of its group: SIGTERM, and after the grace without asking. When this returns nothing of it is there,
  /// but for what has left the group.
  func stop(grace: TimeSpan = .seconds(10)) {
    // Finds out whether somebody else has waited for it, and its number may be another's by now.
    _ = hasEnded
    guard ending == nil else { return }
    kill(-process, SIGTERM)
    if isGone(within: grace) { return }
    kill(-process, SIGKILL)
    _ = isGone(within: .seconds(1))
  }

  private func isGone(within span: TimeSpan) -> Bool {
    for _ in 0...max(1, span.microseconds / 10_000) {
      waitForTheProgram()
      if ending != nil {
        // As the first process of a container we inherit what it has left.
        while waitpid(-process, nil, WNOHANG) > 0 {}
        if !ProcessGroup.runs(process) { return true }
      }
      usleep(10_000)
    }
    return false
  }

  private func waitForTheProgram() {
    guard ending == nil else { return }
    var status: Int32 = 0
    let found = waitpid(process, &status, WNOHANG)
    if found == process {
      let number = status & 0x7f
      ending = number == 0 ? .status(status >> 8 & 0xff) : .signal(number)
    } else if found < 0, errno != EINTR {
      ending = .unknown
    }
  }
}
