// What can go wrong is one of three things, and each has its own way out:
//
//   - an operating error (a flag, a file, a full disk): thrown as a `Failure`, caught once in
//     `RTInfer.swift`, printed as one line and turned into an exit status;
//   - a bad record: a diagnostic with its place (see `Records/Rejects.swift`); the stream goes on;
//   - a mistake of ours: a `precondition` with a sentence.

/// How a command ends. Scripts branch on these numbers, so they never change their meaning.
public enum ExitStatus: Int32, Sendable {
  /// Done, or the verdict is yes.
  case success = 0
  /// The verdict is no: a budget broken, drift, a promotion refused.
  case verdictNo = 1
  /// The command line or the project file cannot be understood.
  case usage = 2
  /// More records were rejected than `--max-rejects` allows.
  case badData = 3
  /// A file, pipe or device failed.
  case inputOutput = 4
  /// Too little data, or an invalid run: no verdict.
  case inconclusive = 5
  /// A bug of ours.
  case bug = 70
  /// Another run holds the lock.
  case locked = 75
  /// Ended by SIGHUP after draining, with a program that it had started.
  case hungUp = 129
  /// Ended by SIGINT after draining.
  case interrupted = 130
  /// Ended by SIGTERM after draining.
  case terminated = 143
}

/// An operating error in the user's words: what, where, the value, the bound, what to do.
public struct Failure: Error, Sendable, Equatable {
  public let status: ExitStatus
  /// One line without a final full stop; it names the flag, file or field and the value.
  public let message: String
  /// What to do about it, as a line of its own; nil when the message says it all.
  public let hint: String?

  public init(_ status: ExitStatus, _ message: String, hint: String? = nil) {
    self.status = status
    self.message = message
    self.hint = hint
  }

  public static func usage(_ message: String, hint: String? = nil) -> Failure {
    Failure(.usage, message, hint: hint)
  }

  public static func badData(_ message: String, hint: String? = nil) -> Failure {
    Failure(.badData, message, hint: hint)
  }

  public static func inputOutput(_ message: String, hint: String? = nil) -> Failure {
    Failure(.inputOutput, message, hint: hint)
  }
}
