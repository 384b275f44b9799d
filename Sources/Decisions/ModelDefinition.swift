// A decision as it is declared: which model, what it is told, what is done about its score.
//
//     late_arrival: {
//       uri: "model.json", decides: "scheduled",
//       inputs: ["distance", "hour(sched_dep)", "origin_departures:mean_delay_1h"],
//       defaults: { "origin_departures:mean_delay_1h": 0 },
//       labels: ["on_time", "late"],
//       rules: [ { if: "score >= 0.5", decide: "rebook" }, { decide: "keep" } ],
//       reasons: { "busy airport": ["origin_departures:mean_delay_1h", "hour(sched_dep)"] },
//     }
//
// Several files that decide as one stand under `combine` in place of `uri`: see `EnsembleDefinition`.

public import Core

public struct ModelDefinition: Sendable {
  public struct Rule: Sendable {
    /// Nil: always.
    let condition: ConfigNode?
    let decision: String
  }

  /// Where the model comes from.
  public enum Source: Sendable {
    /// A path, relative to the project file, or a version of the registry.
    case file(uri: String)
    case ensemble(EnsembleDefinition)
  }

  public private(set) var name: String
  public private(set) var source: Source
  /// The event type that asks for the decision.
  public let decides: String?
  let inputs: [ConfigNode]
  /// By input.
  let defaults: [ConfigNode.Member]
  /// What classes are called, by index.
  public let labels: [String]
  let rules: [Rule]
  /// By rule.
  public var decisions: [String] { rules.map(\.decision) }
  /// By reason, the inputs that speak for it.
  let reasons: [ConfigNode.Member]
  let node: ConfigNode?

  /// Whether it comes from a project file.
  public var isDeclared: Bool { node != nil }

  /// A model file without a project: its own input names, no labels, no rules.
  public init(name: String, uri: String) {
    self.name = name
    self.source = .file(uri: uri)
    self.decides = nil
    self.inputs = []
    self.defaults = []
    self.labels = []
    self.rules = []
    self.reasons = []
    self.node = nil
  }

  /// One member of the project file's `models`.
  public init(_ member: ConfigNode.Member) throws(Failure) {
    let node = member.node
    try node.allow([
      "uri", "combine", "decides", "inputs", "defaults", "labels", "rules", "reasons",
    ])
    self.name = member.key
    self.source = try ModelDefinition.source(node)
    self.decides = try node["decides"]?.string()
    self.inputs = try node["inputs"]?.list() ?? []
    for input in inputs { _ = try input.string() }
    self.defaults = try node["defaults"]?.members() ?? []
    self.labels = try node["labels"]?.strings() ?? []
    var rules: [Rule] = []
    for rule in try node["rules"]?.list() ?? [] {
      try rule.allow(["if", "decide"])
      rules.append(
        Rule(condition: rule["if"], decision: try rule.required("decide").string()))
    }
    if let unconditional = rules.firstIndex(where: { $0.condition == nil }),
      unconditional != rules.count - 1
    {
      throw node["rules"]!.failure("the rules after the one without 'if' can never be reached")
    }
    self.rules = rules
    self.reasons = try node["reasons"]?.members() ?? []
    self.node = node
  }

  private static func source(_ node: ConfigNode) throws(Failure) -> Source {
    guard let combine = node["combine"] else {
      return .file(uri: try node.required("uri").string())
    }
    guard node["uri"] == nil else {
      throw combine.failure("stands beside 'uri'; a model is one file or several")
    }
    return .ensemble(try EnsembleDefinition(combine))
  }

  /// The same made of exact versions.
  ///
  /// - Parameter exact: what stands for each registered version that an ensemble names.
  /// - Throws: a failure at its place in the project file where two names stand for one version.
  public func pinned(_ exact: [String: String]) throws(Failure) -> ModelDefinition {
    guard let node, let combine = node["combine"], !exact.isEmpty else { return self }
    let pinned = combine.mappingTexts { exact[$0] ?? $0 }
    return try ModelDefinition(
      ConfigNode.Member(
        key: name, line: node.line, node: node.replacing("combine", with: pinned)))
  }

  /// The same, of another file or version.
  public func coming(from uri: String) -> ModelDefinition {
    var other = self
    other.source = .file(uri: uri)
    return other
  }

  /// Its section as the project file has it; nil of a file without a project.
  public var section: ConfigNode? { node }

  /// The model in messages: its file, or that it is several.
  var title: String {
    switch source {
    case .file(let uri): uri
    case .ensemble: "the ensemble"
    }
  }

  /// Whether it says what stands for a missing value of this input, be it that one is missing.
  public func hasDefault(ofInput name: String) -> Bool { defaults.contains { $0.key == name } }

  /// What the listed inputs are called, also as columns.
  public var declaredInputs: [String] {
    inputs.flatMap { node in
      guard case .string(let name) = node.value else { return [String]() }
      return [name, FeatureName.column(name)]
    }
  }

  /// The same under another name.
  public func named(_ name: String) -> ModelDefinition {
    var definition = self
    definition.name = name
    return definition
  }

  /// Inputs that are not features: expressions over what asks.
  public var expressionInputs: [ConfigNode] {
    inputs.filter { node in
      guard case .string(let text) = node.value else { return false }
      return text.contains("?") || !text.contains(":")
    }
  }

  /// A failure at the place where an input is listed.
  func failure(ofInput name: String, _ message: String) -> Failure {
    let node = inputs.first { node in
      if case .string(name) = node.value { true } else { false }
    }
    return node?.failure(message) ?? failure(message)
  }

  func failure(_ message: String, hint: String? = nil) -> Failure {
    node?.failure(message, hint: hint) ?? .usage(message, hint: hint)
  }
}

/// What is declared of the rows that ask for a decision.
public struct RequestSchema: Sendable {
  /// Empty: any members.
  public let fields: [Field]
  public let timeMember: String
  public let timeUnit: TimeUnit
  public let idMember: String?
  /// Features by name, `view:feature`.
  public let features: [String]
  /// Members that nobody reads or declares are a mistake.
  public let refusesUnknown: Bool

  public init(
    fields: [Field] = [], timeMember: String = "time", timeUnit: TimeUnit = .rfc3339,
    idMember: String? = "id", features: [String] = [], refusesUnknown: Bool = false
  ) {
    self.fields = fields
    self.timeMember = timeMember
    self.timeUnit = timeUnit
    self.idMember = idMember
    self.features = features
    self.refusesUnknown = refusesUnknown
  }
}

/// The two spellings of a feature: `view:feature` to people, `view__feature` as a column.
enum FeatureName {
  static func column(_ name: String) -> String {
    name.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
      .joined(separator: "__")
  }

  /// Nil when the name has no view.
  static func feature(_ name: String) -> String? {
    if name.contains(":") { return name }
    guard let split = name.firstIndex(of: "_", followedBy: "_") else { return nil }
    return "\(name[..<split]):\(name[name.index(split, offsetBy: 2)...])"
  }
}

extension String {
  fileprivate func firstIndex(of character: Character, followedBy next: Character) -> Index? {
    indices.dropLast().first { self[$0] == character && self[index(after: $0)] == next }
  }
}
