// A process under test. Both its outputs are pipes that are read while it runs, so it never blocks
// on a test that is not looking, and a test may ask for what has come so far. Whatever happens it
// ends: at its deadline it is killed with all that it started.

public import Foundation
import Synchronization

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

public final class Child: Sendable {
  /// How a process has ended.
  public struct Outcome: Sendable, Equatable {
    public let status: Int32
    public let output: String
    public let errors: String
    /// True if it did not end by itself.
    public let wasKilled: Bool
  }

  /// Bytes that a pipe has given so far.
  private final class Collector: Sendable {
    private let state = Mutex((bytes: Data(), isAtEnd: false))

    init(_ handle: FileHandle) {
      // A thread of its own: a read that waits must not take one from the pool that runs the tests.
      Thread.detachNewThread { [self] in
        while case let chunk = handle.availableData, !chunk.isEmpty {
          state.withLock { $0.bytes.append(chunk) }
        }
        state.withLock { $0.isAtEnd = true }
      }
    }

    var text: String { state.withLock { String(decoding: $0.bytes, as: UTF8.self) } }
    var isAtEnd: Bool { state.withLock { $0.isAtEnd } }
  }

  private let process = Process()
  private let input = Pipe()
  private let output: Collector
  private let errors: Collector
  private let deadline: Date

  /// Starts a program with stdin open for `write`, or reading from `stdin`.
  public init(
    _ words: [String], in folder: URL? = nil, stdin: String? = nil,
    environment: [String: String], seconds: Double = 60
  ) throws {
    let (outputPipe, errorPipe) = (Pipe(), Pipe())
    process.executableURL = URL(filePath: words[0])
    process.arguments = Array(words.dropFirst())
    process.environment = environment
    process.currentDirectoryURL = folder
    process.standardOutput = outputPipe
    process.standardError = errorPipe
    if let stdin {
      process.standardInput = try FileHandle(forReadingFrom: URL(filePath: stdin))
    } else {
      process.standardInput = input
    }
    deadline = Date(timeIntervalSinceNow: seconds)
    try Child.withSignalsUnblocked { [process] in try process.run() }
    output = Collector(outputPipe.fileHandleForReading)
    errors = Collector(errorPipe.fileHandleForReading)
  }

  /// The threads of a pool block signals, and a process inherits that from the thread that starts
  /// it.
  private static func withSignalsUnblocked(_ body: () throws -> Void) rethrows {
    var (none, before) = (sigset_t(), sigset_t())
    sigemptyset(&none)
    pthread_sigmask(SIG_SETMASK, &none, &before)
    defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
    try body()
  }

  /// Runs a line of bash to its end.
  public static func bash(
    _ line: String, in folder: URL, home: URL, stdin: String = "/dev/null", seconds: Double = 60
  ) throws -> Outcome {
    let bash = Binary.find("bash") ?? "/bin/bash"
    let child = try Child(
      [bash, "-c", line], in: folder, stdin: stdin, environment: Binary.environment(home: home),
      seconds: seconds)
    return child.wait()
  }

  public var outputSoFar: String { output.text }
  public var errorsSoFar: String { errors.text }
  public var isRunning: Bool { process.isRunning }

  /// Fails where the process has ended.
  public func write(_ text: String) throws {
    try Child.withoutPipeSignal {
      try input.fileHandleForWriting.write(contentsOf: Data(text.utf8))
    }
  }

  /// The signal of a broken pipe would end all tests. It is not ignored, as what this process ignores its children do;
  /// it is kept from this thread, and taken off it.
  private static func withoutPipeSignal(_ body: () throws -> Void) rethrows {
    var (pipe, before) = (sigset_t(), sigset_t())
    sigemptyset(&pipe)
    sigaddset(&pipe, SIGPIPE)
    pthread_sigmask(SIG_BLOCK, &pipe, &before)
    defer {
      var pending = sigset_t()
      sigpending(&pending)
      var number: Int32 = 0
      if sigismember(&pending, SIGPIPE) == 1 { sigwait(&pipe, &number) }
      pthread_sigmask(SIG_SETMASK, &before, nil)
    }
    try body()
  }

  public func closeInput() throws { try input.fileHandleForWriting.close() }

  public func send(_ signal: Int32) { kill(process.processIdentifier, signal) }

  /// The most memory that the process has had in use at once, in bytes; nil where the system does not tell.
  public var peakMemoryBytes: Int? {
    let status = try? String(
      contentsOfFile: "/proc/\(process.processIdentifier)/status", encoding: .utf8)
    let line = status?.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
    return line?.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) }
      .map { $0 * 1024 }
  }

  /// Waits until the output holds so many whole lines, or until the deadline; true if they came.
  public func waitForLines(_ count: Int) -> Bool {
    wait { self.outputSoFar.utf8.count(where: { $0 == UInt8(ascii: "\n") }) >= count }
  }

  /// Waits until stderr says so, or until the deadline; true if it did.
  public func waitForErrors(_ text: String) -> Bool { wait { self.errorsSoFar.contains(text) } }

  private func wait(until condition: () -> Bool) -> Bool {
    while Date() < deadline {
      if condition() { return true }
      usleep(2_000)
    }
    return false
  }

  /// Waits for the end of the process and of all it has written.
  public func wait() -> Outcome {
    while process.isRunning || !output.isAtEnd || !errors.isAtEnd {
      guard Date() < deadline else { return killed() }
      usleep(1_000)
    }
    // As a shell would say it.
    let signalled = process.terminationReason == .uncaughtSignal
    return Outcome(
      status: process.terminationStatus + (signalled ? 128 : 0), output: output.text,
      errors: errors.text, wasKilled: false)
  }

  private func killed() -> Outcome {
    let id = process.processIdentifier
    if getpgid(id) == id { kill(-id, SIGKILL) }
    kill(id, SIGKILL)
    return Outcome(
      status: 128 + SIGKILL, output: output.text, errors: errors.text, wasKilled: true)
  }
}
