// The project file as a whole: each module reads its own section, here they are put together.

import Core
import Decisions
import Events
import Features
import Measure
import Models
import Replay

struct Project {
  let path: String
  /// As messages name the file.
  let shownName: String
  private let root: ConfigNode

  static let fileName = "rtinfer.json"
  static let sections = [
    "events", "features", "models", "outcomes", "values", "budgets", "drift",
  ]

  /// The project file named by `--project`, else the nearest one upward from the working folder, else nil.
  static func find(_ invocation: Invocation) throws(Failure) -> Project? {
    if let named = try invocation.options.value(CommonFlags.project) {
      return try Project(path: named, in: invocation.files)
    }
    var folder = invocation.workingFolder
    while true {
      let candidate = folder == "/" ? "/\(fileName)" : "\(folder)/\(fileName)"
      if invocation.files.exists(candidate) {
        return try Project(path: candidate, in: invocation.files)
      }
      guard folder != "/", let slash = folder.lastIndex(of: "/") else { return nil }
      folder = slash == folder.startIndex ? "/" : String(folder[..<slash])
    }
  }

  /// For commands that cannot do without.
  static func require(_ invocation: Invocation) throws(Failure) -> Project {
    guard let project = try find(invocation) else {
      throw .usage(
        "no project file: \(fileName) is neither here nor in any folder above",
        hint: "name one with --project FILE; rtinfer help project shows what it holds")
    }
    return project
  }

  init(path: String, in files: any FileSystem) throws(Failure) {
    let bytes = try files.contents(of: path, bytesMax: Limits.projectBytesMax)
    self.path = path
    self.shownName = Project.shortName(path)
    self.root = try JSON5Parser.parse(bytes, file: shownName)
    try root.allow(Project.sections)
  }

  /// A project that stands in no file of its own.
  ///
  /// - Parameter path: the file that other paths are relative to.
  init(root: ConfigNode, path: String) throws(Failure) {
    self.path = path
    self.shownName = root.file
    self.root = root
    try root.allow(Project.sections)
  }

  /// A section's members as they are written.
  func members(_ name: String) -> [ConfigNode.Member] {
    guard case .object(let members)? = root[name]?.value else { return [] }
    return members
  }

  /// Messages name the file as the user knows it, not by a long way round.
  private static func shortName(_ path: String) -> String {
    path.hasSuffix("/\(fileName)") ? fileName : path
  }

  /// A path that the project file names, relative to its folder.
  func resolve(_ relative: String) -> String {
    guard !relative.hasPrefix("/"), let slash = path.lastIndex(of: "/") else { return relative }
    return "\(path[...slash])\(relative)"
  }

  private func section(_ name: String) throws(Failure) -> [ConfigNode.Member] {
    guard let node = root[name] else { return [] }
    return try node.members()
  }

  func eventTypes() throws(Failure) -> [EventType] {
    var types: [EventType] = []
    for member in try section("events") { types.append(try EventType(member)) }
    return types
  }

  func features(_ schema: EventSchema) throws(Failure) -> FeatureDefinitions {
    try FeatureDefinitions(try section("features"), schema: schema)
  }

  func models() throws(Failure) -> [ModelDefinition] {
    var models: [ModelDefinition] = []
    for member in try section("models") { models.append(try ModelDefinition(member)) }
    return models
  }

  /// The model that a flag names, one that is declared or a version of the registry; without it there must be only one
  /// declared.
  func model(_ invocation: Invocation, _ flag: Flag) throws(Failure) -> ModelDefinition {
    let options = invocation.options
    let models = try models()
    let named = try options.value(flag)
    if let named, ModelURI.isURI(named) { return try model(registered: named, invocation) }
    guard let name = named else {
      guard models.count == 1 else {
        throw .usage(
          "say whose decisions are meant with --\(flag.name)",
          hint: models.isEmpty
            ? "the project declares no models"
            : "declared: \(models.map(\.name).joined(separator: ", "))")
      }
      return models[0]
    }
    guard let definition = models.first(where: { $0.name == name }) else {
      throw .usage(
        "\(options.origin(flag)): no model '\(name)' is declared",
        hint: Spelling.nearest(name, among: models.map(\.name)).map { "did you mean '\($0)'?" })
    }
    return definition
  }

  /// The outcomes of the models that decide events of one type.
  func outcomes(of asking: Int, _ schema: EventSchema) throws(Failure) -> [Outcome] {
    let models = try models()
    var outcomes: [Outcome] = []
    for member in try section("outcomes") {
      guard let model = models.first(where: { $0.name == member.key }) else {
        throw member.node.failure(
          "no model '\(member.key)' is declared",
          hint: Spelling.nearest(member.key, among: models.map(\.name)).map {
            "did you mean '\($0)'?"
          })
      }
      guard model.decides == schema.types[asking].name else { continue }
      outcomes.append(try Outcome(member, asking: asking, schema: schema))
    }
    return outcomes
  }

  func driftPolicies() throws(Failure) -> [DriftPolicy] {
    let models = try section("models").map(\.key)
    var policies: [DriftPolicy] = []
    for member in try section("drift") { policies.append(try DriftPolicy(member, models: models)) }
    return policies
  }

  /// What a model's decisions are worth; nil where the project does not say.
  func values(
    of model: ModelDefinition, asking: Int, outcome: Outcome?, _ schema: EventSchema
  ) throws(Failure) -> DecisionValues? {
    let models = try section("models").map(\.key)
    for member in try section("values") where !models.contains(member.key) {
      throw member.node.failure(
        "no model '\(member.key)' is declared",
        hint: Spelling.nearest(member.key, among: models).map { "did you mean '\($0)'?" })
    }
    guard let member = try section("values").first(where: { $0.key == model.name }) else {
      return nil
    }
    guard let outcome else {
      throw member.node.failure(
        "values go by outcomes, and none is declared",
        hint: "outcomes: { \(model.name): { from: …, join: …, outcome: …, matures: … } }")
    }
    return try DecisionValues(member, asking: asking, outcome: outcome, schema: schema)
  }

  func budgets() throws(Failure) -> [Budget] {
    var budgets: [Budget] = []
    let models = try section("models").map(\.key)
    for member in try section("budgets") {
      // A file of budgets alone, as budget plan prints it, names models that are declared elsewhere.
      guard models.isEmpty || models.contains(member.key) else {
        throw member.node.failure(
          "no model '\(member.key)' is declared",
          hint: Spelling.nearest(member.key, among: models).map { "did you mean '\($0)'?" })
      }
      budgets.append(try Budget(member))
    }
    return budgets
  }
}
