// A model from its file, or from several, together with what the project declares of it and of the requests it answers.

import Core
import Decisions
import Events
import Features
import Models

struct DeclaredModel {
  let definition: ModelDefinition
  let model: Model
  let schema: RequestSchema

  /// The registry's number, or the start of the file's fingerprint.
  let version: String

  /// - Parameters:
  ///   - project: nil where the definition is no more than a file's name.
  ///   - options: for each of the model's files.
  init(
    _ definition: ModelDefinition, _ project: Project?, _ invocation: Invocation,
    options: ModelOptions = ModelOptions()
  ) throws(Failure) {
    guard case .file(let uri) = definition.source, ModelURI.isURI(uri) else {
      let members = try RegisteredMembers(definition, project, invocation)
      let model = try DeclaredModel.load(members.definition) { (named) throws(Failure) in
        let model = try DeclaredModel.load(
          members.path(named, project), invocation.files, options: options)
        try members.check(named, model)
        return model
      }
      try self.init(members.definition, project, model: model)
      return
    }
    var project = project
    if project == nil { project = try Project.find(invocation) }
    let registered = try RegisteredDecision(definition, uri: uri, project, invocation)
    let model = try DeclaredModel.load(registered, invocation.files, options)
    try self.init(
      registered.definition, registered.project, model: model,
      version: "\(registered.manifest.version)")
  }

  /// Of a model that is loaded already.
  init(
    _ definition: ModelDefinition, _ project: Project?, model: Model, version: String? = nil
  ) throws(Failure) {
    self.definition = definition
    self.model = model
    // A file without a registry has no version number; the start of its fingerprint tells files apart.
    self.version = version ?? "sha256:\(model.fingerprint.prefix(12))"
    schema =
      if let project { try DeclaredModel.schema(definition, project) } else { RequestSchema() }
  }

  /// A registered model, if its files are still those that were registered.
  static func load(
    _ registered: RegisteredDecision, _ files: any FileSystem, _ options: ModelOptions
  ) throws(Failure) -> Model {
    let model: Model
    if case .ensemble = registered.definition.source {
      model = try load(registered.definition) { (named) throws(Failure) in
        // A file that is not in the manifest is not there by its own name either.
        guard let file = registered.files[named] else {
          return try load(named, files, options: options)
        }
        let model = try load(file.path, files, options: options)
        guard model.fingerprint == file.digest else {
          throw RegisteredMembers.changed(
            file.path, as: "'\(named)' of \(registered.manifest.exactName)")
        }
        return model
      }
    } else {
      model = try load(registered.path, files, options: options)
    }
    guard model.fingerprint == registered.manifest.file.digest else {
      throw .inputOutput(
        "\(registered.path): changed since it was registered as version"
          + " \(registered.manifest.version) of '\(registered.manifest.model)'",
        hint: "rtinfer registry verify shows all that is wrong")
    }
    return model
  }

  /// A declared model of one file or several.
  ///
  /// - Parameter load: gives the model of a file that the definition names.
  private static func load(
    _ definition: ModelDefinition, _ load: (String) throws(Failure) -> Model
  ) throws(Failure) -> Model {
    switch definition.source {
    case .file(let uri): return try load(uri)
    case .ensemble(let ensemble):
      return try ensemble.model(declaredInputs: definition.declaredInputs, load: load)
    }
  }

  /// What messages call a model: the path of its file, wherever it is named (a path, or a version of
  /// the registry), or for several files their place in the project.
  static func path(
    _ definition: ModelDefinition, _ project: Project?, _ invocation: Invocation
  ) throws(Failure) -> String {
    guard case .file(let uri) = definition.source else { return "models.\(definition.name)" }
    guard ModelURI.isURI(uri) else { return project?.resolve(uri) ?? uri }
    let view = try RegistryView(try RegistryFlags.folder(invocation, project))
    return view.path(of: try view.manifest(try ModelURI(uri)).file)
  }

  /// A model from its file alone.
  static func load(
    _ path: String, _ files: any FileSystem, options: ModelOptions = ModelOptions()
  ) throws(Failure) -> Model {
    let bytes = try files.contents(of: path, bytesMax: Limits.modelBytesMax)
    return try bytes.withBytes { (bytes) throws(Failure) in
      try ModelLoader.load(bytes, source: path, options: options)
    }
  }

  private static func schema(
    _ definition: ModelDefinition, _ project: Project
  ) throws(Failure) -> RequestSchema {
    let types = try project.eventTypes()
    guard !types.isEmpty else { return RequestSchema() }
    let schema = EventSchema(types: types)
    let features = try project.features(schema).names
    guard let name = definition.decides else { return RequestSchema(features: features) }
    guard let index = schema.index(of: name) else {
      throw .usage(
        "models.\(definition.name).decides: no event type '\(name)' is declared",
        hint: Spelling.nearest(name, among: types.map(\.name)).map { "did you mean '\($0)'?" })
    }
    let type = types[index]
    return RequestSchema(
      fields: type.fields, timeMember: type.timeMember, timeUnit: type.timeUnit,
      idMember: type.idMember, features: features, refusesUnknown: type.unknown == .reject)
  }
}
