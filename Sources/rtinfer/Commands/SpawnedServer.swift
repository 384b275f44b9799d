// A server for the length of a measurement: started through the shell, in a process group of its own, waited for until
// it takes connections, and stopped with SIGTERM (SIGKILL where that does not help).

import Core
import HTTP

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

final class SpawnedServer {
  private let command: String
  private let process: pid_t
  private var isRunning = true

  /// - Parameter listen: passed on as RTINFER_LISTEN, which `rtinfer serve` takes as its address.
  init(_ command: String, listen: String?, _ environment: [String: String]) throws(Failure) {
    self.command = command
    var variables = environment
    if let listen { variables["RTINFER_LISTEN"] = listen }
    process = try SpawnedServer.start(command, variables)
  }

  deinit { stop() }

  private static func start(
    _ command: String, _ environment: [String: String]
  ) throws(Failure) -> pid_t {
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
    // Our stdout carries records.
    posix_spawn_file_actions_adddup2(&actions, 2, 1)
    var defaults = sigset_t()
    sigemptyset(&defaults)
    for number in [SIGPIPE, SIGINT, SIGTERM] { sigaddset(&defaults, number) }
    posix_spawnattr_setsigdefault(&attributes, &defaults)
    posix_spawnattr_setpgroup(&attributes, 0)
    posix_spawnattr_setflags(
      &attributes, Int16(POSIX_SPAWN_SETPGROUP) | Int16(POSIX_SPAWN_SETSIGDEF))
    let line: [String] = ["/bin/sh", "-c", command]
    var words: [UnsafeMutablePointer<CChar>?] = line.map { strdup($0) }
    var variables: [UnsafeMutablePointer<CChar>?] = environment.map { strdup("\($0)=\($1)") }
    defer { for text in words + variables { free(text) } }
    words.append(nil)
    variables.append(nil)
    var process: pid_t = 0
    let status = posix_spawn(&process, "/bin/sh", &actions, &attributes, words, variables)
    guard status == 0 else {
      throw .inputOutput("--spawn: \(String(cString: strerror(status)))")
    }
    return process
  }

  /// Waits until connections are taken at the address.
  func waitUntilReady(_ endpoint: Endpoint, within patience: TimeSpan, clock: any Clock)
    throws(Failure)
  {
    let deadline = clock.monotonicNanoseconds() + patience.nanoseconds
    while !endpoint.takesConnections {
      var status: Int32 = 0
      if waitpid(process, &status, WNOHANG) == process {
        isRunning = false
        throw .inputOutput("--spawn: '\(command)' ended before it took connections")
      }
      guard clock.monotonicNanoseconds() < deadline else {
        throw .inputOutput(
          "--spawn: nobody listens at \(endpoint.address.description) after"
            + " \(patience.description)",
          hint: "the address must be the one that the command listens at")
      }
      if Signals.sleep(milliseconds: 10) {
        throw Failure(Signals.drainStatus ?? .interrupted, "--spawn: told to end")
      }
    }
  }

  func stop() {
    guard isRunning else { return }
    isRunning = false
    kill(-process, SIGTERM)
    var status: Int32 = 0
    // Ten seconds, then without asking.
    for _ in 0..<1_000 {
      if waitpid(process, &status, WNOHANG) != 0 { return }
      usleep(10_000)
    }
    kill(-process, SIGKILL)
    waitpid(process, &status, 0)
  }
}
