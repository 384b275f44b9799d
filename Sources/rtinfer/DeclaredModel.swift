// A model from its file, together with what the project declares of it and of the requests it answers.

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

  /// - Parameter project: nil where the definition is no more than a file's name.
  init(
    _ definition: ModelDefinition, _ project: Project?, _ invocation: Invocation
  ) throws(Failure) {
    guard ModelURI.isURI(definition.uri) else {
      let path = project?.resolve(definition.uri) ?? definition.uri
      let model = try DeclaredModel.load(path, invocation.files)
      try self.init(definition, project, model: model)
      return
    }
    var project = project
    if project == nil { project = try Project.find(invocation) }
    let registered = try RegisteredDecision(definition, project, invocation)
    let model = try DeclaredModel.load(registered, invocation.files)
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

  /// A registered model, if its file is still the one that was registered.
  private static func load(
    _ registered: RegisteredDecision, _ files: any FileSystem
  ) throws(Failure) -> Model {
    let model = try load(registered.path, files)
    guard model.fingerprint == registered.manifest.file.digest else {
      throw .inputOutput(
        "\(registered.path): changed since it was registered as version"
          + " \(registered.manifest.version) of '\(registered.manifest.model)'",
        hint: "rtinfer registry verify shows all that is wrong")
    }
    return model
  }

  /// The path of a model's file, wherever it is named: a path, or a version of the registry.
  static func path(
    _ uri: String, _ project: Project?, _ invocation: Invocation
  ) throws(Failure) -> String {
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
