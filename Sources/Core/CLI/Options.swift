// What the user typed, and nothing else: no file is opened and no default applied here. A command turns it
// into what it needs before its loop starts.

public struct Options: Sendable {
  private var values: [String: String] = [:]
  public private(set) var operands: [String] = []
  private let command: Command
  private let environment: [String: String]

  /// Parses the words behind the command's name.
  public init(
    _ words: [String], for command: Command, environment: [String: String]
  ) throws(Failure) {
    self.command = command
    self.environment = environment
    var rest = words[...]
    while let word = rest.popFirst() {
      if word == "--" {
        operands += rest
        break
      } else if word.hasPrefix("--") {
        try takeLong(String(word.dropFirst(2)), &rest)
      } else if word.hasPrefix("-"), word.count > 1 {
        try takeShort(word, &rest)
      } else {
        operands.append(word)
      }
    }
    try checkOperands()
  }

  private var flags: [Flag] { command.flags + CommonFlags.everywhere }

  private mutating func takeLong(
    _ word: String, _ rest: inout ArraySlice<String>
  ) throws(Failure) {
    let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    let name = String(parts[0])
    guard let flag = flags.first(where: { $0.name == name }) else {
      throw unknown("--\(name)", nearest: Spelling.nearest(name, among: flags.map(\.name)))
    }
    try set(flag, typed: "--\(name)", inline: parts.count > 1 ? String(parts[1]) : nil, &rest)
  }

  private mutating func takeShort(
    _ word: String, _ rest: inout ArraySlice<String>
  ) throws(Failure) {
    let letter = word[word.index(after: word.startIndex)]
    guard let flag = flags.first(where: { $0.short == letter }) else {
      throw unknown(word, nearest: nil)
    }
    let tail = String(word.dropFirst(2))
    try set(flag, typed: "-\(letter)", inline: tail.isEmpty ? nil : tail, &rest)
  }

  private mutating func set(
    _ flag: Flag, typed: String, inline: String?, _ rest: inout ArraySlice<String>
  ) throws(Failure) {
    guard values[flag.name] == nil else { throw .usage("\(typed) is given twice") }
    if flag.isSwitch {
      guard inline == nil else { throw .usage("\(typed) takes no value, got '\(inline!)'") }
      values[flag.name] = "1"
      return
    }
    if flag.argument == .optionalFolder {
      values[flag.name] = inline ?? ""
      return
    }
    guard let value = inline ?? rest.popFirst() else {
      throw .usage("\(typed) needs a value: \(flag.placeholder!)")
    }
    try check(value, of: flag, typed: typed)
    values[flag.name] = value
  }

  private func check(_ value: String, of flag: Flag, typed: String) throws(Failure) {
    guard case .choice(let words) = flag.argument, !words.contains(value) else { return }
    let nearest = Spelling.nearest(value, among: words).map { "did you mean '\($0)'?" }
    throw .usage("\(typed): '\(value)' is none of: \(words.joined(separator: ", "))", hint: nearest)
  }

  private func unknown(_ typed: String, nearest: String?) -> Failure {
    .usage(
      "unknown flag \(typed)",
      hint: nearest.map { "did you mean --\($0)?" }
        ?? "rtinfer \(command.name) --help lists the flags")
  }

  private func checkOperands() throws(Failure) {
    switch command.operands {
    case .files: return
    case .none:
      guard let first = operands.first else { return }
      throw .usage("unexpected '\(first)': \(command.name) takes no operands")
    case .word(let placeholder):
      guard operands.count > 1 else { return }
      throw .usage("\(command.name) takes one \(placeholder), got \(operands.count)")
    case .choice(let words):
      guard !isOn("help") else { return }
      guard operands.count == 1 else {
        throw .usage("\(command.name) takes one of: \(words.joined(separator: ", "))")
      }
      guard !words.contains(operands[0]) else { return }
      let nearest = Spelling.nearest(operands[0], among: words).map { "did you mean '\($0)'?" }
      throw .usage("'\(operands[0])' is none of: \(words.joined(separator: ", "))", hint: nearest)
    }
  }

  // MARK: Reading

  /// The flag's value: as typed, else from its environment variable, else nil.
  public func value(_ flag: Flag) throws(Failure) -> String? {
    if let typed = values[flag.name] { return typed }
    guard let value = environment[flag.environmentName], !value.isEmpty else { return nil }
    try check(value, of: flag, typed: flag.environmentName)
    return value
  }

  /// True when the flag stands on the command line itself.
  public func isTyped(_ flag: Flag) -> Bool { values[flag.name] != nil }

  public func isOn(_ flag: Flag) -> Bool { isOn(flag.name, flag.environmentName) }

  private func isOn(_ name: String, _ variable: String = "") -> Bool {
    if values[name] != nil { return true }
    guard let value = environment[variable] else { return false }
    return !["", "0", "false", "no"].contains(value)
  }

  /// Where a message about the flag's value should point: "--lateness", or the variable it came from.
  public func origin(_ flag: Flag) -> String {
    values[flag.name] == nil ? flag.environmentName : "--\(flag.name)"
  }

  /// A whole number.
  public func integer(_ flag: Flag, in bounds: ClosedRange<Int>) throws(Failure) -> Int? {
    guard let text = try value(flag) else { return nil }
    guard let number = Int(text) else {
      throw .usage("\(origin(flag)): '\(text)' is not a whole number")
    }
    guard bounds.contains(number) else {
      throw .usage(
        "\(origin(flag)): \(text) is not from \(bounds.lowerBound) to \(bounds.upperBound)")
    }
    return number
  }

  /// A number of any kind.
  public func number(_ flag: Flag, in bounds: ClosedRange<Double>) throws(Failure) -> Double? {
    guard let text = try value(flag) else { return nil }
    guard let number = Double(text), bounds.contains(number) else {
      throw .usage(
        "\(origin(flag)): '\(text)' is not a number from \(bounds.lowerBound.plain) to"
          + " \(bounds.upperBound.plain)")
    }
    return number
  }

  public func span(_ flag: Flag, atLeast minimum: TimeSpan = .zero) throws(Failure) -> TimeSpan? {
    guard let text = try value(flag) else { return nil }
    guard let span = TimeSpan(text) else {
      throw .usage("\(origin(flag)): '\(text)' is not a duration (\(TimeSpan.expectation))")
    }
    guard span >= minimum else {
      throw .usage("\(origin(flag)): \(text) is below the minimum \(minimum.description)")
    }
    return span
  }
}
