// SIGINT and SIGTERM ask a command to drain: what was read is finished and written, then it ends. The
// handler only remembers the signal and writes a byte into a pipe; whoever waits for input waits for
// that pipe too, so a signal can never slip in between the check and the wait. A second signal of the
// kind ends the process at once. A server also takes SIGHUP, which asks it to read its models again, and its
// main thread waits for nothing else; to a command that has started a program it is one more way to ask for draining,
// so that the program does not outlive it. SIGPIPE is ignored: a write to a closed pipe is an error like any other.
// SIGCHLD is not, whatever the parent did, or nobody would learn how a program that we start has ended.

import Synchronization

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

public enum Signals {
  private static let received = Atomic<Int32>(0)
  private static let wakeReader = Atomic<Int32>(-1)
  private static let wakeWriter = Atomic<Int32>(-1)

  /// Called once, by `main`, before anything is opened or read.
  public static func install() {
    // Before the pipe is opened, which would take the place of a closed stdin.
    Syscall.reserveStandardDescriptors()
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else { return }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    wakeReader.store(ends[0], ordering: .relaxed)
    wakeWriter.store(ends[1], ordering: .relaxed)
    signal(SIGPIPE, SIG_IGN)
    signal(SIGCHLD, SIG_DFL)
    for number in [SIGINT, SIGTERM] { drain(on: number) }
  }

  private static func drain(on number: Int32) {
    // A parent may have left it blocked.
    var drained = sigset_t()
    sigemptyset(&drained)
    sigaddset(&drained, number)
    pthread_sigmask(SIG_UNBLOCK, &drained, nil)
    signal(number) { number in Signals.remember(number) }
  }

  /// From now on SIGHUP asks for draining, where it would have ended the process and left what it started behind. Under
  /// `nohup`, which ignores it, it stays ignored.
  public static func drainOnHangUp() {
    var before = sigaction()
    sigaction(SIGHUP, nil, &before)
    #if canImport(Glibc)
      let handler = unsafeBitCast(before.__sigaction_handler.sa_handler, to: Int.self)
    #else
      let handler = unsafeBitCast(before.__sigaction_u.__sa_handler, to: Int.self)
    #endif
    guard handler != unsafeBitCast(SIG_IGN, to: Int.self) else { return }
    drain(on: SIGHUP)
  }

  /// In signal context: nothing but an atomic store and system calls that are safe there.
  private static func remember(_ number: Int32) {
    received.store(number, ordering: .relaxed)
    signal(number, SIG_DFL)
    var byte: UInt8 = 0
    _ = write(wakeWriter.load(ordering: .relaxed), &byte, 1)
  }

  // MARK: Servers

  /// What a signal asks of a server.
  public enum Request: Sendable { case drain, reload }

  private static let reloadReader = Atomic<Int32>(-1)
  private static let reloadWriter = Atomic<Int32>(-1)

  /// From now on SIGHUP asks for a reload, where it would have ended the process.
  public static func takeReloads() {
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else { return }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    // However many signals come, the handler never waits.
    _ = fcntl(ends[1], F_SETFL, O_NONBLOCK)
    reloadReader.store(ends[0], ordering: .relaxed)
    reloadWriter.store(ends[1], ordering: .relaxed)
    signal(SIGHUP) { _ in
      var byte: UInt8 = 0
      _ = write(Signals.reloadWriter.load(ordering: .relaxed), &byte, 1)
    }
  }

  /// Waits for a signal. One that asks to drain is told once; it is then settled: ending is what was asked
  /// for, and the command's own status is the answer.
  ///
  /// - Parameter span: how long to wait at most; nil: for ever.
  /// - Returns: nil where none came.
  public static func next(within span: TimeSpan? = nil) throws(Failure) -> Request? {
    let reload = reloadReader.load(ordering: .relaxed)
    let timeout = span.map { Int32(clamping: $0.microseconds / 1_000) } ?? -1
    do throws(SystemError) {
      let ready = try Syscall.readable(wakeDescriptor, reload, timeoutMilliseconds: timeout)
      if ready.first {
        received.store(0, ordering: .relaxed)
        return .drain
      }
      guard ready.second else { return nil }
      _ = try withUnsafeTemporaryAllocation(byteCount: 64, alignment: 1) {
        (room) throws(SystemError) in try Syscall.read(reload, room)
      }
      return .reload
    } catch {
      throw .inputOutput("signals: \(error.call): \(error.reason)")
    }
  }

  /// Asks for draining as a signal would, from within.
  public static func drain() {
    var byte: UInt8 = 0
    _ = write(wakeWriter.load(ordering: .relaxed), &byte, 1)
  }

  /// The signal that asked for draining, as the status to end with; nil when none came.
  public static var drainStatus: ExitStatus? {
    switch received.load(ordering: .relaxed) {
    case SIGHUP: .hungUp
    case SIGINT: .interrupted
    case SIGTERM: .terminated
    default: nil
    }
  }

  /// Waits so long, or until a signal asks for draining; true if one has.
  public static func sleep(milliseconds: Int) -> Bool {
    let woken = try? Syscall.readable(
      wakeDescriptor, -1, timeoutMilliseconds: Int32(clamping: milliseconds))
    return woken?.first ?? false
  }

  /// Readable once a signal has come; -1 before `install`.
  static var wakeDescriptor: Int32 { wakeReader.load(ordering: .relaxed) }
}
