// The models of a server, as --model or the project file names them, each ready to be served.

import Core
import Decisions
import Models
import Service

struct ServedModels {
  private let invocation: Invocation
  private let project: Project?
  private let store: OnlineStore?
  private let live: EventServing.LiveFeatures?
  /// Each with the project that it is declared in; none for a file's name.
  private var declared: [(definition: ModelDefinition, project: Project?)] = []

  /// - Parameter live: the features that the server keeps itself.
  init(
    _ invocation: Invocation, _ live: EventServing.LiveFeatures?
  ) throws(Failure) {
    self.invocation = invocation
    self.live = live
    project = try Project.find(invocation)
    if let live, let project { try live.check(project) }
    store = try OnlineStore(invocation, project, deadline: TimeSpan(microseconds: 5_000))
    let definitions = try project?.models() ?? []
    guard let named = try invocation.options.value(ServeCommand.model) else {
      declared = definitions.map { ($0, project) }
      return
    }
    for part in named.split(separator: ",", omittingEmptySubsequences: false) {
      let next = try declaration(String(part), definitions)
      guard !declared.contains(where: { $0.definition.name == next.definition.name }) else {
        throw .usage("--model: '\(next.definition.name)' is named twice")
      }
      declared.append(next)
    }
  }

  /// Those that an alias of the registry names, an ensemble once for each alias among its files.
  var aliases: [(name: String, uri: ModelURI)] {
    declared.flatMap { definition, _ in
      let named =
        switch definition.source {
        case .file(let text): [text]
        case .ensemble(let ensemble): ensemble.registered
        }
      return named.compactMap { text -> (name: String, uri: ModelURI)? in
        guard let uri = try? ModelURI(text), case .alias = uri.reference else { return nil }
        return (definition.name, uri)
      }
    }
  }

  /// All of them, loaded.
  func all() throws(Failure) -> [ServedModel] {
    guard !declared.isEmpty else {
      throw .usage(
        "no model: the project file declares none and --model is not given",
        hint: "rtinfer serve --model fraud=model.json")
    }
    var served: [ServedModel] = []
    for (definition, project) in declared {
      served.append(try serve(try DeclaredModel(definition, project, invocation)))
    }
    return served
  }

  /// The one of this name, loaded; nil where there is none.
  func model(_ name: String) throws(Failure) -> ServedModel? {
    guard let found = declared.first(where: { $0.definition.name == name }) else { return nil }
    return try serve(try DeclaredModel(found.definition, found.project, invocation))
  }

  private func serve(_ declared: DeclaredModel) throws(Failure) -> ServedModel {
    let definition = declared.definition
    if let live, definition.isDeclared, try live.features(definition) != nil {
      return try ServedModel(
        definition, model: declared.model, schema: declared.schema, version: declared.version
      ) { () throws(Failure) in try live.features(definition)! }
    }
    guard let store, definition.isDeclared else {
      return try ServedModel(
        definition, model: declared.model, schema: declared.schema, version: declared.version)
    }
    // A store that is not there is a mistake now; later it must not stop what is served.
    _ = try store.features(definition)
    return try ServedModel(
      definition, model: declared.model, schema: declared.schema, version: declared.version
    ) { () throws(Failure) in try store.features(definition, opensLater: true) }
  }

  /// `NAME=FILE`, a version of the registry, which has a name, or the name of one of the project's models.
  private func declaration(
    _ text: String, _ definitions: [ModelDefinition]
  ) throws(Failure) -> (definition: ModelDefinition, project: Project?) {
    let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    if parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty, !parts[0].contains("/") {
      return (ModelDefinition(name: String(parts[0]), uri: String(parts[1])), nil)
    }
    let origin = invocation.options.origin(ServeCommand.model)
    if ModelURI.isURI(text) {
      return (ModelDefinition(name: try ModelURI(text).model, uri: text), nil)
    }
    guard parts.count == 1 else {
      throw .usage("\(origin): '\(text)' is not NAME=FILE", hint: "as in --model fraud=model.json")
    }
    guard let project, let definition = definitions.first(where: { $0.name == text }) else {
      let nearest = Spelling.nearest(text, among: definitions.map(\.name))
      throw .usage(
        "\(origin): '\(text)' is neither NAME=FILE nor a model of the project",
        hint: nearest.map { "did you mean '\($0)'?" } ?? "as in --model fraud=model.json")
    }
    return (definition, project)
  }
}
