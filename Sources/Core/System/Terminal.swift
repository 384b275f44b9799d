// What surrounds the process: which of its streams are terminals, its environment, its folder. Asked once, by
// `main`; commands are given the answers.

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// What kind of place the three standard streams are.
public struct Terminal: Sendable {
  public let inputIsTerminal: Bool
  public let outputIsTerminal: Bool
  public let errorIsTerminal: Bool
  /// Colour and moving lines are welcome on stderr: a terminal, not dumb, and NO_COLOR unset or empty.
  public let decorates: Bool

  public init(input: Bool, output: Bool, error: Bool, environment: [String: String]) {
    self.inputIsTerminal = input
    self.outputIsTerminal = output
    self.errorIsTerminal = error
    let plain = environment["NO_COLOR"].map { !$0.isEmpty } ?? false
    self.decorates = error && !plain && environment["TERM"] != "dumb"
  }

  public static func current(environment: [String: String]) -> Terminal {
    Terminal(
      input: isatty(0) == 1, output: isatty(1) == 1, error: isatty(2) == 1, environment: environment
    )
  }
}

/// The process's environment variables.
public func processEnvironment() -> [String: String] {
  var result: [String: String] = [:]
  var entry = environ
  while let text = entry.pointee {
    let pair = String(cString: text)
    if let equals = pair.firstIndex(of: "=") {
      result[String(pair[..<equals])] = String(pair[pair.index(after: equals)...])
    }
    entry += 1
  }
  return result
}

/// The folder that relative paths start from.
public func workingFolder() -> String {
  guard let path = getcwd(nil, 0) else { return "." }
  defer { free(path) }
  return String(cString: path)
}
