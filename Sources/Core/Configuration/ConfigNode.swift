// The project file as a tree that remembers where everything stood, so that a wrong value can be answered
// with file, line and key. Whoever reads a section asks for the keys it knows and then for the rest:
// a key that nobody asked for is an error, never silently ignored.

/// A value of the project file with its place.
public struct ConfigNode: Sendable {
  public enum Value: Sendable {
    case null
    case bool(Bool)
    /// As written.
    case number(String)
    case string(String)
    case array([ConfigNode])
    case object([Member])
  }

  public struct Member: Sendable {
    public let key: String
    public let line: Int
    public let node: ConfigNode

    public init(key: String, line: Int, node: ConfigNode) {
      self.key = key
      self.line = line
      self.node = node
    }
  }

  public let value: Value
  public let file: String
  public let line: Int
  /// As in "events.departed.lateness"; empty for the root.
  public let path: String

  /// An error about this value: names file, line and key.
  public func failure(_ message: String, hint: String? = nil) -> Failure {
    .usage("\(file):\(line): \(path.isEmpty ? "" : "\(path): ")\(message)", hint: hint)
  }

  private var kind: String {
    switch value {
    case .null: "null"
    case .bool: "a boolean"
    case .number: "a number"
    case .string: "a string"
    case .array: "a list"
    case .object: "an object"
    }
  }

  // MARK: Objects

  public func members() throws(Failure) -> [Member] {
    guard case .object(let members) = value else {
      throw failure("expected an object, found \(kind)")
    }
    return members
  }

  public subscript(key: String) -> ConfigNode? {
    guard case .object(let members) = value else { return nil }
    return members.first { $0.key == key }?.node
  }

  /// The member `key`, which must be there.
  public func required(_ key: String) throws(Failure) -> ConfigNode {
    _ = try members()
    guard let node = self[key] else { throw failure("the key '\(key)' is missing") }
    return node
  }

  /// Refuses any key that is not in `known`.
  public func allow(_ known: [String]) throws(Failure) {
    for member in try members() where !known.contains(member.key) {
      let nearest = Spelling.nearest(member.key, among: known)
      let offer =
        nearest.map { "did you mean '\($0)'?" } ?? "known keys: \(known.joined(separator: ", "))"
      let place = path.isEmpty ? member.key : "\(path).\(member.key)"
      throw .usage("\(file):\(member.line): \(place): unknown key '\(member.key)'", hint: offer)
    }
  }

  /// The same tree with other texts: each key and each string is what `text` makes of it.
  public func mappingTexts(_ text: (String) -> String) -> ConfigNode {
    var value = value
    switch self.value {
    case .null, .bool, .number: break
    case .string(let own): value = .string(text(own))
    case .array(let nodes): value = .array(nodes.map { $0.mappingTexts(text) })
    case .object(let members):
      value = .object(
        members.map {
          Member(key: text($0.key), line: $0.line, node: $0.node.mappingTexts(text))
        })
    }
    return ConfigNode(value: value, file: file, line: line, path: path)
  }

  /// The same object with another node for a key that it has.
  public func replacing(_ key: String, with node: ConfigNode) -> ConfigNode {
    guard case .object(let members) = value else { return self }
    let replaced = members.map {
      $0.key == key ? Member(key: key, line: $0.line, node: node) : $0
    }
    return ConfigNode(value: .object(replaced), file: file, line: line, path: path)
  }

  // MARK: Values

  public func string() throws(Failure) -> String {
    guard case .string(let text) = value else { throw failure("expected a string, found \(kind)") }
    return text
  }

  public func bool() throws(Failure) -> Bool {
    guard case .bool(let flag) = value else {
      throw failure("expected true or false, found \(kind)")
    }
    return flag
  }

  public func double() throws(Failure) -> Double {
    guard case .number(let text) = value, let number = Double(text) else {
      throw failure("expected a number, found \(kind)")
    }
    return number
  }

  /// A whole number within bounds.
  public func integer(in bounds: ClosedRange<Int>) throws(Failure) -> Int {
    guard case .number(let text) = value, let number = Int(text) else {
      throw failure("expected a whole number, found \(kind)")
    }
    guard bounds.contains(number) else {
      throw failure("\(number) is not between \(bounds.lowerBound) and \(bounds.upperBound)")
    }
    return number
  }

  public func list() throws(Failure) -> [ConfigNode] {
    guard case .array(let nodes) = value else { throw failure("expected a list, found \(kind)") }
    return nodes
  }

  public func strings() throws(Failure) -> [String] {
    var result: [String] = []
    for node in try list() { result.append(try node.string()) }
    return result
  }

  /// A length of time such as "30m"; at least `atLeast`.
  public func span(atLeast minimum: TimeSpan = .zero) throws(Failure) -> TimeSpan {
    let text = try string()
    guard let span = TimeSpan(text) else {
      throw failure("'\(text)' is not a duration (\(TimeSpan.expectation))")
    }
    guard span >= minimum else {
      throw failure("\(text) is below the minimum \(minimum.description)")
    }
    return span
  }

  /// One of a few words.
  public func choice<Choice: RawRepresentable & CaseIterable>(
    _ type: Choice.Type
  ) throws(Failure) -> Choice where Choice.RawValue == String {
    let text = try string()
    guard let choice = Choice(rawValue: text) else {
      let known = Choice.allCases.map(\.rawValue).joined(separator: ", ")
      throw failure("'\(text)' is none of: \(known)")
    }
    return choice
  }
}
