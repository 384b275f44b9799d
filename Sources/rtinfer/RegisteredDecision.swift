// The whole decision, between the project and the registry: what is kept of a project when a version is added,
// and what is taken from a version when it is to decide. The views that it reads must still be defined as they
// were: the same name with another meaning would be wrong quietly.

import Core
import Decisions
import Models

extension Project {
  /// What the registry keeps of one model: its section, the views that it reads, the event types.
  ///
  /// - Parameter definition: one of the project's, of exact versions where it names registered ones.
  func decision(of definition: ModelDefinition, _ model: Model) -> VersionManifest.Decision {
    let section = definition.section.map {
      [ConfigNode.Member(key: definition.name, line: $0.line, node: $0)]
    }!
    let text = OutputBuffer(MemorySink(), capacity: 4 << 10)
    text.append("{\"models\":")
    text.append(section)
    text.append(",\"features\":")
    text.append(views(readBy: model.inputNames + section.flatMap(\.node.texts)))
    text.append(",\"events\":")
    text.append(members("events"))
    text.append("}")
    // What was a tree is one again.
    let tree = try? JSON5Parser.parse(text.pending.copy(), file: shownName)
    precondition(tree != nil, "what was written as JSON is JSON")
    return VersionManifest.Decision(project: tree!)
  }

  /// A version of the registry as a model of the project: with the decision that was added with it, else with what the
  /// project declares of that model. It is called as the project calls the model that comes from there, so that
  /// outcomes, values and budgets are found.
  ///
  /// - Throws: a usage failure where there is no such version, or a view it reads has changed since.
  func model(registered text: String, _ invocation: Invocation) throws(Failure) -> ModelDefinition {
    let uri = try ModelURI(text)
    let models = try models()
    let declared =
      models.first { $0.name == uri.model }
      ?? models.first { model in
        guard case .file(let own) = model.source else { return false }
        return (try? ModelURI(own))?.model == uri.model
      }
    let registered = try RegisteredDecision(
      declared ?? ModelDefinition(name: uri.model, uri: text), uri: text, self, invocation)
    return registered.definition.coming(from: registered.manifest.exactName)
  }

  /// The views whose features are named, as `view:feature` or `view__feature`, by inputs, rules or anything else of the
  /// model's section; and those that their own definitions name.
  private func views(readBy texts: [String]) -> [ConfigNode.Member] {
    let all = members("features")
    var texts = texts
    var taken: Set<String> = []
    while let next = all.first(where: { view in
      !taken.contains(view.key)
        && texts.contains { $0.names("\(view.key):") || $0.names("\(view.key)__") }
    }) {
      taken.insert(next.key)
      texts += next.node.texts
    }
    return all.filter { taken.contains($0.key) }
  }
}

extension ConfigNode {
  /// All strings and keys in it.
  fileprivate var texts: [String] {
    switch value {
    case .null, .bool, .number: []
    case .string(let text): [text]
    case .array(let nodes): nodes.flatMap(\.texts)
    case .object(let members): members.flatMap { [$0.key] + $0.node.texts }
    }
  }
}

extension String {
  /// Whether it contains a text that begins a name there.
  fileprivate func names(_ text: String) -> Bool {
    ranges(of: text).contains { range in
      guard range.lowerBound > startIndex else { return true }
      let before = self[index(before: range.lowerBound)]
      return !(before.isLetter || before.isNumber || before == "_")
    }
  }
}

extension OutputBuffer {
  fileprivate func append(_ members: [ConfigNode.Member]) {
    append("{")
    for (index, member) in members.enumerated() {
      if index > 0 { append(",") }
      appendQuoted(member.key)
      append(":")
      member.node.append(to: self)
    }
    append("}")
  }
}

/// A version of the registry that is to decide.
struct RegisteredDecision {
  let manifest: VersionManifest
  /// The model file; of an ensemble what it is made of.
  let path: String
  /// By name, where the files lie that came with it, and their digests.
  let files: [String: (path: String, digest: String)]
  /// As the version was added; as it is declared now where it was added without a project.
  let definition: ModelDefinition
  /// What the requests are read by: the project around here, else the version's own.
  let project: Project?

  /// - Throws: a usage failure where there is no such version, or a view it reads has changed since.
  init(
    _ declared: ModelDefinition, uri text: String, _ project: Project?, _ invocation: Invocation
  ) throws(Failure) {
    let view = try RegistryView(try RegistryFlags.folder(invocation, project))
    let manifest = try view.manifest(try ModelURI(text))
    // Whoever gives it a name of its own is to find it by that.
    let name = declared.name == text ? manifest.model : declared.name
    try self.init(manifest, in: view, declared.named(name), project)
  }

  /// - Parameters:
  ///   - declared: what decides where the version was added without a project.
  ///   - project: nil: the version's own, whatever has changed since.
  init(
    _ manifest: VersionManifest, in view: RegistryView, _ declared: ModelDefinition,
    _ project: Project?
  ) throws(Failure) {
    self.manifest = manifest
    path = view.path(of: manifest.file)
    files = Dictionary(
      manifest.files.map { ($0.name, (view.path(of: $0), $0.digest)) },
      uniquingKeysWith: { first, _ in first })
    guard let decision = manifest.decision else {
      definition = declared
      self.project = declared.isDeclared ? project : nil
      return
    }
    let exact = manifest.exactName
    let text = Array(decision.project.json().utf8)
    let own = try Project(root: try JSON5Parser.parse(text, file: exact), path: path)
    guard let registered = try own.models().first else {
      throw .inputOutput("\(exact): the manifest's decision has no model")
    }
    definition = registered.named(declared.name)
    guard let project, !project.members("events").isEmpty else {
      self.project = own
      return
    }
    self.project = project
    try RegisteredDecision.check(manifest, against: project)
  }

  /// - Throws: a usage failure that names the first view whose definition is another than when the version was added. A
  ///   project without events reads no views.
  static func check(_ manifest: VersionManifest, against project: Project) throws(Failure) {
    guard let decision = manifest.decision, !project.members("events").isEmpty else { return }
    try check(decision.views, manifest.exactName, against: project)
  }

  private static func check(
    _ views: [ConfigNode.Member], _ version: String, against project: Project
  ) throws(Failure) {
    for view in views {
      let hint = "bring the definition back, or add a version that was trained with the new one"
      guard let now = project.members("features").first(where: { $0.key == view.key }) else {
        throw .usage(
          "\(version) reads the view '\(view.key)', which \(project.shownName) does not define",
          hint: hint)
      }
      guard let difference = now.node.difference(from: view.node) else { continue }
      let place = difference.place.isEmpty ? "" : ".\(difference.place)"
      throw .usage(
        "\(project.shownName):\(now.line): features.\(view.key)\(place) has changed since \(version) was"
          + " added: \(difference.own) here, \(difference.other) there",
        hint: hint)
    }
  }
}
